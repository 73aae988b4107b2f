"""The server of the stores in memory, and its failures."""

import itertools
from dataclasses import replace
from threading import RLock

from execution.model.clock import Clock
from execution.orders.store import Epoch, Intent
from execution.store.memory.tables import Tables


class MemoryServer:
    """The tables of all stores in memory, behind one lock, and their epoch."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.lock = RLock()
        self.tables = Tables()
        self._entry_numbers = itertools.count()
        self._entry_ms = 0
        self._epoch = Epoch("1", 0)
        # What every process that uses this server knows.
        self._commits = 0

    def epoch(self, *, fresh: bool = False) -> Epoch:
        """See EpochStore."""
        del fresh
        with self.lock:
            if self.tables.commits < self._commits:
                # The same server restored to an earlier state.
                self.tables.commits = self._commits
                self.begin_epoch()
        verified = self.tables.verified_epoch
        return replace(self._epoch, is_whole=verified in (None, self._epoch.run_id))

    def begin_epoch(self) -> Epoch:
        """See EpochStore."""
        with self.lock:
            self._epoch = Epoch(f"{self._epoch.run_id}+", self.clock.now_ms())
            return self._epoch

    def count_commit(self) -> None:
        """Count a commit. Must be called under the lock."""
        self.tables.commits += 1
        self._commits = max(self._commits, self.tables.commits)

    def add_intent(self, task: str, body: str, version: str = "1", ahead_ms: int = 0) -> str:
        """Append to the stream as a producer; with `ahead_ms`, under an id in the future, after
        which no id may be lower."""
        with self.lock:
            self._entry_ms = max(self._entry_ms, self.clock.now_ms() + ahead_ms)
            entry_id = f"{self._entry_ms}-{next(self._entry_numbers)}"
            self.tables.intents[entry_id] = Intent(entry_id, task, body, version)
            return entry_id

    def note_if_lost(self, order_id: str) -> None:
        """A missing record that did not leave was lost, perhaps with fills that are in the position
        and will be reported again."""
        tables = self.tables
        if order_id in tables.known - tables.tombstones - tables.orders.keys():
            tables.verified_epoch = None

    def take_back(self, to: Tables) -> None:
        """Restore the contents of the copy `to`, in the same run of the server."""
        with self.lock:
            self.tables.take_over(to)

    def roll_back(self, to: Tables) -> None:
        """Restart like a server that has lost all writes since the copy `to`."""
        with self.lock:
            self.tables.take_over(to)
            self._commits = to.commits
            run = int(self._epoch.run_id.rstrip("+")) + 1
            self._epoch = Epoch(str(run), self.clock.now_ms())

    def copied(self) -> Tables:
        """A copy of the tables, for `roll_back`."""
        with self.lock:
            return self.tables.copied()


class MemoryPart:
    """One store of those in memory: in the tables of their server, and under its lock."""

    def __init__(self, server: MemoryServer) -> None:
        self._server = server

    @property
    def _tables(self) -> Tables:
        return self._server.tables
