"""The two of Celery's own parts that we replace because of a broker that is away."""

from typing import Any

import structlog
from celery import Task
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
