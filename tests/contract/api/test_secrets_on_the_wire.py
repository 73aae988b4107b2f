"""An exchange that echoes keys, and a client that logs everything: neither gives a secret away."""

import io
import logging
from base64 import b64encode
from collections.abc import Iterator
from urllib.parse import quote

import pytest

from execution.exchanges.account import Account
from execution.model.errors import ExchangeUnavailable
from execution.model.order import Attempt
from execution.text.redacted_logging import redact_process_output
from tests.support.api.canned_server import CannedServer, Reply, Request
from tests.support.api.exchange_kits import KITS
from tests.support.api.kit import order_for
from tests.support.clock import START_MS, FakeClock
from tests.support.fakes import connections_alone

KEY = "canary-key-0123456789"
PASSPHRASE = "canary passphrase/1"
SECRET = b64encode(b"canary secret of the account").decode()
PROXY_PASSWORD = "canary-proxy-password"
SECRETS = (KEY, PASSPHRASE, SECRET, PROXY_PASSWORD)
ATTEMPT = Attempt(1, START_MS + 42, START_MS + 42 + 3_000, START_MS + 42 + 5_000)


@pytest.fixture(scope="module")
def server() -> Iterator[CannedServer]:
    server = CannedServer()
    yield server
    server.close()


@pytest.fixture
def logged() -> Iterator[io.StringIO]:
    """Every line of every library at DEBUG."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    root = logging.getLogger()
    level = root.level
    redact_process_output()
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield stream
    root.removeHandler(handler)
    root.setLevel(level)
    logging.setLogRecordFactory(logging.LogRecord)


def echo(request: Request) -> Reply:
    """Say everything that came, as some gateways do."""
    says = f"no: {dict(request.headers)} {request.params}"
    body = {"code": -1, "msg": says, "retCode": 9, "retMsg": says, "error": [says], "key": KEY}
    return Reply({**body, "url": quote(KEY)}, 400)


def assert_clean(text: str, server: CannedServer) -> None:
    assert text
    signatures = {
        str(value)
        for request in server.requests
        for name, value in {**request.headers, **request.params}.items()
        if "sign" in name.lower() or name.lower() == "authorization"
    }
    for secret in {*SECRETS, *map(quote, SECRETS), *signatures - {"", "HmacSHA256"}}:
        if len(secret) > 2:  # Bybit's X-BAPI-SIGN-TYPE is "2".
            assert secret not in text


@pytest.mark.parametrize("name", sorted(KITS))
def test_what_an_exchange_echoes_reaches_no_reason_and_no_log(
    name: str, server: CannedServer, logged: io.StringIO
) -> None:
    kit = KITS[name]
    url = server.url.replace("//", f"//user:{PROXY_PASSWORD}@")
    # Coinbase signs with a key of its own form.
    secret = kit.secret if name == "coinbase" else SECRET
    account = Account("main", name, KEY, secret, PASSPHRASE, base_url=url)
    server.reset(kit.at_start())
    exchange = connections_alone({"main": account}, FakeClock()).exchange("main")
    order = order_for(name)
    server.answers = dict.fromkeys([kit.new_order], echo)
    outcome = exchange.place(order, ATTEMPT)
    texts = [outcome.reason]
    for question in (exchange.balances, lambda: exchange.lookup(order)):
        with pytest.raises(ExchangeUnavailable) as failed:
            question()
        texts.append(str(failed.value))
    written = logged.getvalue()
    assert "Request:" in written
    assert "Response:" in written
    for text in (*texts, written):
        assert_clean(text, server)
        assert secret not in text
