"""Broadcasts on the channels of Celery's remote control and events, wrong in every part.

Commands that are right are the business of whoever may use remote control; none of these is.
"""

import base64
import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from tests.fuzz.odd import ODD_VALUES, nested

CONTROL = "/0.celery.pidbox"
EVENTS = ("/0.celeryev/worker.heartbeat", "/0.celeryev/worker.online", "/0.celeryev/worker.elect")
COMMANDS = (
    "ping", "stats", "report", "conf", "active", "shutdown", "pool_grow", "pool_shrink", "revoke",
    "rate_limit", "time_limit", "add_consumer", "cancel_consumer", "autoscale", "terminate",
    "query_task", "election", "hello", "enable_events", "heartbeat", "memdump", "objgraph",
)  # fmt: skip
COMMAND_PARTS = ("method", "destination", "pattern", "matcher", "reply_to", "ticket")
EVENT = {
    "type": "worker-heartbeat", "hostname": "fuzz@nowhere", "timestamp": 1e9, "clock": 1,
    "utcoffset": 0, "pid": 1, "freq": 2.0, "sw_ident": "py-celery", "sw_ver": "5", "sw_sys": "x",
    "active": 0, "processed": 0, "loadavg": [0, 0, 0],
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Broadcast:
    """What to PUBLISH on which channel."""

    kind: str
    channel: str
    raw: bytes


def broadcasts(seed: int) -> Iterator[Broadcast]:
    """Draw broadcasts without an end, the same ones for the same seed."""
    dice = random.Random(seed)
    while True:
        kind = dice.choice(list(_KINDS))
        yield Broadcast(kind, dice.choice((CONTROL, *EVENTS)), _KINDS[kind](dice))


def enveloped(body: object) -> dict[str, Any]:
    """A broadcast as Celery writes it."""
    return {
        "body": base64.b64encode(json.dumps(body).encode()).decode(),
        "content-encoding": "utf-8",
        "content-type": "application/json",
        "headers": {"clock": 1, "hostname": "fuzz@nowhere"},
        "properties": {
            "delivery_tag": "fuzz",
            "delivery_info": {"exchange": "celeryev", "routing_key": "worker.heartbeat"},
            "body_encoding": "base64",
        },
    }


def _dumped(message: object) -> bytes:
    return json.dumps(message).encode()


def _command(dice: random.Random) -> bytes:
    """No command takes such an argument."""
    body = {"method": dice.choice(COMMANDS), "arguments": {"no_such": dice.choice(ODD_VALUES)}}
    if dice.random() < 0.5:
        body["reply_to"] = {"exchange": "fuzz", "routing_key": "fuzz"}
        body["ticket"] = "fuzz"
    return _dumped(enveloped(body))


def _odd_command(dice: random.Random) -> bytes:
    body = {"method": "ping", "arguments": {}}
    for name in dice.sample(COMMAND_PARTS, dice.randint(1, 3)):
        body[name] = dice.choice((*ODD_VALUES, "(a+)+$", "pcre", "no such"))
    if dice.random() < 0.3:
        body["arguments"] = dice.choice(ODD_VALUES)
    return _dumped(enveloped(body))


def _odd_event(dice: random.Random) -> bytes:
    body: dict[str, Any] = dict(EVENT)
    for name in dice.sample(sorted(EVENT), dice.randint(1, 3)):
        body[name] = dice.choice(ODD_VALUES)
    body[dice.choice(("heartbeats", "event", "id", "__class__", "topic"))] = dice.choice(ODD_VALUES)
    return _dumped(enveloped(dice.choice((body, [body], [body, 5]))))


def _election(dice: random.Random) -> bytes:
    """The winner of an election would carry the action out."""
    kind = dice.choice(("worker-elect", "worker-elect-ack", "worker-unheard-of"))
    body = {
        **EVENT,
        "type": kind,
        "id": "fuzz",
        "topic": "task",
        "action": {"task": "x"},
        "cver": 1,
    }
    if dice.random() < 0.5:
        del body[dice.choice(sorted(body))]
    return _dumped(enveloped(body))


def _odd_part(dice: random.Random) -> bytes:
    message = enveloped(dict(EVENT))
    owner = dice.choice((message, message["headers"], message["properties"]))
    name = dice.choice(sorted(owner))
    if dice.random() < 0.3:
        del owner[name]
    else:
        owner[name] = dice.choice(ODD_VALUES)
    return _dumped(message)


def _odd_body(dice: random.Random) -> bytes:
    return _dumped(enveloped(dice.choice(ODD_VALUES)))


def _deep(dice: random.Random) -> bytes:
    text = nested(dice.choice((40, 900, 5_000)), dice)
    if dice.random() < 0.5:
        return text.encode()
    body = base64.b64encode(text.encode()).decode()
    return _dumped({**enveloped(None), "body": body})


def _noise(dice: random.Random) -> bytes:
    raw = bytearray(_dumped(enveloped(dict(EVENT))))
    for _ in range(dice.randint(1, 5)):
        raw[dice.randrange(len(raw))] = dice.randrange(256)
    return dice.choice((b"\xff" + dice.randbytes(50), bytes(raw[: dice.randrange(len(raw))]), b"x"))


def _a_value(dice: random.Random) -> bytes:
    return _dumped(dice.choice(ODD_VALUES))


_KINDS: dict[str, Callable[[random.Random], bytes]] = {
    "command with a wrong argument": _command,
    "odd command": _odd_command,
    "odd event": _odd_event,
    "election": _election,
    "odd part": _odd_part,
    "odd body": _odd_body,
    "nested deep": _deep,
    "noise": _noise,
    "a value": _a_value,
}
