"""The store interface of the arbitrage executor."""

from dataclasses import dataclass
from typing import Protocol

from execution.arbitrage.model import Arbitrage, ArbitrageState
from execution.model.order import Order
from execution.orders.store import Committed, Epoch


@dataclass(frozen=True, slots=True)
class NewLeg:
    """An order that an arbitrage journals: a new one, with its first attempt begun or not. `due_ms`
    is when the sweep processes it, `address` the attempt's target."""

    order: Order
    due_ms: int
    begins_attempt: bool
    address: str = ""


@dataclass(frozen=True, slots=True)
class ArbitrageChange:
    """One atomic step: the record, and the orders that are journaled with it.

    `before` is what the store must still hold, by version and revision (version 0: nothing).
    `due_ms` is when the sweep processes the arbitrage, None for never. With an `epoch`, the change
    is made only in that one; if attempts begin, only on accounts that are neither held nor halted,
    at addresses that are not held, and only if the orders never existed before.
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
        """Oldest first. Ended ones are kept for as long as order ids are remembered."""

    def unfinished(self) -> list[Arbitrage]:
        """Those that have not ended, by id."""

    def due(self, now_ms: int, limit: int, lease_ms: int) -> list[str]:
        """Take ids of due arbitrages; they become due again after the lease."""

    def rest(self, arbitrage_id: str) -> None:
        """Remove it from the due ones."""

    def postpone(self, arbitrage_id: str, due_ms: int) -> None:
        """Change its due time, if it is due at all."""
