"""Two exchanges that trade by their own books, and as many workers between them as a test wants.

Nothing here knows what an arbitrage should do. The exchanges keep their own truth, and
`Floor.check` compares what the record says with it.
"""

from collections import Counter
from collections.abc import Callable
from copy import copy
from dataclasses import dataclass, fields, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from execution.arbitrage.decisions import Limits
from execution.arbitrage.executor import ArbitrageExecutor
from execution.arbitrage.model import Arbitrage, ArbitrageState
from execution.arbitrage.store import ArbitrageChange
from execution.assembly import OrderRules, assemble_orders
from execution.exchanges.bulkhead import Bulkhead
from execution.exchanges.clocks import ExchangeClocks
from execution.exchanges.guarantees import ExchangeGuarantees
from execution.exchanges.port import Exchange, Outcome
from execution.exchanges.profiles import binance
from execution.model.book import Book
from execution.model.clock import Clock
from execution.model.errors import UnknownAccount
from execution.model.events import Reported
from execution.model.order import Attempt, Order, Side
from execution.orders.journal import Journal
from execution.orders.manager import OrderManager
from execution.orders.store import Change, Committed, Epoch
from execution.reconciliation.adoption import adopted_order
from execution.store.memory.arbitrages import MemoryArbitrages
from execution.store.memory.tables import Tables
from oneorder.identifiers import arbitrage_id_of
from tests.support.clock import FakeClock
from tests.support.exchange import MARKET, SYMBOL, Crash, FakeExchange, Standing
from tests.support.fakes import Seen
from tests.support.whole_stores import MemoryStore, order_stores

BUY, SELL = "buy-main", "sell-main"
FEE = Decimal("0.001")
LIMITS = Limits(patience_ms=2_000, audit_ms=10_000)
TICK_MS = 500


def book(bid: str, ask: str, depth: str = "10") -> Book:
    """A book of one level on either side."""
    amount = Decimal(depth)
    return Book(SYMBOL, ((Decimal(bid), amount),), ((Decimal(ask), amount),))


class Fuse:
    """Kills the process at its n-th step. Who is dead stays dead until the next one is born: its
    other threads do nothing more either."""

    def __init__(self) -> None:
        self.left: int | None = None
        self.is_dead = False

    def step(self) -> None:
        if self.is_dead:
            raise Crash
        if self.left is not None:
            self.left -= 1
            if self.left <= 0:
                self.is_dead = True
                raise Crash

    def reborn(self) -> None:
        self.left, self.is_dead = None, False


class TradingExchange(FakeExchange):
    """Takes from its own book, at the order's price or better, and keeps what it is asked."""

    def __init__(
        self, clock: FakeClock, quotes: Book, fuse: Fuse, guarantees: ExchangeGuarantees
    ) -> None:
        super().__init__(clock, book=quotes, taker_fee=FEE, guarantees=guarantees)
        self._fuse = fuse
        self.is_down = False

    def _called(self, method: str) -> None:
        self._fuse.step()
        super()._called(method)
        if self.is_down and method not in ("place", "market"):
            self.fail(method)
            super()._called(method)

    def place(self, order: Order, attempt: Attempt) -> Outcome:
        outcome = super().place(order, attempt)
        self._fuse.step()
        return outcome

    def trade_at_once(self, standing: Standing) -> None:
        if self.fill_next:
            super().trade_at_once(standing)
            return
        for price, amount in self._taken(standing.order):
            self.fill(standing, price, amount)
        self._deplete(standing.order.side, standing.filled)

    def _taken(self, order: Order) -> list[tuple[Decimal, Decimal]]:
        left, parts = order.amount, []
        buys = order.side is Side.BUY
        for price, offered in self.book.asks if buys else self.book.bids:
            part = min(left, offered)
            if part and (price <= order.price if buys else price >= order.price):
                parts.append((price, part))
                left -= part
        return parts

    def _deplete(self, side: Side, amount: Decimal) -> None:
        levels = []
        for price, offered in self.book.asks if side is Side.BUY else self.book.bids:
            part = min(amount, offered)
            amount -= part
            if offered > part:
                levels.append((price, offered - part))
        name = "asks" if side is Side.BUY else "bids"
        self.book = replace(self.book, **{name: tuple(levels)})

    def moves_before_placing(self, quotes: Book) -> None:
        """Let the book be another one by the time that the next request arrives."""
        self.on("place", lambda: setattr(self, "book", quotes))

    def traded(self, side: Side) -> Decimal:
        """The truth: what all orders together traded on that side."""
        fills = [fill for found in self.standing for fill in found.fills]
        return sum((fill.amount for fill in fills if fill.side is side), Decimal(0))


