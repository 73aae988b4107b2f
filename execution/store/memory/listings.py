"""The twin in memory of the lists. See listings.Listings."""

from collections.abc import Iterator

from execution.arbitrage.model import Arbitrage
from execution.model.order import Order
from execution.orders.store import RefusedIntent
from execution.reconciliation.run import Reconciliation, ReconciliationStore
from execution.store.memory.orders import MemoryStore


class MemoryListings:
    """What the stores in memory hold, the other way round."""

    def __init__(self, store: MemoryStore, reconciliations: ReconciliationStore) -> None:
        self._store = store
        self._reconciliations = reconciliations

    def orders(self) -> Iterator[Order]:
        yield from reversed(self._store.orders())

    def arbitrages(self) -> Iterator[Arbitrage]:
        with self._store.lock:
            found = list(self._store.tables.arbitrages.values())
        yield from sorted(found, key=lambda one: (one.created_at, one.arbitrage_id), reverse=True)

    def refused(self) -> Iterator[RefusedIntent]:
        with self._store.lock:
            found = list(self._store.tables.refused)
        yield from found

    def reconciliations(self) -> Iterator[Reconciliation]:
        yield from self._reconciliations.runs(10_000)
