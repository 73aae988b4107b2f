"""Makes the store whole again after it lost something: records, indexes, positions, halts.

Redis may come back from an earlier time, and people delete keys. What the ledger knows is put back;
what neither knows is found at the exchange by the reconciliation that follows. Positions are folded
again from all their fills, so it does not matter which of them a position had lost.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import chain
from uuid import uuid4

from execution.ledger.archive import Archive
from execution.ledger.checkpoints import UNTRUSTED, Footing
from execution.ledger.port import Ledger
from execution.model.clock import Clock
from execution.model.errors import IllegalTransition, LedgerUnavailable, UntrustedLedger
from execution.model.order import Order
from execution.orders.journal import new_revision
from execution.orders.store import Change, Committed, Store
from execution.repair.checks import PositionCheck, PositionChecks, batches
from execution.repair.records import brought_up
from execution.repair.store import A_POSITION, Repair, RepairStore

__all__ = ["PositionCheck", "Repair", "RepairStore", "Repairer", "UntrustedLedger"]

LEASE_MS = 120_000
UNSEEN = "whatever the server has lost: it was not looked over since it began"


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
        self._links = archive.checkpoints
        self._checks = PositionChecks(store, ledger, archive, clock)

    def run(self, accounts: Iterable[str]) -> Repair | None:
        """Repair what is lost; None where nothing is, or where somebody else is at it.

        Raises StoreUnavailable, also for the ledger, and is then to be run again.
        """
        accounts = list(accounts)
        if not self._lost(accounts) and not self._is_to_be_rewritten():
            return None
        owner = uuid4().hex
        if not self._store.lease("repair", owner, LEASE_MS):
            return None
        try:
            # Another one may have been at it just now.
            lost = self._lost(accounts)
            if lost:
                return self._repaired(lost, accounts, owner)
            return self._rewritten() if self._is_to_be_rewritten() else None
        finally:
            self._store.release("repair", owner)

    def _lost(self, accounts: list[str]) -> list[str]:
        """Name what can be seen to be lost, or to be from an earlier time."""
        lost = self._parts.lost(accounts)
        if self._parts.verified_epoch() != self._store.epoch(fresh=True).run_id:
            return [UNSEEN, *lost]
        try:
            return lost + self._unlike_ledger()
        except LedgerUnavailable:
            # What Redis itself shows is to be said all the same; `complaint` says the rest.
            return lost

    def _unlike_ledger(self) -> list[str]:
        footing = self._links.footing()
        if footing in UNTRUSTED:
            return []
        older = [f"what came last: {footing.value}"] if footing is Footing.STORE_OLDER else []
        # A ledger that does not explain what is held was found to be so already.
        if older or self._links.complaint() is not None:
            return older
        return [f"{A_POSITION}{name}, which its fills do not explain"
                for name in self._checks.next_unlike()]  # fmt: skip

    def _is_to_be_rewritten(self) -> bool:
        """The ledger is not the one before, and does not have yet what is left."""
        try:
            return self._links.footing() in UNTRUSTED and not self._links.is_rewritten()
        except LedgerUnavailable:
            return False

    def _rewritten(self) -> Repair:
        repair = Repair([], left=[self._links.complaint() or ""])
        self._rewrite()
        self._trust_if_explained(repair)
        return repair

    def _rewrite(self) -> None:
        """Write everything that the store has to a ledger that may have nothing of it."""
        self._parts.reindex()
        self._archive.flush()
        self._archive.write_everything_again()
        self._links.note_rewritten()

    def _trust_if_explained(self, repair: Repair) -> None:
        """A ledger out of a backup is as good as before if it lacks nothing any more. Another one
        is trusted by a person only."""
        if self._links.footing() is Footing.LEDGER_OLDER:
            started_at = self._clock.now()
            if all(check.agrees for check in self.check_positions()):
                self._links.trust(started_at)
                repair.left.append("the ledger has everything that it lacked again")

    def _repaired(self, lost: list[str], accounts: list[str], owner: str) -> Repair | None:
        restarted = UNSEEN in lost
        # Until it is done, whoever comes later finds it undone.
        self._parts.set_verified_epoch(None)
        epoch = self._store.epoch(fresh=True)
        if not restarted and any(not name.startswith(A_POSITION) for name in lost):
            # What is lost may have been acted on; every signal is looked for first from now on.
            epoch = self._store.begin_epoch()
        repair = self._mend(Repair(lost), accounts, owner)
        if restarted or any("later changes" in name for name in lost):
            self._halt_again(repair)
        if all(name.startswith(A_POSITION) for name in self._parts.lost(accounts)):
            # What was lost while this was at work has it all done again.
            self._parts.set_verified_epoch(epoch.run_id)
        # A server that is new has lost nothing; it only had to be marked.
        is_new = epoch.since_ms == 0 and not repair.has_done_anything
        return None if is_new else repair

    def _mend(self, repair: Repair, accounts: list[str], owner: str) -> Repair:
        def keep_lease() -> None:
            self._store.lease("repair", owner, LEASE_MS)

        started_at, heard_until = self._clock.now(), self._links.heard_until()
        footing = self._links.footing()
        self._parts.reindex()
        keep_lease()
        self._archive.flush(between=keep_lease)
        since = self._clock.now() - timedelta(seconds=self._remember_s)
        lately = self._ledger.orders(changed_since=since)
        resting = (order for order in self._ledger.unsettled() if order.updated_at < since)
        for batch in batches(chain(lately, resting)):
            keep_lease()
            self._restore(batch, repair)
        if footing in UNTRUSTED:
            # History began again there: a position that it does not explain is not wrong for that.
            repair.left.append(self._links.complaint() or footing.value)
            repair.known_until.clear()
            self._archive.write_everything_again()
            self._links.note_rewritten()
            self._trust_if_explained(repair)
            return repair
        if heard_until is not None:
            for account in {*accounts, *repair.known_until}:
                until = repair.known_until.get(account, heard_until)
                repair.known_until[account] = min(until, heard_until)
        checks = list(self.check_positions())
        is_first = self._links.trusted() is None and footing is Footing.NEW
        if is_first and not all(check.is_explained for check in checks):
            # Nothing says which ledger it was that the rest went to.
            self._links.note_rewritten()
            repair.left.append(self._links.complaint() or "")
            return repair
        for check in checks:
            keep_lease()
            self._rebuild(check, repair)
        self._links.trust(started_at)
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
                after = brought_up(held, known)
            except IllegalTransition as error:
                repair.left.append(f"order {known.order_id} is {held.state}: {error}")
                return False
            if after is held:
                return False
            after = replace(after, version=held.version + 1, revision=new_revision())
            due_ms = self._clock.now_ms() if after.may_still_trade else None
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
        return self._checks.all()

    def _rebuild(self, check: PositionCheck, repair: Repair) -> None:
        """Put the folded position in the place of the kept one, unless new fills move it on."""
        while not check.agrees:
            live, rebuilt = check.live, check.rebuilt
            version = max(live.version + 1, rebuilt.version)
            rebuilt = replace(rebuilt, version=version, revision=new_revision())
            if self._parts.replace_position(live, rebuilt):
                repair.positions_rebuilt.append(f"{live.account} {live.symbol}")
                return
            check = self._checks.one(live.account, live.symbol)

    def rebuild(self, *, force: bool = False) -> list[PositionCheck]:
        """Put every position right that is not what its fills in the ledger make of it; return all
        checks as they were before that. With `force`, this ledger is trusted from then on.

        Raises UntrustedLedger, unless forced, where the ledger is not the one that the positions
        were made with.
        """
        complaint = self._links.complaint()
        if complaint is not None and not force:
            raise UntrustedLedger(complaint)
        started_at = self._clock.now()
        if force:
            self._rewrite()
        checks = list(self.check_positions())
        repair = Repair([])
        for check in checks:
            self._rebuild(check, repair)
        if force:
            self._links.trust(started_at)
            # What else there is to be put back is no longer seen by what both had agreed on.
            self._parts.set_verified_epoch(None)
        return checks

    def complaint(self) -> str | None:
        """Why positions are not held against the ledger, in one sentence; None where they are."""
        try:
            return self._links.complaint()
        except LedgerUnavailable as error:
            return f"positions are not checked: {error}"

    def has_proved(self, account: str) -> bool:
        """Say whether every position of the account is what the ledger makes of it. If one is not,
        all is looked over in the next run."""
        if self.complaint() is not None:
            return False
        try:
            is_proved = self._checks.all_agree(account)
        except LedgerUnavailable:
            return False
        if not is_proved:
            self._parts.set_verified_epoch(None)
        return is_proved
