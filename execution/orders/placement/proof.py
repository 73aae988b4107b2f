"""What proves that an attempt did not become an order. Pure: no requests."""

from execution.exchanges.guarantees import ExchangeGuarantees
from execution.model.order import Order, Verdict
from execution.orders.signal_age import published_at
from execution.orders.store import Epoch

# How much the clocks of producers and Redis may differ from the exchange's.
PUBLISHED_SLACK_MS = 60_000
# After a restart of the store, a signal that is published again within this time is looked up at
# the exchange before it is sent.
REPUBLISHED_MAX_MS = 600_000


def may_have_unknown_attempt(order: Order, epoch: Epoch) -> bool:
    """Whether the signal may have been processed before a restart of the store: an attempt that is
    not on the record may exist at the exchange, or still arrive there."""
    lately = published_ms(order) <= epoch.since_ms + REPUBLISHED_MAX_MS
    return epoch.since_ms > 0 and (lately or not epoch.is_whole)


def could_arrive(order: Order, epoch: Epoch) -> bool:
    """Whether an attempt, known or lost by a restart of the store, may become the order, or has
    become it: only the exchange can tell."""
    dead = all(attempt.verdict is Verdict.NOT_SENT for attempt in order.attempts)
    return not dead or may_have_unknown_attempt(order, epoch)


def may_still_arrive(order: Order, epoch: Epoch, guarantees: ExchangeGuarantees) -> bool:
    """Whether an attempt before the latest one may still become the order: no fence excludes it."""
    if guarantees.is_fenced:
        return False
    left_behind = any(a.verdict is Verdict.UNKNOWN for a in order.attempts)
    return left_behind or may_have_unknown_attempt(order, epoch)


def not_kept(order: Order, guarantees: ExchangeGuarantees, now_ms: int) -> str | None:
    """The reason why an attempt with unknown outcome may have become an order although it is not
    found, None if it cannot have. `now_ms` is the exchange's time, read after the lookup."""
    unknown = [a.stamp_ms for a in order.attempts if a.verdict in (None, Verdict.UNKNOWN)]
    if not unknown or not guarantees.may_have_forgotten(min(unknown), now_ms):
        return None
    return _forgotten(guarantees, "its request")


def published_too_long_ago(order: Order, guarantees: ExchangeGuarantees, now_ms: int) -> str | None:
    """The same for an attempt that a restart of the store has lost. `now_ms` is our time, read
    after the lookup."""
    if not guarantees.may_have_forgotten(published_ms(order), now_ms + PUBLISHED_SLACK_MS):
        return None
    return _forgotten(guarantees, "its signal")


def published_ms(order: Order) -> int:
    """When the order's signal was published, in ms since 1970."""
    return int(published_at(order).timestamp() * 1000)


def _forgotten(guarantees: ExchangeGuarantees, since: str) -> str:
    hours = (guarantees.ended_kept_ms or 0) // 3_600_000
    return (
        f"not found, which proves nothing so late: {guarantees.exchange} may have deleted an "
        f"order that ended, {hours} h or more after {since}"
    )
