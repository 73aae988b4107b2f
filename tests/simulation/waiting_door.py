"""A process's connection to the intents that wait; every call through it may be its last."""

from datetime import datetime

from execution.operations.waiting_intents import WaitingIntent
from execution.orders.store import Intent
from execution.store.memory.intents import MemoryWaiting
from tests.support.whole_stores import MemoryStore

from .doors import ClockDoor, Gate, StoreDoor


class WaitingDoor(StoreDoor):
    """See waiting_intents.WaitingStore."""

    def __init__(self, gate: Gate, store: MemoryStore, clock: ClockDoor) -> None:
        super().__init__(gate, store, clock)
        self._waiting = MemoryWaiting(store)

    def add(self, task: str, body: str, version: str) -> Intent:
        return self._call("add", self._waiting.add, task, body, version)

    def intent(self, entry_id: str) -> Intent | None:
        return self._call("intent", self._waiting.intent, entry_id)

    def set_aside(self, intent: Intent, reason: str, since: datetime, due_ms: int) -> bool:
        if reason.startswith("internal error"):
            # Whatever a history brings out, nothing of it is to be set right by trying again.
            raise AssertionError(f"{intent.entry_id}: {reason}")
        return self._call("set_aside", self._waiting.set_aside, intent, reason, since, due_ms)

    def take(self, now_ms: int, count: int, lease_ms: int) -> list[WaitingIntent]:
        return self._call("take", self._waiting.take, now_ms, count, lease_ms)

    def waiting(self) -> list[WaitingIntent]:
        return self._call("waiting", self._waiting.waiting)

    def count(self) -> int:
        return self._call("count", self._waiting.count)