class FusedStore(MemoryStore):
    """A store that its process may die at, before and after every change."""

    def __init__(self, clock: Clock, fuse: Fuse) -> None:
        super().__init__(clock)
        self._fuse = fuse
        self.before: Callable[[], None] = lambda: None
        self.known: Epoch | None = None

    def epoch(self, *, fresh: bool = False) -> Epoch:
        """As a process knows it: it asks when it begins, and when it is told to."""
        if fresh or self.known is None:
            self.known = super().epoch()
        return self.known

    def commit(self, change: Change) -> Committed:
        self._fuse.step()
        self.before()
        # The server compares with its own epoch, not with what the process knows.
        known, self.known = self.known, None
        done = super().commit(change)
        self.known = None if done is Committed.RESTARTED else known
        self._fuse.step()
        return done


class FusedArbitrages(MemoryArbitrages):
    def __init__(self, store: FusedStore, fuse: Fuse) -> None:
        super().__init__(store, store)
        self._store = store
        self._fuse = fuse
        self.before: Callable[[], None] = lambda: None

    def commit(self, change: ArbitrageChange) -> Committed:
        self._fuse.step()
        self.before()
        known = self._store.known
        done = super().commit(change)
        # What the server looks at is nothing that the process has learned.
        self._store.known = known
        self._fuse.step()
        return done


@dataclass
class Worker:
    """One process."""

    executor: ArbitrageExecutor
    manager: OrderManager
    journal: Journal


