"""The orders table: how each order ended, its filled share, and its latencies."""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pandas as pd

from execution.model.order import Order, OrderState
from execution.orders.signal_age import published_at
from workers.reports.trades import NO_STRATEGY, frame_of, money_asset

# Orders that ended at the exchange; others never got there, or their outcome is unknown.
ENDED = frozenset({OrderState.FILLED, OrderState.CANCELED, OrderState.EXPIRED, OrderState.REJECTED})
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class OrderOutcome:
    """One row of the table.

    `filled_share` is the filled part of the amount, 0 to 1, None unless the order has ended at the
    exchange. `sent_ms` is from the signal's publication to the first attempt's stamp, `filled_ms`
    to the time of its first fill; None where there was none. The times come from the clocks of
    Redis and of the exchange, so that a latency includes their difference.
    """

    created_at: datetime
    account: str
    symbol: str
    quote: str
    strategy: str
    order_id: str
    state: str
    fills_missing: bool
    filled_share: Decimal | None
    sent_ms: int | None
    filled_ms: int | None


COLUMNS = tuple(field.name for field in fields(OrderOutcome))


def outcome_of(order: Order) -> OrderOutcome:
    published_ms = _published_ms(order)
    sent_ms = min((attempt.stamp_ms for attempt in order.attempts), default=None)
    filled_at = min((fill.time for fill in order.fills), default=None)
    return OrderOutcome(
        created_at=order.created_at,
        account=order.account,
        symbol=order.symbol,
        quote=money_asset(order.symbol),
        strategy=order.strategy or NO_STRATEGY,
        order_id=order.order_id,
        state=order.state.value,
        fills_missing=order.fills_missing,
        filled_share=_filled_share(order),
        sent_ms=None if sent_ms is None else sent_ms - published_ms,
        filled_ms=None if filled_at is None else _to_ms(filled_at) - published_ms,
    )


def outcomes_frame(outcomes: Iterable[OrderOutcome]) -> pd.DataFrame:
    """The orders as a frame with COLUMNS and `day`, the UTC day on which each was created."""
    return frame_of(outcomes, COLUMNS, "created_at")


def _filled_share(order: Order) -> Decimal | None:
    return order.filled / order.amount if order.state in ENDED and order.amount else None


def _published_ms(order: Order) -> int:
    return _to_ms(published_at(order))


def _to_ms(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(milliseconds=1)
