"""Saves the newest order books of all accounts to a store.

Sources push new books; every few milliseconds the newest of each account and symbol is saved, so a
fast market costs no more than a slow one, and a slow store builds no queue.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import structlog

from execution.market_data.snapshots import BookHealth, BookKey, Books, BookSnapshot, Publish
from execution.model.errors import StoreUnavailable

# The maximum of the growing pauses after a source failed, and while the store does not answer.
RESTART_MS_MAX = 60_000
SAVE_PAUSE_MS_MAX = 2_000

log = structlog.get_logger("oneorder")


@dataclass(frozen=True, slots=True)
class SaveIntervals:
    """How often books and health are saved, and when a failed source is restarted."""

    save_every_ms: int = 50
    health_every_ms: int = 2_000
    restart_ms: int = 1_000


class BookSource(Protocol):
    """The order books of one account."""

    @property
    def account(self) -> str:
        """The account's name."""

    def health(self) -> list[BookHealth]:
        """The health of each of its books."""

    async def run(self, publish: Publish) -> None:
        """Publish every new book, until cancelled."""


class BookCollector:
    """Runs every source, and saves the books that they publish. A failed source does not stop the
    others."""

    def __init__(
        self,
        sources: Sequence[BookSource],
        books: Books,
        rhythm: SaveIntervals | None = None,
    ) -> None:
        self._sources = sources
        self._books = books
        self._rhythm = rhythm or SaveIntervals()
        self._unsaved: dict[BookKey, BookSnapshot] = {}

    def health(self) -> list[BookHealth]:
        """The health of every book, account by account."""
        return [book for source in self._sources for book in source.health()]

    async def run(self) -> None:
        """Collect until cancelled."""
        log.info("book_collector_started", accounts=[source.account for source in self._sources])
        try:
            async with asyncio.TaskGroup() as tasks:
                for source in self._sources:
                    tasks.create_task(self._keep(source))
                tasks.create_task(self._save_books())
                tasks.create_task(self._say_health())
        finally:
            log.info("book_collector_stopped")

    def _take(self, snapshot: BookSnapshot) -> None:
        self._unsaved[snapshot.account, snapshot.symbol] = snapshot

    async def _keep(self, source: BookSource) -> None:
        """Run a source, and restart it after any error."""
        loop = asyncio.get_running_loop()
        pause_ms = self._rhythm.restart_ms
        while True:
            started = loop.time()
            try:
                await source.run(self._take)
            except Exception:
                log.exception("book_source_failed", account=source.account, pause_ms=pause_ms)
            if (loop.time() - started) * 1000 > RESTART_MS_MAX:
                pause_ms = self._rhythm.restart_ms
            await asyncio.sleep(pause_ms / 1000)
            pause_ms = min(2 * pause_ms, RESTART_MS_MAX)

    async def _save_books(self) -> None:
        failures = 0
        while True:
            await asyncio.sleep(self._pause_ms(failures) / 1000)
            newest, self._unsaved = self._unsaved, {}
            if not newest:
                continue
            try:
                await asyncio.to_thread(self._books.save, list(newest.values()))
                failures = 0
            except StoreUnavailable as error:
                failures += 1
                # They are not saved later either: the sources bring newer ones, and old ones would
                # look current.
                log.warning("books_not_saved", reason=str(error), failures=failures)

    def _pause_ms(self, failures: int) -> int:
        return min(self._rhythm.save_every_ms << min(failures, 16), SAVE_PAUSE_MS_MAX)

    async def _say_health(self) -> None:
        while True:
            await asyncio.sleep(self._rhythm.health_every_ms / 1000)
            for source in self._sources:
                try:
                    await asyncio.to_thread(
                        self._books.save_health, source.account, source.health()
                    )
                except StoreUnavailable as error:
                    log.warning("book_health_not_saved", reason=str(error))
