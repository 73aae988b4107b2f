"""Raw Celery messages with faults in every part: `raw_messages(seed)` is endless and repeatable.

None of them may have an effect, end a worker, or print a traceback. Each is a valid message for one
of our tasks with some parts replaced, removed, or nested too deep; or bytes that are no message.
"""

import base64
import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from oneorder.broker import ARBITRAGE, CANCEL, EXECUTE, QUEUES
from workers.views.plain_text import names

Message = dict[str, Any]
SIGNALS = (EXECUTE, CANCEL, ARBITRAGE)
DEEP = 100_000
ODD_VALUES: tuple[object, ...] = (
    None,
    True,
    False,
    0,
    -1,
    10**30,
    1.5,
    float("nan"),
    float("inf"),
    "",
    "x",
    "\x00",
    "\ud800",
    "é",
    "a" * 5_000,
    [],
    [1],
    [[]],
    {},
    {"a": 1},
    {"__type__": "datetime", "__value__": 5},
    {"__type__": "uuid", "__value__": {}},
    {"__type__": [], "__value__": 1},
    "9999-12-31T23:59:59",
    "9999-12-31T23:59:59-12:00",
    "0001-01-01T00:00:00+14:00",
    "not a time",
    "../..",
    "%s%n",
)
_SIGNATURE: Message = {
    "task": "orders.sweep",
    "args": [],
    "kwargs": {},
    "options": {},
    "subtask_type": None,
}
ODD_EMBEDS: tuple[object, ...] = (
    5,
    "x",
    [],
    [1],
    {"chain": [5]},
    {"chain": "x"},
    {"chain": [_SIGNATURE]},
    {"chord": 1},
    {"chord": {"task": None}},
    {"callbacks": [None]},
    {"callbacks": "x"},
    {"callbacks": [[]]},
    {"callbacks": [_SIGNATURE]},
    {"errbacks": [1]},
    {"errbacks": [_SIGNATURE]},
    {"group": [1]},
    {"callbacks": {"task": 5}},
    {"chain": {}, "unknown": [1]},
    {"id": "x", "retries": "many"},
)
HEADERS = names(
    "lang task id shadow eta expires group group_index retries timelimit root_id parent_id "
    "argsrepr kwargsrepr origin ignore_result stamped_headers stamps replaced_task_nesting "
    "compression meth callbacks"
)
PROPERTIES = names("delivery_tag delivery_info body_encoding correlation_id reply_to priority")


@dataclass(frozen=True, slots=True)
class RawMessage:
    """A raw message; `kind` names its fault."""

    kind: str
    queue: str
    raw: bytes


def raw_messages(seed: int) -> Iterator[RawMessage]:
    """An endless sequence of messages, the same ones for the same seed."""
    dice = random.Random(seed)  # noqa: S311  # Nothing secret is drawn.
    while True:
        kind = dice.choice([*_SPOILED, *_MADE])
        queue = dice.choice(sorted({*QUEUES.values()}))
        yield RawMessage(kind, queue, _raw(kind, dice))


def _raw(kind: str, dice: random.Random) -> bytes:
    if kind in _MADE:
        return _MADE[kind](dice)
    message = _harmless(dice)
    _SPOILED[kind](dice, message)
    return _dumped(message)


def sound_message(task: str, args: list[Any], message_id: str, **kwargs: Any) -> Message:
    """A message as written by a producer in another language."""
    return {
        "body": _encoded([args, kwargs, _no_embed()]),
        "content-encoding": "utf-8",
        "content-type": "application/json",
        "headers": {"task": task, "id": message_id, "lang": "py", "retries": 0},
        "properties": {
            "delivery_tag": message_id,
            "delivery_info": {"exchange": "", "routing_key": QUEUES[task]},
            "body_encoding": "base64",
        },
    }


def _no_embed() -> dict[str, None]:
    return dict.fromkeys(("callbacks", "errbacks", "chain", "chord"))


def _encoded(body: object) -> str:
    return base64.b64encode(json.dumps(body).encode()).decode()


def _harmless(dice: random.Random) -> Message:
    """A message that has no effect whichever part is replaced: it lacks required fields."""
    task = dice.choice(SIGNALS)
    body: Message = {"signal_id": f"fuzz-{dice.randrange(10**9)}", "account": "binance-main"}
    return sound_message(task, [body], f"fuzz-{dice.randrange(10**9)}")


def _dumped(message: object) -> bytes:
    return json.dumps(message).encode()


def _odd_header(dice: random.Random, message: Message) -> None:
    for name in dice.sample(HEADERS, dice.randint(1, 3)):
        message["headers"][name] = dice.choice(ODD_VALUES)


def _odd_property(dice: random.Random, message: Message) -> None:
    for name in dice.sample(PROPERTIES, dice.randint(1, 2)):
        message["properties"][name] = dice.choice(ODD_VALUES)


