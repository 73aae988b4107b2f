"""The store of arbitrages, as their executor sees it."""

from dataclasses import dataclass
from typing import Protocol

from execution.arbitrage.model import Arbitrage, ArbitrageState
from execution.model.order import Order
from execution.orders.store import Committed, Epoch


@dataclass(frozen=True, slots=True)
class NewLeg:
    """An order that an arbitrage journals: a new one, with its first attempt begun or not.
    `due_ms` is when the sweep shall look at it, `address` where the attempt goes."""

    order: Order
    due_ms: int
    begins_attempt: bool
    address: str = ""


@dataclass(frozen=True, slots=True)
class ArbitrageChange:
    """One atomic step: the record, and the orders that are journaled with it.

    `before` is what the store must still hold, by version and revision (version 0: nothing).
    `due_ms` is when the sweep shall look at the arbitrage, None for never. Where `epoch` is given,
    the change is made only in that one; where an attempt begins, only on accounts that are neither
    held nor halted, at addresses that are not held, and only if there never was such an order.
    """

    before: Arbitrage
    after: Arbitrage
    due_ms: int | None
    legs: tuple[NewLeg, ...] = ()
    epoch: Epoch | None = None


class ArbitrageStore(Protocol):
    """Every method raises StoreUnavailable when the server does not answer."""

    def commit(self, change: ArbitrageChange) -> Committed: ...
    def arbitrage(self, arbitrage_id: str) -> Arbitrage | None: ...
    def arbitrages(self, state: ArbitrageState | None = None) -> list[Arbitrage]:
        """Oldest first. What has ended is kept for as long as orders are remembered."""

    def unfinished(self) -> list[Arbitrage]:
        """Those that have not ended, by id."""

    def due(self, now_ms: int, limit: int, lease_ms: int) -> list[str]:
        """Take ids of arbitrages that are due, and make them due again after the lease."""

    def rest(self, arbitrage_id: str) -> None:
        """Let the sweep not look at it any more."""

    def postpone(self, arbitrage_id: str, due_ms: int) -> None:
        """Let the sweep look at it then, if it still is to look at it at all."""
