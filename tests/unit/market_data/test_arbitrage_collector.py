"""The collector between its sources and the store: only the newest, and nobody stops the others."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from decimal import Decimal

from execution.market_data.collector import BookCollector, BookSource, SaveIntervals
from execution.market_data.snapshots import BookHealth, BookSnapshot, Publish
from execution.model.book import Book
from execution.model.errors import StoreUnavailable
from execution.store.memory.books import MemoryBooks
from tests.support.clock import START_MS, FakeClock

Script = Callable[[Publish], Awaitable[None]]


def snapshot(account: str, sequence: int, symbol: str = "BTC/USDT") -> BookSnapshot:
    book = Book(symbol, ((Decimal(100 + sequence), Decimal(1)),), ())
    return BookSnapshot(account, symbol, book, None, START_MS, sequence)


class Scripted:
    """A source that does what a test says; `runs` counts how often it was started."""

    def __init__(self, account: str, script: Script) -> None:
        self.account = account
        self.runs = 0
        self._script = script

    def health(self) -> list[BookHealth]:
        return [BookHealth(self.account, "BTC/USDT", "ws", START_MS, self.runs, None)]

    async def run(self, publish: Publish) -> None:
        self.runs += 1
        await self._script(publish)


class Shelf(MemoryBooks):
    """Books that count what is saved, and fail as often as they are told to."""

    def __init__(self, failures: int = 0) -> None:
        super().__init__(FakeClock())
        self.saved: list[int | None] = []
        self.failures = failures

    def save(self, snapshots: Iterable[BookSnapshot]) -> None:
        if self.failures:
            self.failures -= 1
            raise StoreUnavailable("Redis: away")
        found = list(snapshots)
        self.saved += [one.sequence for one in found]
        super().save(found)


BRISK = SaveIntervals(save_every_ms=20, health_every_ms=20, restart_ms=20)


def collect(books: MemoryBooks, until: Callable[[], object], *sources: BookSource) -> BookCollector:
    """Let a collector run until it is true."""

    async def run() -> BookCollector:
        collector = BookCollector(sources, books, BRISK)
        running = asyncio.create_task(collector.run())
        async with asyncio.timeout(10):
            while not until():
                await asyncio.sleep(0.005)
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
        return collector

    return asyncio.run(run())


def after(ms: int) -> Callable[[], bool]:
    """True once so much time has passed."""
    end = time.monotonic() + ms / 1000
    return lambda: time.monotonic() > end


async def for_ever(publish: Publish) -> None:
    publish(snapshot("steady", 1))
    await asyncio.Event().wait()


def test_of_many_books_between_two_saves_only_the_newest_is_saved() -> None:
    async def fast(publish: Publish) -> None:
        for sequence in range(100):
            publish(snapshot("fast", sequence))
            publish(snapshot("fast", 1000 + sequence, "ETH/USDT"))
        await asyncio.Event().wait()

    books = Shelf()
    collect(books, after(100), Scripted("fast", fast))
    assert books.saved == [99, 1099]


def test_a_stream_of_books_is_saved_no_oftener_than_it_may_be() -> None:
    async def steady(publish: Publish) -> None:
        for sequence in range(1_000):
            publish(snapshot("steady", sequence))
            await asyncio.sleep(0.001)

    books, began = Shelf(), time.monotonic()
    collect(books, after(200), Scripted("steady", steady))
    assert 2 <= len(books.saved) <= (time.monotonic() - began) * 1000 / BRISK.save_every_ms
    assert books.saved == sorted(books.saved, key=lambda sequence: sequence or 0)


def test_a_source_that_breaks_is_started_again_and_stops_no_other() -> None:
    async def broken(publish: Publish) -> None:
        publish(snapshot("broken", 1))
        raise ZeroDivisionError("a bug")

    books = Shelf()
    bad, good = Scripted("broken", broken), Scripted("steady", for_ever)
    collect(books, lambda: bad.runs > 1 and len(books.saved) > 1, bad, good)
    assert good.runs == 1
    assert books.load("steady", "BTC/USDT") is not None


def test_a_store_that_was_away_gets_the_books_that_came_since_and_no_older_ones() -> None:
    async def counting(publish: Publish) -> None:
        for sequence in range(1_000):
            publish(snapshot("a", sequence))
            await asyncio.sleep(0.01)

    books = Shelf(failures=2)
    collect(books, after(400), Scripted("a", counting))
    assert books.failures == 0
    assert books.saved
    assert 0 not in books.saved


def test_a_book_that_could_not_be_saved_is_not_saved_later_as_if_it_were_new() -> None:
    books = Shelf(failures=1)
    collect(books, after(200), Scripted("steady", for_ever))
    assert books.failures == 0
    assert books.load("steady", "BTC/USDT") is None


def test_health_is_every_sources_own_account_by_account() -> None:
    collector = collect(Shelf(), after(1), Scripted("one", for_ever), Scripted("two", for_ever))
    assert [one.account for one in collector.health()] == ["one", "two"]


def test_health_is_put_where_others_can_read_it() -> None:
    books = Shelf()
    collect(books, lambda: books.load_health("steady"), Scripted("steady", for_ever))
    assert [one.resyncs for one in books.load_health("steady")] == [1]