def _odd_delivery(dice: random.Random, message: Message) -> None:
    message["properties"]["delivery_info"][dice.choice(("exchange", "routing_key", "priority"))] = (
        dice.choice(ODD_VALUES)
    )


def _odd_part(dice: random.Random, message: Message) -> None:
    message[dice.choice(list(message))] = dice.choice(ODD_VALUES)


def _part_missing(dice: random.Random, message: Message) -> None:
    owner = dice.choice((message, message["headers"], message["properties"]))
    del owner[dice.choice(sorted(owner))]


def _odd_embed(dice: random.Random, message: Message) -> None:
    message["body"] = _encoded([[{"signal_id": "fuzz"}], {}, dice.choice(ODD_EMBEDS)])


def _odd_body(dice: random.Random, message: Message) -> None:
    body = dice.choice((dice.choice(ODD_VALUES), [dice.choice(ODD_VALUES) for _ in range(3)]))
    message["body"] = _encoded(body)


def _odd_arguments(dice: random.Random, message: Message) -> None:
    odd = dice.choice(ODD_VALUES)
    args = dice.choice(([], [odd], [odd, odd], [{"signal_id": odd}], [{"order_id": odd}], odd))
    kwargs = dice.choice(({}, {"entry_id": odd}, {"self": odd}, {"task_id": odd}, odd))
    message["body"] = _encoded([args, kwargs, _no_embed()])


def _upkeep_arguments(dice: random.Random) -> bytes:
    task = dice.choice([name for name in QUEUES if name not in SIGNALS])
    odd = dice.choice(ODD_VALUES)
    body = dice.choice(([1, 2], [odd, odd], [{"account": odd, "x": 1}], [{"account": "nowhere"}]))
    return _dumped(sound_message(task, body, f"fuzz-{dice.randrange(10**9)}"))


def _deep(dice: random.Random) -> bytes:
    depth = dice.choice((40, 500, 900, 5_000, DEEP))
    nest = dice.choice(("[" * depth + "]" * depth, '{"a":' * depth + "1" + "}" * depth))
    message = _harmless(dice)
    where = dice.choice(("envelope", "body", "arguments", "header"))
    if where == "envelope":
        return nest.encode()
    if where == "header":
        text = json.dumps({**message, "headers": "HERE"})
        return text.replace('"HERE"', f'{{"task": "orders.execute", "id": {nest}}}').encode()
    text = nest if where == "body" else f"[[{nest}], {{}}, {{}}]"
    message["body"] = base64.b64encode(text.encode()).decode()
    return _dumped(message)


def _odd_encoding(dice: random.Random, message: Message) -> None:
    message["properties"]["body_encoding"] = dice.choice(
        ("zip", "BASE64", "hex", "rot13", "utf-8", "utf-16", "", 5, [], {"a": 1})
    )
    message["content-encoding"] = dice.choice(("utf-8", "utf-16", "latin-1", "no such", "", 5, []))
    message["content-type"] = dice.choice(
        (
            "application/json",
            "application/x-python-serialize",
            "text/plain",
            "application/data",
            "application/x-yaml",
            "",
            None,
            5,
            [],
        )
    )


def _first_protocol(dice: random.Random, message: Message) -> None:
    odd = dice.choice(ODD_VALUES)
    body: Message = {
        "task": "orders.execute",
        "id": "fuzz",
        "args": [{"signal_id": "fuzz"}],
        "kwargs": {},
    }
    body[dice.choice(("task", "id", "args", "kwargs", "eta", "expires", "callbacks"))] = odd
    message["headers"] = {}
    message["body"] = _encoded(body)


def _cut(dice: random.Random) -> bytes:
    raw = _dumped(_harmless(dice))
    return raw[: dice.randrange(len(raw))]


def _flipped(dice: random.Random) -> bytes:
    raw = bytearray(_dumped(_harmless(dice)))
    for _ in range(dice.randint(1, 5)):
        raw[dice.randrange(len(raw))] = dice.randrange(256)
    return bytes(raw)


def _noise(dice: random.Random) -> bytes:
    return dice.randbytes(dice.randrange(200))


def _a_value(dice: random.Random) -> bytes:
    return _dumped(dice.choice(ODD_VALUES))


# What is done to a sound message.
_SPOILED: dict[str, Callable[[random.Random, Message], None]] = {
    "odd header": _odd_header,
    "odd property": _odd_property,
    "odd delivery": _odd_delivery,
    "odd part": _odd_part,
    "part missing": _part_missing,
    "odd embed": _odd_embed,
    "odd body": _odd_body,
    "odd arguments": _odd_arguments,
    "odd encoding": _odd_encoding,
    "first protocol": _first_protocol,
}
# What takes the place of one.
_MADE: dict[str, Callable[[random.Random], bytes]] = {
    "upkeep arguments": _upkeep_arguments,
    "nested deep": _deep,
    "cut": _cut,
    "flipped bytes": _flipped,
    "noise": _noise,
    "a value": _a_value,
}
