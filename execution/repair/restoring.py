"""Restores records of orders, and halts, in a store that has lost them."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import chain

from execution.ledger.archive import Archive
from execution.ledger.port import Ledger
from execution.model.clock import Clock
from execution.model.errors import IllegalTransition
from execution.model.events import Reported
from execution.model.order import Order, OrderReport, merge_fills
from execution.model.transitions import transition
from execution.orders.journal import new_revision
from execution.orders.store import Change, Committed, HaltStore, OrderStore
from execution.repair.checks import batches
from execution.repair.store import Repair, RepairStore


@dataclass(frozen=True, slots=True)
class Restorer:
    """From the ledger, which keeps each order forever; the store keeps it for `remember_s` after
    its end. Every method raises StoreUnavailable, also for the ledger."""

    orders: OrderStore
    halts: HaltStore
    parts: RepairStore
    ledger: Ledger
    archive: Archive
    clock: Clock
    remember_s: int

    def restore_orders(self, repair: Repair, between: Callable[[], None]) -> None:
        """Compare every order that the store should have with the ledger's; calls `between` before
        each batch."""
        since = self.clock.now() - timedelta(seconds=self.remember_s)
        lately = self.ledger.orders(changed_since=since)
        resting = (order for order in self.ledger.unsettled() if order.updated_at < since)
        for batch in batches(chain(lately, resting)):
            between()
            self._restore(batch, repair)

    def _restore(self, orders: list[Order], repair: Repair) -> None:
        ids = [order.order_id for order in orders]
        missing = self.parts.without_record(ids)
        held = {order.order_id: order for order in self.archive.records(ids)}
        now_ms = self.clock.now_ms()
        left: list[str] = []
        for order in orders:
            until = repair.known_until.get(order.account, order.updated_at)
            repair.known_until[order.account] = max(until, order.updated_at)
            leave_ms = self.archive.leave_ms(order)
            if order.order_id in held:
                repair.orders_advanced += self._advance(held[order.order_id], order, repair)
            elif order.order_id in missing and leave_ms is not None and leave_ms <= now_ms:
                left.append(order.order_id)
            elif order.order_id in missing:
                self.archive.restore(order)
                repair.orders_restored += 1
        self.parts.remember(left, self.remember_s)

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
            due_ms = self.clock.now_ms() if after.may_still_trade else None
            if self.orders.commit(Change(held, after, due_ms)) is Committed.DONE:
                return True
            held = self.orders.order(known.order_id)
        return False

    def restore_halts(self, repair: Repair) -> None:
        """Halt again what was halted before the store came back from an earlier time."""
        standing = {halt.account for halt in self.halts.halts()}
        for halt in self.ledger.halts():
            if halt.account not in standing:
                self.halts.halt(halt)
                repair.lost.append(f"the halt of {halt.account or 'every account'}")


def brought_up(held: Order, known: Order) -> Order:
    """The record with what the ledger knows and it does not; the same object for nothing.

    A later state of the same story takes its place. Where the story has gone on differently since,
    only what the exchange reported to the ledger is applied again. Raises IllegalTransition.
    """
    if (held.version, held.revision) == (known.version, known.revision):
        return held
    if _continues(known, held):
        return replace(known, fills=merge_fills(known.fills, held.fills))
    if known.exchange_order_id is None:
        return held
    report = OrderReport(
        known.exchange_order_id,
        known.client_order_id,
        known.symbol,
        known.state,
        known.filled,
        known.average,
        known.fills,
    )
    return transition(held, Reported(report))


def _continues(known: Order, held: Order) -> bool:
    """Say whether `known` is a later state of what `held` is."""
    stamps = [(attempt.number, attempt.stamp_ms) for attempt in held.attempts]
    begun = [(attempt.number, attempt.stamp_ms) for attempt in known.attempts]
    return (
        known.updated_at >= held.updated_at
        and begun[: len(stamps)] == stamps
        and held.exchange_order_id in (None, known.exchange_order_id)
    )
