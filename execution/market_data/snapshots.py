"""Snapshots of order books, and the store of the newest of each market."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

from execution.model.book import Book

# Longer than the confirmation of many silent streams takes; short for a stopped collector.
BOOK_TTL_MS = 15_000

Source = Literal["ws", "rest"]
BookKey = tuple[str, str]  # Account and symbol.


@dataclass(frozen=True, slots=True)
class BookSnapshot:
    """One account's book of one symbol. Times are in ms since 1970.

    `exchange_ms` is when the exchange made it, by its clock; None if it does not say. `received_ms`
    is when it was received, or confirmed as still current, by our clock. `sequence` grows with the
    book at the exchange; None if it has no such number.
    """

    account: str
    symbol: str
    book: Book
    exchange_ms: int | None
    received_ms: int
    sequence: int | None


Publish = Callable[[BookSnapshot], None]


@dataclass(frozen=True, slots=True)
class BookHealth:
    """The health of an account's book of a symbol.

    `source` is that of the last book, None before the first. `received_ms` is its time, by our
    clock. `resyncs` is how often a working stream had to be restarted. `trouble` is the last
    failure, None once a stream works again.
    """

    account: str
    symbol: str
    source: Source | None
    received_ms: int | None
    resyncs: int
    trouble: str | None


class Books(Protocol):
    """The newest snapshot of every account and symbol, kept for a short time only.

    A book that its collector does not save again in time expires, so that no stale book looks
    current. Every method raises StoreUnavailable when the server does not answer.
    """

    def save(self, snapshots: Iterable[BookSnapshot]) -> None:
        """Save each snapshot; it replaces an older one of its account and symbol."""

    def load(self, account: str, symbol: str) -> BookSnapshot | None:
        """None if none was saved recently."""

    def load_many(self, wanted: Iterable[BookKey]) -> Mapping[BookKey, BookSnapshot]:
        """The existing ones, by account and symbol."""

    def save_health(self, account: str, health: Iterable[BookHealth]) -> None:
        """Save the health of the account's books."""

    def load_health(self, account: str) -> list[BookHealth]:
        """Empty if no collector has saved any recently."""
