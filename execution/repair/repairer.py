"""Repairs the store after a loss: records, indexes, positions, halts.

Redis may be restored to an earlier state, and keys may be deleted. What the ledger has is restored;
what neither has is found at the exchange by the next reconciliation. Positions are recomputed from
all their fills, so it does not matter which of them a position had lost.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from uuid import uuid4

from execution.ledger.archive import Archive
from execution.ledger.checkpoints import UNTRUSTED, Checkpoints, Footing
from execution.model.clock import Clock
from execution.model.errors import LedgerUnavailable
from execution.orders.store import EpochStore, LeaseStore
from execution.repair.rebuilding import Rebuilder
from execution.repair.restoring import Restorer
from execution.repair.store import A_POSITION, Repair, RepairStore

LEASE_MS = 120_000
UNSEEN = "whatever the server has lost: it has not been checked since it started"


@dataclass(frozen=True, slots=True)
class Repairer:
    """Determines what is lost and repairs it. Runs under a global lease; a second caller returns
    None at once."""

    epochs: EpochStore
    leases: LeaseStore
    parts: RepairStore
    archive: Archive
    restorer: Restorer
    rebuilder: Rebuilder
    clock: Clock

    @property
    def _links(self) -> Checkpoints:
        return self.archive.checkpoints

    def run(self, accounts: Iterable[str]) -> Repair | None:
        """Repair what is lost; None if nothing is, or if another process is doing it.

        Raises StoreUnavailable, also for the ledger, and must then be run again.
        """
        accounts = list(accounts)
        if not self._lost(accounts) and not self._is_to_be_rewritten():
            return None
        owner = uuid4().hex
        if not self.leases.lease("repair", owner, LEASE_MS):
            return None
        try:
            # Another process may have just done it.
            lost = self._lost(accounts)
            if lost:
                return self._repaired(lost, accounts, owner)
            return self._rewritten() if self._is_to_be_rewritten() else None
        finally:
            self.leases.release("repair", owner)

    def _lost(self, accounts: list[str]) -> list[str]:
        """Name what can be seen to be lost, or to be from an earlier time."""
        lost = self.parts.lost(accounts)
        if self.parts.verified_epoch() != self.epochs.epoch(fresh=True).run_id:
            return [UNSEEN, *lost]
        try:
            return lost + self._unlike_ledger()
        except LedgerUnavailable:
            # What Redis itself shows is still reported; `complaint` has the rest.
            return lost

    def _unlike_ledger(self) -> list[str]:
        footing = self._links.footing()
        if footing in UNTRUSTED:
            return []
        older = [f"what came last: {footing.value}"] if footing is Footing.STORE_OLDER else []
        # A ledger that does not explain the balances was detected already.
        if older or self._links.complaint() is not None:
            return older
        unlike = self.rebuilder.checks.next_unlike()
        return [f"{A_POSITION}{name}, which its fills do not explain" for name in unlike]

    def _is_to_be_rewritten(self) -> bool:
        """The ledger is another one, and does not have the remaining records yet."""
        try:
            return self._links.footing() in UNTRUSTED and not self._links.is_rewritten()
        except LedgerUnavailable:
            return False

    def _rewritten(self) -> Repair:
        repair = Repair([], left=[self._links.complaint() or ""])
        self.rebuilder.rewrite()
        self.rebuilder.trust_if_explained(repair)
        return repair

    def _repaired(self, lost: list[str], accounts: list[str], owner: str) -> Repair | None:
        restarted = UNSEEN in lost
        # Until it is done, a process that comes later finds it undone.
        self.parts.set_verified_epoch(None)
        epoch = self.epochs.epoch(fresh=True)
        if not restarted and any(not name.startswith(A_POSITION) for name in lost):
            # What is lost may have been acted on; every signal is looked for first from now on.
            epoch = self.epochs.begin_epoch()

        def keep_lease() -> None:
            self.leases.lease("repair", owner, LEASE_MS)

        repair = Repair(lost)
        self._put_back(repair, accounts, keep_lease)
        if restarted or any("later changes" in name for name in lost):
            self.restorer.restore_halts(repair)
        if all(name.startswith(A_POSITION) for name in self.parts.lost(accounts)):
            # What was lost while this was at work has it all done again.
            self.parts.set_verified_epoch(epoch.run_id)
        # A server that is new has lost nothing; it only had to be marked.
        is_new = epoch.since_ms == 0 and not repair.has_done_anything
        return None if is_new else repair

    def _put_back(
        self, repair: Repair, accounts: list[str], keep_lease: Callable[[], None]
    ) -> None:
        started_at, heard_until = self.clock.now(), self._links.heard_until()
        footing = self._links.footing()
        self.parts.reindex()
        keep_lease()
        self.archive.flush(between=keep_lease)
        self.restorer.restore_orders(repair, keep_lease)
        if footing in UNTRUSTED:
            # History started again there: a position that it does not explain need not be wrong.
            repair.left.append(self._links.complaint() or footing.value)
            repair.known_until.clear()
            self.archive.write_everything_again()
            self._links.note_rewritten()
            self.rebuilder.trust_if_explained(repair)
            return
        if heard_until is not None:
            for account in {*accounts, *repair.known_until}:
                until = repair.known_until.get(account, heard_until)
                repair.known_until[account] = min(until, heard_until)
        checks = list(self.rebuilder.checks.all())
        is_first = self._links.trusted() is None and footing is Footing.NEW
        if is_first and not all(check.is_explained for check in checks):
            # It is not known to which ledger the rest was written.
            self._links.note_rewritten()
            repair.left.append(self._links.complaint() or "")
            return
        self.rebuilder.put_right(checks, repair, keep_lease)
        self._links.trust(started_at)
