"""The state machine, row by row: what each event makes of an order in each state.

The expectations are written out here and owe nothing to the table in the code. A row names the
state that follows, `same` where the very same order comes back, or `illegal`.
"""

from dataclasses import replace
from decimal import Decimal

import pytest

from execution.model.errors import IllegalTransition
from execution.model.events import (
    AttemptBegan,
    AttemptDied,
    AttemptUnknown,
    CancelRequested,
    Delayed,
    Event,
    Quarantined,
    Refused,
    Rejected,
    Reported,
    SettledByHand,
    Withdrawn,
)
from execution.model.order import Attempt, Order, OrderReport, OrderState, Verdict
from execution.model.transitions import transition
from tests.support.clock import START_MS
from tests.support.fakes import Rig, fill

EVENTS = """
             AttemptBegan AttemptUnknown AttemptDied Rejected Refused Withdrawn CancelRequested Quarantined Delayed    SettledByHand
received     submitting   same           same        same     refused canceled  received        quarantined received   refused
submitting   illegal      submitting     received    rejected illegal illegal   submitting      quarantined submitting refused
open         illegal      same           same        same     illegal illegal   open            illegal     open       canceled
filled       illegal      same           same        same     illegal illegal   same            illegal     same       illegal
canceled     illegal      same           same        same     illegal illegal   same            illegal     same       illegal
expired      illegal      same           same        same     illegal illegal   same            illegal     same       illegal
rejected     illegal      same           same        same     illegal illegal   same            illegal     same       illegal
refused      illegal      same           same        same     illegal illegal   same            illegal     same       illegal
quarantined  illegal      same           same        same     refused illegal   same            illegal     same       illegal
"""  # noqa: E501

# What a report of each status makes of an order. "part" reports half of the amount as filled,
# "all" the whole of it under a status that lags behind. What has ended can still become filled.
REPORTS = """
                open        filled      canceled    expired     rejected    part+open   all+canceled
received        open        filled      canceled    expired     rejected    open        filled
submitting      open        filled      canceled    expired     rejected    open        filled
open            same        filled      canceled    expired     rejected    open        filled
filled          same        same        same        same        same        same        same
canceled        same        filled      same        same        same        canceled    filled
expired         same        filled      same        same        same        expired     filled
rejected        rejected    filled      rejected    rejected    rejected    rejected    filled
refused         illegal     illegal     illegal     illegal     illegal     illegal     illegal
quarantined     open        filled      canceled    expired     rejected    open        filled
"""


def rows(table: str) -> list[tuple[str, str, str]]:
    """(state, column, outcome) for every cell."""
    head, *lines = [line.split() for line in table.strip().splitlines()]
    return [
        (line[0], column, outcome)
        for line in lines
        for column, outcome in zip(head, line[1:], strict=True)
    ]


def attempt(number: int, verdict: Verdict | None = None) -> Attempt:
    stamp_ms = START_MS + number * 10_000
    return Attempt(number, stamp_ms, stamp_ms + 5_000, stamp_ms + 7_000, verdict)


def order_in(state: OrderState) -> Order:
    """An order that got to `state` the usual way."""
    order = replace(Rig().order(), state=state, version=5)
    sent = replace(order, attempts=(attempt(1, Verdict.ACCEPTED),), exchange_order_id="77")
    match state:
        case OrderState.RECEIVED | OrderState.REFUSED:
            return order
        case OrderState.SUBMITTING:
            return replace(order, attempts=(attempt(1),))
        case OrderState.REJECTED:
            return replace(order, attempts=(attempt(1, Verdict.REJECTED),))
        case OrderState.QUARANTINED:
            return replace(order, attempts=(attempt(1, Verdict.UNKNOWN),))
        case OrderState.FILLED:
            whole = fill("1", "buy", "1", "100")
            return replace(sent, fills=(whole,), filled=Decimal(1), average=Decimal(100))
    return sent


def event_named(name: str, order: Order) -> Event:
    events: dict[str, Event] = {
        "AttemptBegan": AttemptBegan(attempt(len(order.attempts) + 1)),
        "AttemptUnknown": AttemptUnknown(1, "no answer"),
        "AttemptDied": AttemptDied(1, "it never arrived"),
        "Rejected": Rejected(1, "no money"),
        "Refused": Refused("too small"),
        "Withdrawn": Withdrawn("canceled before it was sent"),
        "CancelRequested": CancelRequested(),
        "Quarantined": Quarantined("no way to ask"),
        "Delayed": Delayed("exchange unreachable since noon"),
        "SettledByHand": SettledByHand("it is gone"),
    }
    return events[name]


def report_named(name: str) -> Reported:
    part, _, status = name.rpartition("+")
    filled = {"": Decimal(0), "part": Decimal("0.5"), "all": Decimal(1)}[part]
    if status == "filled":
        filled = Decimal(1)
    return Reported(OrderReport("77", None, "BTC/USDT", OrderState(status), filled, Decimal(100)))


def check(order: Order, event: Event, outcome: str) -> None:
    if outcome == "illegal":
        with pytest.raises(IllegalTransition):
            transition(order, event)
        return
    after = transition(order, event)
    if outcome == "same":
        assert after is order
        return
    assert after.state is OrderState(outcome)
    assert after.version == order.version + 1


@pytest.mark.parametrize(("state", "event", "outcome"), rows(EVENTS))
def test_every_event_does_to_every_state_what_the_table_says(
    state: str, event: str, outcome: str
) -> None:
    order = order_in(OrderState(state))
    check(order, event_named(event, order), outcome)


@pytest.mark.parametrize(("state", "report", "outcome"), rows(REPORTS))
def test_every_report_does_to_every_state_what_the_table_says(
    state: str, report: str, outcome: str
) -> None:
    check(order_in(OrderState(state)), report_named(report), outcome)


def test_the_two_tables_name_every_state_and_every_event() -> None:
    assert {state for state, _, _ in rows(EVENTS)} == {state.value for state in OrderState}
    assert {state for state, _, _ in rows(REPORTS)} == {state.value for state in OrderState}
    named = {event for _, event, _ in rows(EVENTS)} | {"Reported"}
    assert named == {kind.__name__ for kind in Event.__args__}
