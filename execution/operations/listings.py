"""Listings, newest first: read page by page, so that the newest few cost few reads."""

from collections.abc import Iterator
from typing import Protocol

from execution.arbitrage.model import Arbitrage
from execution.model.order import Order
from execution.orders.store import RefusedIntent
from execution.reconciliation.run import Reconciliation

PAGE = 100


class Listings(Protocol):
    """Every method gives the newest first, and raises StoreUnavailable while it is read if the
    server does not answer. Entries that are added during the reading may be omitted."""

    def orders(self) -> Iterator[Order]:
        """By when they were created."""

    def arbitrages(self) -> Iterator[Arbitrage]:
        """By when they were created."""

    def refused(self) -> Iterator[RefusedIntent]: ...
    def reconciliations(self) -> Iterator[Reconciliation]: ...
