"""Lists in memory. See listings.Listings."""

from collections.abc import Iterator

from execution.arbitrage.model import Arbitrage
from execution.model.order import Order
from execution.orders.store import RefusedIntent
from execution.reconciliation.run import Reconciliation, ReconciliationStore
from execution.store.memory.server import MemoryServer


class MemoryListings:
    """The contents of the stores in memory, newest first."""

    def __init__(self, server: MemoryServer, reconciliations: ReconciliationStore) -> None:
        self._server = server
        self._reconciliations = reconciliations

    def orders(self) -> Iterator[Order]:
        with self._server.lock:
            records = list(self._server.tables.orders.values())
        yield from sorted(records, key=lambda each: (each.created_at, each.order_id), reverse=True)

    def arbitrages(self) -> Iterator[Arbitrage]:
        with self._server.lock:
            records = list(self._server.tables.arbitrages.values())
        yield from sorted(
            records, key=lambda each: (each.created_at, each.arbitrage_id), reverse=True
        )

    def refused(self) -> Iterator[RefusedIntent]:
        with self._server.lock:
            records = list(self._server.tables.refused)
        yield from records

    def reconciliations(self) -> Iterator[Reconciliation]:
        yield from self._reconciliations.runs(10_000)
