"""Observers of an order's changes, among them the log."""

from typing import Protocol

import structlog

from execution.model.events import (
    AttemptBegan,
    AttemptDied,
    AttemptUnknown,
    CancelRequested,
    Delayed,
    Event,
)
from execution.model.order import LIVE, Order, OrderState
from execution.model.report_faults import is_fault


class Observer(Protocol):
    """Called after every stored change of an order; `before` is its state before."""

    def __call__(self, order: Order, event: Event, before: OrderState | None) -> None: ...


# Events with their own names; any other is named after the order's new state.
UNDER_WAY: dict[type, str] = {
    AttemptBegan: "attempt_began",
    AttemptUnknown: "attempt_unknown",
    AttemptDied: "attempt_died",
    CancelRequested: "cancel_requested",
    Delayed: "order_delayed",
}
PARTIAL_FILL = "order_partially_filled"
UPDATED = "order_updated"


def log_event(order: Order, event: Event, before: OrderState | None) -> str:
    """The event of the order's line in the log: what happened, in the past tense."""
    if type(event) in UNDER_WAY:
        return UNDER_WAY[type(event)]
    if order.state is before and order.state not in LIVE:
        return UPDATED
    if order.state is OrderState.OPEN and order.filled:
        return PARTIAL_FILL
    return f"order_{order.state}"


class LogObserver:
    """Logs every stored change of an order as one line."""

    def __call__(self, order: Order, event: Event, before: OrderState | None) -> None:
        log = structlog.get_logger("oneorder")
        write = {
            OrderState.QUARANTINED: log.error,
            OrderState.REJECTED: log.warning,
            OrderState.REFUSED: log.warning,
        }.get(order.state, log.info)
        if is_fault(order.reason):
            write = log.error
        write(
            log_event(order, event, before),
            order_id=order.order_id,
            signal_id=order.signal_id,
            account=order.account,
            symbol=order.symbol,
            attempt=len(order.attempts),
            before=before,
            state=order.state,
            filled=str(order.filled),
            reason=order.reason or (order.attempt.reason if order.attempt else None),
        )
