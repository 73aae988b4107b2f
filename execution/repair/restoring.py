"""Restores records of orders, and halts, in a store that has lost them."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from itertools import chain

from execution.ledger.archive import Archive
from execution.ledger.port import Ledger
from execution.model.clock import Clock
from execution.model.errors import IllegalTransition
from execution.model.order import Order
from execution.orders.journal import new_revision
from execution.orders.store import Change, Committed, HaltStore, OrderStore
from execution.repair.checks import batches
from execution.repair.records import brought_up
from execution.repair.store import Repair, RepairStore


class Restorer:
    """From the ledger, which keeps each order forever; the store keeps it for `remember_s` after
    its end. Every method raises StoreUnavailable, also for the ledger."""

    def __init__(
        self,
        orders: OrderStore,
        halts: HaltStore,
        parts: RepairStore,
        ledger: Ledger,
        archive: Archive,
        clock: Clock,
        remember_s: int,
    ) -> None:
        self._orders = orders
        self._halts = halts
        self._parts = parts
        self._ledger = ledger
        self._archive = archive
        self._clock = clock
        self._remember_s = remember_s

    def restore_orders(self, repair: Repair, between: Callable[[], None]) -> None:
        """Compare every order that the store should have with the ledger's; calls `between` before
        each batch."""
        since = self._clock.now() - timedelta(seconds=self._remember_s)
        lately = self._ledger.orders(changed_since=since)
        resting = (order for order in self._ledger.unsettled() if order.updated_at < since)
        for batch in batches(chain(lately, resting)):
            between()
            self._restore(batch, repair)

    def _restore(self, orders: list[Order], repair: Repair) -> None:
        ids = [order.order_id for order in orders]
        missing = self._parts.without_record(ids)
        held = {order.order_id: order for order in self._archive.records(ids)}
        now_ms = self._clock.now_ms()
        left: list[str] = []
        for order in orders:
            until = repair.known_until.get(order.account, order.updated_at)
            repair.known_until[order.account] = max(until, order.updated_at)
            leave_ms = self._archive.leave_ms(order)
            if order.order_id in held:
                repair.orders_advanced += self._advance(held[order.order_id], order, repair)
            elif order.order_id in missing and leave_ms is not None and leave_ms <= now_ms:
                left.append(order.order_id)
            elif order.order_id in missing:
                self._archive.restore(order)
                repair.orders_restored += 1
        self._parts.remember(left, self._remember_s)

    def _advance(self, held: Order | None, known: Order, repair: Repair) -> bool:
        """Complete a record from the ledger. The position is not changed by it; it is recomputed
        afterwards."""
        while held is not None:
            try:
                after = brought_up(held, known)
            except IllegalTransition as error:
                repair.left.append(f"order {known.order_id} is {held.state}: {error}")
                return False
            if after is held:
                return False
            after = replace(after, version=held.version + 1, revision=new_revision())
            due_ms = self._clock.now_ms() if after.may_still_trade else None
            if self._orders.commit(Change(held, after, due_ms)) is Committed.DONE:
                return True
            held = self._orders.order(known.order_id)
        return False

    def restore_halts(self, repair: Repair) -> None:
        """Restore the halts of before the store was restored to an earlier state."""
        standing = {halt.account for halt in self._halts.halts()}
        for halt in self._ledger.halts():
            if halt.account not in standing:
                self._halts.halt(halt)
                repair.lost.append(f"the halt of {halt.account or 'every account'}")
