"""The archive's view of a store in memory. See ArchiveStore."""

from collections.abc import Iterable

from execution.ledger.checkpoints import Agreed
from execution.model.order import Order
from execution.store.memory.server import MemoryPart


class MemoryArchive(MemoryPart):
    """What the ledger still has to get, and what may leave."""

    def unarchived(self) -> list[str]:
        tables = self._tables
        made = {i: tables.orders[i].created_at for i in tables.unarchived if i in tables.orders}
        lost = [order_id for order_id in tables.unarchived if order_id not in made]
        return lost + sorted(made, key=lambda order_id: (made[order_id], order_id))

    def lists_unarchived(self) -> bool:
        return "unarchived" in self._tables.marked

    def records(self, order_ids: Iterable[str]) -> list[Order]:
        orders = self._tables.orders
        return [orders[order_id] for order_id in order_ids if order_id in orders]

    def mark_archived(self, archived: Iterable[tuple[Order, int | None]]) -> None:
        tables = self._tables
        for order, leave_ms in archived:
            held = tables.orders.get(order.order_id)
            if held != order:
                if held is not None:
                    # The ledger may have been given this older state after the newer one.
                    tables.unarchived[order.order_id] = None
                continue
            tables.unarchived.pop(order.order_id, None)
            tables.leaving.pop(order.order_id, None)
            if leave_ms is not None:
                tables.leaving[order.order_id] = leave_ms

    def leaving(self, now_ms: int, limit: int) -> list[str]:
        leaving = self._tables.leaving
        ripe = [order_id for order_id, at_ms in leaving.items() if at_ms <= now_ms]
        ripe = sorted(ripe, key=lambda order_id: (leaving[order_id], order_id))[:limit]
        for order_id in ripe:
            del leaving[order_id]
        return ripe

    def evict(self, order: Order, remember_s: int) -> bool:
        del remember_s
        tables = self._tables
        tables.leaving.pop(order.order_id, None)
        if order.order_id in tables.unarchived or order.may_still_trade:
            return False
        tables.orders.pop(order.order_id, None)
        tables.due.pop(order.order_id, None)
        tables.tombstones.add(order.order_id)
        field = (order.account, order.symbol, order.exchange_order_id or "")
        tables.exchange_ids.pop(field, None)
        return True

    def restore(self, order: Order, leave_ms: int | None) -> None:
        tables = self._tables
        if order.order_id in tables.orders:
            return
        self._server.note_if_lost(order.order_id)
        tables.orders[order.order_id] = order
        tables.known.add(order.order_id)
        tables.tombstones.discard(order.order_id)
        if order.may_still_trade:
            tables.live.add(order.order_id)
            tables.due[order.order_id] = self._server.clock.now_ms()
        tables.list_exchange_id(order)
        if leave_ms is not None:
            tables.leaving[order.order_id] = leave_ms

    def ledger_identity(self) -> str | None:
        return self._tables.ledger_identity

    def set_ledger_identity(self, identity: str) -> None:
        self._tables.ledger_identity = identity

    def agreed(self) -> Agreed | None:
        return self._tables.agreed

    def set_agreed(self, agreed: Agreed) -> None:
        self._tables.agreed = agreed
