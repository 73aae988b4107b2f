"""Order books as they were seen at a moment, and where the newest of each market is kept."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

from execution.model.book import Book

# Longer than a silent stream takes to be confirmed, many symbols at once; short for a dead one.
BOOK_TTL_MS = 15_000

Source = Literal["ws", "rest"]
BookKey = tuple[str, str]  # Account and symbol.


@dataclass(frozen=True, slots=True)
class BookSnapshot:
    """One account's book of one symbol. Times are in ms since 1970.

    `exchange_ms` is when the exchange made it, by its clock; None where it does not say.
    `received_ms` is when it reached us, or was found to be still true, by ours. `sequence` grows
    with the book at the exchange; None where it has no such number.
    """

    account: str
    symbol: str
    book: Book
    exchange_ms: int | None
    received_ms: int
    sequence: int | None

    def age_ms(self, now_ms: int) -> int:
        """How long ago it was received; never negative, whatever the clock did meanwhile."""
        return max(0, now_ms - self.received_ms)


Publish = Callable[[BookSnapshot], None]


@dataclass(frozen=True, slots=True)
class BookHealth:
    """How an account's book of a symbol is kept.

    `source` is where the last one came from, None before the first. `received_ms` is when, by our
    clock. `resyncs` is how often a stream that had worked had to start again. `trouble` is what
    went wrong last, None once books come from a stream again.
    """

    account: str
    symbol: str
    source: Source | None
    received_ms: int | None
    resyncs: int
    trouble: str | None

    def age_ms(self, now_ms: int) -> int | None:
        """How old the last book is; None before the first."""
        return None if self.received_ms is None else max(0, now_ms - self.received_ms)


class Books(Protocol):
    """Where the newest snapshot of every account and symbol is kept, for a short while only.

    What its collector does not save again in time is gone, so that no book looks alive that is
    not. Every method raises StoreUnavailable when the server does not answer.
    """

    def save(self, snapshots: Iterable[BookSnapshot]) -> None:
        """Put each in the place of an older one of its account and symbol."""

    def load(self, account: str, symbol: str) -> BookSnapshot | None:
        """None where nobody has saved one lately."""

    def load_many(self, wanted: Iterable[BookKey]) -> Mapping[BookKey, BookSnapshot]:
        """Those that are there, by account and symbol."""

    def save_health(self, account: str, health: Iterable[BookHealth]) -> None:
        """Say how the account's books are kept."""

    def load_health(self, account: str) -> list[BookHealth]:
        """Empty where no collector has said anything lately."""
