"""The strict door for Bybit in front of the paper exchange that speaks Bybit's API, over HTTP."""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from itertools import count
from typing import Any

import pytest
import requests

from execution.api.connections import Connections
from execution.api.strict.ccxt_exchange import CcxtExchange
from execution.exchanges.account import Account
from execution.model.clock import SystemClock
from execution.model.errors import ExchangeUnavailable
from execution.model.order import (
    Attempt,
    Fee,
    Order,
    OrderState,
    OrderType,
    Side,
    TimeInForce,
    Verdict,
)
from tests.support.fakes import Rig, connections_alone

CLOCK = SystemClock()
WINDOW_MS = 5_000
LOW, ASK, BID = Decimal(30_000), Decimal(50_100), Decimal(49_900)
numbers = count(1)


class Paper:
    """The paper exchange as a process, and its control calls."""

    def __init__(self, *options: str) -> None:
        command = [sys.executable, "-m", "paper_exchange", "--dialect", "bybit", "--port", "0"]
        command += ["--walk-interval-ms", "0", "--weight-per-minute", "0"]
        self._errors = tempfile.TemporaryFile("w+")  # noqa: SIM115
        self.process = subprocess.Popen(
            [*command, *options], stdout=subprocess.PIPE, stderr=self._errors, text=True
        )
        assert self.process.stdout is not None
        self.url = self.process.stdout.readline().rsplit(" ", 1)[1].strip()
        self._http = requests.Session()
        self._http.trust_env = False

    def control(self, method: str, path: str, **body: Any) -> Any:
        answer = self._http.request(method, f"{self.url}/paper/{path}", json=body, timeout=10)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def fault(self, **fault: Any) -> None:
        self.control("POST", "faults", **{"route": "POST /v5/order/create", "count": 1, **fault})

    def orders(self, client_order_id: str) -> list[Any]:
        rows = self.control("GET", "ledger")["orders"]
        return [row for row in rows if row["clientOrderId"] == client_order_id]

    def stop(self) -> str:
        self.process.terminate()
        self.process.communicate(timeout=10)
        self._http.close()
        with self._errors as errors:
            errors.seek(0)
            return errors.read()


@pytest.fixture(scope="module")
def running() -> Iterator[Paper]:
    paper = Paper()
    yield paper
    errors = paper.stop()
    assert "Traceback" not in errors, errors


@pytest.fixture
def paper(running: Paper) -> Iterator[Paper]:
    running.control("POST", "book", symbol="BTCUSDT", bids=[["49900", "5"]], asks=[["50100", "5"]])
    yield running
    running.control("DELETE", "faults")


@pytest.fixture(scope="module")
def connections(running: Paper) -> Connections:
    return connections_alone(
        {"main": Account("main", "bybit", "paper", "paper", "", running.url)}, CLOCK
    )


@pytest.fixture
def bybit(paper: Paper, connections: Connections) -> CcxtExchange:
    return connections.exchange("main")


def new(**changes: Any) -> Order:
    """A limit buy of 0.01 BTC that rests far below the market, or what `changes` make of it."""
    asked = {"amount": Decimal("0.01"), "price": LOW, "account": "main", **changes}
    order = Rig().order(**asked)
    return replace(order, client_order_id=f"door-{next(numbers)}", created_at=CLOCK.now())


def attempt(late_ms: int = 0) -> Attempt:
    stamp_ms = CLOCK.now_ms() - late_ms
    return Attempt(1, stamp_ms, stamp_ms + WINDOW_MS, stamp_ms + WINDOW_MS + 7_000)


def placed(bybit: CcxtExchange, **changes: Any) -> Order:
    order = new(**changes)
    outcome = bybit.place(order, attempt())
    assert outcome.verdict is Verdict.ACCEPTED, outcome.reason
    assert outcome.report is not None
    return replace(order, exchange_order_id=outcome.report.exchange_order_id)


def test_the_clock_the_rules_the_book_and_the_prices_are_read(bybit: CcxtExchange) -> None:
    assert abs(bybit.measure_clock().offset_ms) < 1_000
    market = bybit.market("BTC/USDT")
    assert market is not None
    assert (market.price_tick, market.amount_step) == (Decimal("0.01"), Decimal("0.00001"))
    assert (market.notional_min, market.taker_fee) == (5, Decimal("0.001"))
    book = bybit.order_book("BTC/USDT", 5)
    assert (book.bids, book.asks) == (((BID, Decimal(5)),), ((ASK, Decimal(5)),))
    prices = bybit.prices(["BTC/USDT", "ETH/USDT"])
    assert prices["BTC/USDT"] == 50_000
    assert abs(prices["ETH/USDT"] - 3_000) < 10


