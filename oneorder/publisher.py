"""Publishing: first the intent, durably in Redis; then the message, which is only a wake-up.

Once `publish` returns, an accepted signal cannot be lost: the intent stays in the stream until
there is an order record, whatever happens to the message.
"""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from oneorder.broker import ARBITRAGE, CANCEL, EXECUTE, SCHEMA_VERSION
from oneorder.errors import PublishFailed
from oneorder.keys import SIGNALS
from oneorder.signals import ArbitrageSignal, CancelRequest, OrderSignal

if TYPE_CHECKING:
    from oneorder.settings import SignalSettings

_IMPORTING = threading.Lock()
Message = OrderSignal | ArbitrageSignal | CancelRequest


@dataclass(frozen=True, slots=True)
class Published:
    """The intent is safe under `entry_id`. `woken` says whether the wake-up message was sent too;
    if not, the sweep finds the intent within seconds."""

    entry_id: str
    woken: bool


class Publisher:
    """One connection to Redis and one to the broker, safe to share between threads."""

    def __init__(self, settings: SignalSettings) -> None:
        # Celery's package must not be imported by two threads at the same time.
        with _IMPORTING:
            from celery import Celery
            from redis import Redis

        from oneorder.broker import SHARED

        self._redis: Any = Redis.from_url(
            settings.redis_url,
            decode_responses=True,
            socket_timeout=3,
            socket_connect_timeout=3,
            health_check_interval=2,
        )
        self._celery = Celery(
            "oneorder-signals", broker=settings.celery_broker_url, set_as_current=False
        )
        self._celery.conf.update(SHARED)
        if settings.celery_broker_url.startswith("redis://"):
            self._celery.conf.broker_transport = "oneorder.transport:FailoverTransport"
        # An unreachable broker is not waited for: the intent is safe, and the sweep finds it.
        self._celery.conf.broker_transport_options = {
            **SHARED["broker_transport_options"],
            "max_retries": 1,
            "interval_start": 0,
            "interval_step": 0,
        }

    def publish(self, task: str, message: Message) -> Published:
        """Write the intent, then send the message. Raises PublishFailed if the intent is not
        known to be safe; publishing the same signal again never makes a second order."""
        from redis import RedisError

        body = message.to_body()
        try:
            entry_id = self._add({"task": task, "body": json.dumps(body), "v": str(SCHEMA_VERSION)})
        except RedisError as error:
            raise PublishFailed(f"Redis did not confirm the signal: {error}") from error
        return Published(entry_id, self._wake(task, body, entry_id))

    def _add(self, intent: dict[str, str]) -> str:
        from oneorder.failover import NOT_THE_MASTER

        try:
            return str(self._redis.xadd(SIGNALS, intent))
        except NOT_THE_MASTER:
            # The server is not the master any more and has written nothing. The address may lead to
            # the new one already, so open connections to the old one are closed.
            self._redis.connection_pool.disconnect(inuse_connections=False)
            return str(self._redis.xadd(SIGNALS, intent))

    def _wake(self, task: str, body: dict[str, Any], entry_id: str) -> bool:
        from kombu.exceptions import KombuError

        try:
            self._celery.send_task(
                task,
                args=[body],
                kwargs={"entry_id": entry_id, "v": SCHEMA_VERSION},
                retry=False,
                ignore_result=True,
            )
        except KombuError:
            # The intent is safe, so this costs seconds: the sweep will find it.
            return False
        return True

    def close(self) -> None:
        """Close the connections."""
        self._redis.close()
        self._celery.close()


@cache
def default_publisher() -> Publisher:
    """The process's publisher, configured by oneorder.toml and the environment. Raises
    SettingsError."""
    from oneorder.settings import SignalSettings

    return Publisher(SignalSettings())


def publish_order(signal: OrderSignal, publisher: Publisher | None = None) -> Published:
    """Publish an order; from its return on it is never lost. Raises PublishFailed."""
    return (publisher or default_publisher()).publish(EXECUTE, signal)


def publish_arbitrage(signal: ArbitrageSignal, publisher: Publisher | None = None) -> Published:
    """Publish an arbitrage; from its return on it is never lost. Raises PublishFailed."""
    return (publisher or default_publisher()).publish(ARBITRAGE, signal)


def publish_cancel(request: CancelRequest, publisher: Publisher | None = None) -> Published:
    """Request cancellation of an order. Raises PublishFailed."""
    return (publisher or default_publisher()).publish(CANCEL, request)
