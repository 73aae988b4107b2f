"""The tables of a store in memory, named like the keys in Redis."""

import copy
from dataclasses import dataclass, field, fields

from execution.arbitrage.model import Arbitrage
from execution.exchanges.port import ClockOffset
from execution.ledger.checkpoints import Agreed
from execution.model.order import Order
from execution.model.position import Position
from execution.operations.waiting_intents import WaitingIntent
from execution.orders.store import Halt, Intent, RefusedIntent

# Tables whose loss can be distinguished from an empty table, as by the marker member in Redis.
MARKED = (
    "known",
    "due",
    "unarchived",
    "leaving",
    "live",
    "exchange_ids",
    "positions",
    "position_versions",
)


@dataclass(slots=True)
class Tables:
    """Everything that a rollback of the server reverts."""

    orders: dict[str, Order] = field(default_factory=dict)
    # Ids of known orders: their records may have left, or been lost.
    known: set[str] = field(default_factory=set)
    live: set[str] = field(default_factory=set)
    tombstones: set[str] = field(default_factory=set)
    due: dict[str, int] = field(default_factory=dict)
    positions: dict[tuple[str, str], Position] = field(default_factory=dict)
    position_versions: dict[tuple[str, str], int] = field(default_factory=dict)
    exchange_ids: dict[tuple[str, str, str], str] = field(default_factory=dict)
    intents: dict[str, Intent] = field(default_factory=dict)
    waiting: dict[str, WaitingIntent] = field(default_factory=dict)
    waiting_due: dict[str, int] = field(default_factory=dict)
    refused: list[RefusedIntent] = field(default_factory=list)
    held_until_ms: dict[str, int] = field(default_factory=dict)
    held_addresses: dict[str, tuple[int, str]] = field(default_factory=dict)
    halts: dict[str | None, Halt] = field(default_factory=dict)
    clock_offsets: dict[tuple[str, str], ClockOffset] = field(default_factory=dict)
    leases: dict[str, tuple[str, int]] = field(default_factory=dict)
    unarchived: dict[str, None] = field(default_factory=dict)
    leaving: dict[str, int] = field(default_factory=dict)
    verified_epoch: str | None = None
    # The number of commits; it only grows.
    commits: int = 0
    ledger_identity: str | None = None
    agreed: Agreed | None = None
    # Those of MARKED that exist.
    marked: set[str] = field(default_factory=set)
    arbitrages: dict[str, Arbitrage] = field(default_factory=dict)
    arbitrages_due: dict[str, int] = field(default_factory=dict)

    def settle_intent(self, entry_id: str) -> None:
        self.intents.pop(entry_id, None)
        self.waiting.pop(entry_id, None)
        self.waiting_due.pop(entry_id, None)

    def list_exchange_id(self, order: Order) -> None:
        if order.exchange_order_id is not None:
            key = (order.account, order.symbol, order.exchange_order_id)
            self.exchange_ids.setdefault(key, order.order_id)

    def copied(self) -> "Tables":
        return copy.deepcopy(self)

    def drop(self, name: str) -> None:
        """Lose a table as Redis loses a key: with its marker."""
        each = next(each for each in fields(self) if each.name == name)
        empty = each.default_factory() if callable(each.default_factory) else each.default
        setattr(self, name, empty)
        self.marked.discard(name)

    def take_over(self, other: "Tables") -> None:
        """Take a copy of the other's contents."""
        copied = other.copied()
        for each in fields(self):
            setattr(self, each.name, getattr(copied, each.name))
