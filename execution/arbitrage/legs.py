"""Reads the venues of an arbitrage, and journals and sends its orders."""

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from threading import Barrier, BrokenBarrierError
from typing import Protocol

from execution.arbitrage.model import Arbitrage, ArbitrageState, Leg, LegRole
from execution.arbitrage.plan import LegPlan, Venue
from execution.arbitrage.store import ArbitrageChange, ArbitrageStore, NewLeg
from execution.exchanges.bulkhead import Bulkhead
from execution.exchanges.clocks import ExchangeClocks
from execution.exchanges.parallel import run_parallel
from execution.exchanges.port import Exchange
from execution.exchanges.registry import client_order_id_of
from execution.market_data.spreads import UNLIMITED
from execution.model.book import Book
from execution.model.clock import Clock
from execution.model.decimals import ZERO
from execution.model.errors import (
    ExchangeUnavailable,
    NoPlan,
    StoreRestarted,
    UnknownAccount,
    VersionConflict,
)
from execution.model.instrument import assets_of
from execution.model.order import Order, OrderType, Side, TimeInForce
from execution.orders.factory import new_order
from execution.orders.identifiers import order_id_of
from execution.orders.journal import Journal, new_revision
from execution.orders.manager import OrderManager
from execution.orders.placement import Placement
from execution.orders.store import Committed, Epoch, OrderStores

BOOK_DEPTH = 100
STRATEGY = "arbitrage"
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
MEET_S = 1


@dataclass(frozen=True, slots=True)
class Limits:
    """How an arbitrage is carried out. Times in ms; `notional_max` is in quote, for the buy leg.

    No attempt of a leg begins after `leg_ttl_ms`. What the legs differ by is worked off in at most
    `hedges_max` orders, and given up once nothing could be done for it in `patience_ms`. What has
    ended is looked at once more after `audit_ms`, because fills may come late.
    """

    leg_ttl_ms: int = 2_000
    recheck_ms: int = 500
    patience_ms: int = 60_000
    hedges_max: int = 8
    audit_ms: int = 30_000
    notional_max: Decimal = UNLIMITED


class ArbitrageExchange(Exchange, Protocol):
    """One account at one exchange, as arbitrages need it."""

    def free_balances(self) -> dict[str, Decimal]:
        """What can be traded with, by asset."""

    def order_book(self, symbol: str, depth: int) -> Book: ...


@dataclass(frozen=True, slots=True)
class ArbitrageContext:
    """What an executor works with; `exchange_of` is as in order_manager.OrderManager."""

    store: ArbitrageStore
    stores: OrderStores
    journal: Journal
    manager: OrderManager
    placement: Placement
    exchange_of: Callable[[str], ArbitrageExchange]
    clock: Clock
    clocks: ExchangeClocks
    bulkhead: Bulkhead = field(default_factory=Bulkhead)


def _meet(barrier: Barrier) -> None:
    """Wait for the other leg's thread, but not for long: one leg alone is better than none, since
    both are journaled."""
    with suppress(BrokenBarrierError):
        barrier.wait(MEET_S)


@dataclass(frozen=True, slots=True)
class Candidate:
    """An order that an arbitrage may send; `name` tells it from the arbitrage's others."""

    name: str
    role: LegRole
    account: str
    side: Side


def first_legs(arbitrage: Arbitrage) -> list[Candidate]:
    """Both orders with which it begins."""
    return [
        Candidate(LegRole.BUY.value, LegRole.BUY, arbitrage.buy_account, Side.BUY),
        Candidate(LegRole.SELL.value, LegRole.SELL, arbitrage.sell_account, Side.SELL),
    ]


def leg_order_id(arbitrage: Arbitrage, name: str) -> str:
    """The id of the arbitrage's order of that name; the same one every time."""
    return order_id_of(_leg_signal_id(arbitrage, name))


def _leg_signal_id(arbitrage: Arbitrage, name: str) -> str:
    return f"{arbitrage.signal_id}:{name}"


