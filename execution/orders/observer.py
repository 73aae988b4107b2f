"""Observers of an order's changes, and the log that is kept of them."""

import re
from typing import Protocol

import structlog

from execution.model.events import Event
from execution.model.order import Order, OrderState
from execution.model.report_faults import is_fault


class Observer(Protocol):
    """Learns of every change of an order, after it is safely stored."""

    def __call__(self, order: Order, event: Event, before: OrderState | None) -> None: ...


_WORD = re.compile(r"(?<=[a-z])(?=[A-Z])")


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
            _WORD.sub("_", type(event).__name__).lower(),
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
