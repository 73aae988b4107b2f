"""Publishes what a file or a command line asks for."""

import json
from codecs import BOM_UTF8
from collections.abc import Iterable, Iterator
from typing import Any

from execution.identifiers import arbitrage_id_of, order_id_of
from signals import (
    ArbitrageSignal,
    CancelRequest,
    InvalidSignal,
    parse_signal,
    publish_arbitrage,
    publish_cancel,
    publish_order,
)


def submit_lines(lines: Iterable[bytes]) -> Iterator[dict[str, Any]]:
    """Publish each line's signal; yield its signal id with the id of its order or arbitrage, or
    with the error. A byte order mark before the first line is no part of it."""
    for number, raw in enumerate(lines):
        line = raw if number else raw.removeprefix(BOM_UTF8)
        if line.strip():
            yield submit_line(line)


def submit_line(raw: bytes) -> dict[str, Any]:
    try:
        line = raw.decode()
    except UnicodeDecodeError as error:
        return {"signal_id": None, "error": f"line: is not UTF-8 (byte {error.start + 1} of it)"}
    try:
        signal = parse_signal(line)
    except InvalidSignal as error:
        return {"signal_id": _signal_id(line), "error": str(error)}
    if isinstance(signal, ArbitrageSignal):
        publish_arbitrage(signal)
        arbitrage_id = arbitrage_id_of(signal.signal_id)
        return {"signal_id": signal.signal_id, "arbitrage_id": arbitrage_id}
    publish_order(signal)
    return {"signal_id": signal.signal_id, "order_id": order_id_of(signal.signal_id)}


def submit_cancel(order_id: str) -> str:
    """Publish a cancel; return its entry in the signal stream."""
    return publish_cancel(CancelRequest(order_id=order_id)).entry_id


def _signal_id(line: str) -> str | None:
    """The signal id of a line that is refused, if it can be read at all."""
    try:
        found = json.loads(line).get("signal_id")
    except (ValueError, AttributeError, RecursionError):
        return None
    return found if isinstance(found, str) else None
