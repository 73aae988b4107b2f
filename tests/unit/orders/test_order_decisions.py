"""What happens to an order next, and what an answer means: every case as a row of a table."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from execution.exchanges.guarantees import ExchangeGuarantees
from execution.exchanges.port import Outcome
from execution.exchanges.profiles import binance, coinbase, okx, upbit
from execution.exchanges.registry import without_guarantees
from execution.model.errors import ExchangeUnavailable, RequestRefused, UnknownAccount
from execution.model.events import (
    AttemptDied,
    AttemptUnknown,
    Event,
    Quarantined,
    Refused,
    Rejected,
    Reported,
    Withdrawn,
)
from execution.model.order import (
    Attempt,
    Order,
    OrderReport,
    OrderState,
    OrderType,
    Side,
    TimeInForce,
    Verdict,
)
from execution.model.report_faults import FAULT
from execution.model.waiting import ACCOUNT_UNKNOWN, HELD, NOT_CANCELED, UNKNOWN, UNREACHABLE, Wait
from execution.orders.decisions import (
    Step,
    end_unsent,
    judge_absence,
    judge_after_restart,
    judge_answer,
    next_step,
    when_unreachable,
)
from execution.orders.factory import new_order
from execution.orders.store import Epoch
from tests.support.clock import EPOCH, START_MS
from tests.support.exchange import SYMBOL
from tests.support.fakes import ACCOUNT

NOW = EPOCH + timedelta(milliseconds=START_MS)
FIRST = Epoch("run 1", since_ms=0)
RESTARTED = Epoch("run 2", since_ms=START_MS)
ATTEMPT = Attempt(1, START_MS, START_MS + 5_000, START_MS + 20_000)
UNANSWERED = replace(ATTEMPT, verdict=Verdict.UNKNOWN, reason="timeout")
DEAD = replace(ATTEMPT, verdict=Verdict.NOT_SENT, reason="too late")
REPORT = OrderReport("77", None, SYMBOL, OrderState.OPEN)
NEVER_ASKED = without_guarantees("bitstamp")


def order(state: OrderState = OrderState.RECEIVED, **changes: Any) -> Order:
    made = new_order(
        signal_id="signal-1",
        account=ACCOUNT,
        symbol=SYMBOL,
        side=Side.BUY,
        type=OrderType.LIMIT,
        amount=Decimal(1),
        price=Decimal(100),
        now=NOW,
    )
    return replace(made, state=state, version=1, **changes)


def submitting(attempt: Attempt = ATTEMPT, **changes: Any) -> Order:
    return order(OrderState.SUBMITTING, attempts=(attempt,), **changes)


IOC: dict[str, Any] = {"time_in_force": TimeInForce.IOC}
CANCEL: dict[str, Any] = {"cancel_requested": True}
MISSING: dict[str, Any] = {"filled": Decimal(1)}
FAULTY: dict[str, Any] = {**MISSING, "reason": f"{FAULT}: it claims too much"}
STEPS: list[tuple[Order, Epoch, Attempt | None, set[Step], Step | None]] = [
    (order(), FIRST, None, set(), Step.BEGIN),
    (order(), RESTARTED, None, set(), Step.LOOK_BACK),
    (order(), RESTARTED, None, {Step.LOOK_BACK}, Step.BEGIN),
    (order(), FIRST, None, {Step.LOOK_UP}, Step.BEGIN),
    # One attempt is enough for now: the next one waits its time.
    (order(attempts=(DEAD,)), FIRST, ATTEMPT, {Step.PLACE}, None),
    (submitting(), FIRST, ATTEMPT, set(), Step.PLACE),
    (submitting(), FIRST, ATTEMPT, {Step.PLACE}, Step.LOOK_UP),
    # Only who has written an attempt down may send it.
    (submitting(), FIRST, None, set(), Step.LOOK_UP),
    (submitting(replace(ATTEMPT, stamp_ms=1)), FIRST, ATTEMPT, set(), Step.LOOK_UP),
    (submitting(UNANSWERED), FIRST, ATTEMPT, set(), Step.LOOK_UP),
    (submitting(UNANSWERED), FIRST, None, {Step.LOOK_UP}, None),
    (submitting(UNANSWERED, **CANCEL), FIRST, None, {Step.LOOK_UP}, None),
    (order(OrderState.OPEN), FIRST, None, set(), None),
    (order(OrderState.OPEN, **CANCEL), FIRST, None, set(), Step.CANCEL),
    (order(OrderState.OPEN, **CANCEL), FIRST, None, {Step.CANCEL}, None),
    (order(OrderState.OPEN, **IOC, **CANCEL), FIRST, None, {Step.CANCEL}, Step.ASK),
    (order(OrderState.OPEN, **IOC), FIRST, ATTEMPT, {Step.PLACE}, Step.ASK),
    (order(OrderState.OPEN, **MISSING), FIRST, None, set(), Step.COMPLETE),
    *(
        (order(state), FIRST, None, set(), None)
        for state in OrderState
        if state.value in "filled canceled expired rejected refused quarantined"
    ),
    (order(OrderState.FILLED, **MISSING), FIRST, None, set(), Step.COMPLETE),
    (order(OrderState.FILLED, **MISSING), FIRST, None, {Step.COMPLETE}, None),
    (order(OrderState.FILLED, **FAULTY), FIRST, None, {Step.COMPLETE}, Step.ASK),
    (order(OrderState.FILLED, **FAULTY), FIRST, None, {Step.COMPLETE, Step.ASK}, None),
]


@pytest.mark.parametrize(("order", "epoch", "begun", "taken", "step"), STEPS)
def test_the_next_step_follows_from_the_order_and_what_was_done_already(
    order: Order, epoch: Epoch, begun: Attempt | None, taken: set[Step], step: Step | None
) -> None:
    assert next_step(order, epoch, begun, taken) is step


ENDINGS: list[tuple[Order, Epoch, ExchangeGuarantees, Event]] = [
    (order(), FIRST, binance.GUARANTEES, Refused("why")),
    (order(**CANCEL), FIRST, binance.GUARANTEES, Withdrawn("why")),
    (order(attempts=(UNANSWERED,)), FIRST, binance.GUARANTEES, Refused("why")),
    (order(), RESTARTED, binance.GUARANTEES, Refused("why")),
    *(
        (
            unfenced,
            epoch,
            upbit.GUARANTEES,
            Quarantined("why; whether an earlier attempt arrives cannot be determined"),
        )
        for unfenced, epoch in [
            (order(attempts=(UNANSWERED,)), FIRST),
            (order(**CANCEL), RESTARTED),
        ]
    ),
]


@pytest.mark.parametrize(("order", "epoch", "guarantees", "event"), ENDINGS)
def test_an_order_that_is_not_sent_ends_by_what_may_be_at_the_exchange(
    order: Order, epoch: Epoch, guarantees: ExchangeGuarantees, event: Event
) -> None:
    assert end_unsent(order, "why", epoch, guarantees) == event


ACCEPTED = Outcome(Verdict.ACCEPTED, REPORT)
OTHER = Outcome(Verdict.ACCEPTED, replace(REPORT, symbol="ETH/USDT"))
LEFT_BEHIND = order(
    OrderState.SUBMITTING, attempts=(UNANSWERED, replace(ATTEMPT, number=2, stamp_ms=START_MS + 9))
)
VERDICTS: list[tuple[Order, Outcome, ExchangeGuarantees, type[Event], str]] = [
    (submitting(), ACCEPTED, binance.GUARANTEES, Reported, ""),
    (submitting(), OTHER, binance.GUARANTEES, AttemptUnknown, f"{FAULT}: it is in ETH/USDT"),
    (
        submitting(),
        Outcome(Verdict.NOT_SENT, reason="late"),
        binance.GUARANTEES,
        AttemptDied,
        "late",
    ),
    (submitting(), Outcome(Verdict.REJECTED, reason="poor"), binance.GUARANTEES, Rejected, "poor"),
    (
        submitting(),
        Outcome(Verdict.UNKNOWN, reason="cut"),
        binance.GUARANTEES,
        AttemptUnknown,
        "cut",
    ),
    (LEFT_BEHIND, Outcome(Verdict.REJECTED, reason="poor"), okx.GUARANTEES, Rejected, "poor"),
    (
        LEFT_BEHIND,
        Outcome(Verdict.REJECTED, reason="poor"),
        upbit.GUARANTEES,
        Quarantined,
        "poor; whether",
    ),
]


@pytest.mark.parametrize(("order", "outcome", "guarantees", "kind", "reason"), VERDICTS)
def test_an_answer_is_judged_for_the_attempt_that_it_answers(
    order: Order, outcome: Outcome, guarantees: ExchangeGuarantees, kind: type[Event], reason: str
) -> None:
    event = judge_answer(order, outcome, FIRST, guarantees)
    assert type(event) is kind
    assert getattr(event, "reason", "").startswith(reason)
    if isinstance(event, AttemptDied | AttemptUnknown | Rejected):
        latest = order.attempts[-1]
        assert (event.number, event.stamp_ms) == (latest.number, latest.stamp_ms)


def test_a_no_from_before_a_restart_leaves_the_attempt_unknown() -> None:
    event = judge_after_restart(submitting(), "poor")
    assert isinstance(event, AttemptUnknown)
    assert event.reason == "poor; the store restarted meanwhile"


PROVABLE_MS = ATTEMPT.provable_at_ms
WAITING = submitting(UNANSWERED, reason=f"{UNKNOWN} since then")
ABSENCES: list[tuple[Order, ExchangeGuarantees, int, int, type[Event] | Wait]] = [
    (submitting(), binance.GUARANTEES, PROVABLE_MS, PROVABLE_MS, AttemptUnknown),
    (submitting(UNANSWERED), binance.GUARANTEES, PROVABLE_MS, PROVABLE_MS, AttemptUnknown),
    (WAITING, binance.GUARANTEES, PROVABLE_MS, PROVABLE_MS, Wait()),
    # When the answer was read says nothing, only when the lookup began.
    (WAITING, binance.GUARANTEES, PROVABLE_MS, PROVABLE_MS + 60_000, Wait()),
    (WAITING, binance.GUARANTEES, PROVABLE_MS + 1, PROVABLE_MS + 1, AttemptDied),
    (WAITING, okx.GUARANTEES, PROVABLE_MS + 10**8, PROVABLE_MS + 10**8, Quarantined),
    (WAITING, coinbase.GUARANTEES, START_MS + 1, START_MS + 1, AttemptDied),
    (WAITING, upbit.GUARANTEES, START_MS + 1, START_MS + 1, AttemptDied),
    (WAITING, NEVER_ASKED, PROVABLE_MS + 1, PROVABLE_MS + 1, Quarantined),
]


@pytest.mark.parametrize(("order", "guarantees", "began_ms", "now_ms", "expected"), ABSENCES)
def test_not_found_is_weighed_by_when_the_lookup_began_and_what_the_exchange_guarantees(
    order: Order,
    guarantees: ExchangeGuarantees,
    began_ms: int,
    now_ms: int,
    expected: type[Event] | Wait,
) -> None:
    event = judge_absence(order, guarantees, began_ms, now_ms)
    assert event == expected if isinstance(expected, Wait) else type(event) is expected
    if isinstance(event, AttemptDied):
        assert event.may_arrive is not guarantees.is_fenced


AWAY = ExchangeUnavailable("no answer", wait_s=7)
ASKED_FOR_A_PAUSE = ExchangeUnavailable("too many", retry_after_s=30)
GONE = RequestRefused("unknown symbol")
NOT_CONFIGURED = UnknownAccount("no such account")
EXPIRED: dict[str, Any] = {"expires_at": NOW - timedelta(seconds=1)}
HINDRANCES: list[tuple[Order, Exception, Epoch, type[Event] | str]] = [
    (order(), AWAY, FIRST, UNREACHABLE),
    (order(), ASKED_FOR_A_PAUSE, FIRST, HELD),
    (order(**EXPIRED), AWAY, FIRST, Refused),
    (order(**CANCEL), AWAY, FIRST, Withdrawn),
    (order(**EXPIRED, attempts=(DEAD,)), AWAY, FIRST, Refused),
    (order(**EXPIRED, attempts=(UNANSWERED,)), AWAY, FIRST, UNREACHABLE),
    (order(**EXPIRED), AWAY, RESTARTED, UNREACHABLE),
    (submitting(**EXPIRED), AWAY, FIRST, UNREACHABLE),
    (submitting(**CANCEL), GONE, FIRST, UNREACHABLE),
    (order(OrderState.OPEN, **CANCEL), GONE, FIRST, NOT_CANCELED),
    (order(OrderState.OPEN, **IOC), GONE, FIRST, UNREACHABLE),
    (order(), NOT_CONFIGURED, FIRST, Refused),
    (order(), NOT_CONFIGURED, RESTARTED, ACCOUNT_UNKNOWN),
    (order(attempts=(DEAD,)), NOT_CONFIGURED, FIRST, ACCOUNT_UNKNOWN),
    (submitting(), NOT_CONFIGURED, FIRST, ACCOUNT_UNKNOWN),
]


@pytest.mark.parametrize(("order", "error", "epoch", "expected"), HINDRANCES)
def test_an_order_waits_for_its_exchange_unless_it_is_over_and_certainly_not_there(
    order: Order, error: Any, epoch: Epoch, expected: type[Event] | str
) -> None:
    event = when_unreachable(order, error, epoch, NOW, None)
    if isinstance(expected, str):
        assert isinstance(event, Wait)
        assert event.cause == expected
        assert event.wait_s == getattr(error, "wait_s", 0)
    else:
        assert type(event) is expected


def test_a_pause_says_until_when() -> None:
    now = datetime(2027, 1, 15, 8, 0, 0, tzinfo=UTC)
    assert when_unreachable(order(), ASKED_FOR_A_PAUSE, FIRST, now, None) == Wait(
        HELD, "until 2027-01-15T08:00:30Z, too many"
    )
