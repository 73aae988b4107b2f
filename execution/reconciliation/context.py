"""What a reconciliation works with: the stores, the journal, the clock and the history."""

from dataclasses import dataclass
from typing import Protocol

from execution.model.clock import Clock
from execution.model.order import Order
from execution.orders.journal import Journal
from execution.orders.store import Store
from execution.reconciliation.run import ReconciliationStore


class History(Protocol):
    """The archive, as a reconciliation sees it."""

    def recall_by_exchange_id(
        self, account: str, symbol: str, exchange_order_id: str
    ) -> Order | None:
        """Put an order that has left the store back into it; None for one that it never had."""


@dataclass(frozen=True, slots=True)
class ReconciliationContext:
    """What every visit works with."""

    store: Store
    runs: ReconciliationStore
    journal: Journal
    clock: Clock
    history: History
