"""Replacements of two parts of Celery: neither handles an unreachable broker, and the scheduler
does not handle a clock that is set back."""

import logging
from typing import Any

import structlog
from celery import Task
from celery.app.trace import LOG_REJECTED
from celery.beat import PersistentScheduler, SchedulingError
from celery.exceptions import Reject

from workers.messaging.consumer import RECONNECT_S, RECONNECT_S_MAX

log = structlog.get_logger("oneorder")


class PatientTask(Task):  # type: ignore[type-arg]  # Celery's is not generic at run time.
    """A task whose retry may fail to be sent. Celery would then acknowledge its message as done."""

    def retry(self, *args: Any, **options: Any) -> Any:
        try:
            return super().retry(*args, **options)
        except Reject as unsent:
            raise Reject(unsent.args[0], requeue=True) from None


class PatientScheduler(PersistentScheduler):
    """Beat's scheduler. Celery's own prints two tracebacks for each tick that could not be sent,
    waits ever longer at its start for an unreachable broker, and after its clock was set back sends
    nothing until the same time is reached again."""

    def tick(self, *args: Any, **options: Any) -> Any:
        """Send what is due. An entry that was last sent at a future time counts as sent now."""
        entries = self.schedule.values()
        ahead = [e for e in entries if e.last_run_at and e.last_run_at > e.default_now()]
        for entry in ahead:
            entry.last_run_at = entry.default_now()
        if ahead:
            # The heap of entries is rebuilt from the times of their last runs.
            self._heap = None
        return super().tick(*args, **options)

    def _ensure_connected(self) -> Any:
        def say(error: Exception, interval_s: float) -> None:
            log.warning("broker_unreachable", reason=str(error), again_in_s=interval_s)

        connection: Any = self.connection
        return connection.ensure_connection(say, None, RECONNECT_S, RECONNECT_S, RECONNECT_S_MAX)

    def apply_entry(self, entry: Any, producer: Any = None) -> None:
        """Send a tick. One that cannot be sent is skipped: the next one does the same."""
        try:
            self.apply_async(entry, producer=producer, advance=False)
        except SchedulingError as error:
            log.warning("tick_not_sent", tick=entry.name, reason=str(error))


def _is_expected(record: logging.LogRecord) -> bool:
    return record.name != "celery.app.trace" or record.msg == LOG_REJECTED.strip()


def _without_stack(record: logging.LogRecord) -> bool:
    if _is_expected(record):
        record.exc_info = record.exc_text = None
    return True


def quiet_celery() -> None:
    """Log in one line, without Celery's traceback, what is no fault of the program: a message that
    is put back because the broker is unreachable, and a remote control command that names an
    unknown task."""
    for name in ("celery.app.trace", "celery.worker.control"):
        logging.getLogger(name).addFilter(_without_stack)
