"""Makes the store whole again after it lost something: records, indexes, positions, halts.

Redis may come back from an earlier time, and people delete keys. What the ledger knows is put back;
what neither knows is found at the exchange by the reconciliation that follows. Positions are folded
again from all their fills, so it does not matter which of them a position had lost.
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
UNSEEN = "whatever the server has lost: it was not looked over since it began"


class Repairer:
    """Decides what is lost and what is to be done. One process at a time does it; any other that
    comes meanwhile leaves it to the first."""

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
        """Repair what is lost; None where nothing is, or where another process is at it.

        Raises StoreUnavailable, also for the ledger, and is then to be run again.
        """
        accounts = list(accounts)
        if not self._lost(accounts) and not self._is_to_be_rewritten():
            return None
        owner = uuid4().hex
        if not self._leases.lease("repair", owner, LEASE_MS):
            return None
        try:
            # Another one may have been at it just now.
            lost = self._lost(accounts)
            if lost:
                return self._repaired(lost, accounts, owner)
            return self._rewritten() if self._is_to_be_rewritten() else None
        finally:
            self._leases.release("repair", owner)

    def _lost(self, accounts: list[str]) -> list[str]:
        """Name what can be seen to be lost, or to be from an earlier time."""
        lost = self._parts.lost(accounts)
        if self._parts.verified_epoch() != self._epochs.epoch(fresh=True).run_id:
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
        unlike = self._rebuilder.checks.next_unlike()
        return [f"{A_POSITION}{name}, which its fills do not explain" for name in unlike]

    def _is_to_be_rewritten(self) -> bool:
        """The ledger is not the one before, and does not have yet what is left."""
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
        # Until it is done, a process that comes later finds it undone.
        self._parts.set_verified_epoch(None)
        epoch = self._epochs.epoch(fresh=True)
        if not restarted and any(not name.startswith(A_POSITION) for name in lost):
            # What is lost may have been acted on; every signal is looked for first from now on.
            epoch = self._epochs.begin_epoch()

        def keep_lease() -> None:
            self._leases.lease("repair", owner, LEASE_MS)

        repair = Repair(lost)
        self._put_back(repair, accounts, keep_lease)
        if restarted or any("later changes" in name for name in lost):
            self._restorer.restore_halts(repair)
        if all(name.startswith(A_POSITION) for name in self._parts.lost(accounts)):
            # What was lost while this was at work has it all done again.
            self._parts.set_verified_epoch(epoch.run_id)
        # A server that is new has lost nothing; it only had to be marked.
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
            # History began again there: a position that it does not explain is not wrong for that.
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
            # Nothing says which ledger it was that the rest went to.
            self._links.note_rewritten()
            repair.left.append(self._links.complaint() or "")
            return
        self._rebuilder.put_right(checks, repair, keep_lease)
        self._links.trust(started_at)
