"""Keeps a malformed message from ending a worker, and the message from being lost.

Celery 5.7 on Redis lets an exception escape from its event loop for an envelope that is not JSON,
or that lacks its parts, and for a body that is not one: the worker ends, the message is delivered
to the next worker, and ends that too. Here such a message is put aside with its reason instead.
"""

import binascii
import json
from base64 import b64decode
from collections.abc import Callable
from typing import Any, TypeVar

import structlog
from celery.worker.consumer import Consumer
from kombu.transport import redis as kombu_redis

from execution.ports import StoreUnavailable

C = TypeVar("C", bound=type)
Keep = Callable[[str, str], None]

_keep: Keep | None = None


def keep_malformed_with(keep: Keep) -> None:
    """Say where malformed messages go: `keep(text, reason)` is called for each."""
    global _keep  # Celery makes these classes itself; they take no arguments of ours.
    _keep = keep


def _put_aside(text: str, reason: str) -> None:
    structlog.get_logger("oneorder").error("malformed_message", reason=reason, text=text)
    try:
        if _keep is not None:
            _keep(text, reason)
    except StoreUnavailable as error:
        # The line above has the whole text; the worker goes on.
        structlog.get_logger("oneorder").error("malformed_message_not_kept", error=str(error))


def envelope_fault(raw: object) -> str | None:
    """Say what a decoded envelope lacks of what kombu takes for granted, None for nothing."""
    if not isinstance(raw, dict):
        return "envelope: is not a JSON object"
    properties = raw.get("properties")
    if not isinstance(properties, dict):
        return "properties: is not an object"
    if not isinstance(properties.get("delivery_tag"), str):
        return "properties.delivery_tag: is not a string"
    if not isinstance(properties.get("delivery_info"), dict):
        return "properties.delivery_info: is not an object"
    if not isinstance(raw.get("headers", {}), dict):
        return "headers: is not an object"
    return _body_fault(raw.get("body"), properties.get("body_encoding"))


def _body_fault(body: object, encoding: object) -> str | None:
    if not isinstance(body, str):
        return "body: is not a string"
    if encoding == "base64":
        try:
            b64decode(body, validate=True)
        except binascii.Error:
            return "body: is not base64"
    return None


class _GuardedChannel(kombu_redis.Channel):
    """kombu's channel, reading past what is no message."""

    def basic_consume(
        self, queue: str, no_ack: bool, callback: Any, consumer_tag: str, **kwargs: Any
    ) -> None:
        super().basic_consume(queue, no_ack, callback, consumer_tag, **kwargs)
        deliver = self.connection._callbacks[queue]

        def deliver_if_sound(raw: object) -> None:
            fault = envelope_fault(raw)
            if fault is None:
                deliver(raw)
            else:
                _put_aside(json.dumps(raw), fault)

        self.connection._callbacks[queue] = deliver_if_sound

    def _brpop_read(self, **options: Any) -> Any:
        try:
            return super()._brpop_read(**options)
        except json.JSONDecodeError as error:
            _put_aside(error.doc, "envelope: is not JSON")
            return True


class GuardedTransport(kombu_redis.Transport):
    """The redis:// transport."""

    Channel = _GuardedChannel


class GuardedConsumer(Consumer):
    """Celery's consumer, which rejects a message that it cannot read instead of ending."""

    def create_task_handler(self, *args: Any, **kwargs: Any) -> Callable[[Any], Any]:
        handle = super().create_task_handler(*args, **kwargs)

        def handle_or_reject(message: Any) -> Any:
            try:
                return handle(message)
            except (TypeError, ValueError, LookupError, AttributeError) as error:
                _put_aside(_text_of(message), f"message: {type(error).__name__}: {error}")
                return message.reject()

        return handle_or_reject

    def on_unknown_message(self, body: Any, message: Any) -> None:
        _put_aside(_text_of(message), "message: names no task")
        super().on_unknown_message(body, message)

    def on_unknown_task(self, body: Any, message: Any, exc: Any) -> None:
        _put_aside(_text_of(message), f"task: {message.headers.get('task')!r} is not known")
        super().on_unknown_task(body, message, exc)

    def on_decode_error(self, message: Any, exc: Exception) -> None:
        _put_aside(_text_of(message), f"body: {exc}")
        super().on_decode_error(message, exc)

    def on_invalid_task(self, body: Any, message: Any, exc: Any) -> None:
        _put_aside(_text_of(message), f"message: {exc}")
        super().on_invalid_task(body, message, exc)


def _text_of(message: Any) -> str:
    body = message.body
    return body.decode(errors="replace") if isinstance(body, bytes) else str(body)
