"""The repair's view of a store in memory. See RepairStore."""

from collections.abc import Iterable

from execution.model.position import Position
from execution.store.access.codec import token
from execution.store.memory.server import MemoryPart
from execution.store.memory.tables import MARKED


class MemoryRepair(MemoryPart):
    """A store in memory loses what a test takes out of its tables; see Tables.drop."""

    def verified_epoch(self) -> str | None:
        return self._tables.verified_epoch

    def set_verified_epoch(self, run_id: str | None) -> None:
        self._tables.verified_epoch = run_id

    def lost(self, accounts: Iterable[str]) -> list[str]:
        del accounts
        tables = self._tables
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
        tables = self._tables
        tables.marked |= set(MARKED)
        for order_id in [i for i in tables.unarchived if i not in tables.orders]:
            del tables.unarchived[order_id]
        tables.live &= tables.orders.keys()
        tables.live |= {i for i, o in tables.orders.items() if o.may_still_trade}
        tables.known &= tables.orders.keys() | tables.tombstones
        tables.known |= tables.orders.keys()
        tables.unarchived.update(dict.fromkeys(tables.orders))
        for order in tables.orders.values():
            if order.order_id in tables.live:
                tables.due.setdefault(order.order_id, 0)
            tables.list_exchange_id(order)
        for key, position in tables.positions.items():
            tables.position_versions.setdefault(key, position.version)
        return len(tables.orders)

    def without_record(self, order_ids: list[str]) -> set[str]:
        tables = self._tables
        return set(order_ids) - tables.orders.keys() - tables.tombstones

    def remember(self, order_ids: Iterable[str], remember_s: int) -> None:
        del remember_s
        names = set(order_ids)
        self._tables.known |= names
        self._tables.tombstones |= names

    def replace_position(self, before: Position, after: Position) -> bool:
        tables = self._tables
        key = (after.account, after.symbol)
        held = tables.positions.get(key, Position(*key))
        if token(held) != token(before):
            return False
        tables.positions[key] = after
        tables.position_versions[key] = after.version
        return True


def _kind(name: str) -> str:
    """A lost list of positions is no sign of lost orders."""
    return "position index" if name.startswith("position") else "index"
