"""Makes the store whole again after it lost something: records, indexes, positions, halts.

Redis may come back from an earlier time, and people delete keys. What the ledger knows is put back;
what neither knows is found at the exchange by the reconciliation that follows. Positions are folded
again from all their fills, so it does not matter which of them a position had lost.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import chain, islice
from typing import Protocol, TypeVar
from uuid import uuid4

from execution.archive import Archive
from execution.events import Reported
from execution.journal import new_revision
from execution.ledger.port import Ledger
from execution.orders import Order, OrderReport, merge_fills
from execution.ports import Change, Clock, Committed, Store
from execution.position_tracker import fold
from execution.positions import Position
from execution.transitions import IllegalTransition, transition

T = TypeVar("T")
LEASE_MS = 120_000
BATCH = 500
A_POSITION = "position "


class RepairStore(Protocol):
    """The store as a repair sees it. Every method raises StoreUnavailable when the server does not
    answer."""

    def mended_run(self) -> str | None:
        """The epoch in which the store was last found whole, None while it is not."""

    def set_mended_run(self, run_id: str | None) -> None:
        """With an epoch, also mark every index, so that its loss can be told from its emptiness."""

    def ledger_identity(self) -> str | None:
        """The ledger that everything was written to so far, None for none."""

    def set_ledger_identity(self, identity: str) -> None: ...
    def lost(self, accounts: Iterable[str]) -> list[str]:
        """Name what can be seen to be lost without reading all: indexes, records of live orders,
        and positions, whose names begin with `A_POSITION`."""

    def reindex(self) -> int:
        """Read every record and list it wherever it belongs, and nothing else; return how many
        there are."""

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
        epoch = self._store.epoch(fresh=True)
        lost = self._parts.lost(accounts)
        restarted = self._parts.mended_run() != epoch.run_id
        if restarted:
            lost = ["whatever the server has lost: it was not looked over since it began", *lost]
        if not lost:
            return None
        owner = uuid4().hex
        if not self._store.lease("repair", owner, LEASE_MS):
            return None
        try:
            # Until it is done, whoever comes later finds it undone.
            self._parts.set_mended_run(None)
            if not restarted and any(not name.startswith(A_POSITION) for name in lost):
                # What is lost may have been acted on; every signal is looked for first from now on.
                epoch = self._store.begin_epoch()
            repair = self._mend(Repair(lost), owner)
            if restarted:
                self._halt_again(repair)
            self._parts.set_mended_run(epoch.run_id)
        finally:
            self._store.release("repair", owner)
        # A server that is new has lost nothing; it only had to be marked.
        is_new = epoch.since_ms == 0 and not repair.has_done_anything
        return None if is_new else repair

    def _mend(self, repair: Repair, owner: str) -> Repair:
        def keep_lease() -> None:
            self._store.lease("repair", owner, LEASE_MS)

        self._parts.reindex()
        keep_lease()
        self._archive.flush(between=keep_lease)
        known, identity = self._parts.ledger_identity(), self._ledger.identity()
        if known is None:
            self._parts.set_ledger_identity(identity)
        since = self._clock.now() - timedelta(seconds=self._remember_s)
        lately = self._ledger.orders(changed_since=since)
        resting = (order for order in self._ledger.unsettled() if order.updated_at < since)
        for batch in _batches(chain(lately, resting)):
            keep_lease()
            self._restore(batch, repair)
        if known not in (None, identity):
            # History began anew there: a position that it does not explain is not wrong for that.
            repair.left.append("positions are not checked: the ledger is another one than before")
            repair.known_until.clear()
            return repair
        for check in self.check_positions():
            if not check.agrees:
                self._rebuild(check, repair)
        return repair

    def _restore(self, orders: list[Order], repair: Repair) -> None:
        ids = [order.order_id for order in orders]
        missing = self._parts.without_record(ids)
        held = {order.order_id: order for order in self._archive.records(ids)}
        now_ms = self._clock.now_ms()
        left: list[str] = []
        for order in orders:
            until = repair.known_until.get(order.account, order.updated_at)
            repair.known_until[order.account] = max(until, order.updated_at)
            leave_ms = self._archive.leave_ms(order)
            if order.order_id in held:
                repair.orders_advanced += self._advance(held[order.order_id], order, repair)
            elif order.order_id in missing and leave_ms is not None and leave_ms <= now_ms:
                left.append(order.order_id)
            elif order.order_id in missing:
                self._archive.restore(order)
                repair.orders_restored += 1
        self._parts.remember(left, self._remember_s)

    def _advance(self, held: Order | None, known: Order, repair: Repair) -> bool:
        """Bring a record up to what the ledger knows of it. Its position is not moved by it; it is
        folded anew afterwards."""
        while held is not None:
            try:
                after = _brought_up(held, known)
            except IllegalTransition as error:
                repair.left.append(f"order {known.order_id} is {held.state}: {error}")
                return False
            if after is held:
                return False
            after = replace(after, version=held.version + 1, revision=new_revision())
            due_ms = self._clock.now_ms() if after.is_live or after.fills_missing else None
            if self._store.commit(Change(held, after, due_ms)) is Committed.DONE:
                return True
            held = self._store.order(known.order_id)
        return False

    def _halt_again(self, repair: Repair) -> None:
        """Somebody stopped trading, and the store came back from before that."""
        standing = {halt.account for halt in self._store.halts()}
        for halt in self._ledger.halts():
            if halt.account not in standing:
                self._store.halt(halt)
                repair.lost.append(f"the halt of {halt.account or 'every account'}")

    def check_positions(self) -> Iterator[PositionCheck]:
        """Fold every position from the ledger, and set it beside the one that is kept."""
        kept = {(p.account, p.symbol) for p in self._store.positions()}
        self._archive.flush()
        for account, symbol in sorted({*kept, *self._ledger.traded()}):
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
        """Put every position right that is not what its fills in the ledger make of it; return all
        checks as they were before that. From then on this ledger is the one to trust."""
        checks = list(self.check_positions())
        repair = Repair([])
        for check in checks:
            self._rebuild(check, repair)
        self._parts.set_ledger_identity(self._ledger.identity())
        return checks


def _brought_up(held: Order, known: Order) -> Order:
    """The record with what the ledger knows and it does not; the same object for nothing.

    A later state of the same story takes its place. Where the story has gone on differently since,
    only what the ledger heard from the exchange is told again. Raises IllegalTransition.
    """
    if (held.version, held.revision) == (known.version, known.revision):
        return held
    if _continues(known, held):
        return replace(known, fills=merge_fills(known.fills, held.fills))
    if known.exchange_order_id is None:
        return held
    report = OrderReport(
        known.exchange_order_id,
        known.client_order_id,
        known.symbol,
        known.state,
        known.filled,
        known.average,
        known.fills,
    )
    return transition(held, Reported(report))


def _continues(known: Order, held: Order) -> bool:
    """Say whether `known` is a later state of what `held` is."""
    stamps = [(attempt.number, attempt.stamp_ms) for attempt in held.attempts]
    begun = [(attempt.number, attempt.stamp_ms) for attempt in known.attempts]
    return (
        known.updated_at >= held.updated_at
        and begun[: len(stamps)] == stamps
        and held.exchange_order_id in (None, known.exchange_order_id)
    )


def _substance(position: Position) -> tuple[object, ...]:
    return (position.amount, position.cost, position.realised_pnl, position.turnover, position.fees)


def _batches(items: Iterable[T]) -> Iterator[list[T]]:
    waiting = iter(items)
    while batch := list(islice(waiting, BATCH)):
        yield batch
