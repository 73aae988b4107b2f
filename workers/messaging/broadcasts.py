"""Checks broadcasts: remote control commands, and the events of workers.

Anything can be published on their channels. What is not a valid broadcast is skipped with one line
in the log; Celery alone would print a traceback or reconnect for many of them.
"""

import inspect
import json
from base64 import b64encode
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

import structlog
from kombu.pidbox import Node
from kombu.utils.json import dumps

from workers.messaging.envelopes import MalformedMessage, open_envelope

NAME_LENGTH_MAX = 255
CLOCK_MAX = 2**62
HOURS_MAX = 24
_NUMBERS = (int, float)
# The fields of a worker's event, with their types.
_EVENT_FIELDS: Mapping[str, type | tuple[type, ...]] = {
    "hostname": str,
    "type": str,
    "timestamp": _NUMBERS,
    "clock": int,
    "utcoffset": _NUMBERS,
    "pid": int,
    "freq": _NUMBERS,
    "sw_ident": str,
    "sw_ver": str,
    "sw_sys": str,
    "active": int,
    "processed": int,
    "loadavg": list,
}
# Commands whose additional arguments are options of what they create.
_TAKE_MORE = ("add_consumer",)
_WORKER_EVENTS = ("worker-online", "worker-heartbeat", "worker-offline")

log = structlog.get_logger("oneorder")


def read_broadcast(raw: bytes, channel: bytes) -> bytes:
    """Return the broadcast with only the parts that Celery needs, all of them checked.

    The channel is named as in kombu, "/0.celery.pidbox" or "/0.celeryev/worker.heartbeat". Raises
    MalformedMessage.
    """
    headers, delivery, body = open_envelope(raw)
    exchange = channel.decode(errors="replace").partition(".")[2].partition("/")[0]
    sound: object
    kept: dict[str, object]
    if exchange.endswith("pidbox"):
        sound, kept = _command(body), {"clock": _clock(headers.get("clock"), "headers.clock")}
    else:
        sound, kept = _events(body), {"hostname": _text(headers, "hostname")}
    payload: str = dumps(sound)
    return json.dumps(
        {
            "body": b64encode(payload.encode()).decode(),
            "content-encoding": "utf-8",
            "content-type": "application/json",
            "headers": kept,
            "properties": {
                "body_encoding": "base64",
                "delivery_info": {
                    "exchange": exchange,
                    "routing_key": _text(delivery, "routing_key") or "",
                },
                "delivery_tag": uuid4().hex,
                "priority": 0,
            },
        }
    ).encode()


def _command(body: object) -> dict[str, Any]:
    """A remote control command; its arguments are checked when it is carried out."""
    if not isinstance(body, dict):
        raise MalformedMessage("broadcast: the command is not an object")
    method = _text(body, "method")
    if not method:
        raise MalformedMessage("broadcast: names no method")
    arguments = body.get("arguments") or {}
    if not isinstance(arguments, dict):
        raise MalformedMessage("broadcast: the arguments of the command are not an object")
    destination = body.get("destination") or None
    if destination is not None and not (
        isinstance(destination, list) and all(isinstance(name, str) for name in destination)
    ):
        raise MalformedMessage("broadcast: its destination is not a list of names")
    matcher = _text(body, "matcher")
    if matcher not in (None, "glob"):
        # A regular expression may block the event loop forever.
        raise MalformedMessage("broadcast: its matcher is not glob")
    return {
        "method": method,
        "arguments": arguments,
        "destination": destination,
        "pattern": _text(body, "pattern"),
        "matcher": matcher,
        "ticket": _text(body, "ticket"),
        "reply_to": _reply_to(body.get("reply_to")),
    }


def _reply_to(address: object) -> dict[str, Any] | None:
    if address is None:
        return None
    if not isinstance(address, dict):
        raise MalformedMessage("broadcast: its reply_to is not an object")
    parts = {name: _text(address, name) for name in ("exchange", "routing_key")}
    if not all(parts.values()):
        raise MalformedMessage("broadcast: its reply_to lacks an exchange or a routing_key")
    return parts


def _events(body: object) -> object:
    """One event, or a list of them, as Celery sends them."""
    if isinstance(body, list):
        return [_event(each) for each in body]
    return _event(body)


def _event(body: object) -> dict[str, Any]:
    if not isinstance(body, dict):
        raise MalformedMessage("broadcast: the event is not an object")
    kind = _text(body, "type")
    if not kind or not _text(body, "hostname"):
        raise MalformedMessage("broadcast: the event lacks its type or hostname")
    if kind.startswith("worker-") and kind not in _WORKER_EVENTS:
        # In an election a worker carries out whatever the winner requests.
        raise MalformedMessage(f"broadcast: events of type {kind!r:.80} are not taken")
    is_workers = kind in _WORKER_EVENTS
    sound = {name: body[name] for name in body if not is_workers or name in _EVENT_FIELDS}
    for name, wanted in _EVENT_FIELDS.items():
        value = sound.get(name)
        if value is not None and (isinstance(value, bool) or not isinstance(value, wanted)):
            raise MalformedMessage(f"broadcast: {name} of the event is {value!r:.80}")
    return {
        **sound,
        "clock": _clock(sound.get("clock"), "clock"),
        "timestamp": _within(sound.get("timestamp"), CLOCK_MAX, "timestamp"),
        "utcoffset": _within(sound.get("utcoffset"), HOURS_MAX, "utcoffset"),
    }


def _clock(value: object, name: str) -> int:
    """A value of the workers' shared logical clock."""
    if value is None:
        return 0
    if type(value) is not int or not 0 <= value <= CLOCK_MAX:
        raise MalformedMessage(f"broadcast: {name} is {value!r:.80}")
    return value


def _within(value: Any, bound: int, name: str) -> Any:
    # Both comparisons are false for NaN.
    if value is not None and not -bound <= value <= bound:
        raise MalformedMessage(f"broadcast: {name} of the event is {value!r:.80}")
    return value or 0


def _text(parts: Mapping[str, Any], name: str) -> str | None:
    value = parts.get(name)
    if value is not None and not (isinstance(value, str) and len(value) <= NAME_LENGTH_MAX):
        raise MalformedMessage(f"broadcast: {name} is not a short text: {value!r:.80}")
    return value


class GuardedNode(Node):
    """A worker's side of remote control. A failed command is one line in the log."""

    def dispatch(
        self, method: Any, arguments: Any = None, reply_to: Any = None, ticket: Any = None, **_: Any
    ) -> Any:
        """Carry out a command and reply, if a reply is requested."""
        try:
            self._check_arguments(method, arguments or {})
            answer = self.handle(method, arguments)
        except SystemExit:
            raise
        except Exception as error:  # noqa: BLE001  # It must not affect anything else that runs here.
            fault = f"{type(error).__name__}: {error}"
            log.warning("control_command_failed", method=method[:80], error=fault[:500])
            answer = {"error": fault}
        if reply_to:
            self.reply({self.hostname: answer}, ticket=ticket, **reply_to)
        return answer

    def _check_arguments(self, method: str, arguments: Mapping[str, Any]) -> None:
        """Raise ValueError for an argument that the command does not have. Celery would ignore it,
        and end the worker for a "shutdown" with wrong arguments."""
        command = (self.handlers or {}).get(method)
        if command is None or method in _TAKE_MORE:
            return
        # The first parameter is the worker's state.
        named = list(inspect.signature(command).parameters)[1:]
        unknown = sorted(set(arguments) - set(named))
        if unknown:
            raise ValueError(f"{method} takes no argument {unknown[0]!r:.80}")
