"""Prevents messages and failures of the broker from ending a worker.

In Celery 5.7 on Redis a malformed message raises an exception out of the event loop: the worker
ends, the message is delivered to the next worker, and ends that one, too. Here such a message is
set aside with its reason before Celery sees it. The same applies to a broker that restarts, is
full, or becomes a replica: here that drops the connection, and the worker reconnects.
"""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import structlog
from kombu.exceptions import OperationalError
from kombu.transport import TRANSPORT_ALIASES, virtual
from kombu.transport import redis as kombu_redis

from oneorder.failover import FailoverConnection, FailoverSSLConnection
from workers.intake.set_aside import put_aside, shown
from workers.messaging.broadcasts import read_broadcast
from workers.messaging.envelopes import MalformedMessage, read_message

# The key that is written to test whether the server accepts writes.
WRITE_PROBE = "oneorder:broker:write_probe"
# Reply queues of remote control: for `celery inspect`, Flower, and a worker that greets the others
# when it starts. They carry no tasks.
ANSWERS = ".reply.celery.pidbox"

log = structlog.get_logger("oneorder")
_taken = 0
# Messages taken from a server that then refused to record it: queue and text.
_held: list[tuple[str, str]] = []


def guard_redis_brokers() -> None:
    """Use the guard for every redis:// and rediss:// broker of this process."""
    for scheme in ("redis", "rediss"):
        TRANSPORT_ALIASES[scheme] = "workers.messaging.guard:GuardedTransport"


def messages_taken() -> int:
    """How many messages this process has taken from the broker, malformed ones included."""
    return _taken


class _GuardedClient(kombu_redis.redis.Redis):
    """The client through which kombu takes messages; it passes on valid ones only."""

    def parse_response(self, connection: Any, command_name: str, **options: Any) -> Any:
        global _taken  # Celery makes this class itself; it takes no arguments of ours.
        reply = super().parse_response(connection, command_name, **options)
        if command_name != "BRPOP" or not reply:
            return reply
        key, raw = reply
        queue = key.decode().partition(kombu_redis.Channel.sep)[0]
        if queue.endswith(ANSWERS):
            return reply
        _taken += 1
        try:
            return key, read_message(raw, queue, datetime.now(UTC))
        except MalformedMessage as fault:
            put_aside(raw.decode(errors="backslashreplace"), str(fault))
            # The same result as after a wait without messages.
            return None


class _GuardedQoS(kombu_redis.QoS):
    """kombu's record of unacknowledged messages."""

    def ack(self, delivery_tag: str) -> None:
        self._settle(super().ack, delivery_tag)

    def reject(self, delivery_tag: str, requeue: bool = False) -> None:
        self._settle(super().reject, delivery_tag, requeue)

    def restore_unacked(self, client: Any = None) -> None:
        try:
            super().restore_unacked(client)
        except GuardedTransport.connection_errors as error:
            # They are in the broker's own record, and are delivered again after the visibility
            # timeout.
            log.info("messages_not_restored", count=len(self._delivered), reason=str(error))
            self._delivered.clear()

    def _settle(self, settle: Callable[..., None], delivery_tag: str, *options: Any) -> None:
        """Without the broker's confirmation the message is delivered again; its slot is freed
        anyway, otherwise the worker would take ever fewer messages."""
        try:
            settle(delivery_tag, *options)
        except GuardedTransport.connection_errors as error:
            virtual.QoS.ack(self, delivery_tag)
            log.warning("message_not_acknowledged", reason=str(error))


class _GuardedChannel(kombu_redis.Channel):
    """kombu's channel, whose every failure is a lost connection."""

    QoS = _GuardedQoS
    connection_class = FailoverConnection
    connection_class_ssl = FailoverSSLConnection

    def check_writable(self) -> None:
        """Raise the server's refusal if it answers reads and refuses writes."""
        with self.conn_or_acquire() as client:
            client.set(WRITE_PROBE, "", px=1)

    def basic_ack(self, delivery_tag: str, multiple: bool = False) -> None:
        # A task may end after its channel has closed: nothing can be acknowledged, and the message
        # is delivered again.
        if not self.closed:
            super().basic_ack(delivery_tag, multiple)

    def basic_reject(self, delivery_tag: str, requeue: bool = False) -> None:
        if not self.closed:
            super().basic_reject(delivery_tag, requeue)

    def basic_consume(
        self, queue: str, no_ack: bool, callback: Any, consumer_tag: str, **kwargs: Any
    ) -> None:
        self._give_back()
        super().basic_consume(queue, no_ack, callback, consumer_tag, **kwargs)
        deliver = self.connection._callbacks[queue]

        def deliver_or_hold(raw: object) -> None:
            try:
                deliver(raw)
            except self.connection_errors:
                # It may have been recorded, and is then delivered twice, which is harmless.
                if not no_ack:
                    _held.append((queue, json.dumps(raw)))
                raise

        self.connection._callbacks[queue] = deliver_or_hold

    def _give_back(self) -> None:
        """Return the held messages to the server. Fails while it refuses writes, so that no further
        message is taken from it."""
        while _held:
            queue, text = _held[-1]
            with self.conn_or_acquire() as client:
                client.rpush(queue, text)
            _held.pop()

    def _create_client(self, asynchronous: bool = False) -> Any:
        # kombu removes the parts of a connection one after the other while it closes.
        if self.connection is None or self.connection.client is None:
            raise OperationalError("the channel is closed")
        return super()._create_client(asynchronous)

    def _get_client(self) -> Any:
        client = super()._get_client()
        return _GuardedClient if client is kombu_redis.redis.Redis else client

    def queue_delete(self, *args: Any, **options: Any) -> Any:
        try:
            return super().queue_delete(*args, **options)
        except GuardedTransport.connection_errors as error:
            if not self._closing:
                raise
            # The rest must still be closed.
            log.debug("queue_not_deleted", reason=str(error))

    def _unsubscribe_from(self, queue: str) -> None:
        try:
            super()._unsubscribe_from(queue)
        except GuardedTransport.connection_errors as error:
            # The subscription has ended with its connection.
            log.debug("unsubscribe_failed", queue=queue, reason=str(error))

    def _handle_message(self, client: Any, r: Any) -> Any:
        """Read broadcasts (remote control, events of other workers), and skip malformed ones."""
        found = super()._handle_message(client, r)
        if found["type"] in (b"message", b"pmessage") and found["data"]:
            try:
                found["data"] = read_broadcast(found["data"], found["channel"])
            except MalformedMessage as fault:
                log.warning("broadcast_malformed", error=shown(str(fault)))
                found["data"] = None
        return found

    def _receive_one(self, client: Any) -> Any:
        try:
            return super()._receive_one(client)
        except (
            ArithmeticError,
            AttributeError,
            LookupError,
            RecursionError,
            TypeError,
            ValueError,
        ) as error:
            # A checked broadcast may still be malformed for its receiver in Celery.
            fault = f"{type(error).__name__}: {error}"
            log.warning("broadcast_malformed", error=shown(fault))
            raise kombu_redis.Empty from None


class GuardedTransport(kombu_redis.Transport):
    """The redis:// transport."""

    Channel = _GuardedChannel
    # A server that refuses (full, loading, a replica, not allowed) is treated as unreachable.
    connection_errors = (
        *kombu_redis.Transport.connection_errors,
        kombu_redis.exceptions.ResponseError,
        OperationalError,
    )
