"""Copies what the store has into the ledger, lets settled orders leave, and calls them back.

The store lists each order that it changed since the ledger got it. So the ledger may be away for a
while: the list grows, and nothing is lost.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

from execution.ledger.checkpoints import Agreed, Checkpoints
from execution.ledger.port import Ledger, Snapshot
from execution.model.clock import Clock
from execution.model.order import Order
from execution.orders.store import Halt

BATCH = 500


class ArchiveStore(Protocol):
    """The store as the archive sees it. Every method raises StoreUnavailable when the server does
    not answer."""

    def unarchived(self) -> list[str]:
        """Ids of the orders that the ledger does not have as they are, the oldest first."""

    def lists_unarchived(self) -> bool:
        """Say whether that list is there, and was not lost."""

    def records(self, order_ids: Iterable[str]) -> list[Order]:
        """The orders of which there is a record."""

    def mark_archived(self, archived: Iterable[tuple[Order, int | None]]) -> None:
        """The ledger has each of these orders as it is; it may leave the store at that time, None
        for never. An order that has changed since stays on the list."""

    def leaving(self, now_ms: int, limit: int) -> list[str]:
        """Take ids of archived orders whose time to leave has come off their list."""

    def evict(self, order: Order, remember_s: int) -> bool:
        """Let an archived order leave: nothing stays of it but that it was there, for so long. An
        order that has changed since stays; then it is False."""

    def restore(self, order: Order, leave_ms: int | None) -> None:
        """Put an order back as the ledger has it, unless the store has a record of it."""

    def ledger_identity(self) -> str | None:
        """The ledger that positions are folded from, None for none. See CheckpointStore."""

    def set_ledger_identity(self, identity: str) -> None: ...
    def agreed(self) -> Agreed | None: ...
    def set_agreed(self, agreed: Agreed) -> None: ...


@dataclass(frozen=True, slots=True)
class Retention:
    """How long settled orders stay in the store, and how long their ids are known after that."""

    keep_s: int = 86_400
    remember_s: int = 30 * 86_400


@dataclass(frozen=True, slots=True)
class Archived:
    """What one run did: orders written, and orders that left."""

    written: int
    evicted: int


class SnapshotSource(Protocol):
    """Where the snapshots come from. Raises StoreUnavailable when the server does not answer."""

    def unarchived_snapshots(self, limit: int) -> list[tuple[str, Snapshot]]:
        """The oldest snapshots that the ledger does not have, each with its name in the series."""

    def mark_snapshots_archived(self, name: str) -> None:
        """The ledger has all snapshots up to this one."""


class Archive:
    """Between the store and the ledger."""

    def __init__(
        self,
        store: ArchiveStore,
        series: SnapshotSource,
        ledger: Ledger,
        clock: Clock,
        retention: Retention,
        halts: Callable[[], list[Halt]] = list,
    ) -> None:
        self._store = store
        self._series = series
        self._halts = halts
        self._ledger = ledger
        self._clock = clock
        self._retention = retention
        self.checkpoints = Checkpoints(store, ledger, clock)

    def run(self, written_max: int = 10_000) -> Archived:
        """Write what is new, then let go what is settled and old. Raises LedgerUnavailable."""
        started_at = self._clock.now()
        written, is_complete = self._flush(written_max, bool)
        self._write_snapshots()
        halts = self._halts()
        if halts != self._ledger.halts():
            self._ledger.write_halts(halts)
        evicted = 0
        while leaving := self._store.leaving(self._clock.now_ms(), BATCH):
            for order in self._store.records(leaving):
                evicted += self._store.evict(order, self._retention.remember_s)
        if is_complete:
            self.checkpoints.advance(started_at, is_news=written > 0)
        return Archived(written, evicted)

    def flush(self, written_max: int | None = None, between: Callable[[], object] = bool) -> int:
        """Write the orders that the ledger does not have as they are now; return how many. Calls
        `between` after every batch."""
        started_at = self._clock.now()
        written, is_complete = self._flush(written_max, between)
        if written and is_complete:
            # An older copy of the ledger, put in its place, must be told from this one.
            self.checkpoints.advance(started_at, is_news=True)
        return written

    def _flush(self, written_max: int | None, between: Callable[[], object]) -> tuple[int, bool]:
        """The same, and whether that were all that waited."""
        listed = self._store.unarchived()
        # A list that was lost is empty too, and says nothing of what the ledger has.
        is_whole = self._store.lists_unarchived()
        waiting, written = listed[:written_max], 0
        for start in range(0, len(waiting), BATCH):
            orders = self._store.records(waiting[start : start + BATCH])
            self._ledger.write(orders)
            self._store.mark_archived((order, self.leave_ms(order)) for order in orders)
            written += len(orders)
            between()
        return written, is_whole and written == len(listed)

    def write_everything_again(self) -> None:
        """Let the ledger get all snapshots that are left, too. Orders are listed by a repair."""
        self._series.mark_snapshots_archived("0")
        self._write_snapshots()

    def _write_snapshots(self) -> None:
        while waiting := self._series.unarchived_snapshots(BATCH):
            self._ledger.write_snapshots(snapshot for _, snapshot in waiting)
            self._series.mark_snapshots_archived(waiting[-1][0])

    def records(self, order_ids: Iterable[str]) -> list[Order]:
        """Those of the orders that the store has a record of."""
        return self._store.records(order_ids)

    def leave_ms(self, order: Order) -> int | None:
        """When the order may leave the store; None while it is not settled for good."""
        if order.may_still_trade:
            return None
        return int(order.updated_at.timestamp() * 1000) + self._retention.keep_s * 1000

    def recall(self, order_id: str) -> Order | None:
        """Put an order that has left back into the store; None for one that there never was."""
        return self._put_back(self._ledger.order(order_id))

    def recall_by_exchange_id(
        self, account: str, symbol: str, exchange_order_id: str
    ) -> Order | None:
        """The same for an order that is known by the exchange's id."""
        return self._put_back(self._ledger.order_by_exchange_id(account, symbol, exchange_order_id))

    def _put_back(self, order: Order | None) -> Order | None:
        if order is not None:
            self.restore(order)
        return order

    def restore(self, order: Order) -> None:
        """Put an order of the ledger back, for as long as one that was settled now."""
        settled = self.leave_ms(order) is not None
        leave_ms = self._clock.now_ms() + self._retention.keep_s * 1000
        self._store.restore(order, leave_ms if settled else None)
