"""The twins in memory of the store's side of archive and repair. See ArchiveStore, RepairStore."""

from collections.abc import Iterable

from execution.ledger.checkpoints import Agreed
from execution.model.clock import Clock
from execution.model.order import Order
from execution.model.position import Position
from execution.store.memory.orders import MemoryStore
from execution.store.memory.tables import MARKED


class MemoryArchive:
    """What the ledger still has to get, and what may leave."""

    def __init__(self, store: MemoryStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def unarchived(self) -> list[str]:
        tables = self._store.tables
        made = {i: tables.orders[i].created_at for i in tables.unarchived if i in tables.orders}
        lost = [order_id for order_id in tables.unarchived if order_id not in made]
        return lost + sorted(made, key=lambda order_id: (made[order_id], order_id))

    def lists_unarchived(self) -> bool:
        return "unarchived" in self._store.tables.marked

    def records(self, order_ids: Iterable[str]) -> list[Order]:
        orders = self._store.tables.orders
        return [orders[order_id] for order_id in order_ids if order_id in orders]

    def mark_archived(self, archived: Iterable[tuple[Order, int | None]]) -> None:
        for order, leave_ms in archived:
            self._mark(order, leave_ms)

    def _mark(self, order: Order, leave_ms: int | None) -> None:
        tables = self._store.tables
        held = tables.orders.get(order.order_id)
        if held is not None and held != order:
            # Whoever archived the change may have been overtaken by this older state.
            tables.unarchived[order.order_id] = None
        if held != order:
            return
        tables.unarchived.pop(order.order_id, None)
        tables.leaving.pop(order.order_id, None)
        if leave_ms is not None:
            tables.leaving[order.order_id] = leave_ms

    def leaving(self, now_ms: int, limit: int) -> list[str]:
        leaving = self._store.tables.leaving
        ripe = [order_id for order_id, at_ms in leaving.items() if at_ms <= now_ms]
        ripe = sorted(ripe, key=lambda order_id: (leaving[order_id], order_id))[:limit]
        for order_id in ripe:
            del leaving[order_id]
        return ripe

    def evict(self, order: Order, remember_s: int) -> bool:
        del remember_s
        tables = self._store.tables
        tables.leaving.pop(order.order_id, None)
        if order.order_id in tables.unarchived or order.may_still_trade:
            return False
        tables.orders.pop(order.order_id, None)
        tables.due.pop(order.order_id, None)
        tables.tombstones.add(order.order_id)
        if order.exchange_order_id is not None:
            field = (order.account, order.symbol, order.exchange_order_id)
            tables.exchange_ids.pop(field, None)
        return True

    def restore(self, order: Order, leave_ms: int | None) -> None:
        tables = self._store.tables
        if order.order_id in tables.orders:
            return
        self._store.look_over_if_lost(order.order_id)
        tables.orders[order.order_id] = order
        tables.known.add(order.order_id)
        tables.tombstones.discard(order.order_id)
        if order.may_still_trade:
            tables.live.add(order.order_id)
            tables.due[order.order_id] = self._clock.now_ms()
        if order.exchange_order_id is not None:
            field = (order.account, order.symbol, order.exchange_order_id)
            tables.exchange_ids.setdefault(field, order.order_id)
        if leave_ms is not None:
            tables.leaving[order.order_id] = leave_ms

    def ledger_identity(self) -> str | None:
        return self._store.tables.ledger_identity

    def set_ledger_identity(self, identity: str) -> None:
        self._store.tables.ledger_identity = identity

    def agreed(self) -> Agreed | None:
        return self._store.tables.agreed

    def set_agreed(self, agreed: Agreed) -> None:
        self._store.tables.agreed = agreed


class MemoryRepair:
    """A store in memory loses what a test takes out of its tables; see Tables.drop."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store

    def verified_epoch(self) -> str | None:
        return self._store.tables.verified_epoch

    def set_verified_epoch(self, run_id: str | None) -> None:
        self._store.tables.verified_epoch = run_id

    def lost(self, accounts: Iterable[str]) -> list[str]:
        del accounts
        tables = self._store.tables
        gone = tables.live - tables.orders.keys()
        unarchived = [i for i in tables.unarchived if i not in tables.orders and i not in gone]
        held = {key: position.version for key, position in tables.positions.items()}
        wanted = sorted(held.keys() | tables.position_versions.keys())
        return [
            *(f"{_kind(name)} {name}" for name in MARKED if name not in tables.marked),
            *(f"the record of live order {order_id}" for order_id in sorted(gone)),
            *(f"the record of order {order_id}" for order_id in unarchived),
            *(
                f"position {account} {symbol}"
                for account, symbol in wanted
                if held.get((account, symbol)) != tables.position_versions.get((account, symbol))
            ),
        ]

    def reindex(self) -> int:
        tables = self._store.tables
        tables.marked |= set(MARKED)
        for order_id in [i for i in tables.unarchived if i not in tables.orders]:
            del tables.unarchived[order_id]
        tables.live &= tables.orders.keys()
        tables.live |= {i for i, o in tables.orders.items() if o.may_still_trade}
        tables.known &= tables.orders.keys() | tables.tombstones
        tables.known |= tables.orders.keys()
        tables.unarchived.update(dict.fromkeys(tables.orders))
        for order in tables.orders.values():
            self._list(order)
        for key, position in tables.positions.items():
            tables.position_versions.setdefault(key, position.version)
        return len(tables.orders)

    def _list(self, order: Order) -> None:
        tables = self._store.tables
        if order.order_id in tables.live:
            tables.due.setdefault(order.order_id, 0)
        if order.exchange_order_id is not None:
            field = (order.account, order.symbol, order.exchange_order_id)
            tables.exchange_ids.setdefault(field, order.order_id)

    def without_record(self, order_ids: list[str]) -> set[str]:
        tables = self._store.tables
        return set(order_ids) - tables.orders.keys() - tables.tombstones

    def remember(self, order_ids: Iterable[str], remember_s: int) -> None:
        del remember_s
        names = set(order_ids)
        self._store.tables.known |= names
        self._store.tables.tombstones |= names

    def replace_position(self, before: Position, after: Position) -> bool:
        tables = self._store.tables
        held = self._store.position(after.account, after.symbol)
        if (held.version, held.revision) != (before.version, before.revision):
            return False
        tables.positions[after.account, after.symbol] = after
        tables.position_versions[after.account, after.symbol] = after.version
        return True


def _kind(name: str) -> str:
    """A list of positions that is lost says nothing of orders."""
    return "position index" if name.startswith("position") else "index"
