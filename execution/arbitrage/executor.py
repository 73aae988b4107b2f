"""Takes an arbitrage from its signal to its end: both legs at once, then their difference."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta

from execution.arbitrage.hedging import ArbitrageEnded, Hedger
from execution.arbitrage.legs import ArbitrageContext, Legs, Limits, first_legs
from execution.arbitrage.model import Arbitrage, ArbitrageState, Result, result_of
from execution.arbitrage.plan import plan_legs
from execution.exchanges.parallel import run_parallel
from execution.model.errors import (
    Crowded,
    ExchangeUnavailable,
    NoPlan,
    SignalReused,
    StoreRestarted,
    UnknownAccount,
    VersionConflict,
)
from execution.model.order import Order
from execution.orders.store import Epoch

Orders = Mapping[str, Order]


class ArbitrageExecutor:
    """The one place that decides what happens to an arbitrage next. `announce` learns of every one
    that has ended; of one that is left open, at least once, whoever dies meanwhile."""

    def __init__(
        self, context: ArbitrageContext, limits: Limits, announce: Callable[[Arbitrage], None]
    ) -> None:
        self._context = context
        self._limits = limits
        self._legs = Legs(context, limits)
        self._balancing = Hedger(context, limits, self._legs)
        self._announce = announce

    def submit(self, arbitrage: Arbitrage) -> Arbitrage:
        """Take a new arbitrage as far as it goes now; the second time, go on where the first
        stopped. Raises SignalReused if its signal id stands for another one already."""
        known = self._context.store.arbitrage(arbitrage.arbitrage_id)
        if known is not None:
            self._check_same(known, arbitrage)
        return self.advance(known or arbitrage)

    def receive(self, arbitrage: Arbitrage) -> Arbitrage:
        """Record a new arbitrage without sending it yet; the sweep finds it due. Raises
        SignalReused as `submit` does."""
        known = self._context.store.arbitrage(arbitrage.arbitrage_id)
        if known is not None:
            self._check_same(known, arbitrage)
            return known
        try:
            return self._legs.commit(arbitrage, arbitrage, due_ms=self._context.clock.now_ms())
        except VersionConflict:
            return self._context.store.arbitrage(arbitrage.arbitrage_id) or arbitrage

    def load(self, arbitrage_id: str) -> Arbitrage | None:
        """The arbitrage's record, None for one that is not known."""
        return self._context.store.arbitrage(arbitrage_id)

    def advance_by_id(self, arbitrage_id: str) -> Arbitrage | None:
        """Move on one that the sweep found due; None for one that is not known."""
        known = self._context.store.arbitrage(arbitrage_id)
        return None if known is None else self.advance(known)

    def advance(self, arbitrage: Arbitrage) -> Arbitrage:
        """Move it on from whatever state it is in, as far as it goes now."""
        try:
            return self._moved_on(arbitrage)
        except (VersionConflict, StoreRestarted):
            # Whoever was faster is moving it on, and the sweep comes back to it.
            return self._context.store.arbitrage(arbitrage.arbitrage_id) or arbitrage

    def _moved_on(self, arbitrage: Arbitrage) -> Arbitrage:
        """The same; raises VersionConflict and StoreRestarted. While there is no place at one of
        its accounts, it waits."""
        first, second = sorted((arbitrage.buy_account, arbitrage.sell_account))
        place = self._context.bulkhead.place
        try:
            with place(first), place(second):
                while (after := self._step(arbitrage)) is not arbitrage:
                    arbitrage = after
        except Crowded as crowded:
            return self._legs.wait(arbitrage, crowded.wait_s * 1_000)
        return arbitrage

    def _check_same(self, known: Arbitrage, arbitrage: Arbitrage) -> None:
        if not known.asks_the_same_as(arbitrage):
            raise SignalReused(
                f"signal_id: {arbitrage.signal_id!r} was used before, for another arbitrage"
            )
        if arbitrage.entry_id is not None:
            self._context.stores.intents.settle_intent(arbitrage.entry_id)

    def _step(self, arbitrage: Arbitrage) -> Arbitrage:
        """One step; the same object where there is nothing to do but wait."""
        if arbitrage.state is ArbitrageState.RECEIVED:
            return self._take(arbitrage)
        if arbitrage.state is ArbitrageState.REFUSED:
            return arbitrage
        orders = {leg.order_id: self._context.journal.load(leg.order_id) for leg in arbitrage.legs}
        if arbitrage.has_ended:
            return self._look_again(arbitrage, orders)
        return self._settle(arbitrage, orders)

    # Both legs.

    def _take(self, arbitrage: Arbitrage) -> Arbitrage:
        """Send both legs, or find that a restart of the store made us forget that they were."""
        # The epoch comes before every look at an exchange that a decision rests on.
        epoch = self._context.stores.epochs.epoch()
        first = first_legs(arbitrage)
        try:
            if self._legs.forgotten(arbitrage, first, epoch):
                opened = replace(arbitrage, state=ArbitrageState.OPEN)
                return self._legs.journal_forgotten(arbitrage, opened, first, epoch)
        except (ExchangeUnavailable, UnknownAccount):
            return self._legs.wait(arbitrage)
        except NoPlan as error:
            return self._refuse(arbitrage, str(error), epoch)
        now = self._context.clock.now()
        if arbitrage.expires_at is not None and now >= arbitrage.expires_at:
            reason = f"expires_at: {arbitrage.expires_at.isoformat()} has passed"
            return self._refuse(arbitrage, reason, epoch)
        try:
            return self._open(arbitrage, epoch)
        except (NoPlan, UnknownAccount) as error:
            return self._refuse(arbitrage, str(error), epoch)
        except ExchangeUnavailable as error:
            return self._refuse(arbitrage, f"an exchange could not be read: {error}", epoch)

    def _open(self, arbitrage: Arbitrage, epoch: Epoch) -> Arbitrage:
        """Send both legs, if the books, read now, still pay for them."""
        buy, sell = run_parallel(
            lambda: self._legs.venue(arbitrage.buy_account, arbitrage.symbol),
            lambda: self._legs.venue(arbitrage.sell_account, arbitrage.symbol),
        )
        plan = plan_legs(arbitrage, buy, sell, self._limits.notional_max)
        opened = replace(arbitrage, state=ArbitrageState.OPEN, expected_profit=plan.expected_profit)
        named = [(leg.role.value, leg) for leg in (plan.buy, plan.sell)]
        return self._legs.send(arbitrage, opened, named, epoch)

    def _refuse(self, arbitrage: Arbitrage, reason: str, epoch: Epoch) -> Arbitrage:
        return self._end(arbitrage, ArbitrageState.REFUSED, reason, arbitrage.result, epoch)

    # What became of the orders.

    def _settle(self, arbitrage: Arbitrage, orders: Orders) -> Arbitrage:
        """Wait until every order is known, then close, or work off what is left."""
        epoch = self._context.stores.epochs.epoch()
        settled = {
            order_id: order if _is_settled(order) else self._context.manager.advance(order)
            for order_id, order in orders.items()
        }
        if not all(_is_settled(order) for order in settled.values()):
            return self._legs.wait(arbitrage)
        result = result_of(arbitrage.symbol, arbitrage.legs, settled)
        if result.unknown:
            lost = settled[result.unknown[0]]
            reason = f"order {lost.order_id} on {lost.account} is quarantined"
            return self._end(arbitrage, ArbitrageState.IMBALANCED, reason, result, epoch)
        if not result.imbalance:
            idle = None if result.bought else "neither leg traded"
            return self._end(arbitrage, ArbitrageState.CLOSED, idle, result, epoch)
        try:
            return self._balancing.step(arbitrage, settled, result, epoch)
        except ArbitrageEnded as over:
            return self._end(arbitrage, over.state, over.reason, result, epoch)

    # The end.

    def _end(
        self,
        arbitrage: Arbitrage,
        state: ArbitrageState,
        reason: str | None,
        result: Result,
        epoch: Epoch,
    ) -> Arbitrage:
        ended = replace(arbitrage, state=state, reason=reason, result=result, is_announced=False)
        if state is ArbitrageState.IMBALANCED:
            # People are told of it when it is looked at again, and it remembers that they were.
            return self._legs.commit(arbitrage, ended, epoch=epoch)
        due_ms = self._context.clock.now_ms() + self._limits.audit_ms if arbitrage.legs else None
        ended = self._legs.commit(arbitrage, ended, epoch=epoch, due_ms=due_ms)
        self._announce(ended)
        return ended

    def _look_again(self, arbitrage: Arbitrage, orders: Orders) -> Arbitrage:
        """Fills may come late, and an order that was quarantined may have been settled by hand:
        what has ended begins again if its orders have traded more."""
        result = result_of(arbitrage.symbol, arbitrage.legs, orders)
        if result != arbitrage.result:
            again = replace(arbitrage, state=ArbitrageState.BALANCING, reason=None)
            return self._legs.commit(arbitrage, again)
        if arbitrage.state is ArbitrageState.IMBALANCED:
            return self._keep_open(arbitrage)
        audit = timedelta(milliseconds=self._limits.audit_ms)
        if self._context.clock.now() - arbitrage.updated_at >= audit:
            self._context.store.rest(arbitrage.arbitrage_id)
        return arbitrage

    def _keep_open(self, arbitrage: Arbitrage) -> Arbitrage:
        """Have people told, at least once, and look now and then whether anything has changed."""
        if arbitrage.is_announced:
            return self._legs.wait(arbitrage, self._limits.audit_ms)
        self._announce(arbitrage)
        due_ms = self._context.clock.now_ms() + self._limits.audit_ms
        return self._legs.commit(arbitrage, replace(arbitrage, is_announced=True), due_ms=due_ms)


def _is_settled(order: Order) -> bool:
    """It will not change any more, as far as anybody knows."""
    return not order.is_live and not order.fills_missing
