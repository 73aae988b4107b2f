"""Copies changes from the store to the ledger, evicts settled orders from the store, and restores
them.

The store lists each order that has changed since it was archived. So the ledger may be unavailable
for a while: the list grows, and nothing is lost.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

from execution.ledger.checkpoints import Checkpoints, CheckpointStore
from execution.ledger.port import Ledger, Snapshot
from execution.model.clock import Clock
from execution.model.order import Order
from execution.orders.store import Halt

BATCH = 500


class ArchiveStore(CheckpointStore, Protocol):
    """The store as the archive sees it. Every method raises StoreUnavailable when the server does
    not answer."""

    def unarchived(self) -> list[str]:
        """Ids of the orders whose current version the ledger does not have, oldest first."""

    def lists_unarchived(self) -> bool:
        """Whether that list exists, and was not lost."""

    def records(self, order_ids: Iterable[str]) -> list[Order]:
        """The orders that have a record."""

    def mark_archived(self, archived: Iterable[tuple[Order, int | None]]) -> None:
        """Record that the ledger has the current version of each of these orders; it may leave the
        store at that time, None for never. An order that has changed since stays on the list."""

    def leaving(self, now_ms: int, limit: int) -> list[str]:
        """Take ids of archived orders that are due to leave off their list."""

    def evict(self, order: Order, remember_s: int) -> bool:
        """Evict an archived order: only its id is remembered, for this time. Returns False for an
        order that has changed since, which stays."""

    def restore(self, order: Order, leave_ms: int | None) -> None:
        """Restore an order from the ledger, unless the store has a record of it."""


@dataclass(frozen=True, slots=True)
class Retention:
    """How long settled orders stay in the store, and how long their ids are remembered after
    that."""

    keep_s: int = 86_400
    remember_s: int = 30 * 86_400


@dataclass(frozen=True, slots=True)
class Archived:
    """The result of one run: orders written, and orders evicted."""

    written: int
    evicted: int


class SnapshotSource(Protocol):
    """The store of the snapshots. Raises StoreUnavailable when the server does not answer."""

    def unarchived_snapshots(self, limit: int) -> list[tuple[str, Snapshot]]:
        """The oldest snapshots that the ledger does not have, each with its id in the series."""

    def mark_snapshots_archived(self, name: str) -> None:
        """Record that the ledger has all snapshots up to this one."""


@dataclass(frozen=True, slots=True)
class Archive:
    """Moves orders between the store and the ledger."""

    store: ArchiveStore
    series: SnapshotSource
    ledger: Ledger
    clock: Clock
    retention: Retention
    halts: Callable[[], list[Halt]] = list

    @property
    def checkpoints(self) -> Checkpoints:
        return Checkpoints(self.store, self.ledger, self.clock)

    def run(self, written_max: int = 10_000) -> Archived:
        """Write what is new, then let go what is settled and old. Raises LedgerUnavailable."""
        started_at = self.clock.now()
        written, is_complete = self._flush(written_max, bool)
        self._write_snapshots()
        halts = self.halts()
        if halts != self.ledger.halts():
            self.ledger.write_halts(halts)
        evicted = 0
        while leaving := self.store.leaving(self.clock.now_ms(), BATCH):
            for order in self.store.records(leaving):
                evicted += self.store.evict(order, self.retention.remember_s)
        if is_complete:
            self.checkpoints.advance(started_at, is_news=written > 0)
        return Archived(written, evicted)

    def flush(self, written_max: int | None = None, between: Callable[[], object] = bool) -> int:
        """Write the orders whose current version the ledger does not have; returns how many. Calls
        `between` after every batch."""
        started_at = self.clock.now()
        written, is_complete = self._flush(written_max, between)
        if written and is_complete:
            # An older copy of the ledger in its place must be detectable.
            self.checkpoints.advance(started_at, is_news=True)
        return written

    def _flush(self, written_max: int | None, between: Callable[[], object]) -> tuple[int, bool]:
        """The same, and whether that were all that waited."""
        listed = self.store.unarchived()
        # A list that was lost is empty too, and says nothing of what the ledger has.
        is_whole = self.store.lists_unarchived()
        waiting, written = listed[:written_max], 0
        for start in range(0, len(waiting), BATCH):
            orders = self.store.records(waiting[start : start + BATCH])
            self.ledger.write(orders)
            self.store.mark_archived((order, self.leave_ms(order)) for order in orders)
            written += len(orders)
            between()
        return written, is_whole and written == len(listed)

    def write_everything_again(self) -> None:
        """Let the ledger get all snapshots that are left, too. Orders are listed by a repair."""
        self.series.mark_snapshots_archived("0")
        self._write_snapshots()

    def _write_snapshots(self) -> None:
        while waiting := self.series.unarchived_snapshots(BATCH):
            self.ledger.write_snapshots(snapshot for _, snapshot in waiting)
            self.series.mark_snapshots_archived(waiting[-1][0])

    def records(self, order_ids: Iterable[str]) -> list[Order]:
        """Those of the orders that the store has a record of."""
        return self.store.records(order_ids)

    def leave_ms(self, order: Order) -> int | None:
        """When the order may leave the store; None while it may still change."""
        if order.may_still_trade:
            return None
        return int(order.updated_at.timestamp() * 1000) + self.retention.keep_s * 1000

    def recall(self, order_id: str) -> Order | None:
        """Put an order that has left back into the store; None for one that there never was."""
        return self._put_back(self.ledger.order(order_id))

    def recall_by_exchange_id(
        self, account: str, symbol: str, exchange_order_id: str
    ) -> Order | None:
        """The same for an order that is known by the exchange's id."""
        return self._put_back(self.ledger.order_by_exchange_id(account, symbol, exchange_order_id))

    def _put_back(self, order: Order | None) -> Order | None:
        if order is not None:
            self.restore(order)
        return order

    def restore(self, order: Order) -> None:
        """Restore an order of the ledger, for as long as one that was settled now."""
        settled = self.leave_ms(order) is not None
        leave_ms = self.clock.now_ms() + self.retention.keep_s * 1000
        self.store.restore(order, leave_ms if settled else None)
