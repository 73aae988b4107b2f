"""Holds the positions that are kept against what all their fills in the ledger make of them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from threading import Lock
from typing import TypeVar

from execution.ledger.archive import Archive
from execution.ledger.port import Ledger
from execution.model.clock import Clock
from execution.model.order import Fill
from execution.model.position import Position, fold
from execution.orders.store import PositionStore

T = TypeVar("T")
BATCH = 500
# So many positions are checked at once, whatever else says that all is well.
A_LOOK = 3
# After a look, no other one for so many times as long as it took: at most a twentieth of the time.
REST_TIMES = 19
# A position that is moved by fills all the while is left for the next round.
TRIES_MAX = 5

Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class PositionCheck:
    """A position as it is kept, and as all its fills fold into it."""

    live: Position
    rebuilt: Position

    @property
    def agrees(self) -> bool:
        return _substance(self.live) == _substance(self.rebuilt)

    @property
    def is_explained(self) -> bool:
        """The ledger has as many fills as ever moved it, or makes the same of those it has."""
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
        """Check every position, those that only the ledger knows included."""
        for account, symbol in self._keys():
            yield self.one(account, symbol)

    def _keys(self) -> list[Key]:
        kept = {(p.account, p.symbol) for p in self._positions.positions()}
        self._archive.flush()
        return sorted({*kept, *self._ledger.traded()})

    def one(self, account: str, symbol: str) -> PositionCheck:
        """What is kept is read first: every fill that is on it is in the ledger by then."""
        live = self._positions.position(account, symbol)
        self._archive.flush()
        rebuilt, last = Position(account, symbol), 0
        for fills in batches(self._ledger.fills(account, symbol)):
            rebuilt, last = fold(rebuilt, fills), _last(fills)
        # A fill's place is never given twice, also where the history of the places has gaps.
        return PositionCheck(live, replace(rebuilt, version=max(rebuilt.version, last)))

    def next_unlike(self) -> list[str]:
        """Check the next few of all positions, in turn; name those that the ledger does not make
        the same of. Nothing while it rests."""
        started_ms = self._clock.now_ms()
        with self._lock:
            if started_ms < self._rested_ms:
                return []
            self._waiting = self._waiting or self._keys()
            taken, self._waiting = self._waiting[:A_LOOK], self._waiting[A_LOOK:]
            # A thread that comes while this one is at it has nothing to do.
            self._rested_ms = started_ms + 1
        unlike = [
            f"{account} {symbol}" for account, symbol in taken if self.differs(account, symbol)
        ]
        ended_ms = self._clock.now_ms()
        self._rested_ms = ended_ms + REST_TIMES * (ended_ms - started_ms)
        return unlike

    def all_agree(self, account: str) -> bool:
        """Every position of the account is what its fills make of it."""
        keys = [(owner, symbol) for owner, symbol in self._keys() if owner == account]
        return not any(self.differs(owner, symbol) for owner, symbol in keys)

    def differs(self, account: str, symbol: str) -> bool:
        """Say whether the position is surely not what its fills make of it: a fill that came in the
        midst of a check is on one side and not yet on the other, and makes no difference."""
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


def _last(fills: list[Fill]) -> int:
    return fills[-1].sequence


def _substance(position: Position) -> tuple[object, ...]:
    return (position.amount, position.cost, position.realised_pnl, position.turnover, position.fees)
