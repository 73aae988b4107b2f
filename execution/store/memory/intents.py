"""Intents in memory: the stream of them, and those that wait."""

from datetime import datetime

from execution.operations.waiting_intents import WaitingIntent, publication_order
from execution.orders.store import Intent, RefusedIntent
from execution.store.access.due_times import take_due
from execution.store.memory.server import MemoryPart


class MemoryIntents(MemoryPart):
    """See IntentStore."""

    def take_intents(self, count: int, older_than_ms: int) -> list[Intent]:
        now_ms = self._server.clock.now_ms()
        with self._server.lock:
            unsettled = list(self._tables.intents.values())

        def is_young(intent: Intent) -> bool:
            return now_ms - older_than_ms < int(intent.entry_id.split("-")[0]) <= now_ms

        return [intent for intent in unsettled if not is_young(intent)][:count]

    def settle_intent(self, entry_id: str) -> None:
        with self._server.lock:
            self._tables.settle_intent(entry_id)

    def refuse_intent(self, refused: RefusedIntent, entry_id: str | None) -> None:
        with self._server.lock:
            self._tables.refused.insert(0, refused)
            if entry_id is not None:
                self._tables.settle_intent(entry_id)


class MemoryWaiting(MemoryPart):
    """Beside the intents of a store in memory: in its tables, and under its lock."""

    def add(self, task: str, body: str, version: str) -> Intent:
        entry_id = self._server.add_intent(task, body, version)
        return Intent(entry_id, task, body, version)

    def intent(self, entry_id: str) -> Intent | None:
        tables = self._tables
        with self._server.lock:
            waiting = tables.waiting.get(entry_id)
            return tables.intents.get(entry_id) if waiting is None else waiting.intent

    def set_aside(self, intent: Intent, reason: str, since: datetime, due_ms: int) -> bool:
        tables, entry_id = self._tables, intent.entry_id
        with self._server.lock:
            held = tables.waiting.get(entry_id)
            if held is None and entry_id not in tables.intents:
                return False
            since = since if held is None else held.since
            # The same precision as in Redis.
            since = since.replace(microsecond=since.microsecond // 1000 * 1000)
            tables.waiting[entry_id] = WaitingIntent(intent, reason, since)
            tables.waiting_due[entry_id] = due_ms
            tables.intents.pop(entry_id, None)
            return True

    def take(self, now_ms: int, count: int, lease_ms: int) -> list[WaitingIntent]:
        tables = self._tables
        with self._server.lock:
            taken = take_due(tables.waiting_due, now_ms, count, lease_ms)
            return [tables.waiting[entry_id] for entry_id in taken if entry_id in tables.waiting]

    def waiting(self) -> list[WaitingIntent]:
        with self._server.lock:
            return sorted(self._tables.waiting.values(), key=publication_order)

    def count(self) -> int:
        return len(self._tables.waiting)
