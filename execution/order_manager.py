"""Moves orders on: submit, resolve, cancel, complete. Every path may be taken again at any time.

A crash between any two lines leaves an order in a state from which `advance` goes on. The store's
compare-and-set decides between workers; the exchange's fence decides about late requests.
"""

from collections.abc import Callable
from datetime import timedelta

from execution.clock import ExchangeClocks
from execution.events import (
    AttemptBegan,
    AttemptDied,
    AttemptUnknown,
    CancelRequested,
    Refused,
    Rejected,
    Reported,
)
from execution.journal import AccountHeld, Journal, Overtaken
from execution.markets import refusal
from execution.orders import Attempt, Order, OrderReport, OrderState, Verdict
from execution.ports import Clock, Exchange, ExchangeUnavailable, Outcome, Store


class UnknownAccount(Exception):
    """No account of that name is configured."""


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
        clock: Clock,
        clocks: ExchangeClocks,
        *,
        recv_window_ms: int,
        attempts_max: int,
    ) -> None:
        self._store = store
        self._journal = journal
        self._exchange_of = exchange_of
        self._clock = clock
        self._clocks = clocks
        self._recv_window_ms = recv_window_ms
        self._attempts_max = attempts_max

    def submit(self, order: Order) -> Order:
        """Take a new order as far as it goes now; the second time, go on where the first stopped.

        Raises SignalReused if its signal id stands for a different order already.
        """
        try:
            return self._finish(self._send(order))
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
                order = self._resolve(order)
            if order.state is OrderState.RECEIVED:
                order = self._send(order)
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

    def _send(self, order: Order) -> Order:
        """Begin the next attempt and make it, unless the order must not or cannot be sent now."""
        try:
            exchange = self._exchange_of(order.account)
            refused = self._refusal(order, exchange)
            if refused is not None:
                return self._journal.decide(order, Refused(refused))
            attempt = self._next_attempt(order, exchange)
            # Written ahead: from here on the order may stand at the exchange.
            begun = self._journal.decide(order, AttemptBegan(attempt))
        except UnknownAccount as error:
            return self._journal.decide(order, Refused(f"account: {error}"))
        except ExchangeUnavailable as error:
            self._hold(order, error.retry_after_s)
            return self._wait(order)
        except AccountHeld:
            return self._wait(order)
        return self._judge(begun, attempt, exchange.place(begun, attempt))

    def _refusal(self, order: Order, exchange: Exchange) -> str | None:
        if order.expires_at is not None and self._clock.now() >= order.expires_at:
            return f"expires_at: {order.expires_at.isoformat()} has passed"
        if len(order.attempts) >= self._attempts_max:
            last = order.attempts[-1].reason
            return f"not sent in {self._attempts_max} attempts, the last one because: {last}"
        return refusal(order, exchange.market(order.symbol))

    def _next_attempt(self, order: Order, exchange: Exchange) -> Attempt:
        """Stamp an attempt that the exchange will not accept after the signal has expired."""
        stamp_ms = self._clocks.now_ms(order.account, exchange)
        window_ms = min(self._recv_window_ms, exchange.contract.window_max_ms)
        if order.expires_at is not None:
            left = order.expires_at - self._clock.now()
            window_ms = max(1, min(window_ms, left // timedelta(milliseconds=1)))
        valid_until_ms = stamp_ms + window_ms
        return Attempt(
            number=len(order.attempts) + 1,
            stamp_ms=stamp_ms,
            valid_until_ms=valid_until_ms,
            provable_at_ms=valid_until_ms + exchange.contract.margin_ms,
        )

    def _judge(self, order: Order, attempt: Attempt, outcome: Outcome) -> Order:
        """Write down what an attempt came to, and look at once where nobody knows."""
        self._hold(order, outcome.retry_after_s)
        number, reason = attempt.number, outcome.reason
        match outcome.verdict:
            case Verdict.ACCEPTED if outcome.report is not None:
                return self._journal.record(order, Reported(outcome.report))
            case Verdict.REJECTED:
                return self._journal.record(order, Rejected(number, reason))
            case Verdict.NOT_SENT:
                return self._journal.record(order, AttemptDied(number, reason))
        return self._resolve(self._journal.record(order, AttemptUnknown(number, reason)))

    def _resolve(self, order: Order) -> Order:
        """Find out what became of the latest attempt. Found settles it at any time; not found
        counts only once the exchange can no longer accept it."""
        attempt = order.attempt
        if order.state is not OrderState.SUBMITTING or attempt is None:
            return order
        try:
            exchange = self._exchange_of(order.account)
            # The clock comes first: a lookup that began before the fence proves nothing,
            # however late its answer is read.
            began_ms = self._clocks.earliest_now_ms(order.account, exchange)
            report = exchange.lookup(order)
        except (UnknownAccount, ExchangeUnavailable) as error:
            self._hold(order, getattr(error, "retry_after_s", 0))
            self._journal.postpone(order, delay_ms=1_000)
            return order
        if report is not None:
            return self._journal.record(order, Reported(report))
        if began_ms > attempt.provable_at_ms:
            return self._journal.record(order, AttemptDied(attempt.number, "it never arrived"))
        self._journal.postpone(order)
        return order

    def _finish(self, order: Order) -> Order:
        """Do what is left to do on an order that stands or has ended."""
        try:
            if order.state is OrderState.OPEN and order.cancel_requested:
                order = self._journal.record(order, Reported(self._end(order)))
            if order.fills_missing:
                order = self._complete(order)
        except (UnknownAccount, ExchangeUnavailable) as error:
            self._hold(order, getattr(error, "retry_after_s", 0))
            self._journal.postpone(order)
        return order

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

    def _hold(self, order: Order, seconds: int) -> None:
        if seconds:
            self._store.hold(order.account, seconds)

    def _wait(self, order: Order) -> Order:
        """Leave the order for later, with its record made if it has none yet."""
        if order.version == 0:
            return self._journal.keep(order)
        self._journal.postpone(order)
        return order
