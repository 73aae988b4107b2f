"""Lists in Redis, newest first. See listings.Listings."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from redis import Redis

from execution.arbitrage.model import Arbitrage
from execution.model.order import Order
from execution.operations.listings import PAGE
from execution.orders.codec import order_from_json
from execution.orders.store import RefusedIntent
from execution.reconciliation.run import Reconciliation
from execution.store.access import keys
from execution.store.access.connection import RedisStore, guarded
from execution.text.json_adapter import JsonAdapter

_ARBITRAGE = JsonAdapter(Arbitrage)
_RUN = JsonAdapter(Reconciliation)
Entry = tuple[str, dict[str, str]]


class RedisListings(RedisStore):
    """Pages of sorted sets and streams, from their newer end."""

    def __init__(self, client: Redis, page: int = PAGE) -> None:
        super().__init__(client)
        self._page = page

    def orders(self) -> Iterator[Order]:
        for ids in self._ranked(keys.ORDERS):
            yield from map(order_from_json, self._read(map(keys.order, ids)))

    def arbitrages(self) -> Iterator[Arbitrage]:
        for ids in self._ranked(keys.ARBITRAGES):
            yield from map(_ARBITRAGE.validate_json, self._read(map(keys.arbitrage, ids)))

    def refused(self) -> Iterator[RefusedIntent]:
        for _, entry in self._entries(keys.REFUSED):
            task, body, reason = (entry.get(name, "") for name in ("task", "body", "reason"))
            yield RefusedIntent(task, body, reason, datetime.fromisoformat(entry["time"]))

    def reconciliations(self) -> Iterator[Reconciliation]:
        for _, entry in self._entries(keys.RUNS):
            yield _RUN.validate_json(entry["run"])

    def _ranked(self, key: str) -> Iterator[list[str]]:
        """Members of a sorted set, the highest first. A new one shifts the others, so that some are
        read twice; repeats are skipped."""
        seen = {keys.PRESENT}
        start = 0
        while members := self._members(key, start):
            yield [member for member in members if member not in seen]
            seen.update(members)
            start += len(members)

    @guarded
    def _members(self, key: str, start: int) -> list[str]:
        return list(self._redis.zrevrange(key, start, start + self._page - 1))

    @guarded
    def _read(self, records: Iterable[str]) -> list[str]:
        return list(self._docs(records))

    def _entries(self, key: str) -> Iterator[Entry]:
        newest = "+"
        while entries := self._stream(key, newest):
            yield from entries
            newest = f"({entries[-1][0]}"

    @guarded
    def _stream(self, key: str, newest: str) -> list[Entry]:
        return list(self._redis.xrevrange(key, newest, "-", count=self._page))
