"""Observers of an order's changes, and the log that is kept of them."""

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
    """Learns of every change of an order, after it is safely stored."""

    def __call__(self, order: Order, event: Event, before: OrderState | None) -> None: ...


# What happens to an order that has not ended; anything else is named after the order's state.
UNDER_WAY: dict[type, str] = {
    AttemptBegan: "attempt_began",
    AttemptUnknown: "attempt_unknown",
    AttemptDied: "attempt_died",
    CancelRequested: "cancel_requested",
    Delayed: "order_delayed",
}
PARTIAL_FILL = "order_partially_filled"


def log_event(order: Order, event: Event) -> str:
    """What has happened to the order, in the past tense, as its line in the log is called."""
    if order.state in LIVE and type(event) in UNDER_WAY:
        return UNDER_WAY[type(event)]
    if order.state is OrderState.OPEN and order.filled:
        return PARTIAL_FILL
    return f"order_{order.state}"


class LogObserver:
    """Writes every stored change of an order as one line."""

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
            log_event(order, event),
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
