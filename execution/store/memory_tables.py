"""What a store in memory holds: the same things, by the same nouns, as the keys in Redis."""

import copy
from dataclasses import dataclass, field, fields

from execution.arbitrages import Arbitrage
from execution.orders import Order
from execution.ports import ClockOffset, Halt, Intent, RefusedIntent
from execution.positions import Position
from execution.waiting_intents import WaitingIntent


@dataclass(slots=True)
class Tables:
    """Everything that a rollback of the server takes back."""

    orders: dict[str, Order] = field(default_factory=dict)
    # Ids of orders that there were: their records may have left, or been lost.
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
    halts: dict[str | None, Halt] = field(default_factory=dict)
    clock_offsets: dict[tuple[str, str], ClockOffset] = field(default_factory=dict)
    leases: dict[str, tuple[str, int]] = field(default_factory=dict)
    unarchived: dict[str, None] = field(default_factory=dict)
    leaving: dict[str, int] = field(default_factory=dict)
    mended_run: str | None = None
    ledger_identity: str | None = None
    arbitrages: dict[str, Arbitrage] = field(default_factory=dict)
    arbitrages_due: dict[str, int] = field(default_factory=dict)

    def copied(self) -> "Tables":
        return copy.deepcopy(self)

    def take_over(self, other: "Tables") -> None:
        """Hold what the other holds, in a copy of its own."""
        twin = other.copied()
        for each in fields(self):
            setattr(self, each.name, getattr(twin, each.name))
