"""Moves orders on: submit, resolve, cancel, complete. Every path may be taken again at any time."""

from collections.abc import Callable

from execution.exchanges.account import what_is_missing
from execution.exchanges.bulkhead import Bulkhead
from execution.exchanges.port import Exchange
from execution.model.errors import (
    Crowded,
    ExchangeUnavailable,
    NotInQuarantine,
    RequestRefused,
    SignalReused,
    StoreRestarted,
    UnknownAccount,
    UnknownSymbol,
    VersionConflict,
)
from execution.model.events import CancelRequested, Refused, Reported, SettledByHand
from execution.model.order import Order, OrderReport, OrderState
from execution.model.report_faults import is_fault
from execution.model.waiting import ACCOUNT_UNKNOWN, BUSY, NOT_CANCELED
from execution.orders.journal import Journal
from execution.orders.placement import Placement
from execution.orders.store import OrderStores


class OrderManager:
    """The one place that decides what happens to an order next.

    `exchange_of` gives the calling thread's own connection of an account; it raises UnknownAccount
    for one that is not configured and ExchangeUnavailable for one that cannot be reached.
    """

    def __init__(
        self,
        stores: OrderStores,
        journal: Journal,
        exchange_of: Callable[[str], Exchange],
        placement: Placement,
        bulkhead: Bulkhead | None = None,
    ) -> None:
        self._stores = stores
        self._journal = journal
        self._exchange_of = exchange_of
        self._placement = placement
        self._bulkhead = bulkhead or Bulkhead()

    def submit(self, order: Order) -> Order:
        """Take a new order as far as it goes now; the second time, go on where the first stopped.

        Raises SignalReused if its signal id stands for a different order already.
        """
        try:
            with self._bulkhead.place(order.account):
                return self._finish(self._placement.send(order))
        except Crowded as crowded:
            return self._left(order, crowded)
        except VersionConflict:
            return self.advance(self._known_as(order))

    def _left(self, order: Order, crowded: Crowded) -> Order:
        """Leave the order to the sweep, with a record if it has none. What its record says already,
        such as that its outcome is unknown, says more than that its account is busy."""
        due_ms = self._placement.waits.due_after(order, crowded)
        try:
            if order.version and order.reason is not None:
                self._journal.postpone(order, due_ms)
                return order
            return self._journal.delay(order, BUSY, str(crowded), due_ms)
        except VersionConflict:
            return self._known_as(order)

    def receive(self, order: Order) -> Order:
        """Record a new order without sending it yet; the sweep finds it due.

        Raises SignalReused as `submit` does.
        """
        try:
            return self._journal.create(order)
        except VersionConflict:
            return self._known_as(order)

    def advance(self, order: Order) -> Order:
        """Move the order on from whatever state it is in, as far as it goes now."""
        try:
            with self._bulkhead.place(order.account):
                if order.state is OrderState.SUBMITTING:
                    order = self._placement.resolve(order)
                if order.state is OrderState.RECEIVED:
                    order = self._placement.send(order)
                return self._finish(order)
        except Crowded as crowded:
            return self._left(order, crowded)
        except VersionConflict:
            # Whoever was faster is moving the order on, and the sweep comes back to it.
            return self._journal.load(order.order_id)

    def cancel(self, order_id: str) -> Order:
        """Have the order gone: at once if it stands, else as soon as it is known to stand.

        An order that has ended is left as it is. Raises UnknownOrder.
        """
        return self.advance(self.request_cancel(order_id))

    def request_cancel(self, order_id: str) -> Order:
        """Write the wish on the record; the sweep sees to it. Raises UnknownOrder."""
        return self._journal.record(self._journal.load(order_id), CancelRequested())

    def settle(self, order_id: str, exchange_order_id: str | None) -> Order:
        """Decide an order by what a person found: the exchange's id of the order that it became, or
        None for none. It is in quarantine, or its account or its symbol cannot be asked any more.

        Raises UnknownOrder, NotInQuarantine, ValueError for an id that is no such order's, and
        ExchangeUnavailable.
        """
        order = self._journal.load(order_id)
        if order.state is not OrderState.QUARANTINED and not self._is_out_of_reach(order):
            raise NotInQuarantine(f"order {order_id} is {order.state}, not quarantined")
        if exchange_order_id is None:
            return self._settle_as_gone(order)
        report = self._exchange_of(order.account).fetch(order.symbol, exchange_order_id)
        if report is None:
            raise ValueError(f"exchange_order_id: {exchange_order_id!r} is not at the exchange")
        settled = self._journal.record(order, Reported(report, by_hand=True))
        try:
            return self._finish(settled)
        except VersionConflict:
            return self._journal.load(order_id)

    def _settle_as_gone(self, order: Order) -> Order:
        gone: Refused | SettledByHand = Refused("settled by hand: it is not at the exchange")
        if order.state is not OrderState.QUARANTINED:
            gone = SettledByHand("settled by hand: it is not at the exchange any more")
        try:
            return self._journal.decide(order, gone, self._stores.epochs.epoch())
        except (VersionConflict, StoreRestarted):
            # What a person found holds for the order that they saw.
            raise NotInQuarantine(
                f"order {order.order_id} changed at this very moment, so nothing was decided; look "
                "at it again"
            ) from None

    def load(self, order_id: str) -> Order:
        """The order's record. Raises UnknownOrder."""
        return self._journal.load(order_id)

    def _is_out_of_reach(self, order: Order) -> bool:
        """Nothing can be learned of the order any more: its account is not configured, or its
        exchange does not list the symbol."""
        if not order.is_live:
            return False
        try:
            self._exchange_of(order.account).lookup(order)
        except (UnknownAccount, UnknownSymbol):
            return True
        return False

    def advance_by_id(self, order_id: str) -> Order:
        """Raises UnknownOrder."""
        return self.advance(self._journal.load(order_id))

    def _known_as(self, order: Order) -> Order:
        """The record that stands for this order's signal already; its intent is thereby settled."""
        known = self._journal.load(order.order_id)
        if not known.asks_the_same_as(order):
            raise SignalReused(f"signal_id: {order.signal_id!r} was used before, for another order")
        if order.entry_id is not None:
            self._stores.intents.settle_intent(order.entry_id)
        return known

    def _finish(self, order: Order) -> Order:
        """Do what is left to do on an order that stands or has ended."""
        try:
            if order.cancel_requested and order.is_live and order.state is not OrderState.OPEN:
                # It is resolved first; where its account is not configured, that never comes.
                self._exchange_of(order.account)
            if order.state is OrderState.OPEN and order.cancel_requested:
                order = self._journal.record(order, Reported(self._end(order)))
            if order.state is OrderState.OPEN and not order.may_rest:
                order = self._learn_end(order)
            if order.fills_missing:
                order = self._complete(order)
        except UnknownAccount:
            return self._journal.delay(order, ACCOUNT_UNKNOWN, what_is_missing(order.account))
        except RequestRefused as error:
            if not (order.is_live and order.cancel_requested):
                return self._placement.waits.for_exchange(order, error)
            by_hand = (
                f"{error}; if the exchange has no such order any more, run "
                f"`oneorder settle {order.order_id} --not-there`"
            )
            return self._journal.delay(order, NOT_CANCELED, by_hand)
        except ExchangeUnavailable as error:
            return self._placement.waits.for_exchange(order, error)
        return order

    def _learn_end(self, order: Order) -> Order:
        """Ask what became of an order that an exchange has only acknowledged, though its kind
        never rests."""
        report = self._exchange_of(order.account).lookup(order)
        after = order if report is None else self._journal.record(order, Reported(report))
        if after.state is OrderState.OPEN:
            self._journal.postpone(after)
        return after

    def _end(self, order: Order) -> OrderReport:
        """Cancel at the exchange; where nothing was left to cancel, say how the order ended."""
        exchange = self._exchange_of(order.account)
        report = exchange.cancel(order) or exchange.lookup(order)
        if report is None:
            raise ExchangeUnavailable(f"order {order.order_id} was accepted and is denied now")
        return report

    def _complete(self, order: Order) -> Order:
        """Fetch the trades of an order that has filled further than its known fills."""
        fills = tuple(self._exchange_of(order.account).order_fills(order))
        if order.exchange_order_id is None:
            return order
        report = OrderReport(
            order.exchange_order_id, order.client_order_id, order.symbol, order.state, fills=fills
        )
        after = self._journal.record(order, Reported(report))
        if after.fills_missing and is_fault(after.reason):
            # Nothing may be missing: the exchange may have put right what it said.
            now = self._exchange_of(order.account).lookup(after)
            after = after if now is None else self._journal.record(after, Reported(now))
        if after.fills_missing:
            self._journal.postpone(after)
        return after
