"""Order books in memory, for tests and for a collector in one process."""

from collections.abc import Iterable, Mapping

from execution.market_data.snapshots import BOOK_TTL_MS, BookHealth, BookKey, BookSnapshot
from execution.model.clock import Clock


class MemoryBooks:
    """Books that expire unless they are saved again; see book_snapshots.Books."""

    def __init__(self, clock: Clock, ttl_ms: int = BOOK_TTL_MS) -> None:
        self._clock = clock
        self._ttl_ms = ttl_ms
        self._books: dict[BookKey, tuple[BookSnapshot, int]] = {}
        self._health: dict[str, tuple[list[BookHealth], int]] = {}

    def save(self, snapshots: Iterable[BookSnapshot]) -> None:
        for snapshot in snapshots:
            self._books[snapshot.account, snapshot.symbol] = snapshot, self._end_ms()

    def load_many(self, wanted: Iterable[BookKey]) -> Mapping[BookKey, BookSnapshot]:
        now_ms = self._clock.now_ms()
        books = {key: self._books[key] for key in wanted if key in self._books}
        return {key: snapshot for key, (snapshot, end_ms) in books.items() if now_ms < end_ms}

    def save_health(self, account: str, health: Iterable[BookHealth]) -> None:
        self._health[account] = list(health), self._end_ms()

    def load_health(self, account: str) -> list[BookHealth]:
        health, end_ms = self._health.get(account, ([], 0))
        return list(health) if self._clock.now_ms() < end_ms else []

    def _end_ms(self) -> int:
        return self._clock.now_ms() + self._ttl_ms
