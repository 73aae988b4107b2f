"""When a signal was published, and whether it is too old to be sent."""

from datetime import UTC, datetime, timedelta

from execution.model.order import Order, OrderState, OrderType

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS = timedelta(milliseconds=1)
# The most digits of a stream's ids: both numbers are below 2**64.
_STAMP_DIGITS_MAX = 20


def publication_time(entry_id: str | None, now: datetime) -> datetime:
    """When the signal of the stream entry was published: an entry's id begins with the time in ms.

    Producers may choose ids; an id in the future, and a signal without an entry, count as published
    now.
    """
    stamp = (entry_id or "").partition("-")[0]
    if not stamp.isdecimal() or len(stamp) > _STAMP_DIGITS_MAX:
        return now
    since = now - _EPOCH
    return _EPOCH + min(timedelta(milliseconds=min(int(stamp), since // _MS)), since)


def published_at(order: Order) -> datetime:
    """When the order's signal was published; records of earlier releases do not have it, and an
    adopted order is as old as its record."""
    return order.published_at or publication_time(order.entry_id, order.created_at)


def expired(expires_at: datetime | None, now: datetime) -> str | None:
    """Say that a signal has expired, None where it has not."""
    if expires_at is None or now < expires_at:
        return None
    return f"expires_at: {expires_at.isoformat()} has passed"


def reason_over(order: Order, now: datetime, age_max_s: int | None) -> str | None:
    """The reason why the order must not be sent any more, independent of its exchange; None if it
    may be."""
    if order.cancel_requested:
        return "canceled before it was sent"
    over = expired(order.expires_at, now)
    if over is not None or order.type is not OrderType.MARKET:
        return over
    return market_too_old(published_at(order), now, age_max_s)


def unsent_ends_ms(order: Order, age_max_s: int | None) -> int | None:
    """When an unsent order expires, in ms since 1970; None for never, and for an order that does
    not wait to be sent."""
    if order.state is not OrderState.RECEIVED:
        return None
    ends = [] if order.expires_at is None else [order.expires_at]
    if order.type is OrderType.MARKET and age_max_s is not None:
        ends.append(published_at(order) + timedelta(seconds=age_max_s) + _MS)
    return min((-((_EPOCH - end) // _MS) for end in ends), default=None)


def market_too_old(published: datetime, now: datetime, age_max_s: int | None) -> str | None:
    """Say in one sentence why a market order that was published then is too old to be sent, None
    where it is not. It is for the price of its moment; a limit order has its own price."""
    age = now - published
    if age_max_s is None or age <= timedelta(seconds=age_max_s):
        return None
    return (
        f"published_at: {published.isoformat()} was {int(age.total_seconds()):,} s ago; a market "
        f"order is sent within {age_max_s} s (limits.signal_max_age_s)"
    )
