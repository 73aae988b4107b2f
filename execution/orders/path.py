"""The path of an order: read it, decide the next step, take the step, write the result.

Every order takes this path, from its signal to its end: in tasks, in the sweep, in arbitrages.
`decisions.py` decides the next step and the meaning of an answer; the journal writes. A crash
between any two lines leaves an order in a state from which the next call continues: the store's
compare-and-set decides between workers, and the exchange's fence about late requests.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from execution.exchanges.port import Exchange
from execution.model.clock import Clock
from execution.model.errors import (
    AccountHalted,
    AccountHeld,
    ExchangeUnavailable,
    StoreRestarted,
    UnknownAccount,
)
from execution.model.events import AttemptBegan, AttemptDied, Event, Quarantined, Rejected, Reported
from execution.model.order import Attempt, Order, OrderReport
from execution.model.waiting import HELD, Wait
from execution.orders.decisions import (
    Step,
    end_unsent,
    judge_after_restart,
    judge_answer,
    next_step,
    when_unreachable,
)
from execution.orders.journal import Journal
from execution.orders.placement.resolution import Resolution
from execution.orders.placement.rules import OrderRules
from execution.orders.placement.sending import Sending
from execution.orders.store import Epoch, OrderStores


@dataclass(slots=True)
class _Progress:
    """The progress of one call with its order; see `next_step`.

    `exchange` is the connection of the latest step: an attempt is sent through the one that it was
    begun for.
    """

    epoch: Epoch
    begun: Attempt | None = None
    exchange: Exchange | None = None
    taken: set[Step] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class OrderPath:
    """Advances orders along their path.

    `exchange_of` returns the calling thread's own connection of an account; it raises
    UnknownAccount for one that is not configured and ExchangeUnavailable for one that cannot be
    reached.
    """

    stores: OrderStores
    journal: Journal
    exchange_of: Callable[[str], Exchange]
    clock: Clock
    rules: OrderRules
    sending: Sending
    resolution: Resolution

    def follow(self, order: Order) -> Order:
        """Advance the order from any state, as far as possible now; a new one is recorded.
        Raises VersionConflict if another worker has changed it."""
        # The epoch is read before every request to the exchange on which a decision is based.
        return self._follow(order, _Progress(self.stores.epochs.epoch()))

    def follow_begun(self, order: Order, exchange: Exchange, epoch: Epoch) -> Order:
        """The same for an order whose latest attempt the caller itself has just written, in that
        epoch, so that only the caller may send it."""
        return self._follow(order, _Progress(epoch, order.attempt, exchange))

    def _follow(self, order: Order, progress: _Progress) -> Order:
        # The order as it was before the latest step.
        before = order
        while (
            step := next_step(order, progress.epoch, progress.begun, progress.taken)
        ) is not None:
            before = order
            progress.taken.add(step)
            result = self._take(step, order, progress)
            if isinstance(result, Wait):
                return self.journal.delay(order, result)
            if result is None:
                continue
            try:
                order = self._write(step, order, result, progress)
            except AccountHeld:
                return self.journal.delay(order, Wait(HELD))
        if order is before:
            # Nothing is new: the schedule says when it comes back, if at all, counted from now.
            self.journal.delay(order, Wait())
        return order

    def _take(self, step: Step, order: Order, progress: _Progress) -> Event | Wait | None:
        """Take the step; returns a fact, a decision or a wait, None if there is nothing new."""
        try:
            if step is not Step.PLACE or progress.exchange is None:
                progress.exchange = self.exchange_of(order.account)
            return self._do(step, order, progress.exchange, progress)
        except (UnknownAccount, ExchangeUnavailable) as error:
            if isinstance(error, ExchangeUnavailable):
                self._hold(order.account, error.retry_after_s)
            age_max_s = self.rules.market_age_max_s
            return when_unreachable(order, error, progress.epoch, self.clock.now(), age_max_s)

    def _do(
        self, step: Step, order: Order, exchange: Exchange, progress: _Progress
    ) -> Event | Wait | None:
        """The same; raises UnknownAccount and ExchangeUnavailable."""
        match step:
            case Step.LOOK_BACK:
                return self.resolution.look_back(order, exchange, progress.epoch)
            case Step.BEGIN:
                return self.sending.begin(order, exchange, progress.epoch)
            case Step.PLACE:
                outcome = exchange.place(order, order.attempts[-1])
                self._hold(order.account, outcome.retry_after_s)
                return judge_answer(order, outcome, progress.epoch, exchange.guarantees)
            case Step.LOOK_UP:
                return self.resolution.look_up(order, exchange)
            case Step.CANCEL:
                return _canceled(order, exchange)
            case Step.ASK:
                report = exchange.lookup(order)
                return None if report is None else Reported(report)
            case Step.COMPLETE:
                return _completed(order, exchange)

    def _write(self, step: Step, order: Order, event: Event, progress: _Progress) -> Order:
        """Write the result of a step. The order is unchanged if the step has to be repeated. Raises
        VersionConflict and AccountHeld."""
        try:
            after = self.journal.apply(order, event, progress.epoch)
        except AccountHalted:
            exchange = progress.exchange or self.exchange_of(order.account)
            reason = self._halt_reason(order)
            ending = end_unsent(order, reason, progress.epoch, exchange.guarantees)
            return self._write(step, order, ending, progress)
        except StoreRestarted:
            # What was decided did not reckon with what the store lost.
            progress.epoch = self.stores.epochs.epoch()
            progress.taken -= {Step.LOOK_BACK, Step.BEGIN}
            if step is Step.PLACE and isinstance(event, AttemptDied | Rejected | Quarantined):
                return self.journal.record(order, judge_after_restart(order, event.reason))
            return order
        if isinstance(event, AttemptBegan):
            # Written ahead: from here on the order may exist at the exchange.
            progress.begun, progress.taken = event.attempt, set()
        return after

    def _hold(self, account: str, seconds: int) -> None:
        """Hold the account for this time, if the exchange requested it."""
        if seconds:
            self.stores.holds.hold(account, seconds)

    def _halt_reason(self, order: Order) -> str:
        halts = self.stores.halts.halts()
        reasons = [halt.reason for halt in halts if halt.account in (None, order.account)]
        return f"halted: {'; '.join(reasons)}" if reasons else "halted"


def _canceled(order: Order, exchange: Exchange) -> Reported:
    """Cancel at the exchange; if there was nothing to cancel, look up how the order ended."""
    report = exchange.cancel(order) or exchange.lookup(order)
    if report is None:
        raise ExchangeUnavailable(f"order {order.order_id} was accepted, and is not found now")
    return Reported(report)


def _completed(order: Order, exchange: Exchange) -> Reported | None:
    """Read the trades of an order that has filled more than its known fills."""
    fills = tuple(exchange.order_fills(order))
    if order.exchange_order_id is None:
        return None
    report = OrderReport(
        order.exchange_order_id, order.client_order_id, order.symbol, order.state, fills=fills
    )
    return Reported(report)
