"""No secret leaves the process: canaries of every shape, at every way out."""

import io
import json
import logging
import os
import subprocess
import sys
import threading
from base64 import b64encode
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import structlog

from execution.exchanges.account import Account
from execution.exchanges.port import Outcome
from execution.ledger.sql.engine import parse_url
from execution.model.errors import ExchangeUnavailable, LedgerUrlError, StoreUnavailable
from execution.model.order import Verdict
from execution.orders.store import RefusedIntent
from execution.text.redacted_logging import redact_process_output
from execution.text.redaction import redact, redact_prose, register_secrets, register_url, scrub
from oneorder.errors import SettingsError
from oneorder.settings import SignalSettings
from workers.configuration.settings import load_settings
from workers.observers.logs import configure_logging
from workers.observers.sentry import scrub_event

PASSWORD = "canary/pa:ss@word+1"
SECRET = 'canary "secret"\nof+an/account=='
KEY = "canarykeycanarykey"

BY_PATTERN = [
    "redis://user:CANARY@redis.internal:6379/0",
    "redis://:CANARY@redis.internal:6379/0",
    "redis://:can/CANARY@ry@redis.internal:6379/0",
    "redis:user:CANARY@redis.internal",
    "amqp://guest:CANARY@rabbit//",
    "postgresql+psycopg://user:CANARY@db/oneorder",
    "postgresql+psycopg:user:CANARY@db/oneorder",
    "sentinel://:CANARY@one;sentinel://:CANARY@two",
    "https://CANARY@sentry.example/7",
    "cannot reach 'https://user:CANARY@proxy.example/api'",
    "GET /api/v3/order?symbol=BTCUSDT&signature=CANARY",
    "AccessKeyId=CANARY&SignatureVersion=2&Signature=CANARY",
    "path%3Fsignature%3DCANARY",
    "X-MBX-APIKEY: CANARY",
    "{'OK-ACCESS-KEY': 'CANARY', 'OK-ACCESS-PASSPHRASE': 'CANARY', 'OK-ACCESS-SIGN': 'CANARY'}",
    "{'X-BAPI-API-KEY': b'CANARY', 'X-BAPI-SIGN': b'CANARY'}",
    "API-Key: CANARY\nAPI-Sign: CANARY",
    "[('Authorization', 'Bearer CANARY1')]",
    "Authorization: Bearer CANARY",
    "authorization: HMAC-SHA256 id:CANARY",
    "Bearer CANARY1",
    f"Basic {b64encode(b'user:CANARY').decode()}",
    '{"secret": "can\\"CANARY"}',
    '{\\"apiKey\\": \\"CANARY\\"}',
    "{'secret': 'cut off CANARY",
    "listenKey=CANARY",
    "eyJhbGciOiJIUzI1NiJ9.eyJhY2Nlc3Nfa2V5IjoiQ0FOQVJZIn0.CANARY_CANARY-CANARY",
    "-----BEGIN EC PRIVATE KEY-----\nCANARY\nCANARY\n-----END EC PRIVATE KEY-----",
    '{"key": "-----BEGIN EC PRIVATE KEY-----\\nCANARY", "after": "1"}',
]


@pytest.fixture(scope="module", autouse=True)
def account() -> Account:
    """An account whose secrets are known from now on."""
    url = f"https://user:{PASSWORD}@proxy.example/api"
    return Account("main", "okx", KEY, SECRET, "canary passphrase", base_url=url)


@pytest.mark.parametrize("text", BY_PATTERN)
def test_what_looks_like_a_secret_is_removed(text: str) -> None:
    cleaned = redact(text)
    assert "CANARY" not in cleaned
    assert b64encode(b"user:CANARY").decode() not in cleaned
    assert redact(cleaned) == cleaned


def forms(secret: str) -> list[str]:
    return [
        secret,
        quote(secret, safe=""),
        json.dumps(secret)[1:-1],
        json.dumps(json.dumps(secret)[1:-1])[1:-1],
        repr(secret)[1:-1],
    ]


@pytest.mark.parametrize("secret", [PASSWORD, SECRET, KEY, "canary passphrase"])
@pytest.mark.parametrize("form", range(5))
def test_a_secret_of_an_account_is_removed_however_it_is_written(secret: str, form: int) -> None:
    written = forms(secret)[form]
    assert redact(f"the exchange says: {written} is not valid") == (
        "the exchange says: [removed] is not valid"
    )


