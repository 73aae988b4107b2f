"""What ccxt would send for an order is read before an account is taken; nothing is sent."""

import time
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import ccxt
import pytest

from execution.api.generic_api import GenericExchange, generic_client, is_known
from execution.api.strict.parse import time_of
from execution.api.wire.dry_request import SECRETS, client_of, request_for
from execution.api.wire.wire_check import ID, PROBES, differs, wire_of
from execution.exchanges.account import Account
from execution.exchanges.registry import GUARANTEES, without_guarantees
from execution.model.errors import ExchangeUnavailable, UnsupportedExchange
from execution.model.order import Attempt, OrderState, OrderType, Side, TimeInForce, Verdict
from execution.reconciliation.reconciler import Reconciler
from execution.reconciliation.run import Reread
from tests.support.api.canned_server import CannedServer
from tests.support.api.recorded_kit import market
from tests.support.clock import START_MS, FakeClock
from tests.support.fakes import ACCOUNT, Rig, connections_alone
from tests.support.whole_stores import reconciliation_context

ATTEMPT = Attempt(1, START_MS, START_MS + 3_000, START_MS + 5_000)
SYMBOL = "LTC/USDT"
PAGE = Path(__file__).parents[3] / "docs" / "other-exchanges.md"
OTHERS = [name for name in ccxt.exchanges if name not in GUARANTEES and is_known(name)]
TABLE = "| exchange | orders |\n| --- | --- |\n"


def account(exchange: str) -> Account:
    return Account("main", exchange, "key", "secret", accept_quarantine=True)


@pytest.mark.parametrize(
    ("exchange", "reason"),
    [
        ("cryptocom", "ccxt does not send the client order id"),
        ("hitbtc", "as clientOrderId, and does not read it back"),
        ("bequant", "as clientOrderId, and does not read it back"),
        ("fmfwio", "as clientOrderId, and does not read it back"),
        ("toobit", "as clientOrderId, where the exchange reads newClientOrderId"),
        ("coinsph", "as clientOrderId, where the exchange reads newClientOrderId"),
        ("bingx", "the amount 0.00000007 as it is, but as quantity=7e-08"),
        ("bit2c", "the amount 0.00000007 as it is, but as Amount=7E-8"),
        ("btcbox", "the amount 0.00000007 as it is, but as amount=7E-8"),
        ("coincheck", "the amount 0.00000007 as it is, but as amount=7E-8"),
        ("indodax", "the price 0.00000009 as it is, but as price=9E-8"),
        ("zaif", "the amount 0.00000007 as it is, but as amount=7E-8"),
        ("bitflyer", "not JSON serializable"),
        ("coinspot", "not JSON serializable"),
        ("independentreserve", "not JSON serializable"),
        ("paymium", "not JSON serializable"),
        ("cryptomus", "it needs uid, which an account cannot have"),
        ("hyperliquid", "it needs privateKey and walletAddress"),
    ],
)
def test_an_exchange_is_refused_at_start_with_what_ccxt_would_do(
    exchange: str, reason: str
) -> None:
    with pytest.raises(UnsupportedExchange) as refused:
        connections_alone({"main": account(exchange)}, FakeClock())
    said = str(refused.value)
    assert said.startswith(f"accounts.main.exchange: '{exchange}' cannot be traded on: ")
    assert reason in said
    assert "\n" not in said


@pytest.mark.parametrize(
    "exchange",
    [
        "gate",
        "htx",
        "bitget",
        "kucoin",
        "mexc",
        "binanceus",
        "okxus",
        "whitebit",
        "gemini",
        "lbank",
    ],
)
def test_an_exchange_whose_orders_go_out_as_they_are_is_taken(exchange: str) -> None:
    connections_alone({"main": account(exchange)}, FakeClock())


