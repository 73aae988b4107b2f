"""Prevents Celery's consumer from ending its worker after an unreadable message or an error of its
connection to the broker."""

import time
from collections.abc import Callable
from typing import Any

import structlog
from celery.exceptions import WorkerLostError
from celery.worker.consumer import Consumer
from celery.worker.state import maybe_shutdown
from kombu.exceptions import OperationalError

from workers.intake.set_aside import put_aside
from workers.messaging.broadcasts import GuardedNode

# Pauses between attempts to reach the broker; together with Celery's own they stay below 5 s.
RECONNECT_S = 0.5
RECONNECT_S_MAX = 2.0

log = structlog.get_logger("oneorder")


def reconnect(connection: Any, **options: Any) -> Any:
    """Connect to the broker, trying for ever, with a line in the log for each failure."""

    def warn(error: Exception, interval_s: float) -> None:
        log.warning("broker_unreachable", reason=str(error), again_in_s=interval_s)

    pauses = (RECONNECT_S, RECONNECT_S, RECONNECT_S_MAX)
    return connection.ensure_connection(warn, None, *pauses, **options)


class GuardedConsumer(Consumer):
    """Celery's consumer, which rejects an unreadable message, and reconnects after any error of its
    connection, instead of ending."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        # Celery creates the remote control node during the consumer's construction.
        kwargs["app"].control.mailbox.node_cls = GuardedNode
        super().__init__(*args, **kwargs)
        consumer: Any = self
        loop, lost = consumer.loop, consumer.connection_errors
        # kombu includes KeyError, which may be a message with a missing part.
        self._broker_errors = tuple(kind for kind in lost if kind is not KeyError)

        def guarded_loop(*loop_args: Any) -> None:
            try:
                loop(*loop_args)
            except (*lost, MemoryError, WorkerLostError):
                raise
            except Exception as error:
                log.exception("event_loop_failed")
                raise OperationalError(f"event loop: {error}") from error

        consumer.loop = guarded_loop

    def ensure_connected(self, conn: Any) -> Any:
        """Connect, trying for ever: Celery's own pauses between attempts grow to 30 s."""
        reconnect(conn, callback=maybe_shutdown)
        self.first_connection_attempt = False
        return conn

    def on_connection_error_after_connected(self, exc: Exception) -> None:
        log.warning("broker_connection_lost", reason=str(exc))
        try:
            super().on_connection_error_after_connected(exc)
        except Exception:
            log.exception("broker_connection_not_closed")
            self.connection = None
        # A server may accept a connection and refuse everything else.
        time.sleep(RECONNECT_S)

    def create_task_handler(self, *args: Any, **kwargs: Any) -> Callable[[Any], Any]:
        handle = super().create_task_handler(*args, **kwargs)

        def handle_or_reject(message: Any) -> Any:
            try:
                return handle(message)
            except (*self._broker_errors, MemoryError):
                raise
            except Exception as error:
                log.exception("message_unreadable")
                put_aside(_text_of(message), f"message: {type(error).__name__}: {error}")
                return message.reject()

        return handle_or_reject

    def on_unknown_message(self, body: Any, message: Any) -> None:
        put_aside(_text_of(message), "message: names no task")
        super().on_unknown_message(body, message)

    def on_unknown_task(self, body: Any, message: Any, exc: Any) -> None:
        put_aside(_text_of(message), f"task: {message.headers.get('task')!r} is not known")
        super().on_unknown_task(body, message, exc)

    def on_decode_error(self, message: Any, exc: Exception) -> None:
        put_aside(_text_of(message), f"body: {exc}")
        super().on_decode_error(message, exc)

    def on_invalid_task(self, body: Any, message: Any, exc: Any) -> None:
        put_aside(_text_of(message), f"message: {exc}")
        super().on_invalid_task(body, message, exc)


def _text_of(message: Any) -> str:
    body = message.body
    return body.decode(errors="replace") if isinstance(body, bytes) else str(body)
