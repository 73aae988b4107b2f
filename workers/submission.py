"""Publishes what a file or a command line asks for."""

import json
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Any

from execution.identifiers import arbitrage_id_of, order_id_of
from signals import (
    ArbitrageSignal,
    CancelRequest,
    InvalidSignal,
    OrderSignal,
    parse_signal,
    publish_arbitrage,
    publish_cancel,
    publish_order,
)
from signals.messages import BODY_MAX, is_signal_id
from workers.envelopes import accounts_of


def submit_lines(
    lines: Iterable[str], check: Callable[[OrderSignal | ArbitrageSignal], None] = lambda _: None
) -> Iterator[dict[str, Any]]:
    """Publish each line's signal; yield its signal id with the id of its order or arbitrage, or
    with the error. `check` sees each signal before it is published."""
    for line in lines:
        if line.strip():
            yield submit_line(line, check)


def submit_line(
    line: str, check: Callable[[OrderSignal | ArbitrageSignal], None] = lambda _: None
) -> dict[str, Any]:
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
    """The signal id of a line that is refused, if it can be read at all."""
    try:
        found = json.loads(line[:BODY_MAX]).get("signal_id")
    except (ValueError, AttributeError, RecursionError):
        return None
    # It may be anything: what is no signal id is not repeated.
    return found if isinstance(found, str) and is_signal_id(found) else None


def unknown_accounts(signal: OrderSignal | ArbitrageSignal, accounts: Collection[str]) -> list[str]:
    """Those of the signal's accounts that are not among these, where there are any to compare."""
    named = accounts_of(signal)
    return [name for name in named if name not in accounts] if accounts else []
