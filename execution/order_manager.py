"""Moves orders on: submit, resolve, cancel, complete. Every path may be taken again at any time."""

from collections.abc import Callable

from execution.events import CancelRequested, Refused, Reported
from execution.journal import Journal, Overtaken
from execution.orders import Order, OrderReport, OrderState
from execution.placement import Placement, UnknownAccount
from execution.ports import Exchange, ExchangeUnavailable, Store

__all__ = ["OrderManager", "SignalReused", "UnknownAccount"]


class NotInQuarantine(Exception):
    """Only an order in quarantine is decided by hand; every other one decides itself."""


class SignalReused(Exception):
    """The signal id was used before, for an order that asks for something else."""


class OrderManager:
    """The one place that decides what happens to an order next.

    `exchange_of` gives the calling thread's own connection of an account; it raises UnknownAccount
    for one that is not configured and ExchangeUnavailable for one that cannot be reached.
    """

    def __init__(
        self,
        store: Store,
        journal: Journal,
        exchange_of: Callable[[str], Exchange],
        placement: Placement,
    ) -> None:
        self._store = store
        self._journal = journal
        self._exchange_of = exchange_of
        self._placement = placement

    def submit(self, order: Order) -> Order:
        """Take a new order as far as it goes now; the second time, go on where the first stopped.

        Raises SignalReused if its signal id stands for a different order already.
        """
        try:
            return self._finish(self._placement.send(order))
        except Overtaken:
            return self.advance(self._known_as(order))

    def receive(self, order: Order) -> Order:
        """Record a new order without sending it yet; the sweep finds it due.

        Raises SignalReused as `submit` does.
        """
        try:
            return self._journal.keep(order)
        except Overtaken:
            return self._known_as(order)

    def advance(self, order: Order) -> Order:
        """Move the order on from whatever state it is in, as far as it goes now."""
        try:
            if order.state is OrderState.SUBMITTING:
                order = self._placement.resolve(order)
            if order.state is OrderState.RECEIVED:
                order = self._placement.send(order)
            return self._finish(order)
        except Overtaken:
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
        """Decide an order in quarantine by what a person found: the exchange's id of the order
        that it became, or None for none.

        Raises UnknownOrder, NotInQuarantine, ValueError for an id that is no such order's, and
        ExchangeUnavailable.
        """
        order = self._journal.load(order_id)
        if order.state is not OrderState.QUARANTINED:
            raise NotInQuarantine(f"order {order_id} is {order.state}, not quarantined")
        if exchange_order_id is None:
            settled = Refused("settled by hand: it is not at the exchange")
            return self._journal.decide(order, settled, self._store.epoch())
        report = self._exchange_of(order.account).fetch(order.symbol, exchange_order_id)
        if report is None:
            raise ValueError(f"exchange_order_id: {exchange_order_id!r} is not at the exchange")
        return self._finish(self._journal.record(order, Reported(report)))

    def load(self, order_id: str) -> Order:
        """The order's record. Raises UnknownOrder."""
        return self._journal.load(order_id)

    def advance_by_id(self, order_id: str) -> Order:
        """Raises UnknownOrder."""
        return self.advance(self._journal.load(order_id))

    def _known_as(self, order: Order) -> Order:
        """The record that stands for this order's signal already; its intent is thereby settled."""
        known = self._journal.load(order.order_id)
        if not known.asks_the_same_as(order):
            raise SignalReused(f"signal_id: {order.signal_id!r} was used before, for another order")
        if order.entry_id is not None:
            self._store.settle_intent(order.entry_id)
        return known

    def _finish(self, order: Order) -> Order:
        """Do what is left to do on an order that stands or has ended."""
        try:
            if order.state is OrderState.OPEN and order.cancel_requested:
                order = self._journal.record(order, Reported(self._end(order)))
            if order.state is OrderState.OPEN and not order.may_rest:
                order = self._learn_end(order)
            if order.fills_missing:
                order = self._complete(order)
        except (UnknownAccount, ExchangeUnavailable) as error:
            self._placement.hold(order, getattr(error, "retry_after_s", 0))
            self._journal.postpone(order)
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
        if after.fills_missing:
            self._journal.postpone(after)
        return after