class Floor:
    """Buying costs 99 here and selling brings 101 there, unless a test says otherwise."""

    def __init__(
        self,
        buy: Book | None = None,
        sell: Book | None = None,
        *,
        limits: Limits = LIMITS,
        buy_guarantees: ExchangeGuarantees = binance.GUARANTEES,
        sell_guarantees: ExchangeGuarantees = binance.GUARANTEES,
        bulkhead: Bulkhead | None = None,
    ) -> None:
        self.clock = FakeClock()
        self.bulkhead = bulkhead or Bulkhead()
        self.fuse = Fuse()
        self.buy = TradingExchange(self.clock, buy or book("98.9", "99"), self.fuse, buy_guarantees)
        self.sell = TradingExchange(
            self.clock, sell or book("101", "101.1"), self.fuse, sell_guarantees
        )
        self.exchanges: dict[str, TradingExchange] = {BUY: self.buy, SELL: self.sell}
        self.store = FusedStore(self.clock, self.fuse)
        self.arbitrages = FusedArbitrages(self.store, self.fuse)
        self.snapshots: list[Tables] = []
        self.store.before = self.arbitrages.before = self._snap
        self.announced: list[Arbitrage] = []
        self.limits = limits
        self.expires_at: datetime | None = None
        self.worker = self.another()

    def _snap(self) -> None:
        # What the tables hold is frozen, so that copies of the tables are enough.
        tables = self.store.tables
        held = {each.name: copy(getattr(tables, each.name)) for each in fields(tables)}
        self.snapshots.append(Tables(**held))

    def another(self, ahead: Clock | None = None) -> Worker:
        """A process that starts now, perhaps on a machine with another clock."""
        self.fuse.reborn()
        self.store.known = None
        clock = ahead or self.clock
        clocks = ExchangeClocks(self.store, clock, "here" if ahead is None else "there")
        rules = OrderRules(recv_window_ms=5_000, attempts_max=20)
        core = assemble_orders(
            order_stores(self.store),
            self._exchange_of,
            clock,
            clocks,
            Seen(),
            rules,
            bulkhead=self.bulkhead,
        )
        executor = ArbitrageExecutor(
            core, self._exchange_of, self.arbitrages, self.limits, self._announce
        )
        return Worker(executor, core.manager, core.journal)

    def _exchange_of(self, account: str) -> Exchange:
        if account not in self.exchanges:
            raise UnknownAccount(f"{account!r} is not configured")
        return self.exchanges[account]

    def _announce(self, ended: Arbitrage) -> None:
        self.fuse.step()
        self.announced.append(ended)

    def arbitrage(self, **changes: Any) -> Arbitrage:
        """One unit from one account to the other; the same ids each time."""
        signal_id = changes.pop("signal_id", "signal-1")
        asked: dict[str, Any] = {
            "arbitrage_id": arbitrage_id_of(signal_id),
            "signal_id": signal_id,
            "symbol": SYMBOL,
            "buy_account": BUY,
            "sell_account": SELL,
            "amount": Decimal(1),
            "min_profit_bps": Decimal(10),
            "max_loss_bps": Decimal(50),
            "created_at": self.clock.now(),
            "updated_at": self.clock.now(),
            "expires_at": self.expires_at,
            **changes,
        }
        return Arbitrage(**asked)

    def submit(self, **changes: Any) -> Arbitrage:
        return self.worker.executor.submit(self.arbitrage(**changes))

    def publish(self) -> str:
        """What a producer does first: the intent is there before any message."""
        return self.store.add_intent("arbitrage.execute", "signal-1")

    def sweep(self, worker: Worker | None = None, *, for_ms: int = 60_000) -> None:
        """What beat and its workers do: intents that nobody took, orders, and arbitrages."""
        worker = worker or self.worker
        for _ in range(for_ms // TICK_MS):
            self.clock.advance(TICK_MS)
            now_ms = self.clock.now_ms()
            for intent in self.store.take_intents(10, 1_000):
                worker.executor.receive(
                    self.arbitrage(signal_id=intent.body, entry_id=intent.entry_id)
                )
            for order_id in self.store.due(now_ms, 100, 5_000):
                worker.manager.advance_by_id(order_id)
            for arbitrage_id in self.arbitrages.due(now_ms, 100, 5_000):
                worker.executor.advance_by_id(arbitrage_id)

    def stored(self, signal_id: str = "signal-1") -> Arbitrage:
        found = self.arbitrages.arbitrage(arbitrage_id_of(signal_id))
        assert found is not None, "no record of the arbitrage"
        return found

    def swept(self, worker: Worker | None = None, *, for_ms: int = 60_000) -> Arbitrage:
        self.sweep(worker, for_ms=for_ms)
        return self.stored()

    def finished(self, worker: Worker, *, within_ms: int) -> Arbitrage:
        """What it comes to within so long; looked at no longer than needed."""
        for _ in range(within_ms // TICK_MS):
            self.sweep(worker, for_ms=TICK_MS)
            known = self.arbitrages.arbitrage(arbitrage_id_of("signal-1"))
            if known is not None and known.has_ended and not self.store.tables.live:
                break
        return self.swept(worker, for_ms=5_000)

    def adopt_all(self) -> None:
        """What reconciliation makes of orders with ids of ours that have no record."""
        for account, exchange in self.exchanges.items():
            for found in exchange.standing:
                report = exchange.report_of(found, with_fills=True)
                if self.store.order(found.order.client_order_id) is None:
                    adopted = adopted_order(account, report, self.clock.now())
                    self.worker.journal.record(adopted, Reported(report))

    @property
    def requests(self) -> int:
        return len(self.buy.requests) + len(self.sell.requests)

    def truth(self) -> tuple[Decimal, Decimal]:
        """What was really bought, and really sold."""
        both = (self.buy, self.sell)
        return (
            sum((exchange.traded(Side.BUY) for exchange in both), Decimal(0)),
            sum((exchange.traded(Side.SELL) for exchange in both), Decimal(0)),
        )

    def check(self, arbitrage: Arbitrage) -> Arbitrage:
        """What must hold at the end, whatever happened on the way."""
        self.check_nothing_doubled()
        assert arbitrage.has_ended, f"it is still {arbitrage.state}"
        assert (arbitrage.bought, arbitrage.sold) == self.truth(), "the record is not the truth"
        positions = self.store.positions()
        assert sum(p.amount for p in positions) == arbitrage.imbalance
        is_open = arbitrage.state is ArbitrageState.IMBALANCED
        assert is_open or abs(arbitrage.imbalance) * 100 < MARKET.notional_min
        told = [ended for ended in self.announced if ended.state is arbitrage.state]
        assert told or not is_open, "nobody was told of the imbalance"
        return arbitrage

    def check_nothing_doubled(self) -> None:
        stood = Counter(
            found.order.client_order_id
            for exchange in (self.buy, self.sell)
            for found in exchange.standing
        )
        assert all(number == 1 for number in stood.values()), f"doubled: {stood}"
