"""What processes show each other, in memory: which workers are alive, leases, clock offsets."""

from threading import Lock

from execution.exchanges.port import ClockOffset
from execution.model.clock import Clock
from execution.operations.live_workers import BEAT_TTL_MS, MISSING_TTL_MS, LiveWorker, needs_met
from execution.store.memory.server import MemoryPart


class MemoryWorkers:
    """See WorkerRegistry. Everything in dictionaries behind one lock."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = Lock()
        self._beats: dict[str, tuple[LiveWorker, int]] = {}
        self._missing: dict[str, tuple[int, int]] = {}

    def beat(self, worker: LiveWorker) -> None:
        with self._lock:
            self._beats[worker.identity] = (worker, self._clock.now_ms() + BEAT_TTL_MS)
            for what in needs_met(worker):
                self._missing.pop(what, None)

    def leave(self, worker: LiveWorker) -> None:
        with self._lock:
            self._beats.pop(worker.identity, None)

    def live(self) -> list[LiveWorker]:
        now_ms = self._clock.now_ms()
        with self._lock:
            workers = [worker for worker, until_ms in self._beats.values() if until_ms > now_ms]
        return sorted(workers, key=lambda worker: worker.identity)

    def missing_since_ms(self, what: str, now_ms: int) -> int:
        with self._lock:
            since_ms, until_ms = self._missing.get(what, (now_ms, 0))
            if until_ms <= self._clock.now_ms():
                since_ms = now_ms
            self._missing[what] = (since_ms, self._clock.now_ms() + MISSING_TTL_MS)
            return since_ms


class MemoryLeases(MemoryPart):
    """See LeaseStore."""

    def lease(self, name: str, owner: str, ttl_ms: int) -> bool:
        with self._server.lock:
            holder, until_ms = self._tables.leases.get(name, ("", 0))
            if until_ms > self._server.clock.now_ms() and holder != owner:
                return False
            self._tables.leases[name] = (owner, self._server.clock.now_ms() + ttl_ms)
            return True

    def release(self, name: str, owner: str) -> None:
        with self._server.lock:
            if self._tables.leases.get(name, ("", 0))[0] == owner:
                del self._tables.leases[name]


class MemoryClocks(MemoryPart):
    """See ClockStore."""

    def clock_offset(self, account: str, host: str) -> ClockOffset | None:
        return self._tables.clock_offsets.get((account, host))

    def set_clock_offset(self, account: str, host: str, offset: ClockOffset) -> None:
        self._tables.clock_offsets[account, host] = offset
