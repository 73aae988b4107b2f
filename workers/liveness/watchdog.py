"""Ends a worker that takes no messages although some wait and it has free threads.

No cause of this is known. But a stuck worker that looks alive is the one failure that a supervisor
does not detect; an ended worker is restarted within seconds.
"""

import os
import sys
import threading
import time
from collections.abc import Callable
from math import ceil
from typing import Any

import structlog
from celery.worker import state
from kombu.exceptions import OperationalError

from workers.messaging.guard import GuardedTransport

CHECK_EVERY_S = 2
# Running tasks get as long as an order's whole time budget; then the process ends without them.
END_PATIENCE_S = 30
EXIT_CODE = 1

log = structlog.get_logger("oneorder")


class Watchdog:
    """Judges by repeated observations, not by elapsed time: a process that was suspended for an
    hour is not stuck.

    `backlog` returns how many messages wait, and raises OperationalError when the broker is
    unreachable or refuses the writes that are needed to take one; `taken` how many messages this
    worker has taken so far; `has_free_thread` whether it could process one more; `end` ends it.
    """

    def __init__(
        self,
        checks_max: int,
        backlog: Callable[[], int],
        taken: Callable[[], int],
        has_free_thread: Callable[[], bool],
        end: Callable[[], None],
    ) -> None:
        self._checks_max = checks_max
        self._backlog = backlog
        self._taken = taken
        self._has_free_thread = has_free_thread
        self._end = end
        self._before = taken()
        self._checks = 0

    def check(self) -> bool:
        """Observe once; returns True if the worker was stuck and has been ended."""
        before, self._before = self._before, self._taken()
        if self._before == before and self._has_free_thread() and self._do_messages_wait():
            self._checks += 1
        else:
            self._checks = 0
        if self._checks < self._checks_max:
            return False
        self._end()
        return True

    def _do_messages_wait(self) -> bool:
        try:
            return self._backlog() > 0
        except OperationalError:
            # The consumer is already reconnecting.
            return False


def watch(consumer: Any, taken: Callable[[], int], stuck_after_s: int) -> None:
    """Watch the worker of this process from a separate thread until it ends."""

    def has_free_thread() -> bool:
        return len(state.active_requests) < int(consumer.pool.num_processes)

    watchdog = Watchdog(
        ceil(stuck_after_s / CHECK_EVERY_S),
        lambda: backlog_of(consumer.app),
        taken,
        has_free_thread,
        lambda: _end(stuck_after_s),
    )

    def keep_watching() -> None:
        while not watchdog.check():
            time.sleep(CHECK_EVERY_S)

    threading.Thread(target=keep_watching, name="watchdog", daemon=True).start()


def backlog_of(app: Any) -> int:
    """How many messages wait in the queues that this worker consumes. Raises OperationalError, also
    if the broker answers but is full or read-only: no message can be taken from it then."""
    with app.connection_for_read() as connection:
        connection.ensure_connection(max_retries=0)
        with connection._reraise_as_library_errors():
            channel = connection.channel()
            queues = list(app.amqp.queues.consume_from)
            waiting: int = sum(
                channel.queue_declare(queue=name, durable=True).message_count for name in queues
            )
            if waiting and isinstance(channel, GuardedTransport.Channel):
                channel.check_writable()
            return waiting


def _end(stuck_after_s: int) -> None:
    log.error(
        "worker_stuck",
        reason=f"this worker took no message for {stuck_after_s} s though messages waited and "
        "threads were free; it ends, so that its supervisor starts it again",
    )
    # Celery's own shutdown: running tasks finish, and other taken messages are put back.
    state.should_stop = EXIT_CODE  # type: ignore[assignment]  # Typed by its first value.
    time.sleep(END_PATIENCE_S)
    # Its event loop is stuck too. Its messages are delivered again after the visibility timeout.
    sys.stdout.flush()
    os._exit(EXIT_CODE)
