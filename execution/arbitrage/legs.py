"""The orders of an arbitrage: reads their venues, makes them, and sends them."""

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from threading import Barrier, BrokenBarrierError
from typing import Protocol

from execution.arbitrage.decisions import Candidate, Limits, Move
from execution.arbitrage.model import Arbitrage, Leg
from execution.arbitrage.plan import LegPlan, Venue
from execution.arbitrage.store import NewLeg
from execution.exchanges.parallel import run_parallel
from execution.exchanges.port import Exchange, MarketSource
from execution.model.book import Book
from execution.model.decimals import ZERO
from execution.model.errors import ExchangeUnavailable, NoPlan, UnknownAccount, VersionConflict
from execution.model.instrument import assets_of
from execution.model.order import Order, OrderType, TimeInForce
from execution.model.waiting import Wait
from execution.orders.core import OrderCore
from execution.orders.factory import new_order
from execution.orders.journal import new_revision
from execution.orders.placement.proof import may_have_unknown_attempt
from execution.orders.store import Epoch

BOOK_DEPTH = 100
STRATEGY = "arbitrage"
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
MEET_S = 1


class VenueExchange(MarketSource, Protocol):
    """The requests to an account's exchange that planning an arbitrage needs. Raises
    ExchangeUnavailable unless the answer is well-formed."""

    def free_balances(self) -> dict[str, Decimal]:
        """Free balance by asset."""

    def order_book(self, symbol: str, depth: int) -> Book: ...


