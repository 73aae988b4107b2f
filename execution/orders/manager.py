"""The operations on an order: submit, advance, cancel, settle."""

from collections.abc import Callable
from dataclasses import dataclass, field

from execution.exchanges.bulkhead import Bulkhead
from execution.exchanges.port import Exchange
from execution.model.errors import (
    Crowded,
    NotInQuarantine,
    SignalReused,
    StoreRestarted,
    UnknownAccount,
    UnknownSymbol,
    VersionConflict,
)
from execution.model.events import CancelRequested, Refused, Reported, SettledByHand
from execution.model.order import Order, OrderState
from execution.model.waiting import BUSY, Wait
from execution.orders.journal import Journal
from execution.orders.path import OrderPath
from execution.orders.store import OrderStores


@dataclass(frozen=True, slots=True)
class OrderManager:
    """The operations on an order: submit, advance, cancel and settle. Each may be repeated at any
    time; the order always follows the same `path`.

    `exchange_of` is as in OrderPath.
    """

    stores: OrderStores
    journal: Journal
    exchange_of: Callable[[str], Exchange]
    path: OrderPath
    bulkhead: Bulkhead = field(default_factory=Bulkhead)

    def submit(self, order: Order) -> Order:
        """Advance a new order as far as possible now; a second call continues where the first
        stopped.

        Raises SignalReused if its signal id belongs to a different order already.
        """
        try:
            return self._follow(order)
        except VersionConflict:
            return self.advance(self._known_as(order))

    def receive(self, order: Order) -> Order:
        """Record a new order without sending it yet; the sweep finds it due.

        Raises SignalReused as `submit` does.
        """
        try:
            return self.journal.create(order)
        except VersionConflict:
            return self._known_as(order)

    def advance(self, order: Order) -> Order:
        """Advance the order from any state, as far as possible now."""
        try:
            return self._follow(order)
        except VersionConflict:
            # Another worker was faster and moves the order on; the sweep comes back to it.
            return self.journal.load(order.order_id)

    def advance_by_id(self, order_id: str) -> Order:
        """Raises UnknownOrder."""
        return self.advance(self.journal.load(order_id))

    def cancel(self, order_id: str) -> Order:
        """Cancel the order: at once if it is open, else as soon as it is known to be open.

        An ended order is not changed. Raises UnknownOrder.
        """
        return self.advance(self.request_cancel(order_id))

    def request_cancel(self, order_id: str) -> Order:
        """Write the request on the record, for the sweep. Raises UnknownOrder."""
        return self.journal.record(self.journal.load(order_id), CancelRequested())

    def settle(self, order_id: str, exchange_order_id: str | None) -> Order:
        """Settle an order manually: with the exchange's id of the order that it became, or None if
        it became none. It must be in quarantine, or its account or symbol cannot be queried any
        more.

        Raises UnknownOrder, NotInQuarantine, ValueError for an id of no such order, and
        ExchangeUnavailable.
        """
        order = self.journal.load(order_id)
        if order.state is not OrderState.QUARANTINED and not self._is_out_of_reach(order):
            raise NotInQuarantine(f"order {order_id} is {order.state}, not quarantined")
        if exchange_order_id is None:
            return self._settle_as_gone(order)
        report = self.exchange_of(order.account).fetch(order.symbol, exchange_order_id)
        if report is None:
            raise ValueError(f"exchange_order_id: {exchange_order_id!r} is not at the exchange")
        settled = self.journal.record(order, Reported(report, by_hand=True))
        try:
            return self.path.follow(settled)
        except VersionConflict:
            return self.journal.load(order_id)

    def load(self, order_id: str) -> Order:
        """The order's record. Raises UnknownOrder."""
        return self.journal.load(order_id)

    def _follow(self, order: Order) -> Order:
        """Take the order along its path; where there is no place, leave it to the sweep, with a
        record if it has none. What its record says already, such as that its outcome is unknown,
        says more than that its account is busy. Raises VersionConflict."""
        try:
            with self.bulkhead.place(order.account):
                return self.path.follow(order)
        except Crowded as crowded:
            cause = BUSY if order.reason is None else ""
            wait = Wait(cause, str(crowded), crowded.wait_s)
        try:
            return self.journal.delay(order, wait)
        except VersionConflict:
            return self._known_as(order)

    def _known_as(self, order: Order) -> Order:
        """The record that stands for this order's signal already; its intent is thereby settled."""
        known = self.journal.load(order.order_id)
        if not known.asks_the_same_as(order):
            raise SignalReused(f"signal_id: {order.signal_id!r} was used before, for another order")
        if order.entry_id is not None:
            self.stores.intents.settle_intent(order.entry_id)
        return known

    # Manual settlement.

    def _is_out_of_reach(self, order: Order) -> bool:
        """Whether the order cannot be looked up any more: its account is not configured, or its
        exchange does not list the symbol."""
        if not order.is_live:
            return False
        try:
            self.exchange_of(order.account).lookup(order)
        except (UnknownAccount, UnknownSymbol):
            return True
        return False

    def _settle_as_gone(self, order: Order) -> Order:
        gone: Refused | SettledByHand = Refused("settled by hand: it is not at the exchange")
        if order.state is not OrderState.QUARANTINED:
            gone = SettledByHand("settled by hand: it is not at the exchange any more")
        try:
            return self.journal.decide(order, gone, self.stores.epochs.epoch())
        except (VersionConflict, StoreRestarted):
            # The operator's finding is valid for the version of the order that they saw.
            raise NotInQuarantine(
                f"order {order.order_id} changed just now, so nothing was settled; check "
                "it and try again"
            ) from None
