"""Reads an account's trades backwards, for exchanges that list the newest first."""

from collections.abc import Callable, Iterable

from execution.api.strict.parse import time_of
from execution.exchanges.port import AccountFill

# A trade id that cannot be the start of a request is searched this far back.
LOOKBACK_MAX_MS = 7 * 86_400_000

# Pages of trades, the newest first, back to a time in ms or beyond it.
PagesFrom = Callable[[int], Iterable[list[AccountFill]]]


def walk_back(pages_from: PagesFrom, cursor: str | None, since_ms: int) -> list[AccountFill]:
    """Read from the newest trade back to the cursor's, or to `since_ms`; returns the oldest
    first."""
    from_ms = max(0, since_ms if cursor is None else since_ms - LOOKBACK_MAX_MS)
    trades: dict[tuple[str, str], AccountFill] = {}
    oldest = time_of(from_ms)
    for page in pages_from(from_ms):
        for trade in page:
            if trade.fill.trade_id == cursor:
                # Trades of the same time have no order: they are read again, never lost.
                oldest = trade.fill.time
            else:
                trades[trade.fill.trade_id, trade.fill.side] = trade
        if page and page[-1].fill.time < oldest:
            break
    # Backwards, so that trades of the same time keep their order.
    recent = (trade for trade in reversed(trades.values()) if trade.fill.time >= oldest)
    return sorted(recent, key=lambda trade: trade.fill.time)
