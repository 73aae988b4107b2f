"""The order's state machine: one table with a row for every pair of state and event."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

from execution.model.decimals import EXACT, ZERO, total
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
from execution.model.order import (
    LIVE,
    Fill,
    Order,
    OrderReport,
    OrderState,
    Verdict,
    merge_fills,
    with_verdict,
)
from execution.model.report_faults import (
    believable,
    fault_reason,
    is_fault,
    mismatches,
    overfill,
)
from execution.model.waiting import is_wait

Rule = Callable[[Order, Any], Order]
# The exchange's report decides the state of these.
_UNDECIDED = LIVE | {OrderState.QUARANTINED}


def transition(order: Order, event: Event) -> Order:
    """The order after `event`; the same object if the event changes nothing.

    Raises IllegalTransition for a pair that must never occur.
    """
    rule = TABLE[type(event)][order.state]
    after = rule(order, event)
    return order if after == order else replace(after, version=order.version + 1)


def _begin(order: Order, event: AttemptBegan) -> Order:
    expected = len(order.attempts) + 1
    if event.attempt.number != expected:
        raise IllegalTransition(f"attempt {event.attempt.number} begun where {expected} is next")
    return replace(
        order,
        state=OrderState.SUBMITTING,
        reason=None,
        attempts=(*order.attempts, event.attempt),
    )


def _unknown(order: Order, event: AttemptUnknown) -> Order:
    if _is_current(order, event):
        order = with_verdict(order, event.number, Verdict.UNKNOWN, event.reason)
        return replace(order, reason=event.waits or order.reason)
    return order


def _die(order: Order, event: AttemptDied) -> Order:
    # A verdict is about its own attempt only: a late one for an older attempt changes nothing.
    if not _is_current(order, event):
        return order
    verdict = Verdict.UNKNOWN if event.may_arrive else Verdict.NOT_SENT
    order = with_verdict(order, event.number, verdict, event.reason)
    return replace(order, state=OrderState.RECEIVED, reason=event.reason)


def _reject(order: Order, event: Rejected) -> Order:
    if not _is_current(order, event):
        return order
    order = with_verdict(order, event.number, Verdict.REJECTED, event.reason)
    return replace(order, state=OrderState.REJECTED, reason=event.reason)


def _refuse(order: Order, event: Refused | SettledByHand) -> Order:
    return replace(order, state=OrderState.REFUSED, reason=event.reason)


def _quarantine(order: Order, event: Quarantined) -> Order:
    return replace(order, state=OrderState.QUARANTINED, reason=event.reason)


def _withdraw(order: Order, event: Withdrawn | SettledByHand) -> Order:
    return replace(order, state=OrderState.CANCELED, reason=event.reason)


def _delay(order: Order, event: Delayed) -> Order:
    return order if is_fault(order.reason) else replace(order, reason=event.reason)


def _request_cancel(order: Order, _: CancelRequested) -> Order:
    return replace(order, cancel_requested=True)


def _report(order: Order, event: Reported) -> Order:
    """Apply the exchange's report: fills are only ever added, and a final state stays final.

    The one exception is a fill that completes the order after it was believed canceled or expired.
    Faults are named in the reason; an order with other terms than requested needs manual
    intervention.
    """
    differs = [] if event.by_hand else mismatches(order, event.report)
    report, faults = believable(order, event.report)
    if order.exchange_order_id not in (None, report.exchange_order_id):
        raise IllegalTransition(
            f"order {order.order_id} is {order.exchange_order_id} at the exchange, "
            f"and now also {report.exchange_order_id}"
        )
    fills = merge_fills(order.fills, report.fills)
    traded = _total(fills)
    faults = [*differs, *faults, *overfill(order, traded)]
    filled = max(order.filled, report.filled or ZERO, traded)
    state = _state_after_report(order, report.status, complete=filled >= order.amount)
    if not faults and _puts_right(order, report, traded):
        filled, state = traded, report.status
    if differs or (is_quarantined_for_fault(order) and not event.by_hand):
        state = OrderState.QUARANTINED if order.state in _UNDECIDED else order.state
    if order.attempt is not None and order.attempt.verdict is not Verdict.ACCEPTED:
        order = with_verdict(order, order.attempt.number, Verdict.ACCEPTED, None)
    return replace(
        order,
        state=state,
        reason=_reason_after_report(order, state, faults),
        # An exchange may use the same id in two markets.
        exchange_order_id=(
            report.exchange_order_id if report.symbol == order.symbol else order.exchange_order_id
        ),
        fills=fills,
        filled=filled,
        average=_average(fills) if traded == filled else report.average or order.average,
    )


def _puts_right(order: Order, report: OrderReport, traded: Decimal) -> bool:
    """The exchange had reported more than the order's amount, and now reports its end with exactly
    the sum of its trades. Only this ever reduces the filled amount."""
    claimed = order.state is OrderState.FILLED and is_fault(order.reason) and order.fills_missing
    has_ended = report.status in (OrderState.CANCELED, OrderState.EXPIRED)
    return claimed and has_ended and report.filled == traded


def _report_refused(order: Order, event: Reported) -> Order:
    """An order that was never sent cannot be at the exchange. For one that was sent and then given
    up, by proof or by an operator, the exchange's report counts: its trades change the position."""
    return _report(order, event) if order.attempts else _illegal(order, event)


