"""The store of arbitrages in memory. See ArbitrageStore."""

from dataclasses import replace

from execution.arbitrage.model import Arbitrage, ArbitrageState
from execution.arbitrage.store import ArbitrageChange
from execution.orders.store import Change, Committed
from execution.store.access.codec import token
from execution.store.access.due_times import take_due
from execution.store.memory.orders import MemoryOrders
from execution.store.memory.server import MemoryPart, MemoryServer


class MemoryArbitrages(MemoryPart):
    """Beside the orders of a server in memory: in its tables, and under its lock."""

    def __init__(self, server: MemoryServer, orders: MemoryOrders) -> None:
        super().__init__(server)
        self._orders = orders

    def commit(self, change: ArbitrageChange) -> Committed:
        steps = _steps(change)
        with self._server.lock:
            objection = self._objection(change, steps)
            if objection is not None:
                return objection
            for step in steps:
                self._orders.write(step)
            self._write(change)
            return Committed.DONE

    def _objection(self, change: ArbitrageChange, steps: list[Change]) -> Committed | None:
        if token(self.arbitrage(change.after.arbitrage_id)) != token(change.before):
            return Committed.CONFLICT
        epoch = change.epoch
        if epoch is not None and epoch.run_id != self._server.epoch(fresh=True).run_id:
            return Committed.RESTARTED
        answers = (self._orders.objection(step) for step in steps)
        return next((answer for answer in answers if answer is not None), None)

    def _write(self, change: ArbitrageChange) -> None:
        after, tables = change.after, self._tables
        tables.arbitrages[after.arbitrage_id] = after
        tables.arbitrages_due.pop(after.arbitrage_id, None)
        if change.due_ms is not None:
            tables.arbitrages_due[after.arbitrage_id] = change.due_ms
        if after.entry_id is not None:
            tables.settle_intent(after.entry_id)

    def arbitrage(self, arbitrage_id: str) -> Arbitrage | None:
        return self._tables.arbitrages.get(arbitrage_id)

    def arbitrages(self, state: ArbitrageState | None = None) -> list[Arbitrage]:
        with self._server.lock:
            records = sorted(
                self._tables.arbitrages.values(),
                key=lambda one: (one.created_at, one.arbitrage_id),
            )
        return [arbitrage for arbitrage in records if state in (None, arbitrage.state)]

    def unfinished(self) -> list[Arbitrage]:
        records = sorted(self.arbitrages(), key=lambda each: each.arbitrage_id)
        return [arbitrage for arbitrage in records if not arbitrage.has_ended]

    def due(self, now_ms: int, limit: int, lease_ms: int) -> list[str]:
        with self._server.lock:
            return take_due(self._tables.arbitrages_due, now_ms, limit, lease_ms)

    def rest(self, arbitrage_id: str) -> None:
        with self._server.lock:
            self._tables.arbitrages_due.pop(arbitrage_id, None)

    def postpone(self, arbitrage_id: str, due_ms: int) -> None:
        with self._server.lock:
            if arbitrage_id in self._tables.arbitrages_due:
                self._tables.arbitrages_due[arbitrage_id] = due_ms


def _steps(change: ArbitrageChange) -> list[Change]:
    """The first write of each order that is journaled."""
    return [
        Change(
            replace(leg.order, version=0),
            leg.order,
            leg.due_ms,
            begins_attempt=leg.begins_attempt,
            address=leg.address,
            is_from_signal=True,
        )
        for leg in change.legs
    ]
