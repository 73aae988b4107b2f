"""One symbol's book at one account: the last one, its source, and whether it is still current."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from execution.api.strict.parse import book_of
from execution.market_data.snapshots import BookHealth, BookSnapshot, Source
from execution.model.book import Book, Level
from execution.model.clock import Clock, steady_ms

# No exchange sends fewer levels than this when it cuts a book.
CUT_AT_LEAST = 5


@dataclass(frozen=True, slots=True)
class StreamTimeouts:
    """Times in ms. A stream that was silent for `quiet_ms` is compared with a polled book; a market
    without a stream is polled every `poll_ms`; two requests are at least `gap_ms` apart.

    A stream must bring its first book within `first_ms`, and run for `steady_ms` to reset its
    failures; pauses grow to `pause_ms_max`, and after "too many requests" the exchange is not
    called for at least `limited_ms`. If a polled book differs, the stream has `grace_ms` to bring
    the same change. After `renew_ms` a book that ccxt maintains by itself is restarted.
    """

    quiet_ms: int = 5_000
    poll_ms: int = 1_000
    gap_ms: int = 100
    first_ms: int = 20_000
    steady_ms: int = 10_000
    grace_ms: int = 1_000
    pause_ms_max: int = 30_000
    limited_ms: int = 10_000
    renew_ms: int = 1_800_000

    def pause_ms(self, failures: int) -> int:
        """How long to wait after a number of failures in a row."""
        return min(self.pause_ms_max, 50 << min(failures, 20))


class BookLine:
    """The book of one symbol. Takes ccxt's books and returns snapshots."""

    def __init__(self, account: str, symbol: str, depth: int, clock: Clock) -> None:
        self.symbol = symbol
        self.is_streaming = False
        self.trouble: str | None = None
        # How many books have arrived, and when the last one did; on the steady clock, as below.
        self.updates = 0
        self.heard_ms = 0
        self.asked_ms = 0
        self._account = account
        self._depth = depth
        self._clock = clock
        self._last: BookSnapshot | None = None
        self._source: Source | None = None
        self._streams = 0

    def health(self) -> BookHealth:
        """The health of the book."""
        return BookHealth(
            account=self._account,
            symbol=self.symbol,
            source=self._source,
            received_ms=None if self._last is None else self._last.received_ms,
            resyncs=max(0, self._streams - 1),
            trouble=self.trouble,
        )

    def begin_stream(self) -> None:
        """A stream has brought its first book."""
        self._streams += 1
        self.is_streaming = True
        self.trouble = None

    def due_ms(self, pace: StreamTimeouts) -> int:
        """When the book is to be polled."""
        if self.is_streaming:
            return max(self.heard_ms, self.asked_ms) + pace.quiet_ms
        return self.asked_ms + pace.poll_ms

    def take(self, fetched: Mapping[str, Any], source: Source) -> BookSnapshot:
        """Store a book of ccxt's as the last one. Raises ValueError for an impossible one."""
        stamp, number = fetched.get("timestamp"), fetched.get("nonce")
        self._last = BookSnapshot(
            account=self._account,
            symbol=self.symbol,
            book=self._read(fetched),
            exchange_ms=None if stamp is None else int(stamp),
            received_ms=self._clock.now_ms(),
            sequence=None if number is None else int(number),
        )
        self._source = source
        self.updates += 1
        self.heard_ms = steady_ms()
        return self._last

    def confirm(self, fetched: Mapping[str, Any]) -> BookSnapshot | None:
        """The last book with a new time, if a polled book shows that it is still current; else
        None.

        It is if the polled book is the same, or an older one. Raises ValueError as `take` does.
        """
        if self._last is None:
            return None
        number, known = fetched.get("nonce"), self._last.sequence
        is_older = number is not None and known is not None and number <= known
        if not is_older and not _agree(self._last.book, self._read(fetched)):
            return None
        self._last = replace(self._last, received_ms=self._clock.now_ms())
        self.trouble = None
        return self._last

    def _read(self, fetched: Mapping[str, Any]) -> Book:
        """The top of ccxt's book. A crossed one is out of sync."""
        top = {side: fetched[side][: self._depth] for side in ("bids", "asks")}
        book = book_of(self.symbol, top)
        if book.bids and book.asks and book.bids[0][0] >= book.asks[0][0]:
            raise ValueError(f"{self.symbol}: bid {book.bids[0][0]} crosses ask {book.asks[0][0]}")
        return book


def _agree(first: Book, other: Book) -> bool:
    return _same(first.bids, other.bids) and _same(first.asks, other.asks)


def _same(first: tuple[Level, ...], other: tuple[Level, ...]) -> bool:
    """Whether two sides are equal; if the exchange cut one of them, down to the shorter one."""
    both = min(len(first), len(other))
    is_cut = len(first) != len(other) and both >= CUT_AT_LEAST
    return first[:both] == other[:both] if is_cut else first == other