def is_quarantined_for_fault(order: Order) -> bool:
    """It needs manual intervention, because the exchange's order has other terms than requested."""
    return order.state is OrderState.QUARANTINED and is_fault(order.reason)


def _reason_after_report(order: Order, state: OrderState, faults: list[str]) -> str | None:
    """A fault stays on the order, also if later reports have none."""
    if faults:
        return fault_reason(faults)
    if is_fault(order.reason):
        return order.reason
    return order.reason if state is order.state and not is_wait(order.reason) else None


def _state_after_report(order: Order, status: OrderState, *, complete: bool) -> OrderState:
    if complete:
        return OrderState.FILLED
    return status if order.state in _UNDECIDED else order.state


def _total(fills: tuple[Fill, ...]) -> Decimal:
    return total(fill.amount for fill in fills)


def _average(fills: tuple[Fill, ...]) -> Decimal | None:
    amount = _total(fills)
    if not amount:
        return None
    cost = total(EXACT.multiply(fill.price, fill.amount) for fill in fills)
    return (cost / amount).normalize()


def _is_current(order: Order, event: AttemptUnknown | AttemptDied | Rejected) -> bool:
    """Whether the event is about the order's latest attempt. The number alone is not enough: after
    the store is restored to an earlier state, the same attempt number can be issued again, with
    another stamp."""
    attempt = order.attempt
    return (
        attempt is not None
        and attempt.number == event.number
        and event.stamp_ms in (None, attempt.stamp_ms)
    )


def _no_change(order: Order, _: Event) -> Order:
    return order


def _illegal(order: Order, event: Event) -> Order:
    raise IllegalTransition(
        f"{type(event).__name__} cannot happen to an order that is {order.state}"
    )


def _row(default: Rule, **rules: Rule) -> dict[OrderState, Rule]:
    """One event's rules by state: the named ones, and `default` for every other state."""
    return {state: rules.get(state.value, default) for state in OrderState}


TABLE: dict[type[Event], dict[OrderState, Rule]] = {
    AttemptBegan: _row(_illegal, received=_begin),
    AttemptUnknown: _row(_no_change, submitting=_unknown),
    AttemptDied: _row(_no_change, submitting=_die),
    Rejected: _row(_no_change, submitting=_reject),
    # An order that was refused before sending cannot be at the exchange; every other one can be
    # found there at any time, also one that was believed dead.
    Reported: _row(_report, refused=_report_refused),
    # An operator may find that an order in quarantine is not at the exchange.
    Refused: _row(_illegal, received=_refuse, quarantined=_refuse),
    Withdrawn: _row(_illegal, received=_withdraw),
    # A request to cancel is always recorded; whether it can still be carried out is decided later.
    CancelRequested: _row(
        _no_change, received=_request_cancel, submitting=_request_cancel, open=_request_cancel
    ),
    # An ended order only waits for missing fills.
    Delayed: _row(_no_change, received=_delay, submitting=_delay, open=_delay),
    # An accepted order has ended at the exchange in some way; any other one never existed there.
    SettledByHand: _row(_illegal, received=_refuse, submitting=_refuse, open=_withdraw),
    Quarantined: _row(_illegal, received=_quarantine, submitting=_quarantine),
}
