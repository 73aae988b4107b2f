"""Compares the stored positions with those recomputed from all their fills in the ledger."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from threading import Lock
from typing import TypeVar

from execution.ledger.archive import Archive
from execution.ledger.port import Ledger
from execution.model.clock import Clock
from execution.model.position import Position, fold
from execution.orders.store import PositionStore

T = TypeVar("T")
BATCH = 500
# How many positions are checked at a time, also if there is no sign of a loss.
A_LOOK = 3
# The pause after a check, as a multiple of its duration: checks take at most a twentieth of the
# time.
REST_TIMES = 19
# A position that fills keep changing is left for the next round.
TRIES_MAX = 5

Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class PositionCheck:
    """A stored position, and the one recomputed from all its fills."""

    live: Position
    rebuilt: Position

    @property
    def agrees(self) -> bool:
        return _substance(self.live) == _substance(self.rebuilt)

    @property
    def is_explained(self) -> bool:
        """The ledger has as many fills as ever changed it, or the same result from those it has."""
        return self.agrees or self.rebuilt.version >= self.live.version


class PositionChecks:
    """Every method raises StoreUnavailable, also for the ledger. Threads may share it."""

    def __init__(
        self, positions: PositionStore, ledger: Ledger, archive: Archive, clock: Clock
    ) -> None:
        self._positions = positions
        self._ledger = ledger
        self._archive = archive
        self._clock = clock
        self._lock = Lock()
        self._waiting: list[Key] = []
        self._rested_ms = 0

    def all(self) -> Iterator[PositionCheck]:
        """Check every position, including those that only the ledger has."""
        for account, symbol in self._keys():
            yield self.one(account, symbol)

    def _keys(self) -> list[Key]:
        kept = {(p.account, p.symbol) for p in self._positions.positions()}
        self._archive.flush()
        return sorted({*kept, *self._ledger.traded()})

    def one(self, account: str, symbol: str) -> PositionCheck:
        """The stored one is read first: all its fills are in the ledger by then."""
        live = self._positions.position(account, symbol)
        self._archive.flush()
        rebuilt, last = Position(account, symbol), 0
        for fills in batches(self._ledger.fills(account, symbol)):
            rebuilt, last = fold(rebuilt, fills), fills[-1].sequence
        # A fill's place is never given twice, also where the history of the places has gaps.
        return PositionCheck(live, replace(rebuilt, version=max(rebuilt.version, last)))

    def next_unlike(self) -> list[str]:
        """Check the next few positions, in turn; returns the names of those that differ from the
        ledger. Does nothing during the pause."""
        started_ms = self._clock.now_ms()
        with self._lock:
            if started_ms < self._rested_ms:
                return []
            self._waiting = self._waiting or self._keys()
            taken, self._waiting = self._waiting[:A_LOOK], self._waiting[A_LOOK:]
            # Another thread has nothing to do meanwhile.
            self._rested_ms = started_ms + 1
        unlike = [
            f"{account} {symbol}" for account, symbol in taken if self.differs(account, symbol)
        ]
        ended_ms = self._clock.now_ms()
        self._rested_ms = ended_ms + REST_TIMES * (ended_ms - started_ms)
        return unlike

    def all_agree(self, account: str) -> bool:
        """Whether every position of the account equals its recomputed one."""
        keys = [(owner, symbol) for owner, symbol in self._keys() if owner == account]
        return not any(self.differs(owner, symbol) for owner, symbol in keys)

    def differs(self, account: str, symbol: str) -> bool:
        """Whether the position certainly differs from its fills: a fill that came during a check is
        on one side only, and does not count as a difference."""
        for _ in range(TRIES_MAX):
            check = self.one(account, symbol)
            if check.agrees:
                return False
            now = self._positions.position(account, symbol)
            if (now.version, now.revision) == (check.live.version, check.live.revision):
                return True
        return False


def batches(items: Iterable[T]) -> Iterator[list[T]]:
    waiting = iter(items)
    while batch := list(islice(waiting, BATCH)):
        yield batch


def _substance(position: Position) -> tuple[object, ...]:
    return (position.amount, position.cost, position.realised_pnl, position.turnover, position.fees)
