"""Repairs the store after a loss: records, indexes, positions, halts.

Redis may be restored to an earlier state, and keys may be deleted. What the ledger has is restored;
what neither has is found at the exchange by the next reconciliation. Positions are recomputed from
all their fills, so it does not matter which of them a position had lost.
"""

from collections.abc import Callable, Iterable
from uuid import uuid4

from execution.ledger.archive import Archive
from execution.ledger.checkpoints import UNTRUSTED, Footing
from execution.model.clock import Clock
from execution.model.errors import LedgerUnavailable
from execution.orders.store import EpochStore, LeaseStore
from execution.repair.rebuilding import Rebuilder
from execution.repair.restoring import Restorer
from execution.repair.store import A_POSITION, Repair, RepairStore

LEASE_MS = 120_000
UNSEEN = "whatever the server has lost: it has not been checked since it started"


class Repairer:
    """Determines what is lost and repairs it. Runs under a global lease; a second caller returns
    None at once."""

    def __init__(
        self,
        epochs: EpochStore,
        leases: LeaseStore,
        parts: RepairStore,
        archive: Archive,
        restorer: Restorer,
        rebuilder: Rebuilder,
        clock: Clock,
    ) -> None:
        self._epochs = epochs
        self._leases = leases
        self._parts = parts
        self._archive = archive
        self._restorer = restorer
        self._rebuilder = rebuilder
        self._clock = clock
        self._links = archive.checkpoints

    def run(self, accounts: Iterable[str]) -> Repair | None:
        """Repair what is lost; None if nothing is, or if another process is doing it.

        Raises StoreUnavailable, also for the ledger, and must then be run again.
        """
        accounts = list(accounts)
        if not self._lost(accounts) and not self._is_to_be_rewritten():
            return None
        owner = uuid4().hex
        if not self._leases.lease("repair", owner, LEASE_MS):
            return None
        try:
            # Another process may have just done it.
            lost = self._lost(accounts)
            if lost:
                return self._repaired(lost, accounts, owner)
            return self._rewritten() if self._is_to_be_rewritten() else None
        finally:
            self._leases.release("repair", owner)

    def _lost(self, accounts: list[str]) -> list[str]:
        """The visible losses, and signs of an earlier state."""
        lost = self._parts.lost(accounts)
        if self._parts.verified_epoch() != self._epochs.epoch(fresh=True).run_id:
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
        unlike = self._rebuilder.checks.next_unlike()
        return [f"{A_POSITION}{name}, which its fills do not explain" for name in unlike]

    def _is_to_be_rewritten(self) -> bool:
        """The ledger is another one, and does not have the remaining records yet."""
        try:
            return self._links.footing() in UNTRUSTED and not self._links.is_rewritten()
        except LedgerUnavailable:
            return False

    def _rewritten(self) -> Repair:
        repair = Repair([], left=[self._links.complaint() or ""])
        self._rebuilder.rewrite()
        self._rebuilder.trust_if_explained(repair)
        return repair

    def _repaired(self, lost: list[str], accounts: list[str], owner: str) -> Repair | None:
        restarted = UNSEEN in lost
        # Until this is done, every later process finds the repair incomplete.
        self._parts.set_verified_epoch(None)
        epoch = self._epochs.epoch(fresh=True)
        if not restarted and any(not name.startswith(A_POSITION) for name in lost):
            # Lost records may have been sent; from now on every signal is looked up first.
            epoch = self._epochs.begin_epoch()

        def keep_lease() -> None:
            self._leases.lease("repair", owner, LEASE_MS)

        repair = Repair(lost)
        self._put_back(repair, accounts, keep_lease)
        if restarted or any("later changes" in name for name in lost):
            self._restorer.restore_halts(repair)
        if all(name.startswith(A_POSITION) for name in self._parts.lost(accounts)):
            # A loss during this repair starts it again.
            self._parts.set_verified_epoch(epoch.run_id)
        # A new server has lost nothing; it only had to be marked.
        is_new = epoch.since_ms == 0 and not repair.has_done_anything
        return None if is_new else repair

    def _put_back(
        self, repair: Repair, accounts: list[str], keep_lease: Callable[[], None]
    ) -> None:
        started_at, heard_until = self._clock.now(), self._links.heard_until()
        footing = self._links.footing()
        self._parts.reindex()
        keep_lease()
        self._archive.flush(between=keep_lease)
        self._restorer.restore_orders(repair, keep_lease)
        if footing in UNTRUSTED:
            # History started again there: a position that it does not explain need not be wrong.
            repair.left.append(self._links.complaint() or footing.value)
            repair.known_until.clear()
            self._archive.write_everything_again()
            self._links.note_rewritten()
            self._rebuilder.trust_if_explained(repair)
            return
        if heard_until is not None:
            for account in {*accounts, *repair.known_until}:
                until = repair.known_until.get(account, heard_until)
                repair.known_until[account] = min(until, heard_until)
        checks = list(self._rebuilder.checks.all())
        is_first = self._links.trusted() is None and footing is Footing.NEW
        if is_first and not all(check.is_explained for check in checks):
            # It is not known to which ledger the rest was written.
            self._links.note_rewritten()
            repair.left.append(self._links.complaint() or "")
            return
        self._rebuilder.put_right(checks, repair, keep_lease)
        self._links.trust(started_at)
