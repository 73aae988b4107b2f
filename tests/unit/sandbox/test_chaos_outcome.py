"""The count after chaos finds what is doubled, lost, asked for by no signal, or left unfinished."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from rich.console import Console

from execution.arbitrage.model import Arbitrage, ArbitrageState, Leg, LegRole
from execution.model.order import Order, OrderState
from oneorder.identifiers import arbitrage_id_of
from tests.support.fakes import Rig
from workers.sandbox.chaos.disorders.exchanges import BlackHole
from workers.sandbox.chaos.disorders.forwarder import Forwarder
from workers.sandbox.chaos.outcome import Outcome, Snapshot, judge
from workers.sandbox.chaos.report import outcome_view, show_outcome
from workers.sandbox.chaos.signals import Plan

ACCOUNT = "binance-main"
NOW = datetime(2026, 1, 2, tzinfo=UTC)
Rows = list[dict[str, Any]]


def order(
    number: int,
    state: OrderState = OrderState.OPEN,
    symbol: str = "BTC/USDT",
    prefix: str = "chaos",
) -> Order:
    made = Rig().order(signal_id=f"{prefix}-{number}")
    return replace(made, account=ACCOUNT, symbol=symbol, state=state, exchange_order_id=str(number))


def row(placed: Order) -> dict[str, Any]:
    return {
        "clientOrderId": placed.client_order_id,
        "symbol": placed.symbol.replace("/", ""),
        "status": "NEW",
        "executedQty": "0",
    }


def arbitrage(number: int, state: ArbitrageState, *legs: Order) -> Arbitrage:
    signal_id = f"chaos-arbitrage-{number}"
    return Arbitrage(
        arbitrage_id=arbitrage_id_of(signal_id),
        signal_id=signal_id,
        symbol="SOL/USDT",
        buy_account=ACCOUNT,
        sell_account="second-main",
        amount=Decimal(1),
        min_profit_bps=Decimal(5),
        max_loss_bps=Decimal(20),
        created_at=NOW,
        updated_at=NOW,
        state=state,
        reason="patience_s: it lasted too long",
        legs=tuple(Leg(LegRole.BUY, leg.account, leg.order_id) for leg in legs),
    )


def snapshot(orders: list[Order], rows: Rows, arbitrages: Sequence[Arbitrage] = ()) -> Snapshot:
    return Snapshot(orders, arbitrages, [], {ACCOUNT: {"orders": rows, "trades": []}})


def judged(plan: Plan, there: Snapshot) -> Outcome:
    with Forwarder() as address:
        done = Counter({"workers killed": 2})
        return judge(plan, done, there, BlackHole(address, lambda: 0))


def planned(orders: int, arbitrages: int = 0) -> Plan:
    return Plan(orders, arbitrages, seed=1, minutes=1)


FIRST, SECOND, STRAY = order(0), order(1), order(77)
LEG = order(0, symbol="SOL/USDT", prefix="leg")
REFUSED = arbitrage(0, ArbitrageState.REFUSED)


def test_one_order_for_each_signal_is_clean() -> None:
    there = snapshot([FIRST, SECOND], [row(FIRST), row(SECOND)])
    assert judged(planned(2), there).is_clean
    assert there.is_settled(planned(2))
    assert not there.is_settled(planned(3))


@pytest.mark.parametrize(
    ("orders", "rows", "what"),
    [
        ([FIRST, SECOND], [row(FIRST), row(SECOND), row(SECOND)], "doubled"),
        ([FIRST], [row(FIRST)], "lost"),
        ([FIRST, SECOND], [row(FIRST)], "lost"),
        ([FIRST, SECOND, STRAY], [row(FIRST), row(SECOND), row(STRAY)], "strays"),
        ([FIRST, SECOND], [row(FIRST), row(SECOND), row(STRAY)], "strays"),
        ([FIRST, SECOND, LEG], [row(FIRST), row(SECOND), row(LEG)], "strays"),
        ([FIRST, order(1, OrderState.SUBMITTING)], [row(FIRST), row(SECOND)], "unfinished"),
        ([FIRST, SECOND], [row(FIRST), {**row(SECOND), "status": "FILLED"}], "differences"),
        ([FIRST, SECOND, LEG], [row(FIRST), row(SECOND), row(LEG)], "differences"),
    ],
)
def test_anything_else_is_not(orders: list[Order], rows: Rows, what: str) -> None:
    outcome = judged(planned(2), snapshot(orders, rows))
    assert getattr(outcome, what)
    assert not outcome.is_clean


@pytest.mark.parametrize("state", [ArbitrageState.REFUSED, ArbitrageState.IMBALANCED])
def test_an_arbitrage_that_has_ended_is_clean_with_its_legs(state: ArbitrageState) -> None:
    there = snapshot([FIRST, LEG], [row(FIRST), row(LEG)], [arbitrage(0, state, LEG)])
    outcome = judged(planned(1, 1), there)
    assert outcome.is_clean
    assert there.is_settled(planned(1, 1))
    assert [left.reason for left in outcome.imbalanced] == (
        ["patience_s: it lasted too long"] if state is ArbitrageState.IMBALANCED else []
    )
    assert outcome.refusals == ({"patience_s": 1} if state is ArbitrageState.REFUSED else {})


@pytest.mark.parametrize(
    ("signals", "arbitrages", "what"),
    [
        (2, [REFUSED], "lost"),
        (0, [REFUSED], "strays"),
        (1, [arbitrage(0, ArbitrageState.BALANCING)], "unfinished"),
        (1, [arbitrage(0, ArbitrageState.IMBALANCED, LEG)], "differences"),
    ],
)
def test_an_arbitrage_that_is_lost_or_has_no_end_or_no_leg_is_not(
    signals: int, arbitrages: list[Arbitrage], what: str
) -> None:
    there = snapshot([], [], arbitrages)
    outcome = judged(planned(0, signals), there)
    assert getattr(outcome, what)
    assert outcome.lost == (["chaos-arbitrage-1"] if what == "lost" else [])
    assert not outcome.is_clean
    assert not there.is_settled(planned(0, signals))


def test_an_outcome_is_json_with_how_often_each_thing_was_done() -> None:
    there = snapshot([FIRST], [row(FIRST)], [arbitrage(0, ArbitrageState.IMBALANCED)])
    shown = json.loads(json.dumps(outcome_view(judged(planned(1, 1), there))))
    assert shown["disturbances"] == {"workers killed": 2}
    assert shown["order_states"] == {"open": 1}
    assert shown["imbalanced"][0]["imbalance"] == "0"
    assert shown["is_clean"] is True


def test_the_table_has_what_was_done_and_what_was_found() -> None:
    console = Console(width=100)
    with console.capture() as text:
        show_outcome(judged(planned(2), snapshot([FIRST], [row(FIRST)])), console)
    lines = [line.strip("│ ").split(" │ ") for line in text.get().splitlines()]
    rows = [[cell.strip() for cell in line] for line in lines]
    assert ["done", "workers killed", "2"] in rows
    assert ["result", "orders open", "1"] in rows
    assert ["result", "lost", "1"] in rows
    assert "lost: chaos-1" in text.get()


def test_a_plan_spreads_both_kinds_evenly_and_repeats_for_a_seed() -> None:
    plan = planned(20, 10)
    signals = plan.signals()
    assert signals == plan.signals()
    assert signals != replace(plan, seed=2).signals()
    signal_ids = [signal.signal_id for signal in signals]
    assert sorted(signal_ids) == sorted([*plan.order_ids(), *plan.arbitrage_ids()])
    kinds = [type(signal).__name__ for signal in signals]
    assert all(kinds[i : i + 3].count("ArbitrageSignal") == 1 for i in range(0, 30, 3))
