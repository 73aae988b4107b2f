"""Changes of a market's book, sampled at an interval while there are listeners."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice

from paper_exchange.engine.market.liquidity import PriceQty
from paper_exchange.engine.market.market import Market
from paper_exchange.engine.orders import ZERO, Side

Levels = dict[Decimal, Decimal]
Listener = Callable[[str], None]

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class BookChange:
    """The change of a book between two samples: new quantities by price, 0 for a removed level.

    It covers the market's update ids from `first_id` to `last_id`. `number` grows by exactly one
    with each change of the same feed.
    """

    symbol: str
    first_id: int
    last_id: int
    number: int
    bids: tuple[PriceQty, ...]
    asks: tuple[PriceQty, ...]


class BookWatch:
    """A market's book as of the last sample, on each side down to `depth` levels."""

    def __init__(self, market: Market, depth: int | None) -> None:
        self._market = market
        self._depth = depth
        self._last_id = self._number = market.update_id
        self._seen = self._levels()

    def look(self) -> BookChange | None:
        """The change since the last sample, None if there is none.

        Every change of a market is made in one step with a new update id, so the same id means the
        same book.
        """
        market = self._market
        if market.update_id == self._last_id:
            return None
        before, self._seen = self._seen, self._levels()
        bids, asks = (tuple(_changes(before[side], self._seen[side])) for side in Side)
        if not bids and not asks:
            return None
        self._number += 1
        first_id, self._last_id = self._last_id + 1, market.update_id
        return BookChange(market.symbol.name, first_id, self._last_id, self._number, bids, asks)

    def whole(self) -> BookChange:
        """The book as of the last sample; the next change starts from there."""
        bids, asks = (tuple(self._seen[side].items()) for side in Side)
        name, last_id = self._market.symbol.name, self._last_id
        return BookChange(name, last_id, last_id, self._number, bids, asks)

    def _levels(self) -> dict[Side, Levels]:
        return {side: dict(islice(self._market.levels(side), self._depth)) for side in Side}


def _changes(before: Levels, after: Levels) -> list[PriceQty]:
    gone = [(price, ZERO) for price in before if price not in after]
    return gone + [(price, qty) for price, qty in after.items() if before.get(price) != qty]


class Feed:
    """One watch, its listeners, and the task that samples it and notifies them."""

    def __init__(
        self, watch: BookWatch, interval_ms: int, write: Callable[[BookChange], str]
    ) -> None:
        self.watch = watch
        self.listeners: list[Listener] = []
        self._interval_ms = interval_ms
        self._write = write
        self._task = asyncio.get_running_loop().create_task(self._run())
        self._task.add_done_callback(_log_failure)

    def stop(self) -> None:
        """Stop sampling."""
        self._task.cancel()

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(self._interval_ms / 1000)
            change = self.watch.look()
            if change is not None:
                # Encoded once for all listeners.
                text = self._write(change)
                for listener in tuple(self.listeners):
                    listener(text)


@dataclass(frozen=True, slots=True)
class FeedKey:
    """The book, its depth (None: all of it), and the sampling interval."""

    symbol: str
    depth: int | None
    interval_ms: int


class Feeds:
    """All feeds with listeners. `write` encodes a change for the dialect."""

    def __init__(
        self, market_of: Callable[[str], Market | None], write: Callable[[FeedKey, BookChange], str]
    ) -> None:
        self._market_of = market_of
        self._write = write
        self._feeds: dict[FeedKey, Feed] = {}

    def has(self, symbol: str) -> bool:
        """Whether the market exists."""
        return self._market_of(symbol) is not None

    def join(self, key: FeedKey, listener: Listener) -> BookChange | None:
        """Start to listen; returns the book from which the first change will start, None if there
        is no such market."""
        market = self._market_of(key.symbol)
        if market is None:
            return None
        feed = self._feeds.get(key)
        if feed is None:
            watch = BookWatch(market, key.depth)
            feed = Feed(watch, key.interval_ms, lambda change: self._write(key, change))
            self._feeds[key] = feed
        feed.listeners.append(listener)
        return feed.watch.whole()

    def leave(self, key: FeedKey, listener: Listener) -> None:
        """Stop to listen; a feed without listeners ends."""
        feed = self._feeds.get(key)
        if feed is None or listener not in feed.listeners:
            return
        feed.listeners.remove(listener)
        if not feed.listeners:
            feed.stop()
            del self._feeds[key]


def _log_failure(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and task.exception() is not None:
        log.error("a depth feed has failed", exc_info=task.exception())
