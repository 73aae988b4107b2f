"""A worker's heartbeat: from its start to its end, through times when the store is away."""

import time
from collections.abc import Callable

from fakes import FakeClock

from execution.errors import StoreUnavailable
from execution.live_workers import LiveWorker
from execution.store.memory_workers import MemoryWorkers
from signals.broker import SCHEMA_VERSION
from workers.heartbeat import Heartbeat, this_worker


class AwayAtFirst(MemoryWorkers):
    """A registry whose server does not answer the first beats, nor a leave."""

    def __init__(self, clock: FakeClock, failures: int) -> None:
        super().__init__(clock)
        self.failures = failures
        self.beats = 0

    def beat(self, worker: LiveWorker) -> None:
        self.beats += 1
        if self.beats <= self.failures:
            raise StoreUnavailable("connection refused")
        super().beat(worker)

    def leave(self, worker: LiveWorker) -> None:
        if self.failures:
            raise StoreUnavailable("connection refused")
        super().leave(worker)


def wait_until(is_true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not is_true():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_a_worker_is_in_the_registry_from_its_start_to_its_end() -> None:
    clock = FakeClock()
    registry = MemoryWorkers(clock)
    worker = this_worker("worker-1@here", ["b", "a"], clock)
    heartbeat = Heartbeat(registry, worker, clock)
    heartbeat.start()
    wait_until(lambda: registry.live() != [])
    assert registry.live() == [worker]
    assert (worker.accounts, worker.reads_version) == (("a", "b"), SCHEMA_VERSION)
    heartbeat.stop()
    assert registry.live() == []


def test_each_beat_says_when_it_was() -> None:
    clock = FakeClock()
    registry = MemoryWorkers(clock)
    heartbeat = Heartbeat(registry, this_worker("w", ["a"], clock), clock, every_s=0)
    heartbeat.start()
    wait_until(lambda: registry.live() != [])
    clock.advance(5_000)
    wait_until(lambda: registry.live()[0].beat_at == clock.now())
    assert registry.live()[0].started_at < clock.now()
    heartbeat.stop()


def test_a_store_that_is_away_ends_no_heartbeat() -> None:
    clock = FakeClock()
    registry = AwayAtFirst(clock, failures=3)
    heartbeat = Heartbeat(registry, this_worker("w", ["a"], clock), clock, every_s=0)
    heartbeat.start()
    wait_until(lambda: registry.live() != [])
    assert registry.beats >= 4
    heartbeat.stop()
