"""The twin in memory of the intents that wait. See waiting_intents.WaitingStore."""

from dataclasses import replace
from datetime import datetime

from execution.operations.waiting_intents import WaitingIntent, publication_order
from execution.orders.store import Intent
from execution.store.access.due_times import is_ripe
from execution.store.memory.orders import MemoryStore


class MemoryWaiting:
    """Beside the intents of a store in memory: in its tables, and under its lock."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store

    def add(self, task: str, body: str, version: str) -> Intent:
        entry_id = self._store.add_intent(task, body, version)
        return Intent(entry_id, task, body, version)

    def intent(self, entry_id: str) -> Intent | None:
        tables = self._store.tables
        with self._store.lock:
            waiting = tables.waiting.get(entry_id)
            return tables.intents.get(entry_id) if waiting is None else waiting.intent

    def set_aside(self, intent: Intent, reason: str, since: datetime, due_ms: int) -> bool:
        tables, entry_id = self._store.tables, intent.entry_id
        with self._store.lock:
            held = tables.waiting.get(entry_id)
            if held is None and entry_id not in tables.intents:
                return False
            since = since if held is None else held.since
            # As exact as it is kept in Redis.
            since = since.replace(microsecond=since.microsecond // 1000 * 1000)
            tables.waiting[entry_id] = WaitingIntent(intent, reason, since)
            tables.waiting_due[entry_id] = due_ms
            tables.intents.pop(entry_id, None)
            return True

    def take(self, now_ms: int, count: int, lease_ms: int) -> list[WaitingIntent]:
        tables = self._store.tables
        with self._store.lock:
            ripe = [
                entry_id
                for entry_id in tables.waiting
                if is_ripe(tables.waiting_due[entry_id], now_ms)
            ]
            taken = sorted(ripe, key=lambda entry_id: (tables.waiting_due[entry_id], entry_id))[
                :count
            ]
            tables.waiting_due.update(dict.fromkeys(taken, now_ms + lease_ms))
            return [replace(tables.waiting[entry_id]) for entry_id in taken]

    def waiting(self) -> list[WaitingIntent]:
        with self._store.lock:
            return sorted(self._store.tables.waiting.values(), key=publication_order)

    def count(self) -> int:
        return len(self._store.tables.waiting)
