"""Which accounts are taken at start, and how one at an exchange without a contract works."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import ccxt
import pytest

from execution.api.connections import Connections
from execution.api.generic_api import GenericExchange, generic_client, is_known
from execution.api.http.transport import StrictTransport
from execution.api.other_exchange_api import ADAPTERS
from execution.api.strict.ccxt_exchange import CcxtExchange
from execution.exchanges.account import Account
from execution.exchanges.guarantees import Uniqueness
from execution.exchanges.registry import GUARANTEES
from execution.model.errors import ExchangeUnavailable, UnsupportedExchange
from execution.model.order import Attempt, Order, OrderState, OrderType, Side, Verdict
from tests.support.api.canned_server import CannedServer, Reply
from tests.support.api.exchange_kits import KITS, OTHERS
from tests.support.api.kit import SECRET
from tests.support.clock import START_MS, FakeClock
from tests.support.fakes import Rig, connections_alone

ATTEMPT = Attempt(1, START_MS + 42, START_MS + 3_042, START_MS + 5_042)
# ccxt has a class for it, and its guarantees are not known.
UNREAD = "binanceus"
LISTED = (Path(__file__).parents[1] / "data" / "exchange_info.json").read_text()


def connections(exchange: str, url: str | None = None, **changes: Any) -> Connections:
    secret = KITS[exchange].secret if exchange in KITS else SECRET
    account = Account("main", exchange, "the-key", secret, "the-password", url, **changes)
    return connections_alone({"main": account}, FakeClock())


@pytest.fixture(scope="module")
def listening() -> Iterator[CannedServer]:
    server = CannedServer()
    yield server
    server.close()


@pytest.fixture
def server(listening: CannedServer) -> CannedServer:
    listening.reset({"GET /api/v3/exchangeInfo": LISTED})
    return listening


def test_an_exchange_without_a_contract_is_refused_at_start() -> None:
    with pytest.raises(UnsupportedExchange) as refused:
        connections(UNREAD)
    said = str(refused.value)
    assert said.startswith("accounts.main.exchange: 'binanceus' is not supported (supported")
    assert "accept_quarantine" in said
    for name in GUARANTEES:
        assert name in said


@pytest.mark.parametrize("exchange", ["no-such-exchange", "exchange", "Exchange", "base", ""])
def test_what_ccxt_does_not_know_is_refused_even_with_quarantine(exchange: str) -> None:
    with pytest.raises(UnsupportedExchange, match=r"accounts\.main\.exchange"):
        connections(exchange, accept_quarantine=True)


@pytest.mark.parametrize("exchange", ["binanceusdm", "bitfinex"])
def test_an_exchange_without_spot_or_fixed_steps_is_refused_even_with_quarantine(
    exchange: str,
) -> None:
    with pytest.raises(UnsupportedExchange, match="no spot exchange of ccxt's with fixed steps"):
        connections(exchange, accept_quarantine=True)


def test_every_other_exchange_has_a_strict_client() -> None:
    known = [name for name in ccxt.exchanges if name not in GUARANTEES and is_known(name)]
    assert len(known) > 50
    for name in known:
        client = generic_client(Account("main", name, base_url="http://127.0.0.1:1"))
        assert isinstance(client, StrictTransport)
        assert isinstance(client, getattr(ccxt, name))
        assert client.session.max_redirects == 0
        assert client.enableRateLimit is False


@pytest.mark.parametrize("name", ["binance", *OTHERS])
@pytest.mark.parametrize("accepts", [False, True])
def test_an_exchange_with_a_contract_keeps_it(
    name: str, accepts: bool, server: CannedServer
) -> None:
    server.reset(KITS[name].at_start())
    exchange = connections(name, server.url, accept_quarantine=accepts).exchange("main")
    assert exchange.guarantees is GUARANTEES[name]
    assert exchange.market("BTC/USDT") is not None
    if name in ADAPTERS:
        assert type(exchange) is ADAPTERS[name].adapter


@pytest.mark.parametrize("name", OTHERS)
@pytest.mark.parametrize("body", ["{}", "[]", "<html>", '[{"market": "nonsense"}]'])
def test_without_markets_there_is_no_exchange(name: str, body: str, server: CannedServer) -> None:
    server.reset({**KITS[name].at_start(), KITS[name].markets: body})
    with pytest.raises(ExchangeUnavailable):
        connections(name, server.url).exchange("main")


# An exchange without a contract


@pytest.fixture
def unread(server: CannedServer) -> CcxtExchange:
    exchange = connections(UNREAD, server.url, accept_quarantine=True).exchange("main")
    server.requests.clear()
    return exchange


def told(order: Order, **changes: Any) -> dict[str, Any]:
    return {
        "symbol": "BTCUSDT",
        "orderId": 28,
        "clientOrderId": order.client_order_id,
        "price": "100",
        "origQty": "1",
        "executedQty": "0",
        "cummulativeQuoteQty": "0",
        "status": "NEW",
        "timeInForce": "GTC",
        "type": "LIMIT",
        "side": "BUY",
        "time": START_MS,
        **changes,
    }


def trade(number: int, order_id: int = 28) -> dict[str, Any]:
    return {
        "symbol": "BTCUSDT",
        "id": number,
        "orderId": order_id,
        "price": "100",
        "qty": "0.001",
        "commission": "0.0001",
        "commissionAsset": "USDT",
        "time": START_MS + number,
        "isBuyer": True,
    }


def test_it_promises_nothing(unread: CcxtExchange) -> None:
    assert isinstance(unread, GenericExchange)
    assert unread.guarantees.uniqueness is Uniqueness.NONE
    assert not unread.guarantees.is_fenced
    assert not unread.guarantees.is_resolvable


def test_its_order_is_accepted_and_sent_once(unread: CcxtExchange, server: CannedServer) -> None:
    order = Rig().order()
    server.answers["POST /api/v3/order"] = told(order)
    outcome = unread.place(order, ATTEMPT)
    assert outcome.verdict is Verdict.ACCEPTED
    assert outcome.report is not None
    assert outcome.report.exchange_order_id == "28"
    [sent] = server.requests
    assert sent.params["newClientOrderId"] == order.client_order_id
    assert sent.params["timestamp"] == str(ATTEMPT.stamp_ms)


@pytest.mark.parametrize(
    "reply",
    [
        Reply({"code": -2010, "msg": "Account has insufficient balance."}, 400),
        Reply({"code": -1021, "msg": "Timestamp outside of the recvWindow."}, 400),
        Reply("<html></html>", 429),
        Reply("<html></html>", 503),
        Reply("{}"),
        Reply("[]"),
        Reply(""),
    ],
    ids=lambda reply: f"{reply.status}-{reply.text[:12]!r}",
)
def test_whatever_else_it_says_is_no_proof(
    reply: Reply, unread: CcxtExchange, server: CannedServer
) -> None:
    server.answers["POST /api/v3/order"] = reply
    outcome = unread.place(Rig().order(), ATTEMPT)
    assert outcome.verdict is Verdict.UNKNOWN
    assert len(server.sent("POST /api/v3/order")) == 1


def test_its_market_buys_are_refused_before_anything_is_sent(
    unread: CcxtExchange, server: CannedServer
) -> None:
    outcome = unread.place(Rig().order(type=OrderType.MARKET, side=Side.BUY), ATTEMPT)
    assert outcome.verdict is Verdict.REJECTED
    assert server.requests == []


def test_an_order_is_found_among_its_open_ones(unread: CcxtExchange, server: CannedServer) -> None:
    order = Rig().order()
    another = told(order, clientOrderId="another", orderId=27)
    server.answers["GET /api/v3/openOrders"] = [another, told(order)]
    report = unread.lookup(order)
    assert report is not None
    assert report.exchange_order_id == "28"
    server.answers["GET /api/v3/openOrders"] = "{}"
    with pytest.raises(ExchangeUnavailable):
        unread.lookup(order)


def test_a_canceled_order_is_asked_after(unread: CcxtExchange, server: CannedServer) -> None:
    order = replace(Rig().order(), exchange_order_id="28")
    server.answers["DELETE /api/v3/order"] = told(order, status="CANCELED")
    server.answers["GET /api/v3/order"] = told(order, status="CANCELED", executedQty="0.4")
    report = unread.cancel(order)
    assert report is not None
    assert report.status is OrderState.CANCELED
    assert report.filled == Decimal("0.4")
    server.answers["DELETE /api/v3/order"] = Reply({"code": -2011, "msg": "Unknown order"}, 400)
    assert unread.cancel(order) is None


def test_its_fills_are_read_forward_to_the_last(unread: CcxtExchange, server: CannedServer) -> None:
    def page(request: Any) -> list[dict[str, Any]]:
        start = int(request.params["startTime"])
        return [one for one in map(trade, range(1, 41)) if one["time"] >= start][:10]

    server.answers["GET /api/v3/myTrades"] = page
    found = unread.fills_since("BTC/USDT", None, START_MS + 5)
    assert [told.fill.trade_id for told in found] == [str(n) for n in range(5, 41)]
    later = unread.fills_since("BTC/USDT", "38", START_MS + 5)
    assert [told.fill.trade_id for told in later] == ["39", "40"]


def test_an_error_without_a_code_is_still_an_answer() -> None:
    client = generic_client(Account("main", "gate"))
    assert client.code_of({"label": "ORDER_NOT_FOUND"}) == "unnamed"
    assert client.code_of({"code": 7}) == "7"


def test_its_clock_is_read_if_it_has_a_request_for_the_time(
    unread: CcxtExchange, server: CannedServer
) -> None:
    server.answers["GET /api/v3/time"] = {"serverTime": START_MS + 2_000}
    offset = unread.measure_clock()
    assert abs(offset.offset_ms - 2_000) <= offset.uncertainty_ms
