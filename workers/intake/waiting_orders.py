"""The orders that waiting signals would become: a cancel may be for one of these."""

import json
import time
from threading import Lock

from execution.operations.waiting_intents import WaitingStore
from execution.orders.store import Intent, IntentStore
from oneorder.broker import EXECUTE
from oneorder.identifiers import order_id_of

# How long an answer is cached, so that not every cancel reads all waiting signals.
AGE_MAX_S = 1


class WaitingOrders:
    """Waiting order signals, by the ids of their orders."""

    def __init__(self, intents: IntentStore, waiting: WaitingStore) -> None:
        self._intents = intents
        self._waiting = waiting
        self._lock = Lock()
        self._entries: dict[str, list[str]] = {}
        self._read_at: int | None = None

    def of(self, order_id: str) -> list[Intent]:
        """The signals that still wait and would become that order; one that was just set aside may
        be missing."""
        found = (self._waiting.intent(entry_id) for entry_id in self._by_order().get(order_id, ()))
        return [intent for intent in found if intent is not None]

    def may_come(self, entry_id: str) -> bool:
        """Whether signals that were published before that entry have not been processed yet."""
        oldest = self._intents.take_intents(1, 0)
        return bool(oldest and entry_id) and _place(oldest[0].entry_id) < _place(entry_id)

    def _by_order(self) -> dict[str, list[str]]:
        with self._lock:
            now = time.monotonic_ns()
            if self._read_at is None or now - self._read_at > AGE_MAX_S * 1_000_000_000:
                self._entries = self._read()
                self._read_at = now
            return self._entries

    def _read(self) -> dict[str, list[str]]:
        entries: dict[str, list[str]] = {}
        for each in self._waiting.waiting():
            order_id = _order_id(each.intent)
            if order_id is not None:
                entries.setdefault(order_id, []).append(each.intent.entry_id)
        return entries


def _place(entry_id: str) -> tuple[int, int]:
    """An entry's position in the stream."""
    ms, _, number = entry_id.partition("-")
    return int(ms), int(number or 0)


def _order_id(intent: Intent) -> str | None:
    """None if the signal cannot become an order in any case."""
    if intent.task != EXECUTE:
        return None
    try:
        body = json.loads(intent.body)
        signal_id = body.get("signal_id") if isinstance(body, dict) else None
        return order_id_of(signal_id) if isinstance(signal_id, str) else None
    except (ValueError, RecursionError):
        return None
