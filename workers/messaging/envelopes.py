"""Checks raw Celery messages: a valid one is rebuilt from its known parts alone, any other is
refused.

Celery and kombu do not check most parts of an envelope, and carry out what else it requests:
callbacks, chains, groups, time limits, compression. Our tasks use none of that, so only what they
need is passed on.
"""

import binascii
import json
from base64 import b64decode, b64encode
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from kombu.utils.json import dumps, loads

from oneorder.broker import (
    ADVANCE,
    ADVANCE_ARBITRAGE,
    QUEUES,
    RECONCILE,
    TAKE,
    VISIBILITY_TIMEOUT_S,
)

NESTING_MAX = 32
RETRIES_MAX = 1_000
# How often one message may be passed on until a worker takes it; then the sweep sends a new one.
HOPS_MAX = 8
ID_LENGTH_MAX = 255
TEXT_LENGTH_MAX = 1_024
# Texts that name the sender of a message; Celery only displays them.
_SHOWN = ("lang", "origin", "argsrepr", "kwargsrepr", "root_id", "parent_id")
_UTF_8 = ("utf-8", "utf8", "ascii", "us-ascii", "binary")
_TAKE_AN_ID = (ADVANCE, ADVANCE_ARBITRAGE, TAKE)
# Celery's names of what else the body of a message can request.
_EMBED = ("callbacks", "errbacks", "chain", "chord")


class MalformedMessage(Exception):
    """The message is malformed; the sentence names the part and the fault."""


def read_message(raw: bytes, queue: str, now: datetime) -> bytes:
    """Return the message with only the parts that our tasks need, all of them checked.

    If it is put back, it goes to `queue` whatever its envelope says, under a new delivery tag, so
    that two messages with one tag do not replace each other. Raises MalformedMessage.
    """
    headers, _, body = open_envelope(raw)
    headers, parts = _second_protocol(headers, body)
    task = _task(headers)
    args, kwargs = _arguments(parts)
    _check_upkeep(task, args, kwargs)
    payload: str = dumps([args, kwargs, {}])
    return json.dumps(
        {
            "body": b64encode(payload.encode()).decode(),
            "content-encoding": "utf-8",
            "content-type": "application/json",
            "headers": _sound_headers(headers, task, now),
            "properties": {
                "body_encoding": "base64",
                "correlation_id": headers["id"],
                "delivery_info": {"exchange": "", "routing_key": queue},
                "delivery_tag": uuid4().hex,
                "priority": 0,
            },
        }
    ).encode()


def open_envelope(raw: bytes) -> tuple[dict[str, Any], dict[str, Any], object]:
    """The headers, the delivery information and the decoded body of a message, which may still hold
    anything. Raises MalformedMessage."""
    envelope = _object(_json(raw, "envelope"), "envelope")
    properties = _object(envelope.get("properties"), "properties")
    if not isinstance(properties.get("delivery_tag"), str):
        raise MalformedMessage("properties.delivery_tag: is not a string")
    delivery = _object(properties.get("delivery_info"), "properties.delivery_info")
    headers = _object(envelope.get("headers", {}), "headers")
    if envelope.get("content-type") != "application/json":
        raise MalformedMessage(f"message: its content-type is {_shown(envelope, 'content-type')}")
    encoding = envelope.get("content-encoding", "utf-8")
    if not isinstance(encoding, str) or encoding.lower() not in _UTF_8:
        raise MalformedMessage(
            f"message: its content-encoding is {_shown(envelope, 'content-encoding')}"
        )
    if headers.get("compression"):
        raise MalformedMessage("headers.compression: compressed messages are not taken")
    body = _json(_body_bytes(envelope.get("body"), properties.get("body_encoding")), "body")
    return headers, delivery, body


def _json(raw: bytes, what: str) -> object:
    """Decode with kombu's own decoder, which turns tagged objects into decimals and times."""
    try:
        decoded: object = loads(raw.decode())
    except RecursionError:
        raise MalformedMessage(f"{what}: is nested more than {NESTING_MAX} deep") from None
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise MalformedMessage(f"{what}: is not JSON: {error!s:.200}") from None
    _check_tree(decoded, what)
    return decoded


def _check_tree(decoded: object, what: str) -> None:
    """Refuse values that JSON can carry and later steps cannot handle. Does not recurse."""
    level: list[object] = [decoded]
    for _ in range(NESTING_MAX):
        below: list[object] = []
        for node in level:
            if isinstance(node, dict):
                below.extend(node)
                below.extend(node.values())
            elif isinstance(node, list):
                below.extend(node)
            elif isinstance(node, str) and not node.isascii():
                _check_text(node, what)
        if not below:
            return
        level = below
    raise MalformedMessage(f"{what}: is nested more than {NESTING_MAX} deep")