def test_a_placement_is_acknowledged_and_the_order_is_found(bybit: CcxtExchange) -> None:
    order = placed(bybit)
    found = bybit.lookup(order)
    assert found is not None
    assert (found.status, found.filled) == (OrderState.OPEN, 0)
    assert found.exchange_order_id == order.exchange_order_id
    assert found in bybit.open_orders("BTC/USDT")
    assert bybit.fetch("BTC/USDT", str(order.exchange_order_id)) == found


def test_what_is_not_there_is_not_found(bybit: CcxtExchange) -> None:
    assert bybit.lookup(new()) is None
    assert bybit.fetch("BTC/USDT", "987654321") is None


CASES = [
    ({"price": ASK}, OrderState.FILLED, "0.01"),
    ({"type": OrderType.MARKET, "price": None}, OrderState.FILLED, "0.01"),
    ({"type": OrderType.MARKET, "price": None, "side": Side.SELL}, OrderState.FILLED, "0.01"),
    (
        {"price": ASK, "amount": Decimal(6), "time_in_force": TimeInForce.IOC},
        OrderState.CANCELED, "5",
    ),
    (
        {"price": ASK, "amount": Decimal(6), "time_in_force": TimeInForce.FOK},
        OrderState.CANCELED, "0",
    ),
    ({"price": ASK, "time_in_force": TimeInForce.PO}, OrderState.REJECTED, "0"),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "status", "filled"), CASES)
def test_what_became_of_an_order_is_found_with_its_fills(
    bybit: CcxtExchange, paper: Paper, changes: dict[str, Any], status: OrderState, filled: str
) -> None:
    order = placed(bybit, **changes)
    found = bybit.lookup(order)
    assert found is not None
    assert (found.status, found.filled) == (status, Decimal(filled))
    fills = bybit.order_fills(order)
    assert sum(fill.amount for fill in fills) == Decimal(filled)
    (row,) = paper.orders(order.client_order_id)
    assert row["executedQty"] == filled


def test_a_fill_has_its_fee_in_what_was_received(bybit: CcxtExchange) -> None:
    since_ms = CLOCK.now_ms()
    bought = placed(bybit, price=ASK)
    sold = placed(bybit, price=BID, side=Side.SELL)
    (buy,), (sale,) = bybit.order_fills(bought), bybit.order_fills(sold)
    assert (buy.price, buy.fees) == (ASK, (Fee("BTC", Decimal("0.00001")),))
    assert (sale.price, sale.fees) == (BID, (Fee("USDT", Decimal("0.499")),))
    told = bybit.fills_since("BTC/USDT", None, since_ms)
    assert [one.exchange_order_id for one in told] == [
        bought.exchange_order_id,
        sold.exchange_order_id,
    ]


def test_trades_are_read_page_after_page(bybit: CcxtExchange) -> None:
    since_ms = CLOCK.now_ms()
    many = {str(placed(bybit, price=ASK).exchange_order_id) for _ in range(120)}
    told = bybit.fills_since("BTC/USDT", None, since_ms)
    assert {one.exchange_order_id for one in told} == many
    assert len(told) == 120


def test_a_cancel_returns_how_the_order_ended_and_a_second_one_that_nothing_is_left(
    bybit: CcxtExchange,
) -> None:
    order = placed(bybit)
    ended = bybit.cancel(order)
    assert ended is not None
    assert ended.status is OrderState.CANCELED
    assert bybit.cancel(order) is None


def test_balances_are_those_of_the_ledger(bybit: CcxtExchange, paper: Paper) -> None:
    held = paper.control("GET", "ledger")["balances"]["paper"]
    truth = {asset: Decimal(row["free"]) + Decimal(row["locked"]) for asset, row in held.items()}
    assert bybit.balances() == truth


