"""The twin in memory of the store of arbitrages. See ArbitrageStore."""

from dataclasses import replace

from execution.arbitrage_store import ArbitrageChange
from execution.arbitrages import Arbitrage, ArbitrageState
from execution.ports import Change, Committed
from execution.store.memory_store import MemoryStore


class MemoryArbitrages:
    """Beside the orders of a store in memory, and under its lock."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store
        self._arbitrages: dict[str, Arbitrage] = {}
        self._due: dict[str, int] = {}

    def commit(self, change: ArbitrageChange) -> Committed:
        before, after = change.before, change.after
        with self._store.lock:
            held = self._arbitrages.get(after.arbitrage_id)
            expected = (before.version, before.revision) if before.version else None
            if (None if held is None else (held.version, held.revision)) != expected:
                return Committed.CONFLICT
            steps = [
                Change(
                    replace(leg.order, version=0),
                    leg.order,
                    leg.due_ms,
                    epoch=change.epoch,
                    begins_attempt=leg.begins_attempt,
                    is_from_signal=True,
                )
                for leg in change.legs
            ]
            answers = [self._store.objection(step) for step in steps]
            objection = next((answer for answer in answers if answer is not None), None)
            if objection is not None:
                return objection
            if change.epoch is not None and change.epoch != self._store.epoch():
                return Committed.RESTARTED
            for step in steps:
                self._store.write(step)
            self._write(change)
            return Committed.DONE

    def _write(self, change: ArbitrageChange) -> None:
        after = change.after
        self._arbitrages[after.arbitrage_id] = after
        self._due.pop(after.arbitrage_id, None)
        if change.due_ms is not None:
            self._due[after.arbitrage_id] = change.due_ms
        if after.entry_id is not None:
            self._store.settle_intent(after.entry_id)

    def arbitrage(self, arbitrage_id: str) -> Arbitrage | None:
        return self._arbitrages.get(arbitrage_id)

    def arbitrages(self, state: ArbitrageState | None = None) -> list[Arbitrage]:
        found = sorted(self._arbitrages.values(), key=lambda one: one.created_at)
        return [arbitrage for arbitrage in found if state in (None, arbitrage.state)]

    def due(self, now_ms: int, limit: int, lease_ms: int) -> list[str]:
        with self._store.lock:
            ripe = [name for name, at_ms in self._due.items() if at_ms <= now_ms]
            taken = sorted(ripe, key=lambda name: (self._due[name], name))[:limit]
            self._due.update(dict.fromkeys(taken, now_ms + lease_ms))
            return taken

    def rest(self, arbitrage_id: str) -> None:
        with self._store.lock:
            self._due.pop(arbitrage_id, None)

    def postpone(self, arbitrage_id: str, due_ms: int) -> None:
        with self._store.lock:
            if arbitrage_id in self._due:
                self._due[arbitrage_id] = due_ms
