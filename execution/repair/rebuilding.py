"""Recomputes positions from all their fills in the ledger."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from execution.ledger.archive import Archive
from execution.ledger.checkpoints import Checkpoints, Footing
from execution.model.clock import Clock
from execution.model.errors import LedgerUnavailable, UntrustedLedger
from execution.orders.journal import new_revision
from execution.repair.checks import PositionCheck, PositionChecks
from execution.repair.store import Repair, RepairStore


@dataclass(frozen=True, slots=True)
class Rebuilder:
    """Recomputes positions, but only from the ledger to which everything was written. Every method
    raises StoreUnavailable, also for the ledger."""

    checks: PositionChecks
    parts: RepairStore
    archive: Archive
    clock: Clock

    @property
    def _links(self) -> Checkpoints:
        return self.archive.checkpoints

    def rebuild(self, *, force: bool = False) -> list[PositionCheck]:
        """Correct every position that differs from its fills in the ledger; returns all checks from
        before the correction. With `force`, this ledger is trusted from then on.

        Raises UntrustedLedger, unless forced, if the ledger is not the one that the positions were
        computed from.
        """
        complaint = self._links.complaint()
        if complaint is not None and not force:
            raise UntrustedLedger(complaint)
        started_at = self.clock.now()
        if force:
            self.rewrite()
        checks = list(self.checks.all())
        self.put_right(checks, Repair([]), bool)
        if force:
            self._links.trust(started_at)
            # What else there is to be put back is no longer seen by what both had agreed on.
            self.parts.set_verified_epoch(None)
        return checks

    def put_right(
        self, checks: Iterable[PositionCheck], repair: Repair, between: Callable[[], object]
    ) -> None:
        """Replace the positions that differ; calls `between` before each."""
        for check in checks:
            between()
            self._put_right(check, repair)

    def _put_right(self, check: PositionCheck, repair: Repair) -> None:
        """Replace the stored position by the recomputed one, unless new fills change it
        meanwhile."""
        while not check.agrees:
            live, rebuilt = check.live, check.rebuilt
            version = max(live.version + 1, rebuilt.version)
            rebuilt = replace(rebuilt, version=version, revision=new_revision())
            if self.parts.replace_position(live, rebuilt):
                repair.positions_rebuilt.append(f"{live.account} {live.symbol}")
                return
            check = self.checks.one(live.account, live.symbol)

    def rewrite(self) -> None:
        """Write everything that the store has to a ledger that may have nothing of it."""
        self.parts.reindex()
        self.archive.flush()
        self.archive.write_everything_again()
        self._links.note_rewritten()

    def trust_if_explained(self, repair: Repair) -> None:
        """A restored ledger is trusted again once it is complete. Another one must be trusted by an
        operator."""
        if self._links.footing() is Footing.LEDGER_OLDER:
            started_at = self.clock.now()
            if all(check.agrees for check in self.checks.all()):
                self._links.trust(started_at)
                repair.left.append("the ledger has everything that it lacked again")

    def complaint(self) -> str | None:
        """The reason why positions are not compared with the ledger, in one sentence; None if they
        are."""
        try:
            return self._links.complaint()
        except LedgerUnavailable as error:
            return f"positions are not checked: {error}"

    def has_proved(self, account: str) -> bool:
        """Whether every position of the account equals the one recomputed from the ledger. If not,
        the next run verifies the whole store."""
        if self.complaint() is not None:
            return False
        try:
            is_proved = self.checks.all_agree(account)
        except LedgerUnavailable:
            return False
        if not is_proved:
            self.parts.set_verified_epoch(None)
        return is_proved
