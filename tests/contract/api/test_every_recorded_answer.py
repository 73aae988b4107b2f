"""Recorded answers, read by every method of every adapter that may meet them.

The orders are of kinds that people place by hand, too: by value, of a strategy, made by an algo
order. Whichever way such an order is found, it is the same one, and all its numbers are in base.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from execution.api.strict.ccxt_exchange import CcxtExchange
from execution.api.strict.parse import time_of
from execution.model.errors import ExchangeUnavailable
from execution.model.order import Attempt, Fee, Order, OrderReport, Side, Verdict
from execution.reconciliation.reconciler import Reconciler
from execution.reconciliation.run import DriftPolicy, Reread
from tests.support.api.canned_server import CannedServer
from tests.support.api.kit import DATA
from tests.support.api.recorded_kit import ACCOUNTS, RECORDED, adapter, tell
from tests.support.clock import START_MS, FakeClock
from tests.support.fakes import ACCOUNT, Rig
from tests.support.whole_stores import reconciliation_context

SYMBOLS = ("BTC/USDT", "LTC/USDT", "ETH/USDT", "XRP/USDT", "SOL/USDT", "ADA/USDT", "BTC/KRW")
BESIDE = Path(__file__).parents[3].parent / "shared" / "data" / "payloads"
EACH = [
    pytest.param(name, case, id=f"{name}-{case['name']}")
    for name, cases in RECORDED.items()
    for case in cases
]
each_order = pytest.mark.parametrize(("name", "case"), EACH)
every_exchange = pytest.mark.parametrize("name", list(RECORDED))


@pytest.fixture(scope="module")
def server() -> Iterator[CannedServer]:
    server = CannedServer()
    yield server
    server.close()


@pytest.fixture
def at(server: CannedServer) -> Callable[[str, dict[str, Any]], CcxtExchange]:
    """An adapter whose exchange answers everything with the recorded order and its trades."""

    def exchange(name: str, case: dict[str, Any]) -> CcxtExchange:
        tell(server, name, case)
        return adapter(name, server.url, SYMBOLS)

    return exchange


def asked(case: dict[str, Any]) -> Order:
    """The order as its owner would ask about it."""
    expected = case["expected"]
    return replace(
        Rig().order(symbol=expected["symbol"]),
        client_order_id=expected["client_id"] or "",
        exchange_order_id=expected["id"],
    )


def check(report: OrderReport | None, expected: dict[str, Any]) -> None:
    assert report is not None
    assert report.exchange_order_id == expected["id"]
    assert report.client_order_id == expected["client_id"]
    assert report.symbol == expected["symbol"]
    assert report.status == expected["status"]
    assert report.filled == Decimal(expected["filled"])
    assert report.average == (None if expected["average"] is None else Decimal(expected["average"]))
    # Trades come with their fees elsewhere.
    assert report.fills == ()
    side, kind, amount, price, tif = expected["terms"]
    assert report.terms is not None
    assert (report.terms.side, report.terms.type) == (side, kind)
    assert report.terms.amount == Decimal(amount)
    assert report.terms.price == (None if price is None else Decimal(price))
    assert report.terms.time_in_force == tif


At = Callable[[str, dict[str, Any]], CcxtExchange]


@each_order
def test_a_recorded_order_is_fetched_by_its_id(name: str, case: dict[str, Any], at: At) -> None:
    expected = case["expected"]
    check(at(name, case).fetch(expected["symbol"], expected["id"]), expected)


def by_client_id(name: str, case: dict[str, Any]) -> bool:
    """Kraken is asked for orders by value by their id only: ours are never such."""
    by_value = name == "kraken" and "viqc" in case["raw"]["oflags"]
    return case["expected"]["client_id"] is not None and not by_value


@pytest.mark.parametrize(
    ("name", "case"),
    [param for param in EACH if by_client_id(*param.values)],  # type: ignore[arg-type]
)
def test_a_recorded_order_is_looked_up(name: str, case: dict[str, Any], at: At) -> None:
    check(at(name, case).lookup(asked(case)), case["expected"])


@pytest.mark.parametrize(
    ("name", "case"),
    [param for param in EACH if by_client_id(*param.values)],  # type: ignore[arg-type]
)
def test_a_recorded_order_is_what_its_cancel_tells_of(
    name: str, case: dict[str, Any], at: At
) -> None:
    check(at(name, case).cancel(asked(case)), case["expected"])


@pytest.mark.parametrize(
    ("name", "case"),
    [p for p in EACH if p.values[1]["expected"]["status"] == "open"],  # type: ignore[index, call-overload]
)
def test_a_recorded_order_is_listed_while_it_is_open(
    name: str, case: dict[str, Any], at: At
) -> None:
    [report] = at(name, case).open_orders(case["expected"]["symbol"])
    check(report, case["expected"])


@each_order
def test_a_recorded_order_is_accepted_as_the_one_that_was_placed(
    name: str, case: dict[str, Any], at: At
) -> None:
    client_id = case["expected"]["client_id"]
    order = replace(asked(case), exchange_order_id=None, client_order_id=client_id or "none")
    outcome = at(name, case).place(order, Attempt(1, START_MS, START_MS + 3_000, START_MS + 5_000))
    assert outcome.verdict is Verdict.ACCEPTED, outcome.reason
    assert outcome.report is not None
    assert outcome.report.exchange_order_id == case["expected"]["id"]
    assert outcome.report.symbol == case["expected"]["symbol"]


@each_order
def test_the_trades_of_a_recorded_order_are_its_fills(
    name: str, case: dict[str, Any], at: At
) -> None:
    exchange, expected = at(name, case), case["expected"]
    fills = exchange.order_fills(asked(case))
    assert sum(fill.amount for fill in fills) == Decimal(expected["filled"])
    assert {fill.side for fill in fills} <= {Side(expected["terms"][0])}
    assert all(fill.fees for fill in fills)
    for fill in fills:
        if expected["average"] is not None:
            assert fill.price == Decimal(expected["average"])
    for trade_id, (asset, amount) in case.get("fees", {}).items():
        assert [f.fees for f in fills if f.trade_id == trade_id] == [(Fee(asset, Decimal(amount)),)]
    trades = exchange.fills_since(expected["symbol"], None, START_MS - 60_000)
    assert {one.fill for one in trades} == set(fills)
    assert {one.exchange_order_id for one in trades} <= {expected["id"]}


# Answers about another order


@each_order
def test_another_order_than_the_one_that_was_asked_for_is_no_answer(
    name: str, case: dict[str, Any], at: At, server: CannedServer
) -> None:
    exchange, expected = at(name, case), case["expected"]
    if name == "coinbase":
        base = "GET /api/v3/brokerage/orders/historical/"
        server.answers[f"{base}another"] = server.answers[base + expected["id"]]
    with pytest.raises(ExchangeUnavailable, match="the answer is about"):
        exchange.fetch(expected["symbol"], "another")


@each_order
def test_an_order_in_another_symbol_is_no_answer(name: str, case: dict[str, Any], at: At) -> None:
    with pytest.raises(ExchangeUnavailable, match="the answer is about"):
        at(name, case).fetch("SOL/USDT", case["expected"]["id"])


@pytest.mark.parametrize(
    ("name", "case"),
    [
        p for p in EACH
        # Upbit's trades come within their order, and Kraken is asked for all symbols at once.
        if p.values[0] not in ("upbit", "kraken") and p.values[1]["trades"]  # type: ignore[index, call-overload]
    ],
)  # fmt: skip
def test_trades_of_another_order_are_no_answer(name: str, case: dict[str, Any], at: At) -> None:
    with pytest.raises(ExchangeUnavailable, match="the answer is about"):
        at(name, case).order_fills(replace(asked(case), exchange_order_id="1"))


@pytest.mark.parametrize("name", ["binance", "bybit", "okx", "coinbase", "upbit"])
def test_an_open_order_in_another_symbol_is_no_answer(name: str, at: At) -> None:
    [case] = [c for c in RECORDED[name] if c["name"] == "limit, filled in part"]
    with pytest.raises(ExchangeUnavailable, match="asked for open orders of SOL/USDT"):
        at(name, case).open_orders("SOL/USDT")


def test_an_order_that_kraken_does_not_know_is_not_there(server: CannedServer) -> None:
    server.reset({"POST /0/private/QueryOrders": {"error": ["EOrder:Unknown order"]}})
    assert adapter("kraken", server.url, SYMBOLS).fetch("BTC/USDT", "OAAAAA-BBBBB-CCCCCC") is None


# The account and the market


@every_exchange
def test_the_account_and_the_market_are_read(name: str, server: CannedServer) -> None:
    server.reset(ACCOUNTS[name])
    exchange = adapter(name, server.url, SYMBOLS)
    assert exchange.balances() == {"BTC": Decimal("1.5"), "USDT": Decimal(20)}
    assert exchange.free_balances() == {"BTC": Decimal(1), "USDT": Decimal(20)}
    assert exchange.may_trade() is (True if name == "binance" else None)
    assert exchange.prices(["BTC/USDT"]) == {"BTC/USDT": Decimal(100)}
    book = exchange.order_book("BTC/USDT", 5)
    assert (book.bids, book.asks) == (
        ((Decimal(99), Decimal(1)),),
        ((Decimal(101), Decimal(2)),),
    )
    assert exchange.measure_clock().uncertainty_ms >= 0


# One trade by hand must not end what a reconciliation does


@each_order
@pytest.mark.parametrize("policy", [DriftPolicy.REPORT, DriftPolicy.ADOPT])
def test_an_order_made_by_hand_does_not_end_a_reconciliation(
    name: str, case: dict[str, Any], policy: DriftPolicy, server: CannedServer
) -> None:
    expected = case["expected"]
    tell(server, name, case)
    server.answers |= ACCOUNTS[name]
    exchange = adapter(name, server.url, SYMBOLS)
    rig = Rig()
    rig.book.set_reread(ACCOUNT, Reread((expected["symbol"],), time_of(START_MS)))
    parts = reconciliation_context(rig.store, rig.book, rig.journal, FakeClock(), rig.archive)
    run = Reconciler(parts, lambda: None, lambda _: None).run(ACCOUNT, lambda: exchange, policy)
    assert run.error is None
    assert run.symbols == [expected["symbol"]]
    if not Decimal(expected["filled"]):
        return
    [external] = [run.external_orders] if policy is DriftPolicy.REPORT else [run.orders_adopted]
    assert len(external) == 1
    if policy is DriftPolicy.ADOPT:
        adopted = rig.store.order(external[0])
        assert adopted is not None
        assert adopted.amount == Decimal(expected["terms"][2])
        assert adopted.filled == Decimal(expected["filled"])
        signed = 1 if adopted.side is Side.BUY else -1
        held = rig.store.position(ACCOUNT, expected["symbol"]).amount
        assert held.copy_abs() >= adopted.filled * Decimal("0.9")
        assert (held > 0) == (signed > 0)


# Payloads in the form of ccxt's fixtures: those kept here, and those beside the project if any


def beside() -> Iterator[Any]:
    """Every spot order and every spot trade of the recorded payloads."""
    files = [("binance", DATA / "recorded.json")]
    files += [(name, BESIDE / f"{name}.json") for name in RECORDED]
    for name, path in files:
        for case in json.loads(path.read_text(encoding="utf-8")) if path.exists() else []:
            trades = case["expected"] if isinstance(case["expected"], list) else [case["expected"]]
            if case["market_type"] != "spot" or case["method"] not in ORDERS_AND_TRADES:
                continue
            rows = _rows(name, case["httpResponse"])
            for row, expected in zip(rows, trades, strict=False):
                title = f"{name}-{case['method']}-{case['description']}"
                yield pytest.param(name, case["method"], row, expected, id=title)


ORDERS_AND_TRADES = ("fetchOrder", "fetchOpenOrders", "fetchClosedOrders", "fetchMyTrades")


def _rows(name: str, body: Any) -> list[dict[str, Any]]:
    if isinstance(body, list):
        return body
    result = body.get("result") or {}
    if name == "bybit":
        return list(result["list"])
    if name == "kraken":
        result = next(
            (result[key] for key in ("open", "closed", "trades") if key in result), result
        )
        return [{**row, "id": id_} for id_, row in result.items()]
    rows = body.get("data") or body.get("orders") or body.get("fills") or [body]
    return list(rows)


@pytest.mark.parametrize(("name", "method", "row", "expected"), list(beside()))
def test_what_was_recorded_elsewhere_is_read_by_every_method(
    name: str, method: str, row: dict[str, Any], expected: dict[str, Any], server: CannedServer
) -> None:
    symbol = expected["symbol"]
    if method == "fetchMyTrades":
        placeholder = RECORDED[name][0]
        tell(server, name, {**placeholder, "trades": [row]})
        exchange = adapter(name, server.url, SYMBOLS)
        [trade] = exchange.fills_since(symbol, None, 0)
        assert trade.fill.trade_id == expected["id"]
        assert trade.fill.amount == Decimal(str(expected["amount"]))
        assert trade.fill.price == Decimal(str(expected["price"]))
        return
    is_open = expected["status"] == "open"
    tell(
        server, name, {"raw": row, "trades": [], "expected": {"status": "open" if is_open else ""}}
    )
    exchange = adapter(name, server.url, SYMBOLS)
    fetched = exchange.fetch(symbol, expected["id"])
    assert fetched is not None
    assert fetched.filled == Decimal(str(expected["filled"]))
    assert fetched.average == (expected["average"] and Decimal(str(expected["average"])))
    order = replace(
        Rig().order(symbol=symbol),
        exchange_order_id=expected["id"],
        client_order_id=fetched.client_order_id or "",
    )
    if fetched.client_order_id is not None:
        assert exchange.lookup(order) == fetched
        assert exchange.cancel(order) == fetched
    assert exchange.open_orders(symbol) == ([fetched] if is_open else [])
    if not row.get("trades"):  # Kraken names trades that were not recorded with it.
        assert exchange.order_fills(order) == []
