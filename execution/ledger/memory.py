"""The ledger in memory: the same behaviour for tests and for runs without a history."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from secrets import token_hex
from threading import RLock

from execution.ledger.port import (
    UNSETTLED,
    Checkpoint,
    Snapshot,
    check_zones,
    fill_order,
    is_outdated,
    with_all_fills,
)
from execution.model.errors import LedgerUnavailable
from execution.model.order import Fill, Order
from execution.orders.store import Halt


class MemoryLedger:
    """Everything in dictionaries behind one lock; see port.Ledger for the meaning.

    While `away` is true, every method raises LedgerUnavailable. With an `identity`, it is that
    ledger's copy.
    """

    def __init__(self, identity: str | None = None) -> None:
        self.away = False
        self._identity = identity or token_hex(8)
        self._halts: list[Halt] = []
        self._checkpoint: Checkpoint | None = None
        self._lock = RLock()
        self._orders: dict[str, Order] = {}
        # By account, symbol, trade id and side, with the order that reported it.
        self._fills: dict[tuple[str, str, str, str], tuple[str, Fill]] = {}
        self._snapshots: dict[tuple[datetime, str, str], Snapshot] = {}

    def write(self, orders: Iterable[Order]) -> None:
        states = list(orders)
        self._answer()
        for order in states:
            check_zones(created_at=order.created_at, updated_at=order.updated_at)
        with self._lock:
            for order in states:
                self._write_one(order)

    def _write_one(self, order: Order) -> None:
        kept = self._orders.get(order.order_id)
        is_news = kept is None or not is_outdated(order, kept)
        if is_news:
            self._orders[order.order_id] = order
        for fill in order.fills:
            key = (order.account, order.symbol, fill.trade_id, fill.side.value)
            owner = self._fills[key][0] if key in self._fills else None
            if owner is None or (is_news and owner == order.order_id):
                self._fills[key] = (order.order_id, fill)

    def order(self, order_id: str) -> Order | None:
        self._answer()
        with self._lock:
            order = self._orders.get(order_id)
            return None if order is None else self._whole(order)

    def order_by_exchange_id(
        self, account: str, symbol: str, exchange_order_id: str
    ) -> Order | None:
        wanted = (account, symbol, exchange_order_id)
        orders = [
            order
            for order in self.orders()
            if (order.account, order.symbol, order.exchange_order_id) == wanted
        ]
        return orders[-1] if orders else None

    def orders(
        self,
        *,
        since: datetime | None = None,
        account: str | None = None,
        changed_since: datetime | None = None,
        newest_first: bool = False,
    ) -> Iterator[Order]:
        check_zones(since=since, changed_since=changed_since)
        self._answer()
        with self._lock:
            orders = sorted(
                self._orders.values(),
                key=lambda o: (o.created_at, o.order_id),
                reverse=newest_first,
            )
            whole = [
                self._whole(order)
                for order in orders
                if (since is None or order.created_at >= since)
                and (account is None or order.account == account)
                and (changed_since is None or order.updated_at >= changed_since)
            ]
        for order in whole:
            self._answer()
            yield order

    def traded(self) -> list[tuple[str, str]]:
        self._answer()
        with self._lock:
            return sorted({(account, symbol) for account, symbol, _, _ in self._fills})

    def fills(self, account: str, symbol: str) -> Iterator[Fill]:
        self._answer()
        with self._lock:
            fills = [fill for key, (_, fill) in self._fills.items() if key[:2] == (account, symbol)]
        for fill in sorted(fills, key=fill_order):
            self._answer()
            yield fill

    def unsettled(self) -> Iterator[Order]:
        return (order for order in self.orders() if order.state.value in UNSETTLED)

    def identity(self) -> str:
        self._answer()
        return self._identity

    def checkpoint(self) -> Checkpoint | None:
        self._answer()
        return self._checkpoint

    def write_checkpoint(self, checkpoint: Checkpoint) -> None:
        self._answer()
        self._checkpoint = checkpoint

    def write_halts(self, halts: Iterable[Halt]) -> None:
        self._answer()
        self._halts = list(halts)

    def halts(self) -> list[Halt]:
        self._answer()
        return list(self._halts)

    def write_snapshots(self, snapshots: Iterable[Snapshot]) -> None:
        taken = list(snapshots)
        self._answer()
        with self._lock:
            self._snapshots.update({(shot.time, shot.account, shot.quote): shot for shot in taken})

    def snapshots(
        self, *, since: datetime | None = None, account: str | None = None
    ) -> Iterator[Snapshot]:
        check_zones(since=since)
        self._answer()
        with self._lock:
            snapshots = [self._snapshots[key] for key in sorted(self._snapshots)]
        for shot in snapshots:
            self._answer()
            if (since is None or shot.time >= since) and account in (None, shot.account):
                yield shot

    def _whole(self, order: Order) -> Order:
        kept = [fill for owner, fill in self._fills.values() if owner == order.order_id]
        return with_all_fills(order, kept)

    def probe(self) -> None:
        self._answer()

    def _answer(self) -> None:
        if self.away:
            raise LedgerUnavailable("the ledger in memory is set unavailable")
