"""Makes the store whole again after it lost something: records, indexes, positions.

Redis may come back from an earlier time, and people delete keys. What the ledger knows is put back;
what neither knows is found at the exchange by the reconciliation that follows. Positions are folded
again from all their fills, so it does not matter which of them a position had lost.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import islice
from typing import Protocol, TypeVar
from uuid import uuid4

from execution.archive import Archive
from execution.events import Reported
from execution.journal import new_revision
from execution.ledger.port import Ledger
from execution.orders import Order, OrderReport
from execution.ports import Change, Clock, Committed, Store
from execution.position_tracker import Position, fold
from execution.transitions import transition

T = TypeVar("T")
LEASE_MS = 120_000
BATCH = 500


class RepairStore(Protocol):
    """The store as a repair sees it. Every method raises StoreUnavailable when the server does not
    answer."""

    def mended_run(self) -> str | None:
        """The run id of the server that was last found whole, None while it is not."""

    def set_mended_run(self, run_id: str | None) -> None:
        """With a run id, also mark every index, so that its loss can be told from its emptiness."""

    def lost(self, accounts: Iterable[str]) -> list[str]:
        """Name what can be seen to be lost without reading all: indexes, records of live orders,
        positions."""

    def reindex(self) -> int:
        """Read every record and list it wherever it belongs; return how many there are."""

    def without_record(self, order_ids: list[str]) -> set[str]:
        """Those of the orders of which the store knows nothing, not even that they were there."""

    def remember(self, order_ids: Iterable[str], remember_s: int) -> None:
        """Note that these orders were there, without their records."""

    def replace_position(self, before: Position, after: Position) -> bool:
        """Put `after` in its place if the position still is as it was before."""


@dataclass(frozen=True, slots=True)
class PositionCheck:
    """A position as it is kept, and as all its fills fold into it."""

    live: Position
    rebuilt: Position

    @property
    def agrees(self) -> bool:
        return _substance(self.live) == _substance(self.rebuilt)


@dataclass(slots=True)
class Repair:
    """What was lost, and what was put back."""

    lost: list[str]
    orders_restored: int = 0
    orders_advanced: int = 0
    positions_rebuilt: list[str] = field(default_factory=list)


class Repairer:
    """One at a time in the whole house; whoever comes second leaves it to the first."""

    def __init__(
        self,
        store: Store,
        parts: RepairStore,
        ledger: Ledger,
        archive: Archive,
        clock: Clock,
        remember_s: int,
    ) -> None:
        self._store = store
        self._parts = parts
        self._ledger = ledger
        self._archive = archive
        self._clock = clock
        self._remember_s = remember_s

    def run(self, accounts: Iterable[str]) -> Repair | None:
        """Repair what is lost; None where nothing is, or where somebody else is at it.

        Raises StoreUnavailable, also for the ledger, and is then to be run again.
        """
        epoch = self._store.epoch()
        lost = self._parts.lost(accounts)
        if self._parts.mended_run() != epoch.run_id:
            lost = [f"run {epoch.run_id} of the server has not been looked over", *lost]
        if not lost:
            return None
        owner = uuid4().hex
        if not self._store.lease("repair", owner, LEASE_MS):
            return None
        try:
            # Until it is done, whoever comes later finds it undone.
            self._parts.set_mended_run(None)
            repair = self._mend(Repair(lost), owner)
            self._parts.set_mended_run(epoch.run_id)
        finally:
            self._store.release("repair", owner)
        return repair

    def _mend(self, repair: Repair, owner: str) -> Repair:
        self._parts.reindex()
        since = self._clock.now() - timedelta(seconds=self._remember_s)
        for batch in _batches(self._ledger.orders(changed_since=since)):
            self._store.lease("repair", owner, LEASE_MS)
            self._restore(batch, repair)
        for check in self.check_positions():
            if not check.agrees:
                self._rebuild(check, repair)
        return repair

    def _restore(self, orders: list[Order], repair: Repair) -> None:
        missing = self._parts.without_record([order.order_id for order in orders])
        now_ms = self._clock.now_ms()
        for order in orders:
            leave_ms = self._archive.leave_ms(order)
            if order.order_id not in missing:
                repair.orders_advanced += self._advance(order)
            elif leave_ms is not None and leave_ms <= now_ms:
                self._parts.remember([order.order_id], self._remember_s)
            else:
                self._archive.restore(order)
                repair.orders_restored += 1

    def _advance(self, known: Order) -> bool:
        """Tell the record what the ledger heard from the exchange and the record has forgotten. Its
        position is not moved by it; it is folded anew afterwards."""
        if known.exchange_order_id is None:
            return False
        report = OrderReport(
            known.exchange_order_id,
            known.client_order_id,
            known.symbol,
            known.state,
            known.filled,
            known.average,
            known.fills,
        )
        while (held := self._store.order(known.order_id)) is not None:
            if held.exchange_order_id not in (None, known.exchange_order_id):
                return False
            after = transition(held, Reported(report))
            if after is held:
                return False
            after = replace(after, updated_at=self._clock.now(), revision=new_revision())
            due_ms = self._clock.now_ms() if after.is_live or after.fills_missing else None
            if self._store.commit(Change(held, after, due_ms)) is Committed.DONE:
                return True
        return False

    def check_positions(self) -> Iterator[PositionCheck]:
        """Fold every position from the ledger, and set it beside the one that is kept."""
        kept = {(p.account, p.symbol): p for p in self._store.positions()}
        for account, symbol in sorted({*kept, *self._traded()}):
            yield self.check_position(account, symbol)

    def check_position(self, account: str, symbol: str) -> PositionCheck:
        """What is kept is read first: every fill that is on it is in the ledger by then."""
        live = self._store.position(account, symbol)
        self._archive.flush()
        rebuilt, last = Position(account, symbol), 0
        for fills in _batches(self._ledger.fills(account, symbol)):
            rebuilt, last = fold(rebuilt, fills), fills[-1].sequence
        # A fill's place is never given twice, also where the history of the places has gaps.
        return PositionCheck(live, replace(rebuilt, version=max(rebuilt.version, last)))

    def _traded(self) -> list[tuple[str, str]]:
        self._archive.flush()
        return self._ledger.traded()

    def _rebuild(self, check: PositionCheck, repair: Repair) -> None:
        """Put the folded position in the place of the kept one, unless new fills move it on."""
        while not check.agrees:
            live, rebuilt = check.live, check.rebuilt
            version = max(live.version + 1, rebuilt.version)
            rebuilt = replace(rebuilt, version=version, revision=new_revision())
            if self._parts.replace_position(live, rebuilt):
                repair.positions_rebuilt.append(f"{live.account} {live.symbol}")
                return
            check = self.check_position(live.account, live.symbol)

    def rebuild(self) -> list[PositionCheck]:
        """Put every position right that is not what its fills make of it; return all checks as they
        were before that."""
        checks = list(self.check_positions())
        repair = Repair([])
        for check in checks:
            self._rebuild(check, repair)
        return checks


def _substance(position: Position) -> tuple[object, ...]:
    return (position.amount, position.cost, position.realised_pnl, position.turnover, position.fees)


def _batches(items: Iterable[T]) -> Iterator[list[T]]:
    waiting = iter(items)
    while batch := list(islice(waiting, BATCH)):
        yield batch
