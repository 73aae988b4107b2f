"""Orders in memory: the same behaviour as in Redis, for tests, simulations and single calls."""

from collections.abc import Iterable

from execution.model.order import Order, OrderState
from execution.model.position import Position
from execution.orders.store import Change, Committed
from execution.store.access.due_times import is_ripe
from execution.store.memory.server import MemoryServer


class MemoryOrders:
    """In the tables of a server in memory, and under its lock."""

    def __init__(self, server: MemoryServer) -> None:
        self._server = server

    def commit(self, change: Change) -> Committed:
        with self._server.lock:
            objection = self.objection(change)
            if objection is None:
                self.write(change)
            return objection or Committed.DONE

    def objection(self, change: Change) -> Committed | None:
        """The reason why the change cannot be made; None if it can. Must be called under the
        lock."""
        after, tables = change.after, self._server.tables
        stored = tables.orders.get(after.order_id)
        # A record that left, or was lost, must not pass for one that never existed; one that left
        # must be restored before it is written.
        has_left = stored is None and after.order_id in tables.tombstones
        is_gone = stored is None and after.order_id in tables.known
        if _token(stored) != _token(change.before) or has_left:
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
            if _token(held) != _token(change.position_before):
                return Committed.CONFLICT
        return None

    def write(self, change: Change) -> None:
        """Make a change that was checked. Must be called under the lock."""
        after, position, tables = change.after, change.position, self._server.tables
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
        if after.exchange_order_id is not None:
            key = (after.account, after.symbol, after.exchange_order_id)
            tables.exchange_ids.setdefault(key, after.order_id)

    def _note_if_begun_again(self, position: Position | None) -> None:
        """A position other than the one written last was lost."""
        if position is not None:
            key = (position.account, position.symbol)
            if self._server.tables.position_versions.get(key, position.version) != position.version:
                self._server.tables.verified_epoch = None

    def _is_held(self, account: str, address: str) -> bool:
        until_ms, _ = self._server.tables.held_addresses.get(address, (0, ""))
        until_ms = max(until_ms, self._server.tables.held_until_ms.get(account, 0))
        return until_ms > self._server.clock.now_ms()

    def order(self, order_id: str) -> Order | None:
        return self._server.tables.orders.get(order_id)

    def orders(self, state: OrderState | None = None, account: str | None = None) -> list[Order]:
        with self._server.lock:
            orders = sorted(
                self._server.tables.orders.values(), key=lambda o: (o.created_at, o.order_id)
            )
        return [
            order
            for order in orders
            if (state is None or order.state is state)
            and (account is None or order.account == account)
        ]

    def live_orders(self, account: str) -> list[Order]:
        orders = [o for o in self.orders(account=account) if o.order_id in self._server.tables.live]
        return sorted(orders, key=lambda order: order.order_id)

    def accounts(self) -> list[str]:
        with self._server.lock:
            return sorted({order.account for order in self._server.tables.orders.values()})

    def order_ids_by_exchange_id(
        self, account: str, symbol: str, exchange_order_ids: Iterable[str]
    ) -> dict[str, str]:
        keys = {wanted: (account, symbol, wanted) for wanted in exchange_order_ids}
        return {
            wanted: self._server.tables.exchange_ids[key]
            for wanted, key in keys.items()
            if key in self._server.tables.exchange_ids
        }

    def due(self, now_ms: int, limit: int, lease_ms: int) -> list[str]:
        with self._server.lock:
            ripe = [
                order_id
                for order_id, at_ms in self._server.tables.due.items()
                if is_ripe(at_ms, now_ms)
            ]
            taken = sorted(
                ripe, key=lambda order_id: (self._server.tables.due[order_id], order_id)
            )[:limit]
            self._server.tables.due.update(dict.fromkeys(taken, now_ms + lease_ms))
            return taken

    def postpone(self, order_id: str, due_ms: int) -> None:
        with self._server.lock:
            if order_id in self._server.tables.due:
                self._server.tables.due[order_id] = due_ms

    def make_due(self, account: str, now_ms: int, later_than_ms: int, apart_ms: int) -> int:
        with self._server.lock:
            due = self._server.tables.due
            later = [o.order_id for o in self.live_orders(account)]
            later = [each for each in later if due.get(each, 0) > later_than_ms]
            later.sort(key=lambda order_id: (due[order_id], order_id))
            for place, order_id in enumerate(later):
                due[order_id] = min(due[order_id], now_ms + place * apart_ms)
            return len(later)


def _token(held: Order | Position | None) -> tuple[int, str]:
    """The version and revision that a change requires; version 0 means not stored."""
    return (held.version, held.revision) if held and held.version else (0, "")
