"""Publishes the signals of a file or a command line."""

import json
from codecs import BOM_UTF8
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Any

from oneorder import (
    ArbitrageSignal,
    CancelRequest,
    InvalidSignal,
    OrderSignal,
    parse_signal,
    publish_arbitrage,
    publish_cancel,
    publish_order,
)
from oneorder.identifiers import arbitrage_id_of, order_id_of
from oneorder.signals import BODY_MAX, is_signal_id
from workers.intake.entries import accounts_of

Check = Callable[[OrderSignal | ArbitrageSignal], None]


def submit_lines(lines: Iterable[bytes], check: Check = lambda _: None) -> Iterator[dict[str, Any]]:
    """Publish each line's signal; yield its signal id with the id of its order or arbitrage, or
    with the error. `check` sees each signal before it is published. A byte order mark before the
    first line is no part of it."""
    for number, raw in enumerate(lines):
        line = raw if number else raw.removeprefix(BOM_UTF8)
        if line.strip():
            yield submit_line(line, check)


def submit_line(raw: bytes, check: Check = lambda _: None) -> dict[str, Any]:
    try:
        line = raw.decode()
    except UnicodeDecodeError as error:
        return {"signal_id": None, "error": f"line: is not UTF-8 (byte {error.start + 1} of it)"}
    try:
        signal = parse_signal(line)
    except InvalidSignal as error:
        return {"signal_id": _signal_id(line), "error": str(error)}
    check(signal)
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
    """The signal id of a refused line, if it can be read."""
    try:
        signal_id = json.loads(line[:BODY_MAX]).get("signal_id")
    except (ValueError, AttributeError, RecursionError):
        return None
    # It may be anything: an invalid signal id is not repeated.
    return signal_id if isinstance(signal_id, str) and is_signal_id(signal_id) else None


def unknown_accounts(signal: OrderSignal | ArbitrageSignal, accounts: Collection[str]) -> list[str]:
    """Those of the signal's accounts that are not among these, if there are any to compare."""
    named = accounts_of(signal)
    return [name for name in named if name not in accounts] if accounts else []
