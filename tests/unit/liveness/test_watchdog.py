"""When a worker counts as stuck."""

from dataclasses import dataclass, field

from kombu.exceptions import OperationalError

from workers.liveness.watchdog import Watchdog

CHECKS_MAX = 3


@dataclass
class Worker:
    """A worker that can be put into any state."""

    waiting: int = 5
    taken: int = 0
    is_free: bool = True
    is_broker_away: bool = False
    ended: list[str] = field(default_factory=list)

    def backlog(self) -> int:
        if self.is_broker_away:
            raise OperationalError("away")
        return self.waiting

    def watchdog(self) -> Watchdog:
        return Watchdog(
            CHECKS_MAX,
            self.backlog,
            lambda: self.taken,
            lambda: self.is_free,
            lambda: self.ended.append("ended"),
        )


def test_a_worker_that_takes_nothing_though_messages_wait_is_ended() -> None:
    worker = Worker()
    watchdog = worker.watchdog()
    assert [watchdog.check() for _ in range(CHECKS_MAX)] == [False, False, True]
    assert worker.ended == ["ended"]


def test_a_worker_that_takes_one_message_now_and_then_is_not() -> None:
    worker = Worker()
    watchdog = worker.watchdog()
    for number in range(20):
        worker.taken += number % CHECKS_MAX == 0
        assert not watchdog.check()


def test_a_worker_whose_threads_are_all_busy_is_not() -> None:
    watchdog = Worker(is_free=False).watchdog()
    assert not any(watchdog.check() for _ in range(20))


def test_a_worker_for_which_nothing_waits_is_not() -> None:
    watchdog = Worker(waiting=0).watchdog()
    assert not any(watchdog.check() for _ in range(20))


def test_a_worker_whose_broker_is_away_is_not() -> None:
    worker = Worker(is_broker_away=True)
    watchdog = worker.watchdog()
    assert not any(watchdog.check() for _ in range(20))
    worker.is_broker_away = False
    assert [watchdog.check() for _ in range(CHECKS_MAX)] == [False, False, True]


def test_what_was_seen_before_a_message_was_taken_does_not_count() -> None:
    worker = Worker()
    watchdog = worker.watchdog()
    assert [watchdog.check() for _ in range(CHECKS_MAX - 1)] == [False] * (CHECKS_MAX - 1)
    worker.taken += 1
    assert [watchdog.check() for _ in range(CHECKS_MAX)] == [False] * CHECKS_MAX
    assert watchdog.check()
