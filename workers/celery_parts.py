"""The two of Celery's own parts that we replace because of a broker that is away."""

import logging
from typing import Any

import structlog
from celery import Task
from celery.app.trace import LOG_REJECTED
from celery.beat import PersistentScheduler, SchedulingError
from celery.exceptions import Reject

from workers.malformed import RECONNECT_S, RECONNECT_S_MAX

log = structlog.get_logger("oneorder")


class PatientTask(Task):  # type: ignore[type-arg]  # Celery's is not generic at run time.
    """A task whose repeat may fail to be sent. Celery drops its message then, as if done."""

    def retry(self, *args: Any, **options: Any) -> Any:
        try:
            return super().retry(*args, **options)
        except Reject as unsent:
            raise Reject(unsent.args[0], requeue=True) from None


class PatientScheduler(PersistentScheduler):
    """Beat's scheduler. Celery's own prints two stacks for each tick that could not be sent, and
    at its start waits ever longer for a broker that is away."""

    def _ensure_connected(self) -> Any:
        def say(error: Exception, interval_s: float) -> None:
            log.warning("broker_unreachable", reason=str(error), again_in_s=interval_s)

        connection: Any = self.connection
        return connection.ensure_connection(say, None, RECONNECT_S, RECONNECT_S, RECONNECT_S_MAX)

    def apply_entry(self, entry: Any, producer: Any = None) -> None:
        """Send a tick. One that cannot be sent is left out: the next one does the same."""
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
    """Have what is no fault of the program logged in one line, where Celery adds a traceback: a
    message that is put back because the broker is away, and a command of remote control that names
    an unknown task."""
    for name in ("celery.app.trace", "celery.worker.control"):
        logging.getLogger(name).addFilter(_without_stack)
