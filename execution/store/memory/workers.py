"""The registry of live workers in memory. See live_workers.WorkerRegistry."""

from threading import Lock

from execution.model.clock import Clock
from execution.operations.live_workers import BEAT_TTL_MS, MISSING_TTL_MS, LiveWorker, needs_met


class MemoryWorkers:
    """Everything in dictionaries behind one lock."""

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
