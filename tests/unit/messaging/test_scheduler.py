"""Beat's scheduler on a broker in memory."""

import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from celery import Celery

from workers.messaging.celery_parts import PatientScheduler

NAMES = ("first", "second", "third")


@pytest.fixture
def scheduler(tmp_path: Path) -> Iterator[Any]:
    app = Celery("ticks", broker="memory://", set_as_current=False)
    app.conf.beat_schedule = {
        name: {"task": f"ticks.{name}", "schedule": 0.05, "options": {"queue": name}}
        for name in NAMES
    }
    scheduler: Any = PatientScheduler(
        app=app, schedule_filename=str(tmp_path / "schedule"), max_interval=1
    )
    yield scheduler
    scheduler.close()


def ticks_until_all(scheduler: Any, names: tuple[str, ...], ticks_max: int = 500) -> int:
    """How many times it is asked until each of them was sent; it is never waited for long."""
    before = {name: scheduler.schedule[name].total_run_count for name in names}
    for number in range(ticks_max):
        if all(scheduler.schedule[name].total_run_count > before[name] for name in names):
            return number
        time.sleep(0.005)
        scheduler.tick()
    raise AssertionError(f"not sent: {scheduler.schedule}")


def test_every_tick_is_sent_again_soon_after_the_clock_was_set_back(scheduler: Any) -> None:
    ticks_until_all(scheduler, NAMES)
    for entry in scheduler.schedule.values():
        # What an hour looks like that was taken back.
        entry.last_run_at += timedelta(hours=1)
    scheduler._heap = [event._replace(time=event.time + 3_600) for event in scheduler._heap]
    ticks_until_all(scheduler, NAMES)
