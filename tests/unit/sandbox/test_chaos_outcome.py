"""The count after chaos finds what is doubled, lost, asked for by no signal, or left unknown."""

import json
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from execution.model.order import Order, OrderState
from tests.support.fakes import Rig
from workers.sandbox.chaos.exchange_disorder import BlackHole
from workers.sandbox.chaos.forwarder import Forwarder
from workers.sandbox.chaos.outcome import Found, Outcome, judge
from workers.sandbox.chaos.report import outcome_view

ACCOUNT = "binance-main"


def order(number: int, state: OrderState = OrderState.OPEN) -> Order:
    made = replace(Rig().order(signal_id=f"chaos-{number}"), account=ACCOUNT)
    return replace(made, state=state, exchange_order_id=str(number))


def row(one: Order) -> dict[str, Any]:
    return {"clientOrderId": one.client_order_id, "status": "NEW", "executedQty": "0"}


def judged(orders: list[Order], rows: list[dict[str, Any]], signals: int = 2) -> Outcome:
    with Forwarder() as door:
        found = Found(orders, [], {ACCOUNT: {"orders": rows, "trades": []}})
        return judge(1, signals, {}, found, BlackHole(door, lambda: 0))


FIRST, SECOND, STRAY = order(0), order(1), order(77)


def test_one_order_for_each_signal_is_clean() -> None:
    assert judged([FIRST, SECOND], [row(FIRST), row(SECOND)]).is_clean


@pytest.mark.parametrize(
    ("orders", "rows", "what"),
    [
        ([FIRST, SECOND], [row(FIRST), row(SECOND), row(SECOND)], "doubled"),
        ([FIRST], [row(FIRST)], "lost"),
        ([FIRST, SECOND], [row(FIRST)], "lost"),
        ([FIRST, SECOND, STRAY], [row(FIRST), row(SECOND), row(STRAY)], "strays"),
        ([FIRST, SECOND], [row(FIRST), row(SECOND), row(STRAY)], "strays"),
        ([FIRST, order(1, OrderState.SUBMITTING)], [row(FIRST), row(SECOND)], "unknown"),
        ([FIRST, SECOND], [row(FIRST), {**row(SECOND), "status": "FILLED"}], "differences"),
    ],
)
def test_anything_else_is_not(orders: list[Order], rows: list[dict[str, Any]], what: str) -> None:
    outcome = judged(orders, rows)
    assert getattr(outcome, what)
    assert not outcome.is_clean


def test_an_outcome_is_json_with_how_often_each_thing_was_done() -> None:
    with Forwarder() as door:
        done = Counter({"workers killed": 2})
        outcome = judge(1, 0, done, Found([], [], {}), BlackHole(door, lambda: 0))
    shown = json.loads(json.dumps(outcome_view(outcome)))
    assert shown["disturbances"] == {"workers killed": 2}
    assert shown["is_clean"] is True