@pytest.mark.parametrize("exchange", OTHERS)
def test_the_check_takes_no_noticeable_time_and_no_network(
    exchange: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def connect(*_: Any, **__: Any) -> None:
        raise AssertionError("something was sent")

    monkeypatch.setattr("socket.create_connection", connect)
    monkeypatch.setattr("socket.getaddrinfo", connect)

    def took_s() -> float:
        wire_of.cache_clear()
        began = time.process_time()
        wire_of(exchange)
        return time.process_time() - began

    # The quickest of three: the garbage of other tests may be collected meanwhile.
    assert min(took_s() for _ in range(3)) < 0.1


def _taken(name: str) -> str:
    excluded = wire_of(name).excluded
    return f"taken, but not {', '.join(excluded)}" if excluded else "taken"


def test_the_documented_table_is_what_the_check_says() -> None:
    rows = []
    for name in OTHERS:
        refusal = wire_of(name).refusal
        said = _taken(name) if refusal is None else f"refused: {' '.join(refusal.split())}"
        rows.append(f"| {name} | {said.replace('|', '/')[:160]} |")
    page = PAGE.read_text(encoding="utf-8")
    assert page[page.index(TABLE) :] == TABLE + "\n".join(rows) + "\n"


@pytest.mark.parametrize("exchange", [name for name in OTHERS if wire_of(name).refusal is None])
def test_orders_that_ask_for_the_same_are_distinguished_from_those_that_do_not(
    exchange: str,
) -> None:
    def client_that_signs() -> Any:
        for secret in SECRETS:
            client = client_of(exchange, secret)
            try:
                request_for(client, *PROBES[2], "sell", ID)
            except (ccxt.BaseError, ValueError):
                continue
            return client
        raise AssertionError(f"{exchange} makes no request")

    client = client_that_signs()
    plain, again, same = (request_for(client, *PROBES[2], "sell", ID) for _ in range(3))
    assert not differs(same, plain, again)
    assert differs(request_for(client, *PROBES[0], "sell", ID), plain, again)


# Exchanges that are taken


@pytest.fixture(scope="module")
def listening() -> Iterator[CannedServer]:
    server = CannedServer()
    yield server
    server.close()


@pytest.fixture
def server(listening: CannedServer) -> CannedServer:
    listening.reset({})
    return listening


def exchange_at(server: CannedServer, name: str, id_: str) -> GenericExchange:
    client = generic_client(replace(account(name), base_url=server.url))
    client.set_markets([{**market("binance", SYMBOL), "id": id_}])
    return GenericExchange(client, without_guarantees(name), FakeClock())


def gate_order(client_order_id: str, **changes: Any) -> dict[str, Any]:
    """Gate's answer, which has our id behind the prefix that it demands."""
    return {
        "id": "12332324",
        "text": f"t-{client_order_id}",
        "create_time": "1548000000",
        "create_time_ms": 1_548_000_000_123,
        "update_time": "1548000100",
        "currency_pair": "LTC_USDT",
        "status": "open",
        "type": "limit",
        "account": "spot",
        "side": "buy",
        "amount": "1",
        "price": "100",
        "time_in_force": "gtc",
        "left": "1",
        "filled_total": "0",
        "fee": "0",
        "fee_currency": "LTC",
        "finish_as": "open",
        **changes,
    }


UNIFIED = "GET /api/v4/unified/unified_mode"


def test_gate_takes_our_id_behind_a_prefix_and_it_is_ours_all_the_same(
    server: CannedServer,
) -> None:
    order = Rig().order(symbol=SYMBOL)
    answer = gate_order(order.client_order_id)
    server.answers |= {
        "POST /api/v4/spot/orders": answer,
        "GET /api/v4/spot/open_orders": [{"currency_pair": "LTC_USDT", "orders": [answer]}],
        "GET /api/v4/spot/orders": [answer],
        "GET /api/v4/spot/orders/12332324": answer,
    }
    gate = exchange_at(server, "gate", "LTC_USDT")
    outcome = gate.place(order, ATTEMPT)
    assert outcome.verdict is Verdict.ACCEPTED, outcome.reason
    assert outcome.report is not None
    assert outcome.report.client_order_id == order.client_order_id
    [sent] = server.sent("POST /api/v4/spot/orders")
    assert sent.params["text"] == f"t-{order.client_order_id}"
    found = gate.lookup(order)
    assert found is not None
    assert (found.exchange_order_id, found.client_order_id) == ("12332324", order.client_order_id)
    [listed] = gate.open_orders(SYMBOL)
    assert listed.client_order_id == order.client_order_id
    fetched = gate.fetch(SYMBOL, "12332324")
    assert fetched is not None
    assert fetched.client_order_id == order.client_order_id


@pytest.mark.parametrize(
    ("exchange", "changes", "reason"),
    [
        ("bigone", {"time_in_force": TimeInForce.FOK}, "time_in_force: FOK cannot be sent"),
        ("whitebit", {"time_in_force": TimeInForce.FOK}, "does not support timeInForce FOK"),
        ("gemini", {"type": OrderType.MARKET, "side": Side.SELL, "price": None}, "type: market"),
    ],
)  # fmt: skip
def test_a_kind_of_order_that_ccxt_would_drop_is_refused_before_anything_is_sent(
    exchange: str, changes: dict[str, Any], reason: str, server: CannedServer
) -> None:
    order = Rig().order(symbol=SYMBOL, **changes)
    outcome = exchange_at(server, exchange, "LTC-USDT").place(order, ATTEMPT)
    assert outcome.verdict is Verdict.REJECTED
    assert reason in outcome.reason
    assert server.requests == []


def test_gates_answer_about_another_order_is_still_no_acceptance(server: CannedServer) -> None:
    order = Rig().order(symbol=SYMBOL)
    server.answers["POST /api/v4/spot/orders"] = gate_order("another")
    outcome = exchange_at(server, "gate", "LTC_USDT").place(order, ATTEMPT)
    assert outcome.verdict is Verdict.UNKNOWN
    server.answers["GET /api/v4/spot/orders/1"] = gate_order("another")
    standing = replace(order, exchange_order_id="1")
    with pytest.raises(ExchangeUnavailable, match="the answer is about 12332324"):
        exchange_at(server, "gate", "LTC_USDT").lookup(standing)


def test_a_reconciliation_at_gate_knows_our_order_by_its_id(server: CannedServer) -> None:
    rig = Rig()
    rig.exchange.symbols = {SYMBOL}
    order = rig.order(symbol=SYMBOL)
    answer = gate_order(order.client_order_id)
    server.answers |= {
        "GET /api/v4/spot/accounts": [{"currency": "USDT", "available": "20", "locked": "0"}],
        "GET /api/v4/spot/my_trades": [],
        "GET /api/v4/spot/open_orders": [{"currency_pair": "LTC_USDT", "orders": [answer]}],
    }
    rig.book.set_reread(ACCOUNT, Reread((SYMBOL,), time_of(START_MS)))
    parts = reconciliation_context(rig.store, rig.book, rig.journal, FakeClock(), rig.archive)
    gate = exchange_at(server, "gate", "LTC_USDT")
    run = Reconciler(parts, lambda: None, lambda _: None).run(ACCOUNT, lambda: gate)
    assert run.error is None
    assert run.external_open_orders == []
    assert run.orders_adopted == [order.order_id]


def test_htx_answers_a_placement_with_nothing_but_an_id(server: CannedServer) -> None:
    order = Rig().order(symbol=SYMBOL)
    server.answers |= {
        "GET /v1/account/accounts": {
            "status": "ok", "data": [{"id": 5202591, "type": "spot", "state": "working"}],
        },
        "POST /v1/order/orders/place": {"status": "ok", "data": "356501383558845"},
    }  # fmt: skip
    outcome = exchange_at(server, "htx", "ltcusdt").place(order, ATTEMPT)
    assert outcome.verdict is Verdict.ACCEPTED, outcome.reason
    assert outcome.report is not None
    assert (outcome.report.exchange_order_id, outcome.report.symbol) == ("356501383558845", SYMBOL)
    assert outcome.report.status is OrderState.OPEN
    [sent] = server.sent("POST /v1/order/orders/place")
    assert sent.params["client-order-id"] == order.client_order_id


def test_a_relative_of_binance_has_its_orders_own_id(server: CannedServer) -> None:
    order = Rig().order(symbol=SYMBOL)
    answer = {
        "symbol": "LTCUSDT", "orderId": 28, "strategyId": 77, "side": "BUY", "type": "LIMIT",
        "clientOrderId": order.client_order_id, "price": "100", "origQty": "1",
        "executedQty": "0", "status": "NEW", "timeInForce": "GTC", "time": START_MS,
    }  # fmt: skip
    server.answers["GET /api/v3/order"] = answer
    relative = exchange_at(server, "binanceus", "LTCUSDT")
    found = relative.fetch(SYMBOL, "28")
    assert found is not None
    assert found.exchange_order_id == "28"


def test_trades_of_another_order_are_left_out_if_an_exchange_lists_them(
    server: CannedServer,
) -> None:
    def trade(number: int, order_id: str) -> dict[str, Any]:
        return {
            "id": str(number), "create_time_ms": f"{START_MS}.0", "currency_pair": "LTC_USDT",
            "side": "buy", "role": "taker", "amount": "0.5", "price": "100", "order_id": order_id,
            "fee": "0.001", "fee_currency": "LTC",
        }  # fmt: skip

    server.answers["GET /api/v4/spot/my_trades"] = [trade(1, "7"), trade(2, "8")]
    order = replace(Rig().order(symbol=SYMBOL), exchange_order_id="7")
    fills = exchange_at(server, "gate", "LTC_USDT").order_fills(order)
    assert [(fill.trade_id, fill.amount) for fill in fills] == [("1", Decimal("0.5"))]
