"""A worker's heartbeat: from its start to its end, through times when the store is away."""

import time
from collections.abc import Callable, Collection

from execution.model.errors import StoreUnavailable
from execution.operations.live_workers import LiveWorker
from execution.store.memory.workers import MemoryWorkers
from oneorder.broker import SCHEMA_VERSION
from tests.support.clock import FakeClock
from workers.liveness.heartbeat import Heartbeat, this_worker


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


class HereOnly:
    """A process that cannot reach some accounts, and what it has learned of the others."""

    def __init__(self, *unreachable: str) -> None:
        self.accounts = unreachable
        self.elsewhere: list[set[str]] = []

    def unreachable(self) -> tuple[str, ...]:
        return self.accounts

    def note_reachable_elsewhere(self, names: Collection[str]) -> None:
        self.elsewhere.append(set(names))


def beaten(registry: MemoryWorkers, name: str, reach: HereOnly, *accounts: str) -> Heartbeat:
    clock = FakeClock()
    heartbeat = Heartbeat(registry, this_worker(name, accounts, clock), clock, reach=reach)
    heartbeat.beat()
    return heartbeat


def test_a_beat_says_which_exchanges_do_not_answer_this_worker() -> None:
    registry = MemoryWorkers(FakeClock())
    beaten(registry, "w1", HereOnly("b"), "a", "b")
    assert registry.live()[0].unreachable == ("b",)


def test_a_worker_that_cannot_reach_an_account_learns_whether_another_one_can() -> None:
    registry = MemoryWorkers(FakeClock())
    here, there = HereOnly("a", "b"), HereOnly("a")
    first = beaten(registry, "w1", here, "a", "b")
    assert here.elsewhere == [set()]
    beaten(registry, "w2", there, "a", "b", "c")
    first.beat()
    assert here.elsewhere[-1] == {"b", "c"}
    there.accounts = ("a", "b", "c")
    beaten(registry, "w2", there, "a", "b", "c")
    first.beat()
    assert here.elsewhere[-1] == set()


def test_a_worker_that_reaches_all_asks_nothing_of_the_others() -> None:
    reach = HereOnly()
    beaten(MemoryWorkers(FakeClock()), "w1", reach, "a")
    assert reach.elsewhere == []


def test_a_change_is_said_at_once_and_not_only_at_the_next_beat() -> None:
    clock = FakeClock()
    registry = MemoryWorkers(clock)
    reach = HereOnly()
    heartbeat = Heartbeat(registry, this_worker("w", ["a"], clock), clock, every_s=600, reach=reach)
    heartbeat.start()
    wait_until(lambda: registry.live() != [])
    reach.accounts = ("a",)
    heartbeat.hurry()
    wait_until(lambda: registry.live()[0].unreachable == ("a",))
    heartbeat.stop()
    assert registry.live() == []
