"""Reads the metadata of a signal: its stream entry, its schema version, its accounts."""

import json
import re

from execution.orders.store import Intent
from oneorder.errors import InvalidSignal
from oneorder.sentences import short
from oneorder.signals import ArbitrageSignal, CancelRequest, Message

_ENTRY_ID = re.compile(r"([0-9]{1,20})-([0-9]{1,20})")
_NUMBER_MAX = 2**64 - 1
_VERSION = re.compile(r"[1-9]\d{0,5}")


def real_entry(entry_id: object) -> str | None:
    """The id of a stream entry, from an untrusted message."""
    found = _ENTRY_ID.fullmatch(entry_id) if isinstance(entry_id, str) else None
    if found is None or any(int(number) > _NUMBER_MAX for number in found.groups()):
        return None
    return found[0]


def version_of(version: object) -> int:
    """The schema version of a signal, 1 if it has none. Raises InvalidSignal."""
    if version is None:
        return 1
    if not isinstance(version, bool) and isinstance(version, (int, str)):
        text = version if isinstance(version, str) else short(version)
        if _VERSION.fullmatch(text):
            return int(text)
    raise InvalidSignal(f"v: {short(version)} is not a version of signals")


def accounts_of(message: Message) -> tuple[str, ...]:
    """The accounts that a worker needs to carry out the message; any worker can record a cancel."""
    if isinstance(message, CancelRequest):
        return ()
    if isinstance(message, ArbitrageSignal):
        return (message.buy_account, message.sell_account)
    return (message.account,)


def as_intent(task: str, body: object, entry_id: str | None, version: object) -> Intent:
    """The message as an entry of the stream, which it has or will get."""
    return Intent(entry_id or "", task, text_of(body), str(version_of(version)))


def text_of(body: object) -> str:
    """The body as text: as received, or as JSON."""
    if isinstance(body, str):
        return body
    try:
        return json.dumps(body, default=repr)
    except (TypeError, ValueError, RecursionError):
        return short(body)
