"""The store interface of the repair, and its result."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from execution.model.position import Position

A_POSITION = "position "


class RepairStore(Protocol):
    """The store interface of the repair. Every method raises StoreUnavailable when the server does
    not answer."""

    def verified_epoch(self) -> str | None:
        """The epoch in which the store was last verified, None if it is not."""

    def set_verified_epoch(self, run_id: str | None) -> None:
        """Record that it was verified in this epoch, or, with None, that it is not."""

    def lost(self, accounts: Iterable[str]) -> list[str]:
        """The losses that are visible without reading everything: indexes, records of live orders,
        and positions, whose names begin with `A_POSITION`."""

    def reindex(self) -> int:
        """Mark every index, so that its loss can be distinguished from an empty one; then read
        every record and list it in its indexes, and nothing else; returns the number of records."""

    def without_record(self, order_ids: list[str]) -> set[str]:
        """Those of the orders of which the store has neither a record nor the id."""

    def remember(self, order_ids: Iterable[str], remember_s: int) -> None:
        """Remember the ids of these orders, without their records."""

    def replace_position(self, before: Position, after: Position) -> bool:
        """Replace the position by `after` if it is still `before`."""


@dataclass(slots=True)
class Repair:
    """What was lost, what was restored, and what could not be.

    `known_until` is, by account, the ledger's last change: what came after it must be read from the
    exchange again.
    """

    lost: list[str]
    orders_restored: int = 0
    orders_advanced: int = 0
    positions_rebuilt: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    known_until: dict[str, datetime] = field(default_factory=dict)

    @property
    def has_done_anything(self) -> bool:
        done = self.orders_restored or self.orders_advanced or self.positions_rebuilt
        return bool(done or self.left)