class Legs:
    """The orders of arbitrages."""

    def __init__(self, context: ArbitrageContext, limits: Limits) -> None:
        self._context = context
        self._limits = limits

    def venue(self, account: str, symbol: str) -> Venue:
        """Read what a decision about the symbol needs, now. Raises NoPlan for a symbol that is not
        traded there, UnknownAccount and ExchangeUnavailable."""
        exchange = self._context.exchange_of(account)
        market = exchange.market(symbol)
        if market is None:
            raise NoPlan(f"symbol: {symbol!r} is not traded on account {account}")
        free = exchange.free_balances()
        book = exchange.order_book(symbol, BOOK_DEPTH)
        base, quote = assets_of(symbol)
        read_ms = self._context.clock.now_ms()
        return Venue(account, market, book, read_ms, free.get(base, ZERO), free.get(quote, ZERO))

    def forgotten(
        self, arbitrage: Arbitrage, candidates: Iterable[Candidate], epoch: Epoch
    ) -> list[Candidate]:
        """Those of the orders that the arbitrage does not know of and that stand, or may: a restart
        of the store made us forget that they were sent.

        Raises ExchangeUnavailable and UnknownAccount while that cannot be told, and NoPlan where
        somebody else's order has the id of one.
        """
        return [one for one in candidates if self._is_forgotten(arbitrage, one, epoch)]

    def _is_forgotten(self, arbitrage: Arbitrage, candidate: Candidate, epoch: Epoch) -> bool:
        probe = self._probe(arbitrage, candidate)
        known = self._context.stores.orders.order(probe.order_id)
        if known is not None:
            # Reconciliation has found it at the exchange, and could not know what it belongs to.
            if known.signal_id not in ("", probe.signal_id):
                raise NoPlan(f"signal_id: {known.signal_id!r} was used before, for another order")
            return True
        placement = self._context.placement
        if not placement.may_have_unknown_attempt(probe, epoch):
            return False
        exchange = self._context.exchange_of(candidate.account)
        return placement.may_exist_at_exchange(_as_known_to(exchange, probe), epoch, exchange)

    def _probe(self, arbitrage: Arbitrage, candidate: Candidate) -> Order:
        """An order of which nothing is known but its id. It is as old as the arbitrage, and is
        never sent: it has expired, whatever clock says so."""
        probe = new_order(
            signal_id=_leg_signal_id(arbitrage, candidate.name),
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
        )
        return replace(probe, version=1)

    def _order(self, arbitrage: Arbitrage, name: str, plan: LegPlan) -> Order:
        now = self._context.clock.now()
        guarantees = self._context.exchange_of(plan.account).guarantees
        # An exchange may take no order that is to be refused so soon.
        ttl = timedelta(milliseconds=max(self._limits.leg_ttl_ms, guarantees.window_min_ms))
        return new_order(
            signal_id=_leg_signal_id(arbitrage, name),
            account=plan.account,
            symbol=arbitrage.symbol,
            side=plan.side,
            type=OrderType.LIMIT,
            amount=plan.amount,
            price=plan.price,
            now=now,
            time_in_force=TimeInForce.IOC,
            expires_at=now + ttl,
            strategy=arbitrage.strategy or STRATEGY,
            reference_price=plan.reference_price,
            exchange=guarantees.exchange,
        )

    def send(
        self,
        before: Arbitrage,
        after: Arbitrage,
        plans: Sequence[tuple[str, LegPlan]],
        epoch: Epoch,
    ) -> Arbitrage:
        """Journal the orders with their first attempts and with the arbitrage, in one write, and
        send them at the same time.

        Raises VersionConflict, StoreRestarted, ExchangeUnavailable, and NoPlan where nothing may be
        sent now; then nothing was.
        """
        placement = self._context.placement
        orders = [self._order(before, name, plan) for name, plan in plans]
        exchanges = [self._context.exchange_of(order.account) for order in orders]
        begun = [placement.begun(*pair) for pair in zip(orders, exchanges, strict=True)]
        legs = tuple(
            Leg(plan.role, plan.account, order.order_id)
            for (_, plan), order in zip(plans, begun, strict=True)
        )
        due_ms = self._context.journal.due_ms
        news = tuple(
            NewLeg(order, due_ms(order) or 0, begins_attempt=True, address=exchange.address)
            for order, exchange in zip(begun, exchanges, strict=True)
        )
        kept = self.commit(before, replace(after, legs=before.legs + legs), news, epoch)
        self._launch(begun, epoch)
        return kept

    def journal_forgotten(
        self,
        before: Arbitrage,
        after: Arbitrage,
        candidates: Sequence[Candidate],
        epoch: Epoch,
    ) -> Arbitrage:
        """Journal orders that may stand at their exchanges though nobody remembers them. They are
        found, or found not to be there, and never sent. Raises as `send` does."""
        legs, news, now_ms = [], [], self._context.clock.now_ms()
        for candidate in candidates:
            probe = self._probe(before, candidate)
            legs.append(Leg(candidate.role, candidate.account, probe.order_id))
            if self._context.stores.orders.order(probe.order_id) is None:
                exchange = self._context.exchange_of(candidate.account)
                order = replace(_as_known_to(exchange, probe), revision=new_revision())
                news.append(NewLeg(order, now_ms, begins_attempt=False))
        return self.commit(before, replace(after, legs=(*before.legs, *legs)), tuple(news), epoch)

    def wait(self, arbitrage: Arbitrage, wait_ms: int | None = None) -> Arbitrage:
        """Let the sweep look at it again after a while. One that has no record yet gets one."""
        due_ms = self._context.clock.now_ms() + (wait_ms or self._limits.recheck_ms)
        if not arbitrage.version:
            return self.commit(arbitrage, arbitrage, due_ms=due_ms)
        self._context.store.postpone(arbitrage.arbitrage_id, due_ms)
        return arbitrage

    def commit(
        self,
        before: Arbitrage,
        after: Arbitrage,
        legs: tuple[NewLeg, ...] = (),
        epoch: Epoch | None = None,
        due_ms: int | None = None,
    ) -> Arbitrage:
        """Write the next state of an arbitrage; raises as `send` does. It is looked at again soon,
        or at `due_ms`, or, where it was refused, never."""
        clock = self._context.clock
        kept = replace(
            after, version=before.version + 1, revision=new_revision(), updated_at=clock.now()
        )
        if due_ms is None and kept.state is not ArbitrageState.REFUSED:
            due_ms = clock.now_ms() + self._limits.recheck_ms
        change = ArbitrageChange(before, kept, due_ms, legs, epoch)
        match self._context.store.commit(change):
            case Committed.CONFLICT:
                raise VersionConflict(before.arbitrage_id)
            case Committed.HALTED:
                raise NoPlan(self._halt_reason(legs))
            case Committed.HELD:
                raise NoPlan("account: an exchange has asked to be left alone for a while")
            case Committed.RESTARTED:
                # Only who asks learns that the server is another run now.
                self._context.stores.epochs.epoch(fresh=True)
                raise StoreRestarted
        return kept

    def _halt_reason(self, legs: tuple[NewLeg, ...]) -> str:
        accounts = {None, *(leg.order.account for leg in legs)}
        halts = [halt for halt in self._context.stores.halts.halts() if halt.account in accounts]
        return f"halted: {'; '.join(halt.reason for halt in halts)}"

    def _launch(self, begun: list[Order], epoch: Epoch) -> None:
        """Send all at the same moment: only when every thread has its connection does one begin."""
        ready = Barrier(len(begun))

        def launch(order: Order) -> None:
            try:
                exchange = self._context.exchange_of(order.account)
                _meet(ready)
                self._context.placement.launch(order, exchange, epoch)
            except (UnknownAccount, ExchangeUnavailable):
                """It never left; the sweep finds that out as for any other attempt."""
            except VersionConflict:
                """Somebody else has found out already what became of it."""

        run_parallel(*(partial(launch, order) for order in begun))


def _as_known_to(exchange: Exchange, order: Order) -> Order:
    """The order with the client order id by which that exchange knows it."""
    client_order_id = client_order_id_of(order.order_id, exchange.guarantees.exchange)
    return replace(order, client_order_id=client_order_id)
