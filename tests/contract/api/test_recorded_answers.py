"""Answers as Binance really gave them, read through the real adapter.

Where a folder of recorded payloads lies beside the project, its cases are read too; a few of the
same shape are always here.
"""

import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from execution.api.binance_api import BinanceExchange, initialize_binance_api
from execution.model.order import (
    Attempt,
    Fill,
    Order,
    OrderReport,
    OrderState,
    OrderType,
    Side,
    Verdict,
)
from tests.support.api.binance_server import (
    GET_ORDER,
    MY_TRADES,
    NEW_ORDER,
    OPEN_ORDERS,
    BinanceServer,
    Reply,
)
from tests.support.clock import START_MS
from tests.support.fakes import Rig

HERE = Path(__file__).parents[1] / "data"
BESIDE = Path(__file__).parents[3].parent / "shared" / "data" / "payloads" / "binance.json"
STATES = {"open": OrderState.OPEN, "closed": OrderState.FILLED, "canceled": OrderState.CANCELED}
Case = dict[str, Any]


def cases(*methods: str) -> list[Case]:
    files = [path for path in (HERE / "recorded.json", BESIDE) if path.exists()]
    return [
        case
        for path in files
        for case in json.loads(path.read_text(encoding="utf-8"))
        if case["method"] in methods and case["market_type"] == "spot"
    ]


def each(*methods: str) -> pytest.MarkDecorator:
    found = cases(*methods)
    return pytest.mark.parametrize("case", found, ids=[case["description"] for case in found])


@pytest.fixture
def listed(server: BinanceServer) -> BinanceExchange:
    """An adapter whose exchange lists every symbol that the cases speak of."""
    info = json.loads((HERE / "exchange_info.json").read_text(encoding="utf-8"))
    model = info["symbols"][0]
    for base in ("LTC", "SOL", "ETH"):
        kinds = [*model["orderTypes"], "TAKE_PROFIT"]
        listing = {"symbol": f"{base}USDT", "baseAsset": base, "orderTypes": kinds}
        info["symbols"].append({**model, **listing})
    server.replies["GET /api/v3/exchangeInfo"] = Reply(info)
    return initialize_binance_api("k", "s", server.url)


def order_like(answer: Case, symbol: str) -> Order:
    """An order that this answer can be the answer to."""
    return replace(
        Rig().order(symbol=symbol, side=Side(answer["side"].lower()), type=OrderType.LIMIT),
        amount=Decimal(answer["origQty"]),
        client_order_id=answer["clientOrderId"],
        exchange_order_id=str(answer["orderId"]),
    )


def check_report(report: OrderReport | None, expected: Case) -> None:
    assert report is not None
    assert report.exchange_order_id == expected["id"]
    assert report.client_order_id == expected["clientOrderId"]
    assert report.symbol == expected["symbol"]
    assert report.status is STATES[expected["status"]]
    assert report.filled == Decimal(str(expected["filled"]))
    average = expected["average"]
    assert report.average == (None if average is None else Decimal(str(average)))


def check_fill(fill: Fill, expected: Case) -> None:
    assert fill.trade_id == expected["id"]
    assert fill.side is Side(expected["side"])
    assert fill.price == Decimal(str(expected["price"]))
    assert fill.amount == Decimal(str(expected["amount"]))
    assert int(fill.time.timestamp() * 1000) == expected["timestamp"]
    assert [(fee.amount, fee.asset) for fee in fill.fees] == [
        (Decimal(str(fee["cost"])), fee["currency"]) for fee in expected["fees"]
    ]


@each("createOrder")
def test_a_recorded_placement_is_an_accepted_order(
    case: Case, server: BinanceServer, listed: BinanceExchange
) -> None:
    server.replies[NEW_ORDER] = Reply(case["httpResponse"])
    order = order_like(case["httpResponse"], case["expected"]["symbol"])
    attempt = Attempt(1, START_MS, START_MS + 5_000, START_MS + 7_000)
    outcome = listed.place(order, attempt)
    assert outcome.verdict is Verdict.ACCEPTED
    check_report(outcome.report, case["expected"])


@each("fetchOrder")
def test_a_recorded_order_is_found(
    case: Case, server: BinanceServer, listed: BinanceExchange
) -> None:
    server.replies[GET_ORDER] = Reply(case["httpResponse"])
    order = order_like(case["httpResponse"], case["expected"]["symbol"])
    check_report(listed.lookup(order), case["expected"])


@each("fetchOpenOrders")
def test_recorded_open_orders_are_listed(
    case: Case, server: BinanceServer, listed: BinanceExchange
) -> None:
    server.replies[OPEN_ORDERS] = Reply(case["httpResponse"])
    reports = listed.open_orders(case["expected"][0]["symbol"])
    assert len(reports) == len(case["expected"])
    for report, expected in zip(reports, case["expected"], strict=True):
        check_report(report, expected)


@each("fetchMyTrades")
def test_recorded_trades_are_fills(
    case: Case, server: BinanceServer, listed: BinanceExchange
) -> None:
    server.replies[MY_TRADES] = Reply(case["httpResponse"])
    told = listed.fills_since(case["expected"][0]["symbol"], None, 0)
    assert [one.exchange_order_id for one in told] == [
        str(trade["orderId"]) for trade in case["httpResponse"]
    ]
    for one, expected in zip(told, case["expected"], strict=True):
        check_fill(one.fill, expected)


@pytest.mark.parametrize(
    "method", ["createOrder", "fetchOrder", "fetchOpenOrders", "fetchMyTrades"]
)
def test_there_is_a_case_in_the_house_for_each_kind(method: str) -> None:
    assert any(case["method"] == method for case in cases(method))


def test_a_case_is_read_exactly_and_not_through_fractions(
    server: BinanceServer, listed: BinanceExchange
) -> None:
    fine = {**cases("fetchMyTrades")[0]["httpResponse"][0], "price": "0.10000000000000000001"}
    server.replies[MY_TRADES] = Reply([fine])
    told = listed.fills_since("LTC/USDT", None, 0)
    assert told[0].fill.price == Decimal("0.10000000000000000001")
