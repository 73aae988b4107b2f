"""The next step of an order, and the meaning of answers. Pure: no requests, no writes."""

from collections.abc import Collection, Iterator
from datetime import datetime
from enum import Enum, auto

from execution.exchanges.account import what_is_missing
from execution.exchanges.guarantees import ExchangeGuarantees, Uniqueness
from execution.exchanges.port import Outcome
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
from execution.model.order import Attempt, Order, OrderState, Verdict
from execution.model.report_faults import fault_reason, is_fault, mismatches
from execution.model.waiting import (
    ACCOUNT_UNKNOWN,
    HELD,
    NOT_CANCELED,
    UNKNOWN,
    UNREACHABLE,
    Wait,
    time_text_ms,
    unknown,
)
from execution.orders.placement.proof import (
    could_arrive,
    may_have_unknown_attempt,
    may_still_arrive,
    not_kept,
)
from execution.orders.signal_age import reason_over
from execution.orders.store import Epoch


class Step(Enum):
    """The steps of an order. Each makes at most one request to the exchange."""

    LOOK_BACK = auto()  # Look up an attempt that a restart of the store may have lost.
    BEGIN = auto()  # Write the next attempt, or end the order unsent.
    PLACE = auto()  # Send the attempt that was just written.
    LOOK_UP = auto()  # Determine the outcome of the latest attempt.
    CANCEL = auto()
    ASK = auto()  # Look up the state of the order.
    COMPLETE = auto()  # Read the trades that are missing.


def next_step(
    order: Order, epoch: Epoch, begun: Attempt | None, taken: Collection[Step]
) -> Step | None:
    """The step that the order needs now, None if it rests, has ended, or has to wait.

    `begun` is the attempt that the caller itself has just written: only that one may it send, and
    after it no other is begun. `taken` are the steps since; none is taken twice.
    """
    needed = _needed(order, epoch, begun, taken)
    return next((step for step in needed if step not in taken), None)


def _needed(
    order: Order, epoch: Epoch, begun: Attempt | None, taken: Collection[Step]
) -> Iterator[Step]:
    if order.state is OrderState.RECEIVED and begun is None:
        if may_have_unknown_attempt(order, epoch):
            yield Step.LOOK_BACK
        yield Step.BEGIN
    if order.state is OrderState.SUBMITTING:
        if order.attempt == begun:
            yield Step.PLACE
        yield Step.LOOK_UP
    if order.state is OrderState.OPEN and order.cancel_requested:
        yield Step.CANCEL
    if order.state is OrderState.OPEN and not order.may_rest:
        # It was only acknowledged: this kind of order never rests.
        yield Step.ASK
    if order.fills_missing:
        yield Step.COMPLETE
        if Step.COMPLETE in taken and is_fault(order.reason):
            # Perhaps nothing is missing: the exchange may have corrected its report.
            yield Step.ASK


def end_unsent(
    order: Order, reason: str, epoch: Epoch, guarantees: ExchangeGuarantees
) -> Withdrawn | Refused | Quarantined:
    """The end of an order that gets no further attempt."""
    if may_still_arrive(order, epoch, guarantees):
        return Quarantined(f"{reason}; whether an earlier attempt arrives cannot be determined")
    return Withdrawn(reason) if order.cancel_requested else Refused(reason)


def judge_answer(
    order: Order, outcome: Outcome, epoch: Epoch, guarantees: ExchangeGuarantees
) -> Event:
    """The outcome of the latest attempt, by the exchange's answer."""
    attempt, reason = order.attempts[-1], outcome.reason
    match outcome.verdict:
        case Verdict.ACCEPTED if outcome.report is not None:
            differs = mismatches(order, outcome.report)
            if not differs:
                return Reported(outcome.report)
            # Either the answer or the order may be wrong: a lookup shows which.
            reason = fault_reason(differs)
        case Verdict.NOT_SENT:
            return AttemptDied(attempt.number, reason, attempt.stamp_ms)
        case Verdict.REJECTED if may_still_arrive(order, epoch, guarantees):
            return end_unsent(order, reason, epoch, guarantees)
        case Verdict.REJECTED:
            return Rejected(attempt.number, reason, attempt.stamp_ms)
    return unknown(attempt, reason)


def judge_after_restart(order: Order, no: str) -> AttemptUnknown:
    """The same for a rejection if the store has restarted meanwhile: a later attempt may have been
    made and lost, so that a rejection of this one is not the end."""
    return unknown(order.attempts[-1], f"{no}; the store restarted meanwhile")


def judge_absence(
    order: Order, guarantees: ExchangeGuarantees, began_ms: int, now_ms: int
) -> Event | Wait:
    """The conclusion if the latest attempt was not found by a lookup that began at the exchange's
    time `began_ms` or later and ended at `now_ms`."""
    attempt = order.attempts[-1]
    number, stamp_ms = attempt.number, attempt.stamp_ms
    words = f" ({attempt.reason})" if attempt.reason else ""
    too_late = not_kept(order, guarantees, now_ms)
    if too_late is not None:
        return Quarantined(f"{too_late}{words}")
    if not guarantees.is_fenced and guarantees.uniqueness is Uniqueness.ALL_ORDERS:
        reason = f"not found, and its id works once{words}"
        return AttemptDied(number, reason, stamp_ms, may_arrive=True)
    if began_ms <= attempt.provable_at_ms:
        if attempt.verdict is None or not (order.reason or "").startswith(UNKNOWN):
            return unknown(attempt, attempt.reason or "no answer to it was recorded")
        return Wait()
    if guarantees.is_fenced:
        return AttemptDied(number, f"it never arrived{words}", stamp_ms)
    return Quarantined(f"{guarantees.exchange} cannot say whether attempt {number} arrived{words}")


def when_unreachable(
    order: Order,
    error: UnknownAccount | ExchangeUnavailable,
    epoch: Epoch,
    now: datetime,
    market_age_max_s: int | None,
) -> Refused | Withdrawn | Wait:
    """The next event of an order whose exchange cannot be reached: it waits, unless it has expired
    or been canceled and cannot be at the exchange."""
    is_unsent = order.state is OrderState.RECEIVED
    if isinstance(error, UnknownAccount):
        if is_unsent and not order.attempts and not may_have_unknown_attempt(order, epoch):
            return Refused(f"account: {error}")
        # It may be open on an account that was configured when it was sent.
        return Wait(ACCOUNT_UNKNOWN, what_is_missing(order.account))
    is_open = order.state is OrderState.OPEN
    if isinstance(error, RequestRefused) and is_open and order.cancel_requested:
        by_hand = (
            f"{error}; if the exchange has no such order any more, run "
            f"`oneorder settle {order.order_id} --not-there`"
        )
        return Wait(NOT_CANCELED, by_hand)
    over = reason_over(order, now, market_age_max_s)
    if over is not None and is_unsent and not could_arrive(order, epoch):
        return Withdrawn(over) if order.cancel_requested else Refused(over)
    if not error.retry_after_s:
        return Wait(UNREACHABLE, str(error), error.wait_s)
    until_ms = int(now.timestamp() * 1_000) + error.retry_after_s * 1_000
    return Wait(HELD, f"until {time_text_ms(until_ms)}, {error}", error.wait_s)
