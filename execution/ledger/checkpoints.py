"""Detects whether store or ledger was replaced or restored since they last agreed.

Both may be restored to an earlier state without notice: a server with an older file, a database
from a backup, a new file in place of the old one. So each keeps the last checkpoint at which the
ledger had everything, and the checkpoints must agree.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum
from secrets import token_hex
from typing import Protocol

from execution.ledger.port import Checkpoint, Ledger
from execution.model.clock import Clock

# The interval of new checkpoints without changes.
QUIET_MAX = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Agreed:
    """What the store keeps about its ledger: its identity, and the common checkpoint.

    `next` is one that was begun; the ledger may have it or not. `rewritten` names the state of an
    untrusted ledger to which all records were written again.
    """

    identity: str
    last: Checkpoint | None = None
    next: Checkpoint | None = None
    rewritten: str = ""


class CheckpointStore(Protocol):
    """Every method raises StoreUnavailable when the server does not answer."""

    def ledger_identity(self) -> str | None:
        """The ledger from which positions are computed, None for none."""

    def set_ledger_identity(self, identity: str) -> None: ...
    def agreed(self) -> Agreed | None: ...
    def set_agreed(self, agreed: Agreed) -> None: ...


class Footing(Enum):
    """The relation of store and ledger."""

    NEW = "they have not met"
    AGREES = "both are as they were"
    STORE_OLDER = "the ledger knows of later changes than the store"
    LEDGER_OLDER = "the store has written more to the ledger than is there"
    ANOTHER_LEDGER = "the ledger is another one than before"


UNTRUSTED = frozenset({Footing.LEDGER_OLDER, Footing.ANOTHER_LEDGER})


class Checkpoints:
    """Compares both sides, and advances their checkpoints together."""

    def __init__(self, store: CheckpointStore, ledger: Ledger, clock: Clock) -> None:
        self._store = store
        self._ledger = ledger
        self._clock = clock

    def footing(self) -> Footing:
        """Raises StoreUnavailable, also for the ledger."""
        return _footing(self.trusted(), self._store.agreed(), self._ledger)

    def trusted(self) -> str | None:
        """The identity of the ledger from which positions are computed. It is kept twice, so that
        after the loss of one key no other ledger passes for it."""
        agreed = self._store.agreed()
        kept = None if agreed is None else agreed.identity
        return self._store.ledger_identity() or kept or None

    def complaint(self) -> str | None:
        """The reason why the ledger is not trusted for positions, in one sentence; None if it is.

        Raises StoreUnavailable, also for the ledger.
        """
        footing, trusted = self.footing(), self.trusted()
        if footing in UNTRUSTED:
            why = footing.value
        elif trusted is None and self._store.agreed() is not None:
            why = "the ledger does not explain what is held"
        else:
            return None
        return (
            f"positions are not checked: {why}; put the old ledger back, or run "
            "`oneorder rebuild --apply --force` to fold all positions from this one"
        )

    def heard_until(self) -> datetime | None:
        """The time up to which the ledger has every change, None if it is not known."""
        known = self._ledger.checkpoint()
        return None if known is None else known.at

    def advance(self, at: datetime, *, is_news: bool) -> None:
        """Record that the ledger has everything up to `at`; from time to time also if nothing
        `is_news`. If both do not agree nothing is recorded, because the difference shows a loss."""
        agreed, known = self._store.agreed(), self._ledger.checkpoint()
        if agreed is None or _footing(self.trusted(), agreed, self._ledger) is not Footing.AGREES:
            return
        if known is None or is_news or at - known.at >= QUIET_MAX:
            self._meet(replace(agreed, last=known), at)

    def trust(self, at: datetime) -> None:
        """Compute positions from this ledger from now on; it has everything up to `at`."""
        identity = self._ledger.identity()
        self._store.set_ledger_identity(identity)
        self._meet(Agreed(identity, last=self._ledger.checkpoint()), at)

    def _meet(self, agreed: Agreed, at: datetime) -> None:
        """Announced before, so that a crash in between leaves both sides consistent."""
        number = 1 if agreed.last is None else agreed.last.number + 1
        fresh = Checkpoint(number, token_hex(8), at)
        self._store.set_agreed(replace(agreed, next=fresh))
        self._ledger.write_checkpoint(fresh)
        self._store.set_agreed(Agreed(agreed.identity, last=fresh))

    def is_rewritten(self) -> bool:
        """Whether all records of the store were written to this untrusted ledger already."""
        agreed = self._store.agreed()
        return agreed is not None and agreed.rewritten == self._state()

    def note_rewritten(self) -> None:
        agreed = self._store.agreed() or Agreed(self.trusted() or "")
        self._store.set_agreed(replace(agreed, rewritten=self._state()))

    def _state(self) -> str:
        known = self._ledger.checkpoint()
        return f"{self._ledger.identity()} {'' if known is None else known.token}"


def _footing(trusted: str | None, agreed: Agreed | None, ledger: Ledger) -> Footing:
    known = ledger.checkpoint()
    if trusted and trusted != ledger.identity():
        return Footing.ANOTHER_LEDGER
    if agreed is None or (agreed.last is None and agreed.next is None):
        return Footing.NEW if known is None else Footing.STORE_OLDER
    if known in (agreed.last, agreed.next):
        return Footing.AGREES
    if known is None or (agreed.last is not None and known.number < agreed.last.number):
        return Footing.LEDGER_OLDER
    return Footing.STORE_OLDER