@pytest.mark.parametrize(
    "text",
    [
        "order oo1 is submitting",
        "SIGNAL:fix-1@binance-main",
        '{"code":-2014,"msg":"API-key format invalid."}',
        '{"retCode":10003,"retMsg":"API key is invalid."}',
        "EAPI:Invalid key, EAPI:Invalid signature",
        "Signature for this request is not valid.",
        "connecting to 127.0.0.1:6379 was refused (redis_url)",
        "Task orders.execute[3f1c7d2a] received",
        "basic authentication is not supported",
        "design: a signal, signed off; keys: 3",
        "redis://127.0.0.1:6379/0",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert redact(text) == text


def test_a_coin_that_is_called_like_a_secret_keeps_its_amount() -> None:
    assert scrub({"SIGN": "1.5", "TOKEN": "-2"}) == {"SIGN": "1.5", "TOKEN": "-2"}
    assert scrub({"token": "1.5", "TOKEN": "abc"}) == {"token": "[removed]", "TOKEN": "[removed]"}


def test_a_short_value_takes_no_words_out_of_texts() -> None:
    register_secrets(["paper", "", None, "oneorder"])
    assert redact("a paper order of oneorder") == "a paper order of oneorder"


def test_a_long_hostile_text_costs_no_more_than_its_length() -> None:
    for part in ("://a_secret_sign='", "secret", "a@b-----BEGIN PRIVATE KEY-----", "%3d\\\\'"):
        redact(part * 20_000)


@pytest.fixture
def logged(own_log: None) -> Iterator[io.StringIO]:
    """What a handler of the standard library's writes, of whichever library's lines."""
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


def fail(reason: str) -> None:
    raise ValueError(reason)


def assert_clean(text: str) -> None:
    assert text
    for secret in (PASSWORD, SECRET, KEY, "canary passphrase", "CANARY"):
        assert not any(form in text for form in forms(secret))


def test_lines_of_other_libraries_hold_no_secret(logged: io.StringIO) -> None:
    log = logging.getLogger("ccxt.base.exchange")
    log.debug(
        "%s %s, Request: %s %s", "GET", f"https://x/?signature=CANARY&k={quote(KEY)}",
        {"X-MBX-APIKEY": "CANARY", "other": KEY}, f"password={SECRET}",
    )  # fmt: skip
    log.info("%(name)s raised %(exc)s", {"name": "task", "exc": f"{PASSWORD} secret=CANARY"})
    log.warning("plain %s" % KEY)  # noqa: UP031  # As some write it.
    assert_clean(logged.getvalue())
    assert "GET https://x/?signature=[removed]" in logged.getvalue()


def test_tracebacks_of_other_libraries_hold_no_secret(logged: io.StringIO) -> None:
    try:
        fail(f"no such host in redis://:{PASSWORD}@x ({SECRET!r})")
    except ValueError:
        logging.getLogger("celery").exception("failed")
    assert_clean(logged.getvalue())
    assert "ValueError: no such host in redis://[removed]@x" in logged.getvalue()


@pytest.fixture
def own_log() -> Iterator[None]:
    """What a test makes of the log ends with it."""
    yield
    structlog.reset_defaults()
    logging.setLogRecordFactory(logging.LogRecord)
    sys.excepthook, threading.excepthook = sys.__excepthook__, threading.__excepthook__


@pytest.mark.usefixtures("own_log")
@pytest.mark.parametrize("json_lines", [True, False])
def test_lines_of_our_own_hold_no_secret(
    json_lines: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    configure_logging(json_lines=json_lines)
    log = structlog.get_logger(f"canary-{json_lines}")
    log.info("event", reason=f"answered {KEY}", headers={"X-MBX-APIKEY": "CANARY"})
    log.info("event", error=ValueError(f"{SECRET!r}"), urls=[f"redis://u:{PASSWORD}@h"])
    log.info("event", password="CANARY", amount=Decimal("1.5"), drift={"SIGN": "1"})
    try:
        fail(PASSWORD)
    except ValueError:
        log.exception("event")
    written = capsys.readouterr().err
    assert_clean(written)
    if json_lines:
        assert [json.loads(line)["event"] for line in written.splitlines()] == ["event"] * 4


def test_what_is_reported_to_sentry_holds_no_secret() -> None:
    event: Any = {
        "logentry": {"message": "says %s", "params": [KEY]},
        "exception": {"values": [{"value": f"at redis:u:{PASSWORD}@h with {SECRET}"}]},
        "breadcrumbs": [{"data": {"url": f"https://x?k={quote(KEY)}&signature=CANARY"}}],
    }
    assert_clean(str(scrub_event(event, {})))


def test_what_is_recorded_holds_no_secret() -> None:
    says = f'{{"msg": "key {KEY} of https://user:{PASSWORD}@proxy.example", "sign": "CANARY"}}'
    refused = RefusedIntent("orders.execute", says, says, datetime(2030, 1, 1, tzinfo=UTC))
    outcome = Outcome(Verdict.UNKNOWN, reason=says)
    texts = [refused.body, refused.reason, outcome.reason]
    texts += [str(ExchangeUnavailable(says)), str(StoreUnavailable(says))]
    for text in texts:
        assert_clean(text)


def test_a_refused_body_that_is_cut_keeps_no_part_of_a_secret() -> None:
    body = "x" * 1_990 + f" {SECRET} signature=" + "CANARY" * 50 + "y" * 10_000
    for shift in range(0, 60, 7):
        refused = RefusedIntent("t", body[shift:], "r", datetime(2030, 1, 1, tzinfo=UTC))
        assert "canary" not in refused.body
        assert "CANARY" not in refused.body
        assert "(cut: " in refused.body


def test_an_account_shows_no_secret(account: Account) -> None:
    assert_clean(repr(account))


@pytest.fixture
def settings_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "settings.toml"
    for name in ("REDIS_URL", "BROKER_URL", "LEDGER_URL", "SENTRY_DSN", "ACCOUNTS"):
        monkeypatch.delenv(f"ONEORDER_{name}", raising=False)
    monkeypatch.setenv("ONEORDER_CONFIG", str(path))
    return path


@pytest.mark.parametrize("setting", ["redis_url", "broker_url", "ledger_url", "sentry_dsn"])
@pytest.mark.parametrize(
    "value",
    [
        '["redis://user:CANARY@host"]',
        '{password = "CANARY"}',
        '{"CANARY" = "CANARY"}',
    ],
)
def test_a_setting_of_the_wrong_type_is_refused_without_its_value(
    setting: str, value: str, settings_file: Path
) -> None:
    settings_file.write_text(f"{setting} = {value}\n")
    with pytest.raises(SettingsError) as refused:
        load_settings()
    assert str(refused.value).startswith(f"{setting}: ")
    assert_clean(str(refused.value))


def test_an_address_of_the_wrong_type_is_refused_without_its_value(settings_file: Path) -> None:
    account = '[accounts.a]\nexchange = "binance"\n'
    settings_file.write_text(f'{account}base_url = ["https://user:CANARY@x"]\n')
    with pytest.raises(SettingsError) as refused:
        load_settings()
    assert_clean(str(refused.value))
    settings_file.write_text('[accounts]\na = "https://user:CANARY@x"\n')
    with pytest.raises(SettingsError) as refused:
        load_settings()
    assert_clean(str(refused.value))


def test_a_producers_error_does_not_repeat_what_was_refused(settings_file: Path) -> None:
    settings_file.write_text('redis_url = ["redis://user:CANARY@host"]\n')
    with pytest.raises(ValueError, match="redis_url") as refused:
        SignalSettings()
    assert_clean(str(refused.value))
    settings_file.write_text('redis_url = "redis://user:CANARY@host"\n')
    assert_clean(repr(SignalSettings()))


@pytest.mark.parametrize(
    ("setting", "address"),
    [
        ("redis_url", "redis://user:PASSWORD@host/0"),
        ("broker_url", "amqp://user:PASSWORD@host/x"),
        ("ledger_url", "scheme:user:PASSWORD@host/x"),
        ("sentry_dsn", "https://user:PASSWORD@host/1"),
    ],
)
def test_the_passwords_of_the_settings_are_known_from_then_on(
    setting: str, address: str, settings_file: Path
) -> None:
    password = f"canary-of-{setting.replace('_', '-')}"
    settings_file.write_text(f'{setting} = "{address.replace("PASSWORD", password)}"\n')
    load_settings()
    assert redact(f"login {password} failed") == "login [removed] failed"


@pytest.mark.parametrize(
    "url",
    [
        "postgresql+psycopg:user:CANARY@db/oneorder",
        "mysql://user:CANARY@db/x",
        "user:CANARY@db",
        "postgresql+psycopg://user:can/CANARY@ry@db:port/oneorder",
        "sqlite://user:CANARY@db/x",
        "postgresql://user:CANARY@db/x?password=CANARY&port=",
        "sqlite:///x.db?password=CANARY",
    ],
)
def test_a_ledger_url_that_is_refused_shows_no_password(url: str) -> None:
    try:
        parse_url(url)
    except LedgerUrlError as error:
        assert_clean(str(error))


def test_a_url_with_a_percent_encoded_password_is_known_in_both_ways() -> None:
    register_url("redis://user:canary%2Fencoded@host:6379/0")
    assert redact("canary%2Fencoded, canary/encoded") == "[removed], [removed]"


def test_an_uncaught_error_shows_no_secret() -> None:
    program = (
        "import threading\n"
        "from execution.text.redacted_logging import redact_process_output\n"
        "redact_process_output()\n"
        "def fail(): raise ValueError('redis://u:CANARY@h')\n"
        "thread = threading.Thread(target=fail); thread.start(); thread.join()\n"
        "fail()\n"
    )
    root = Path(__file__).parents[3]
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=root, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stderr.count("ValueError: redis://[removed]@h") == 2
    # The source line that raised it is a text, too.
    assert_clean(done.stderr)


def run_program(program: str, directory: Path) -> subprocess.CompletedProcess[str]:
    """Run it in a process of its own, away from the user's settings."""
    root = Path(__file__).parents[3]
    environment = {key: value for key, value in os.environ.items() if "ONEORDER_" not in key}
    return subprocess.run(
        [sys.executable, "-c", program],
        cwd=directory,
        env={**environment, "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_command_that_ends_by_a_bug_shows_no_secret(tmp_path: Path) -> None:
    program = (
        "import sys\n"
        "from workers.cli.main import main\n"
        "from workers.cli.app import cli\n"
        "@cli.command()\n"
        "def fail(): raise RuntimeError('at redis://u:CANARY@h')\n"
        "sys.argv = ['oneorder', 'fail']\n"
        "main()\n"
    )
    done = run_program(program, tmp_path)
    assert done.returncode == 1
    assert "RuntimeError: at redis://[removed]@h" in done.stderr
    assert_clean(done.stderr)


def test_whatever_celery_logs_from_its_start_on_shows_no_secret(tmp_path: Path) -> None:
    program = (
        "import logging\n"
        "from workers import app\n"
        "app.log.setup_logging_subsystem(loglevel='DEBUG')\n"
        "logging.getLogger('celery').info('at %s', 'amqp://u:CANARY@h')\n"
        "try: raise ValueError('at amqp://u:CANARY@h')\n"
        "except ValueError: logging.getLogger('celery.worker').exception('no')\n"
    )
    done = run_program(program, tmp_path)
    assert done.stderr.count("amqp://[removed]@h") == 2
    assert_clean(done.stderr)


def test_our_own_json_is_redacted_in_its_sentences_and_keeps_its_ids() -> None:
    row = {"signal_id": "sign:1", "reason": "secret=CANARY", "fees": {"SIGN": "1"}, "at": None}
    shown = redact_prose([{**row, "error": ["token=CANARY"]}])
    assert shown == [{**row, "reason": "secret=[removed]", "error": ["token=[removed]"]}]


def test_threads_may_register_and_redact_at_the_same_time() -> None:
    def register(number: int) -> None:
        for each in range(20):
            register_secrets([f"canary-{number}-of-many-{each}"])

    threads = [threading.Thread(target=register, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert redact("canary-3-of-many-19 canary-0-of-many-0") == "[removed] [removed]"