def _check_text(text: str, what: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise MalformedMessage(f"{what}: has half a character in {text[:40]!r}") from None


def _object(decoded: object, what: str) -> dict[str, Any]:
    if not isinstance(decoded, dict):
        kind = "a JSON object" if what == "envelope" else "an object"
        raise MalformedMessage(f"{what}: is not {kind}")
    return decoded


def _shown(parts: Mapping[str, object], name: str) -> str:
    return repr(parts.get(name))[:80]


def _body_bytes(body: object, encoding: object) -> bytes:
    if not isinstance(body, str):
        raise MalformedMessage("body: is not a string")
    if encoding is None or (isinstance(encoding, str) and encoding.lower() == "utf-8"):
        return body.encode()
    if encoding != "base64":
        raise MalformedMessage(f"properties.body_encoding: {encoding!r:.80} is not base64 or utf-8")
    try:
        return b64decode(body, validate=True)
    except (binascii.Error, ValueError):
        raise MalformedMessage("body: is not base64") from None


def _second_protocol(headers: dict[str, Any], body: object) -> tuple[dict[str, Any], object]:
    """Convert a message of Celery's protocol 1, with everything in its body, to protocol 2."""
    if "task" in headers or not isinstance(body, dict):
        return headers, body
    embed = {name: body.get(name) for name in _EMBED}
    return {**body, "headers": None}, [body.get("args", []), body.get("kwargs", {}), embed]


def _task(headers: Mapping[str, Any]) -> str:
    task = headers.get("task")
    if task is None:
        raise MalformedMessage("message: names no task")
    if not isinstance(task, str) or task not in QUEUES:
        raise MalformedMessage(f"task: {task!r:.80} is not known")
    message_id = headers.get("id")
    if not isinstance(message_id, str) or not 0 < len(message_id) <= ID_LENGTH_MAX:
        raise MalformedMessage(f"headers.id: {message_id!r:.80} is not a short text")
    return task


def _arguments(parts: object) -> tuple[list[Any], dict[str, Any]]:
    if not isinstance(parts, list) or len(parts) != 3:
        raise MalformedMessage("body: is not a list of arguments, keywords and options")
    args, kwargs, embed = parts
    if not isinstance(args, list):
        raise MalformedMessage("body: its arguments are not a list")
    if not isinstance(kwargs, dict):
        raise MalformedMessage("body: its keywords are not an object")
    if "self" in kwargs:
        raise MalformedMessage("message: a task takes no keyword 'self'")
    if not isinstance(embed, (dict, type(None))):
        raise MalformedMessage("body: its options are not an object")
    asked = sorted(name for name, value in (embed or {}).items() if value)
    if asked:
        names = ", ".join(asked)[:80]
        raise MalformedMessage(f"body: our tasks take no callbacks, chains or groups ({names})")
    return args, kwargs


def _check_upkeep(task: str, args: list[Any], kwargs: dict[str, Any]) -> None:
    """Refuse wrong arguments of tasks; Celery would pass them on unchecked."""
    if task in _TAKE_AN_ID:
        if len(args) != 1 or not _are_hops(kwargs) or not isinstance(args[0], str):
            raise MalformedMessage(f"message: {task} takes one argument, an id")
    elif task == RECONCILE:
        if (
            len(args) > 1
            or not _are_hops(kwargs)
            or not _names_an_account(args[0] if args else None)
        ):
            raise MalformedMessage(f'message: {task} takes one argument, {{"account": NAME}}')
    elif QUEUES[task] == "upkeep" and (args or kwargs):
        raise MalformedMessage(f"message: {task} takes no arguments")


def _are_hops(kwargs: Mapping[str, Any]) -> bool:
    """Whether there are no keywords, or only the number of times the message was passed on."""
    hops = kwargs.get("hops", 0)
    return set(kwargs) <= {"hops"} and type(hops) is int and 0 <= hops <= HOPS_MAX


def _names_an_account(body: object) -> bool:
    """Whether this is {"account": NAME}, or None for all accounts."""
    if not isinstance(body, dict):
        return body is None
    return set(body) <= {"account"} and isinstance(body.get("account"), (str, type(None)))


def _sound_headers(headers: Mapping[str, Any], task: str, now: datetime) -> dict[str, Any]:
    """The headers that Celery acts on, checked, and those that it displays, cut; no others."""
    sound: dict[str, Any] = {"task": task, "id": headers["id"], "retries": _retries(headers)}
    for name in _SHOWN:
        text = headers.get(name)
        sound[name] = text[:TEXT_LENGTH_MAX] if isinstance(text, str) else None
    eta, expires = _moment(headers, "eta"), _moment(headers, "expires")
    if eta is not None and eta > now + timedelta(seconds=VISIBILITY_TIMEOUT_S):
        raise MalformedMessage(
            f"headers.eta: {eta.isoformat()} is more than {VISIBILITY_TIMEOUT_S} s ahead"
        )
    for name, moment in (("eta", eta), ("expires", expires)):
        sound[name] = None if moment is None else moment.isoformat()
    return sound


def _retries(headers: Mapping[str, Any]) -> int:
    retries = headers.get("retries")
    if retries is None:
        return 0
    if type(retries) is not int or not 0 <= retries <= RETRIES_MAX:
        raise MalformedMessage(f"headers.retries: {retries!r:.80} is not a number of retries")
    return retries


def _moment(headers: Mapping[str, Any], name: str) -> datetime | None:
    """An ISO 8601 time, in UTC; without a zone it counts as UTC."""
    text = headers.get(name)
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
        return moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        raise MalformedMessage(f"headers.{name}: {text!r:.80} is not a time") from None
