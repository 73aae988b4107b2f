"""Orders in memory: the same behaviour as in Redis, for tests, simulations and single calls."""

from collections.abc import Iterable

from execution.model.order import Order, OrderState
from execution.model.position import Position
from execution.orders.store import Change, Committed
from execution.store.access.codec import token
from execution.store.access.due_times import take_due
from execution.store.memory.server import MemoryPart


class MemoryOrders(MemoryPart):
    """In the tables of a server in memory, and under its lock."""

    def commit(self, change: Change) -> Committed:
        with self._server.lock:
            objection = self.objection(change)
            if objection is None:
                self.write(change)
            return objection or Committed.DONE

    def objection(self, change: Change) -> Committed | None:
        """Why the change cannot be made; None where it can. To be called under the lock."""
        after, tables = change.after, self._tables
        stored = tables.orders.get(after.order_id)
        # A record that left, or was lost, must not pass for one that never existed; one that left
        # must be restored before it is written.
        has_left = stored is None and after.order_id in tables.tombstones
        is_gone = stored is None and after.order_id in tables.known
        if token(stored) != token(change.before) or has_left:
            return Committed.CONFLICT
        if is_gone and change.is_from_signal:
            return Committed.CONFLICT
        if change.epoch is not None and change.epoch.run_id != self._server.epoch().run_id:
            return Committed.RESTARTED
        if change.begins_attempt and {None, after.account} & tables.halts.keys():
            return Committed.HALTED
        if change.begins_attempt and self._is_held(after.account, change.address):
            return Committed.HELD
        if change.position is not None:
            held = tables.positions.get((change.position.account, change.position.symbol))
            if token(held) != token(change.position_before):
                return Committed.CONFLICT
        return None

    def write(self, change: Change) -> None:
        """Make a change to which there is no objection. To be called under the lock."""
        after, position, tables = change.after, change.position, self._tables
        if position is not None:
            self._note_if_begun_again(change.position_before)
            tables.positions[position.account, position.symbol] = position
            tables.position_versions[position.account, position.symbol] = position.version
        if after.order_id not in tables.orders and after.entry_id is not None:
            tables.intents.pop(after.entry_id, None)
        self._server.note_if_lost(after.order_id)
        tables.orders[after.order_id] = after
        tables.known.add(after.order_id)
        tables.unarchived[after.order_id] = None
        self._server.count_commit()
        if after.may_still_trade:
            tables.live.add(after.order_id)
        else:
            tables.live.discard(after.order_id)
        tables.due.pop(after.order_id, None)
        if change.due_ms is not None:
            tables.due[after.order_id] = change.due_ms
        tables.list_exchange_id(after)

    def _note_if_begun_again(self, position: Position | None) -> None:
        """A position other than the one written last was lost."""
        if position is not None:
            key = (position.account, position.symbol)
            if self._tables.position_versions.get(key, position.version) != position.version:
                self._tables.verified_epoch = None

    def _is_held(self, account: str, address: str) -> bool:
        until_ms, _ = self._tables.held_addresses.get(address, (0, ""))
        until_ms = max(until_ms, self._tables.held_until_ms.get(account, 0))
        return until_ms > self._server.clock.now_ms()

    def order(self, order_id: str) -> Order | None:
        return self._tables.orders.get(order_id)

    def orders(self, state: OrderState | None = None, account: str | None = None) -> list[Order]:
        with self._server.lock:
            found = sorted(self._tables.orders.values(), key=lambda o: (o.created_at, o.order_id))
        wanted = (order for order in found if state in (None, order.state))
        return [order for order in wanted if account in (None, order.account)]

    def live_orders(self, account: str) -> list[Order]:
        found = [o for o in self.orders(account=account) if o.order_id in self._tables.live]
        return sorted(found, key=lambda order: order.order_id)

    def accounts(self) -> list[str]:
        with self._server.lock:
            return sorted({order.account for order in self._tables.orders.values()})

    def order_ids_by_exchange_id(
        self, account: str, symbol: str, exchange_order_ids: Iterable[str]
    ) -> dict[str, str]:
        keys = {wanted: (account, symbol, wanted) for wanted in exchange_order_ids}
        return {
            wanted: self._tables.exchange_ids[key]
            for wanted, key in keys.items()
            if key in self._tables.exchange_ids
        }

    def due(self, now_ms: int, limit: int, lease_ms: int) -> list[str]:
        with self._server.lock:
            return take_due(self._tables.due, now_ms, limit, lease_ms)

    def postpone(self, order_id: str, due_ms: int) -> None:
        with self._server.lock:
            if order_id in self._tables.due:
                self._tables.due[order_id] = due_ms

    def make_due(self, account: str, now_ms: int, later_than_ms: int, apart_ms: int) -> int:
        with self._server.lock:
            due = self._tables.due
            later = [o.order_id for o in self.live_orders(account)]
            later = [each for each in later if due.get(each, 0) > later_than_ms]
            later.sort(key=lambda order_id: (due[order_id], order_id))
            for place, order_id in enumerate(later):
                due[order_id] = min(due[order_id], now_ms + place * apart_ms)
            return len(later)


class MemoryPositions(MemoryPart):
    """See PositionStore."""

    def position(self, account: str, symbol: str) -> Position:
        return self._tables.positions.get((account, symbol), Position(account, symbol))

    def positions(self, account: str | None = None) -> list[Position]:
        with self._server.lock:
            found = [position for _, position in sorted(self._tables.positions.items())]
        return [position for position in found if account in (None, position.account)]
