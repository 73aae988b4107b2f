"""Takes an arbitrage from its signal to its end: both legs at once, and then what they differ by.

Each step is journaled before it is taken, so that whoever comes next goes on from there. An order
of unknown outcome is waited for; only what is known is worked off.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

from execution.arbitrage_legs import ArbitrageDesk, Legs, Limits
from execution.arbitrage_plan import NoPlan, Venue, is_dust, plan_fix, plan_legs
from execution.arbitrages import (
    Arbitrage,
    ArbitrageState,
    LegRole,
    Result,
    average_price,
    result_of,
)
from execution.clock import ExchangeClocks, SystemClock
from execution.decimals import ZERO, to_decimal, to_text
from execution.identifiers import arbitrage_id_of
from execution.journal import Journal, Overtaken, Patience, StoreRestarted
from execution.logger import LogObserver
from execution.order_factory import one_off_order
from execution.order_manager import OrderManager, SignalReused
from execution.orders import Order, OrderState, Side
from execution.placement import Placement, UnknownAccount
from execution.ports import Exchange, ExchangeUnavailable
from execution.store.memory_arbitrages import MemoryArbitrages
from execution.store.memory_store import MemoryStore
from execution.together import together

ATTEMPTS_MAX = 5
PAUSE_S = 0.2
Orders = Mapping[str, Order]


class ArbitrageExecutor:
    """The one place that decides what happens to an arbitrage next. `announce` learns of every one
    that has ended."""

    def __init__(
        self, desk: ArbitrageDesk, limits: Limits, announce: Callable[[Arbitrage], None]
    ) -> None:
        self._desk = desk
        self._limits = limits
        self._legs = Legs(desk, limits)
        self._announce = announce

    def submit(self, arbitrage: Arbitrage) -> Arbitrage:
        """Take a new arbitrage as far as it goes now; the second time, go on where the first
        stopped. Raises SignalReused if its signal id stands for another one already."""
        known = self._desk.store.arbitrage(arbitrage.arbitrage_id)
        if known is not None:
            self._check_same(known, arbitrage)
        return self.advance(known or arbitrage)

    def receive(self, arbitrage: Arbitrage) -> Arbitrage:
        """Record a new arbitrage without sending it yet; the sweep finds it due. Raises
        SignalReused as `submit` does."""
        known = self._desk.store.arbitrage(arbitrage.arbitrage_id)
        if known is None:
            now_ms = self._desk.clock.now_ms()
            return self._legs.commit(arbitrage, arbitrage, due_ms=now_ms)
        self._check_same(known, arbitrage)
        return known

    def advance_by_id(self, arbitrage_id: str) -> Arbitrage | None:
        """Move on one that the sweep found due; None for one that is not known."""
        known = self._desk.store.arbitrage(arbitrage_id)
        return None if known is None else self.advance(known)

    def advance(self, arbitrage: Arbitrage) -> Arbitrage:
        """Move it on from whatever state it is in, as far as it goes now."""
        try:
            while (after := self._step(arbitrage)) is not arbitrage:
                arbitrage = after
        except (Overtaken, StoreRestarted):
            # Whoever was faster is moving it on, and the sweep comes back to it.
            return self._desk.store.arbitrage(arbitrage.arbitrage_id) or arbitrage
        return arbitrage

    def _check_same(self, known: Arbitrage, arbitrage: Arbitrage) -> None:
        if not known.asks_the_same_as(arbitrage):
            raise SignalReused(
                f"signal_id: {arbitrage.signal_id!r} was used before, for another arbitrage"
            )
        if arbitrage.entry_id is not None:
            self._desk.orders.settle_intent(arbitrage.entry_id)

    def _step(self, arbitrage: Arbitrage) -> Arbitrage:
        """One step; the same object where there is nothing to do but wait."""
        if arbitrage.state is ArbitrageState.RECEIVED:
            return self._take(arbitrage)
        if arbitrage.state is ArbitrageState.REFUSED:
            return arbitrage
        orders = {leg.order_id: self._desk.journal.load(leg.order_id) for leg in arbitrage.legs}
        if arbitrage.has_ended:
            return self._look_again(arbitrage, orders)
        return self._settle(arbitrage, orders)

    # Both legs.

    def _take(self, arbitrage: Arbitrage) -> Arbitrage:
        """Send both legs, if the books, read now, still pay for them."""
        now = self._desk.clock.now()
        if arbitrage.expires_at is not None and now >= arbitrage.expires_at:
            reason = f"expires_at: {arbitrage.expires_at.isoformat()} has passed"
            return self._refuse(arbitrage, reason)
        # The epoch comes before every look at an exchange that a decision rests on.
        epoch = self._desk.orders.epoch()
        first = [
            (LegRole.BUY.value, arbitrage.buy_account),
            (LegRole.SELL.value, arbitrage.sell_account),
        ]
        opened = replace(arbitrage, state=ArbitrageState.OPEN)
        try:
            if self._legs.could_stand(arbitrage, first):
                return self._legs.journal_forgotten(arbitrage, opened, first, epoch)
            buy, sell = together(
                lambda: self._legs.venue(arbitrage.buy_account, arbitrage.symbol),
                lambda: self._legs.venue(arbitrage.sell_account, arbitrage.symbol),
            )
            plan = plan_legs(arbitrage, buy, sell, self._limits.notional_max)
            opened = replace(opened, expected_profit=plan.expected_profit)
            named = [(plan.buy.role.value, plan.buy), (plan.sell.role.value, plan.sell)]
            return self._legs.send(arbitrage, opened, named, epoch)
        except (NoPlan, UnknownAccount) as error:
            return self._refuse(arbitrage, str(error))
        except ExchangeUnavailable as error:
            return self._refuse(arbitrage, f"an exchange could not be read: {error}")

    def _refuse(self, arbitrage: Arbitrage, reason: str) -> Arbitrage:
        return self._end(arbitrage, ArbitrageState.REFUSED, reason, arbitrage.result)

    # What became of the orders.

    def _settle(self, arbitrage: Arbitrage, orders: Orders) -> Arbitrage:
        """Wait until every order is known, then close, or work off what is left."""
        settled = {
            order_id: order if _is_settled(order) else self._desk.manager.advance(order)
            for order_id, order in orders.items()
        }
        waiting = [order for order in settled.values() if not _is_settled(order)]
        if waiting:
            return self._wait(arbitrage)
        result = result_of(arbitrage.symbol, arbitrage.legs, settled)
        lost = [o for o in settled.values() if o.state is OrderState.QUARANTINED]
        if lost:
            reason = f"order {lost[0].order_id} on {lost[0].account} is quarantined"
            return self._end(arbitrage, ArbitrageState.IMBALANCED, reason, result)
        if not result.imbalance:
            idle = None if result.bought else "neither leg traded"
            return self._end(arbitrage, ArbitrageState.CLOSED, idle, result)
        return self._work_off(arbitrage, settled, result)

    def _wait(self, arbitrage: Arbitrage, wait_ms: int | None = None) -> Arbitrage:
        due_ms = self._desk.clock.now_ms() + (wait_ms or self._limits.recheck_ms)
        self._desk.store.postpone(arbitrage.arbitrage_id, due_ms)
        return arbitrage

    # What the legs differ by.

    def _work_off(self, arbitrage: Arbitrage, orders: Orders, result: Result) -> Arbitrage:
        """Send one order that brings both sides nearer to each other, or end where that is
        needless, or no longer possible."""
        epoch = self._desk.orders.epoch()
        venues, unread = self._readable_venues(arbitrage)
        side = Side.BUY if result.imbalance > 0 else Side.SELL
        average = average_price(arbitrage.legs, orders, side)
        rest = abs(result.imbalance)
        if average is None or (
            not unread and all(is_dust(rest, average, venue.market) for venue in venues)
        ):
            reason = f"{to_text(result.imbalance)} is left, too little for an order"
            return self._end(arbitrage, ArbitrageState.CLOSED, reason, result)
        if len(arbitrage.fixes) >= self._limits.fixes_max:
            reason = f"{to_text(result.imbalance)} is left after {self._limits.fixes_max} orders"
            return self._end(arbitrage, ArbitrageState.IMBALANCED, reason, result)
        try:
            plan = plan_fix(arbitrage, result.imbalance, average, venues)
            name = f"fix-{len(arbitrage.fixes) + 1}"
            balancing = replace(arbitrage, state=ArbitrageState.BALANCING, result=result)
            names = [(name, plan.account)]
            if self._legs.could_stand(arbitrage, names):
                return self._legs.journal_forgotten(arbitrage, balancing, names, epoch)
            return self._legs.send(arbitrage, balancing, [(name, plan)], epoch)
        except NoPlan as error:
            return self._give_up_or_wait(arbitrage, result, "; ".join([str(error), *unread]))
        except ExchangeUnavailable as error:
            return self._give_up_or_wait(arbitrage, result, str(error))

    def _readable_venues(self, arbitrage: Arbitrage) -> tuple[list[Venue], list[str]]:
        """The venues as they are now, and the sentences of those that could not be read."""
        venues, unread = [], []
        for account in (arbitrage.buy_account, arbitrage.sell_account):
            try:
                venues.append(self._legs.venue(account, arbitrage.symbol))
            except (ExchangeUnavailable, UnknownAccount, NoPlan) as error:
                unread.append(f"{account} could not be read: {error}")
        return venues, unread

    def _give_up_or_wait(self, arbitrage: Arbitrage, result: Result, reason: str) -> Arbitrage:
        """Prices may come back within the cap; for how long to wait for that is limited."""
        patience = timedelta(milliseconds=self._limits.patience_ms)
        if self._desk.clock.now() - arbitrage.created_at > patience:
            return self._end(arbitrage, ArbitrageState.IMBALANCED, reason, result)
        return self._wait(arbitrage)

    # The end.

    def _end(
        self, arbitrage: Arbitrage, state: ArbitrageState, reason: str | None, result: Result
    ) -> Arbitrage:
        ended = replace(arbitrage, state=state, reason=reason, result=result)
        due_ms = self._desk.clock.now_ms() + self._limits.audit_ms
        ended = self._legs.commit(arbitrage, ended, due_ms=due_ms if arbitrage.legs else None)
        self._announce(ended)
        return ended

    def _look_again(self, arbitrage: Arbitrage, orders: Orders) -> Arbitrage:
        """Fills may come late, and an order that was quarantined may have been settled by hand:
        what has ended begins again if its orders have traded more."""
        result = result_of(arbitrage.symbol, arbitrage.legs, orders)
        if result != arbitrage.result:
            again = replace(arbitrage, state=ArbitrageState.BALANCING, reason=None)
            return self._legs.commit(arbitrage, again)
        audit = timedelta(milliseconds=self._limits.audit_ms)
        if arbitrage.state is ArbitrageState.IMBALANCED:
            self._wait(arbitrage, self._limits.audit_ms)
        elif self._desk.clock.now() - arbitrage.updated_at >= audit:
            self._desk.store.rest(arbitrage.arbitrage_id)
        return arbitrage


def _is_settled(order: Order) -> bool:
    """It will not change any more, as far as anybody knows."""
    return not order.is_live and not order.fills_missing


def execute_arbitrage(
    buy_exchange: Exchange,
    sell_exchange: Exchange,
    symbol: str,
    amount: Decimal | str,
    max_loss_bps: Decimal | str = "50",
) -> Arbitrage:
    """Buy at one exchange's asks and sell at the other's bids, both at the same time, and see it
    through: at most `amount` (base units), and only as far as depth and balances pay after both
    fees.

    Blocks until it has ended. What memory holds is lost with the process: an arbitrage that must
    survive that belongs on a worker. Raises ValueError for an amount that is not usable.
    """
    clock = SystemClock()
    store = MemoryStore(clock)
    exchanges = {"buy": buy_exchange, "sell": sell_exchange}
    clocks = ExchangeClocks(store, clock, host="here")
    journal = Journal(store, clock, clocks, LogObserver(), Patience())
    placement = Placement(
        store,
        journal,
        exchanges.__getitem__,
        clock,
        clocks,
        recv_window_ms=5_000,
        attempts_max=ATTEMPTS_MAX,
    )
    manager = OrderManager(store, journal, exchanges.__getitem__, placement)
    arbitrages = MemoryArbitrages(store)
    desk = ArbitrageDesk(
        arbitrages, store, journal, manager, placement, exchanges.__getitem__, clock, clocks
    )
    executor = ArbitrageExecutor(desk, Limits(), lambda _: None)
    signal_id = f"one-off-{uuid4()}"
    arbitrage = executor.submit(
        Arbitrage(
            arbitrage_id=arbitrage_id_of(signal_id),
            signal_id=signal_id,
            symbol=symbol,
            buy_account="buy",
            sell_account="sell",
            amount=one_off_order(symbol, Side.BUY, amount, None).amount,
            min_profit_bps=ZERO,
            max_loss_bps=to_decimal(max_loss_bps),
            created_at=clock.now(),
            updated_at=clock.now(),
        )
    )
    while not arbitrage.has_ended:
        time.sleep(PAUSE_S)
        for order_id in store.due(clock.now_ms(), limit=10, lease_ms=1_000):
            manager.advance_by_id(order_id)
        arbitrage = executor.advance(arbitrage)
    return arbitrage
