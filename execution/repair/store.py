"""The store as a repair sees it, and what a repair came to."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from execution.model.position import Position

A_POSITION = "position "


class RepairStore(Protocol):
    """The store as a repair sees it. Every method raises StoreUnavailable when the server does not
    answer."""

    def verified_epoch(self) -> str | None:
        """The epoch in which the store was last found whole, None while it is not."""

    def set_verified_epoch(self, run_id: str | None) -> None:
        """Note that it was found whole in this epoch, or, with None, that it is not."""

    def lost(self, accounts: Iterable[str]) -> list[str]:
        """Name what can be seen to be lost without reading all: indexes, records of live orders,
        and positions, whose names begin with `A_POSITION`."""

    def reindex(self) -> int:
        """Mark every index, so that its loss can be told from its emptiness; then read every record
        and list it wherever it belongs, and nothing else; return how many there are."""

    def without_record(self, order_ids: list[str]) -> set[str]:
        """Those of the orders of which the store knows nothing, not even that they were there."""

    def remember(self, order_ids: Iterable[str], remember_s: int) -> None:
        """Note that these orders were there, without their records."""

    def replace_position(self, before: Position, after: Position) -> bool:
        """Put `after` in its place if the position still is as it was before."""


@dataclass(slots=True)
class Repair:
    """What was lost, what was put back, and what could not be.

    `known_until` is, by account, when the ledger last heard of a change: what came after it must be
    asked of the exchange again.
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