@pytest.mark.parametrize(
    ("changes", "late_ms", "verdict"),
    [
        ({"amount": Decimal(90)}, 0, Verdict.REJECTED),
        ({"amount": Decimal("0.0001")}, 0, Verdict.REJECTED),
        ({"price": Decimal(400_000)}, 0, Verdict.REJECTED),
        ({"price": Decimal(9_000)}, 0, Verdict.REJECTED),
        ({"price": Decimal(2_000_000)}, 0, Verdict.REJECTED),
        ({"amount": Decimal(9_001)}, 0, Verdict.REJECTED),
        ({}, 6_000, Verdict.NOT_SENT),
        ({}, -2_000, Verdict.NOT_SENT),
    ],
)
def test_a_refusal_gets_its_verdict_and_leaves_no_order(
    bybit: CcxtExchange, paper: Paper, changes: dict[str, Any], late_ms: int, verdict: Verdict
) -> None:
    order = new(**changes)
    assert bybit.place(order, attempt(late_ms)).verdict is verdict
    assert paper.orders(order.client_order_id) == []


@pytest.mark.parametrize("ends", [False, True])
def test_a_second_placement_of_the_same_order_is_unknown_and_there_is_one_order(
    bybit: CcxtExchange, paper: Paper, ends: bool
) -> None:
    order = placed(bybit, price=ASK if ends else LOW)
    outcome = bybit.place(order, attempt())
    assert outcome.verdict is Verdict.UNKNOWN
    assert "170141" in str(outcome.reason)
    assert len(paper.orders(order.client_order_id)) == 1
    assert bybit.lookup(order) is not None


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "drop_after"},
        {"kind": "garbage", "form": "html"},
        {"kind": "garbage", "form": "empty"},
        {"kind": "garbage", "form": "object"},
        {"kind": "garbage", "form": "cut"},
        {"kind": "status", "code": 503, "processed": True},
    ],
    ids=lambda fault: fault.get("form", fault["kind"]),
)
def test_an_answer_that_proves_nothing_is_unknown_and_the_order_is_found(
    bybit: CcxtExchange, paper: Paper, fault: dict[str, Any]
) -> None:
    order = new()
    paper.fault(**fault)
    assert bybit.place(order, attempt()).verdict is Verdict.UNKNOWN
    assert bybit.lookup(order) is not None
    assert len(paper.orders(order.client_order_id)) == 1


def test_a_request_that_was_cut_before_it_was_carried_out_is_unknown_too(
    bybit: CcxtExchange, paper: Paper
) -> None:
    order = new()
    paper.fault(kind="drop_before")
    assert bybit.place(order, attempt()).verdict is Verdict.UNKNOWN
    assert bybit.lookup(order) is None


def test_a_rate_limit_is_proof_that_nothing_was_sent(bybit: CcxtExchange, paper: Paper) -> None:
    order = new()
    paper.fault(kind="rate_limit", retry_after_s=7)
    outcome = bybit.place(order, attempt())
    assert (outcome.verdict, outcome.retry_after_s) == (Verdict.NOT_SENT, 7)
    assert paper.orders(order.client_order_id) == []


def test_an_unknown_key_is_rejected(paper: Paper) -> None:
    other_account = Account("main", "bybit", "other", "paper", "", paper.url)
    bybit = connections_alone({"main": other_account}, CLOCK).exchange("main")
    order = new()
    assert bybit.place(order, attempt()).verdict is Verdict.REJECTED
    with pytest.raises(ExchangeUnavailable):
        bybit.balances()
    assert paper.orders(order.client_order_id) == []


@pytest.fixture
def strict() -> Iterator[Paper]:
    """An exchange that takes one order in ten seconds."""
    paper = Paper("--orders-per-10s", "1")
    yield paper
    errors = paper.stop()
    assert "Traceback" not in errors, errors


def test_too_many_orders_are_proof_too_and_wait_until_the_exchange_resets_its_count(
    strict: Paper,
) -> None:
    account = Account("main", "bybit", "paper", "paper", "", strict.url)
    bybit = connections_alone({"main": account}, CLOCK).exchange("main")
    # The ten seconds may turn over once in between.
    outcomes = [bybit.place(new(), attempt()) for _ in range(3)]
    refused = [outcome for outcome in outcomes if outcome.verdict is not Verdict.ACCEPTED]
    assert 1 <= len(refused) <= 2
    for outcome in refused:
        assert outcome.verdict is Verdict.NOT_SENT
        assert "10006" in str(outcome.reason)
        assert 1 <= outcome.retry_after_s <= 10
    assert len(strict.control("GET", "ledger")["orders"]) == 3 - len(refused)
