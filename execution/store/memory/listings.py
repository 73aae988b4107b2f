"""Lists in memory. See listings.Listings."""

from collections.abc import Iterator

from execution.arbitrage.model import Arbitrage
from execution.model.order import Order
from execution.orders.store import RefusedIntent
from execution.reconciliation.run import Reconciliation, ReconciliationStore
from execution.store.memory.server import MemoryPart, MemoryServer


class MemoryListings(MemoryPart):
    """What the stores in memory hold, the other way round."""

    def __init__(self, server: MemoryServer, reconciliations: ReconciliationStore) -> None:
        super().__init__(server)
        self._reconciliations = reconciliations

    def orders(self) -> Iterator[Order]:
        with self._server.lock:
            found = list(self._tables.orders.values())
        yield from sorted(found, key=lambda one: (one.created_at, one.order_id), reverse=True)

    def arbitrages(self) -> Iterator[Arbitrage]:
        with self._server.lock:
            found = list(self._tables.arbitrages.values())
        yield from sorted(found, key=lambda one: (one.created_at, one.arbitrage_id), reverse=True)

    def refused(self) -> Iterator[RefusedIntent]:
        with self._server.lock:
            found = list(self._tables.refused)
        yield from found

    def reconciliations(self) -> Iterator[Reconciliation]:
        yield from self._reconciliations.runs(10_000)
