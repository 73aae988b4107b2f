"""Carries out an arbitrage from its signal to its end: both legs at once, then hedges of their
difference.

As with an order (`orders/path.py`): read it, decide the next move, write it, send what was written.
`decisions.py` decides; another worker can continue from each written record.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from execution.arbitrage import decisions
from execution.arbitrage.decisions import Limits, Move
from execution.arbitrage.legs import Legs, VenueExchange
from execution.arbitrage.model import Arbitrage, ArbitrageState, Result, result_of
from execution.arbitrage.plan import plan_legs
from execution.arbitrage.store import ArbitrageChange, ArbitrageStore, NewLeg
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
from execution.orders.core import OrderCore
from execution.orders.journal import new_revision
from execution.orders.signal_age import expired
from execution.orders.store import Committed, Epoch


@dataclass(frozen=True, slots=True)
class ArbitrageExecutor:
    """Advances arbitrages. `announce` is called for each that has ended; for an imbalanced one at
    least once, also after crashes. `venue_of` returns the calling thread's own connection of an
    account, as `exchange_of` of OrderCore does."""

    core: OrderCore
    venue_of: Callable[[str], VenueExchange]
    store: ArbitrageStore
    limits: Limits
    announce: Callable[[Arbitrage], None]

    @property
    def _legs(self) -> Legs:
        return Legs(self.core, self.venue_of, self.limits)

    def submit(self, arbitrage: Arbitrage) -> Arbitrage:
        """Advance a new arbitrage as far as possible now; a second call continues where the first
        stopped. Raises SignalReused if its signal id belongs to another one already."""
        return self.advance(self._known_as(arbitrage) or arbitrage)

    def receive(self, arbitrage: Arbitrage) -> Arbitrage:
        """Record a new arbitrage without sending it yet; the sweep finds it due. Raises
        SignalReused as `submit` does."""
        known = self._known_as(arbitrage)
        if known is not None:
            return known
        try:
            return self._write(arbitrage, Move(arbitrage, 0))
        except VersionConflict:
            return self.load(arbitrage.arbitrage_id) or arbitrage

    def load(self, arbitrage_id: str) -> Arbitrage | None:
        """The arbitrage's record, None for one that is not known."""
        return self.store.arbitrage(arbitrage_id)

    def advance_by_id(self, arbitrage_id: str) -> Arbitrage | None:
        """Advance one that the sweep found due; None if it is not known."""
        known = self.load(arbitrage_id)
        return None if known is None else self.advance(known)

    def advance(self, arbitrage: Arbitrage) -> Arbitrage:
        """Advance it from any state, as far as possible now. It waits while one of its accounts is
        busy."""
        first, second = sorted((arbitrage.buy_account, arbitrage.sell_account))
        place = self.core.bulkhead.place
        try:
            try:
                with place(first), place(second):
                    return self._follow(arbitrage)
            except Crowded as crowded:
                return self._write(arbitrage, Move(arbitrage, crowded.wait_s * 1_000))
        except (VersionConflict, StoreRestarted):
            # Another worker was faster and advances it; the sweep comes back to it. A new one gets
            # its record here, because the caller considers its signal settled.
            return self.receive(arbitrage)

    def _known_as(self, arbitrage: Arbitrage) -> Arbitrage | None:
        """The existing record of its signal; the intent is settled by it."""
        known = self.load(arbitrage.arbitrage_id)
        if known is None:
            return None
        if not known.asks_the_same_as(arbitrage):
            raise SignalReused(
                f"signal_id: {arbitrage.signal_id!r} was used before, for another arbitrage"
            )
        if arbitrage.entry_id is not None:
            self.core.stores.intents.settle_intent(arbitrage.entry_id)
        return known

    # The path of an arbitrage.

    def _follow(self, arbitrage: Arbitrage) -> Arbitrage:
        """Read, decide, write and send, until it has to wait. Raises VersionConflict and
        StoreRestarted."""
        while True:
            # The epoch is read before every request to an exchange on which a decision is based.
            epoch = self.core.stores.epochs.epoch()
            move = self._next(arbitrage, epoch)
            if move is None:
                return arbitrage
            try:
                after = self._write(arbitrage, move, epoch)
            except NoPlan as error:
                now, result = self.core.clock.now(), move.after.result
                move = decisions.not_sent(arbitrage, str(error), result, now, self.limits)
                after = self._write(arbitrage, move, epoch)
            self._legs.launch(move.news, epoch)
            if move.after is arbitrage:
                return after
            arbitrage = after

    def _next(self, arbitrage: Arbitrage, epoch: Epoch) -> Move | None:
        """The next move; None if it is not due yet."""
        if arbitrage.state is ArbitrageState.RECEIVED:
            return self._open(arbitrage, epoch)
        if arbitrage.state is ArbitrageState.REFUSED:
            return None
        orders = {leg.order_id: self.core.journal.load(leg.order_id) for leg in arbitrage.legs}
        if arbitrage.has_ended:
            result = result_of(arbitrage.symbol, arbitrage.legs, orders)
            return decisions.looked_again(arbitrage, result, self.core.clock.now(), self.limits)
        orders = {
            order_id: order if decisions.is_settled(order) else self.core.manager.advance(order)
            for order_id, order in orders.items()
        }
        result = result_of(arbitrage.symbol, arbitrage.legs, orders)
        move = decisions.settled(arbitrage, orders, result, self.limits)
        return move or self._hedge(arbitrage, orders, result, epoch)

    def _open(self, arbitrage: Arbitrage, epoch: Epoch) -> Move:
        """Both legs, if they are still profitable by the current books; or legs that a restart of
        the store has lost."""
        first = decisions.first_legs(arbitrage)
        opened = replace(arbitrage, state=ArbitrageState.OPEN)
        try:
            if self._legs.forgotten(arbitrage, first, epoch):
                return self._legs.recall(opened, first)
        except (ExchangeUnavailable, UnknownAccount):
            return Move(arbitrage, self.limits.recheck_ms)
        except NoPlan as error:
            return decisions.refused(arbitrage, str(error), self.limits)
        over = expired(arbitrage.expires_at, self.core.clock.now())
        if over is not None:
            return decisions.refused(arbitrage, over, self.limits)
        try:
            buy, sell = run_parallel(
                lambda: self._legs.venue(arbitrage.buy_account, arbitrage.symbol),
                lambda: self._legs.venue(arbitrage.sell_account, arbitrage.symbol),
            )
            plan = plan_legs(arbitrage, buy, sell, self.limits.notional_max)
            opened = replace(opened, expected_profit=plan.expected_profit)
            plans = (plan.buy, plan.sell)
            return self._legs.begin(opened, list(zip(first, plans, strict=True)))
        except (NoPlan, UnknownAccount) as error:
            return decisions.refused(arbitrage, str(error), self.limits)
        except ExchangeUnavailable as error:
            reason = f"an exchange could not be read: {error}"
            return decisions.refused(arbitrage, reason, self.limits)

    def _hedge(
        self, arbitrage: Arbitrage, orders: Mapping[str, Order], result: Result, epoch: Epoch
    ) -> Move:
        """The next hedge, or a wait until it is possible."""
        venues, unread = self._legs.readable_venues(arbitrage)
        now, limits = self.core.clock.now(), self.limits
        hedge = decisions.next_hedge(arbitrage, orders, result, venues, unread, now, limits)
        if hedge is None:
            return decisions.kept_waiting(arbitrage, result, limits)
        possible = decisions.possible_hedges(arbitrage, result, limits)
        after = decisions.balancing(arbitrage, result)
        try:
            # Looked up before anything is sent, and before anything is left open.
            forgotten = self._legs.forgotten(arbitrage, possible, epoch)
            if forgotten:
                return self._legs.recall(after, forgotten)
        except (ExchangeUnavailable, UnknownAccount):
            return decisions.kept_waiting(arbitrage, result, limits)
        except NoPlan as error:
            return decisions.ended(arbitrage, ArbitrageState.IMBALANCED, str(error), result, limits)
        if isinstance(hedge, Move):
            return hedge
        candidate = next(each for each in possible if each.account == hedge.account)
        try:
            return self._legs.begin(after, [(candidate, hedge)])
        except (ExchangeUnavailable, UnknownAccount) as error:
            return decisions.not_sent(arbitrage, str(error), result, self.core.clock.now(), limits)

    def _write(self, before: Arbitrage, move: Move, epoch: Epoch | None = None) -> Arbitrage:
        """Write the move with its orders atomically; a wait only changes the due time. An arbitrage
        without a record gets one.

        Raises VersionConflict, StoreRestarted if the epoch is over, and NoPlan if nothing may be
        sent now.
        """
        clock, after = self.core.clock, move.after
        due_ms = None if move.wait_ms is None else clock.now_ms() + move.wait_ms
        if after is before and before.version:
            self._come_back(before, due_ms)
            return before
        if after.is_announced and not before.is_announced:
            # At least once: the record says so only afterwards.
            self.announce(before)
        after = replace(
            after, version=before.version + 1, revision=new_revision(), updated_at=clock.now()
        )
        match self.store.commit(ArbitrageChange(before, after, due_ms, move.news, epoch)):
            case Committed.CONFLICT:
                raise VersionConflict(before.arbitrage_id)
            case Committed.HALTED:
                raise NoPlan(self._halt_reason(move.news))
            case Committed.HELD:
                raise NoPlan("account: an exchange has requested a pause")
            case Committed.RESTARTED:
                # Only who asks learns that the server is another run now.
                self.core.stores.epochs.epoch(fresh=True)
                raise StoreRestarted
        if after.has_ended and after.state is not ArbitrageState.IMBALANCED:
            self.announce(after)
        return after

    def _come_back(self, arbitrage: Arbitrage, due_ms: int | None) -> None:
        if due_ms is None:
            self.store.rest(arbitrage.arbitrage_id)
        else:
            self.store.postpone(arbitrage.arbitrage_id, due_ms)

    def _halt_reason(self, news: tuple[NewLeg, ...]) -> str:
        accounts = {None, *(leg.order.account for leg in news)}
        halts = [halt for halt in self.core.stores.halts.halts() if halt.account in accounts]
        return f"halted: {'; '.join(halt.reason for halt in halts)}"