@dataclass(frozen=True, slots=True)
class Legs:
    """The orders of arbitrages."""

    core: OrderCore
    venue_of: Callable[[str], VenueExchange]
    limits: Limits

    def venue(self, account: str, symbol: str) -> Venue:
        """Read what a decision about the symbol needs, now. Raises NoPlan for a symbol that is not
        traded there, UnknownAccount and ExchangeUnavailable."""
        exchange = self.venue_of(account)
        market = exchange.market(symbol)
        if market is None:
            raise NoPlan(f"symbol: {symbol!r} is not traded on account {account}")
        free = exchange.free_balances()
        book = exchange.order_book(symbol, BOOK_DEPTH)
        base, quote = assets_of(symbol)
        read_ms = self.core.clock.now_ms()
        return Venue(account, market, book, read_ms, free.get(base, ZERO), free.get(quote, ZERO))

    def readable_venues(self, arbitrage: Arbitrage) -> tuple[list[Venue], list[str]]:
        """The current venues, and the sentences of those that could not be read."""
        venues, unread = [], []
        for account in (arbitrage.buy_account, arbitrage.sell_account):
            try:
                venues.append(self.venue(account, arbitrage.symbol))
            except (ExchangeUnavailable, UnknownAccount, NoPlan) as error:
                unread.append(f"{account} could not be read: {error}")
        return venues, unread

    def forgotten(
        self, arbitrage: Arbitrage, candidates: Iterable[Candidate], epoch: Epoch
    ) -> list[Candidate]:
        """Those of the orders that are not on the arbitrage's record but exist, or may exist, at
        their exchanges: a restart of the store has lost them.

        Raises ExchangeUnavailable and UnknownAccount while that is not known, and NoPlan if an
        order of another signal has the id of one.
        """
        return [each for each in candidates if self._is_forgotten(arbitrage, each, epoch)]

    def _is_forgotten(self, arbitrage: Arbitrage, candidate: Candidate, epoch: Epoch) -> bool:
        probe = self._probe(arbitrage, candidate)
        known = self.core.stores.orders.order(probe.order_id)
        if known is not None:
            # Reconciliation has found it at the exchange, without knowing its arbitrage.
            if known.signal_id not in ("", probe.signal_id):
                raise NoPlan(f"signal_id: {known.signal_id!r} was used before, for another order")
            return True
        if not may_have_unknown_attempt(probe, epoch):
            return False
        exchange = self.core.exchange_of(candidate.account)
        probe = self._probe(arbitrage, candidate, exchange.guarantees.exchange)
        event = self.core.resolution.look_back(probe, exchange, epoch)
        if isinstance(event, Wait):
            raise ExchangeUnavailable(f"order {probe.order_id} may yet arrive at {probe.account}")
        return event is not None

    def recall(self, after: Arbitrage, candidates: Sequence[Candidate]) -> Move:
        """The move that makes records of orders that may stand at their exchanges without one. They
        are found, or found not to be there, and never sent. Raises ExchangeUnavailable and
        UnknownAccount."""
        legs, news, now_ms = [], [], self.core.clock.now_ms()
        for candidate in candidates:
            probe = self._probe(after, candidate)
            legs.append(Leg(candidate.role, candidate.account, probe.order_id))
            if self.core.stores.orders.order(probe.order_id) is None:
                exchange = self.core.exchange_of(candidate.account)
                probe = self._probe(after, candidate, exchange.guarantees.exchange)
                order = replace(probe, revision=new_revision())
                news.append(NewLeg(order, now_ms, begins_attempt=False))
        return self._with_legs(after, legs, news)

    def begin(self, after: Arbitrage, plans: Sequence[tuple[Candidate, LegPlan]]) -> Move:
        """The move that writes new orders with their first attempts, to be sent at the same time.
        Raises ExchangeUnavailable and UnknownAccount."""
        legs, news = [], []
        for candidate, plan in plans:
            exchange = self.core.exchange_of(plan.account)
            order = self._order(after, candidate, plan, exchange)
            order = self.core.sending.with_first_attempt(order, exchange)
            legs.append(Leg(plan.role, plan.account, order.order_id))
            due_ms = self.core.schedule.due_ms(order) or 0
            news.append(NewLeg(order, due_ms, begins_attempt=True, address=exchange.address))
        return self._with_legs(after, legs, news)

    def _with_legs(self, after: Arbitrage, legs: list[Leg], news: list[NewLeg]) -> Move:
        after = replace(after, legs=(*after.legs, *legs))
        return Move(after, self.limits.recheck_ms, tuple(news))

    def launch(self, news: Iterable[NewLeg], epoch: Epoch) -> None:
        """Send the orders that were written with their first attempts, all at the same time: none
        begins before every thread has its connection."""
        begun = [leg.order for leg in news if leg.begins_attempt]
        if not begun:
            return
        ready = Barrier(len(begun))

        def launch(order: Order) -> None:
            try:
                exchange = self.core.exchange_of(order.account)
                _meet(ready)
                self.core.path.follow_begun(order, exchange, epoch)
            except (UnknownAccount, ExchangeUnavailable):
                """It was never sent; the sweep determines that as for any other attempt."""
            except VersionConflict:
                """Another worker has already determined its outcome."""

        run_parallel(*(partial(launch, order) for order in begun))

    def _probe(self, arbitrage: Arbitrage, candidate: Candidate, exchange: str = "") -> Order:
        """An order of which only its id is known, and its client order id if `exchange` is given.
        It is as old as the arbitrage, and is never sent: it has expired by every clock."""
        probe = new_order(
            signal_id=candidate.signal_id(arbitrage),
            account=candidate.account,
            symbol=arbitrage.symbol,
            side=candidate.side,
            type=OrderType.LIMIT,
            amount=arbitrage.amount,
            price=None,
            now=arbitrage.created_at,
            time_in_force=TimeInForce.IOC,
            expires_at=LONG_AGO,
            strategy=arbitrage.strategy or STRATEGY,
            entry_id=arbitrage.entry_id,
            exchange=exchange,
        )
        return replace(probe, version=1)

    def _order(
        self, arbitrage: Arbitrage, candidate: Candidate, plan: LegPlan, exchange: Exchange
    ) -> Order:
        now = self.core.clock.now()
        # An exchange may take no order that is to be refused so soon.
        ttl_ms = max(self.limits.leg_ttl_ms, exchange.guarantees.window_min_ms)
        return new_order(
            signal_id=candidate.signal_id(arbitrage),
            account=plan.account,
            symbol=arbitrage.symbol,
            side=plan.side,
            type=OrderType.LIMIT,
            amount=plan.amount,
            price=plan.price,
            now=now,
            time_in_force=TimeInForce.IOC,
            expires_at=now + timedelta(milliseconds=ttl_ms),
            strategy=arbitrage.strategy or STRATEGY,
            reference_price=plan.reference_price,
            exchange=exchange.guarantees.exchange,
        )


def _meet(barrier: Barrier) -> None:
    """Wait for the other leg's thread, but not for long: since both are journaled, one leg alone is
    better than none."""
    with suppress(BrokenBarrierError):
        barrier.wait(MEET_S)
