"""Twins of the outside: a clock set by hand, an exchange in memory, a store that fails on demand.

Nothing here is told what to expect. The exchange keeps its own truth, which requests became
orders, so that a test can compare what the project believes with what happened.
"""

from collections import defaultdict, deque
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from execution.api.connections import Connections
from execution.assembly import OrderRules, assemble_orders, assemble_repair
from execution.exchanges.account import Account
from execution.exchanges.address_holds import AddressHolds
from execution.exchanges.clocks import ExchangeClocks
from execution.exchanges.guarantees import ExchangeGuarantees
from execution.exchanges.port import AccountFill, ClockOffset, Exchange, Outcome
from execution.exchanges.profiles import binance
from execution.ledger.archive import Archive, Retention
from execution.ledger.memory import MemoryLedger
from execution.model.book import Book
from execution.model.clock import Clock, SystemClock, steady_ms
from execution.model.errors import ExchangeUnavailable, StoreUnavailable, UnknownSymbol
from execution.model.events import Event
from execution.model.order import (
    Attempt,
    Fee,
    Fill,
    Order,
    OrderReport,
    OrderState,
    OrderType,
    Side,
    Terms,
    TimeInForce,
    Verdict,
)
from execution.model.trading_rules import Market
from execution.orders.factory import new_order
from execution.orders.manager import OrderManager
from execution.orders.store import Change, Committed
from execution.positions.balance_sheet import moved_by_trade
from execution.reconciliation.context import ReconciliationContext
from execution.reconciliation.reconciler import Reconciler
from execution.reconciliation.run import DriftPolicy, Reconciliation
from execution.store.memory.arbitrages import MemoryArbitrages
from execution.store.memory.archive import MemoryArchive
from execution.store.memory.books import MemoryBooks
from execution.store.memory.health import MemoryHealth
from execution.store.memory.holds import MemoryAddressHolds
from execution.store.memory.intents import MemoryWaiting
from execution.store.memory.listings import MemoryListings
from execution.store.memory.reconciliations import MemoryReconciliations
from execution.store.memory.repair import MemoryRepair
from execution.store.memory.valuations import MemoryValuations
from execution.store.memory.workers import MemoryWorkers
from execution.store.stores import Stores
from tests.support.whole_stores import MemoryStore, order_stores, reconciliation_context

START_MS = 1_800_000_000_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SYMBOL = "BTC/USDT"
ACCOUNT = "binance-main"
ADDRESS = "https://exchange.test:443"


class Crash(Exception):
    """The process that ran this is gone; whoever catches it plays the next process."""


class FakeClock:
    """A wall clock that only moves when it is told to."""

    def __init__(self, now_ms: int = START_MS) -> None:
        self._now_ms = now_ms

    def now_ms(self) -> int:
        return self._now_ms

    def now(self) -> datetime:
        return EPOCH + timedelta(milliseconds=self._now_ms)

    def advance(self, ms: int) -> None:
        self._now_ms += ms


class RealTime(FakeClock):
    """The twin's clock where the code under test reads the machine's."""

    def now_ms(self) -> int:
        return SystemClock().now_ms()


@dataclass(frozen=True)
class SkewedClock:
    """Another machine's clock: the same time, read wrong by `ahead_ms`."""

    true: FakeClock
    ahead_ms: int

    def now_ms(self) -> int:
        return self.true.now_ms() + self.ahead_ms

    def now(self) -> datetime:
        return self.true.now() + timedelta(milliseconds=self.ahead_ms)


@dataclass
class Standing:
    """An order as the exchange itself has it."""

    exchange_order_id: str
    order: Order
    accepted_ms: int
    status: OrderState = OrderState.OPEN
    fills: list[Fill] = field(default_factory=list)

    @property
    def filled(self) -> Decimal:
        return sum((fill.amount for fill in self.fills), Decimal(0))


Placing = Callable[["FakeExchange", Order, Attempt], Outcome]
MARKET = Market(
    symbol=SYMBOL,
    price_tick=Decimal("0.01"),
    amount_step=Decimal("0.001"),
    amount_min=Decimal("0.001"),
    notional_min=Decimal(5),
    taker_fee=Decimal("0.001"),
)


class FakeExchange:
    """One account at an exchange that keeps Binance's contract: a fence, ids unique among open
    orders, reads that lag. See ports.Exchange for the meaning of the methods.

    What happens to each next placement is taken from `script`; after its end everything is
    accepted. `fill_next` says in which (price, amount) parts the next accepted orders trade at
    once; `tells_fills` whether the answer to a placement lists them.
    """

    def __init__(
        self,
        clock: FakeClock,
        *,
        skew_ms: int = 0,
        read_lag_ms: int = 0,
        tells_fills: bool = True,
        fee_asset: str = "USDT",
        taker_fee: Decimal = Decimal(0),
        book: Book | None = None,
        guarantees: ExchangeGuarantees = binance.GUARANTEES,
        uncertainty_ms: int = 0,
    ) -> None:
        self.clock = clock
        self.guarantees = guarantees
        self.uncertainty_ms = uncertainty_ms
        self.skew_ms = skew_ms
        self.read_lag_ms = read_lag_ms
        self.tells_fills = tells_fills
        self.fee_asset = fee_asset
        self.taker_fee = taker_fee
        self.book = book or Book(
            SYMBOL, ((Decimal(99), Decimal(10)),), ((Decimal(101), Decimal(10)),)
        )
        self.markets: dict[str, Market] = {SYMBOL: MARKET}
        # Symbols that it lists no more: every question about them is refused.
        self.delisted: set[str] = set()
        self.script: deque[Placing] = deque()
        self.fill_next: deque[list[tuple[str, str]]] = deque()
        self.requests: list[tuple[Order, Attempt]] = []
        self.calls: list[str] = []
        self.standing: list[Standing] = []
        self.in_flight: list[tuple[Order, Attempt]] = []
        self.deposits = {"USDT": Decimal(1_000_000), "BTC": Decimal(100), "ETH": Decimal(1_000)}
        self._actions: dict[str, deque[Callable[[], None]]] = defaultdict(deque)
        self._trade_id = 100

    def on(self, method: str, action: Callable[[], None]) -> None:
        """Let `action` run when `method` is called next, before it does anything."""
        self._actions[method].append(action)

    def fail(self, method: str, *, retry_after_s: int = 0) -> None:
        """Let the next call of `method` get no usable answer."""

        def unavailable() -> None:
            raise ExchangeUnavailable(f"{method}: no answer", retry_after_s)

        self.on(method, unavailable)

    def _called(self, method: str) -> None:
        self.calls.append(method)
        if self._actions[method]:
            self._actions[method].popleft()()

    def now_ms(self) -> int:
        """The exchange's own time."""
        return self.clock.now_ms() + self.skew_ms

    def symbols(self) -> list[str]:
        self._called("symbols")
        return sorted(self.markets.keys() - self.delisted)

    def _is_listed(self, *symbols: str) -> None:
        gone = self.delisted.intersection(symbols)
        if gone:
            raise UnknownSymbol(f"BadSymbol: {', '.join(sorted(gone))} is not listed")

    @property
    def address(self) -> str:
        return ADDRESS

    def market(self, symbol: str, since_ms: int | None = None) -> Market | None:
        self._called("market" if since_ms is None else "market_since")
        return None if symbol in self.delisted else self.markets.get(symbol)

    def place(self, order: Order, attempt: Attempt) -> Outcome:
        self._called("place")
        self.requests.append((order, attempt))
        return (self.script.popleft() if self.script else arrives)(self, order, attempt)

    def arrive(self, order: Order, attempt: Attempt, grace_ms: int = 0) -> Outcome:
        """What the matching engine makes of a request that gets there now."""
        if self.now_ms() > attempt.valid_until_ms + grace_ms:
            return Outcome(Verdict.NOT_SENT, reason="outside the receive window")
        if any(
            standing.order.client_order_id == order.client_order_id
            and standing.status is OrderState.OPEN
            for standing in self.standing
        ):
            return Outcome(Verdict.UNKNOWN, reason="Duplicate order sent.")
        found = Standing(f"{7000 + len(self.standing)}", order, self.now_ms())
        self.standing.append(found)
        for price, amount in self.fill_next.popleft() if self.fill_next else []:
            self.trade(order.client_order_id, price, amount)
        if order.time_in_force is TimeInForce.IOC and found.status is OrderState.OPEN:
            found.status = OrderState.EXPIRED
        return Outcome(Verdict.ACCEPTED, self._report(found, with_fills=self.tells_fills))

    def deliver(self) -> None:
        """Let every request that is still under way arrive now. One that passed the fence in time
        may become an order for as long as the contract says."""
        waiting, self.in_flight = self.in_flight, []
        for order, attempt in waiting:
            self.arrive(order, attempt, grace_ms=self.guarantees.engine_bound_ms)

    def trade(self, client_order_id: str, price: str, amount: str) -> None:
        """Let the order trade with somebody."""
        found = next(
            s for s in reversed(self.standing) if s.order.client_order_id == client_order_id
        )
        self._trade_id += 1
        value = Decimal(price) * Decimal(amount)
        fee = (value if self.fee_asset == "USDT" else Decimal(amount)) * self.taker_fee
        found.fills.append(
            Fill(
                trade_id=str(self._trade_id),
                side=found.order.side,
                price=Decimal(price),
                amount=Decimal(amount),
                fees=(Fee(self.fee_asset, fee),) if fee else (),
                time=EPOCH + timedelta(milliseconds=self.now_ms()),
            )
        )
        if found.filled >= found.order.amount:
            found.status = OrderState.FILLED

    def cancel(self, order: Order) -> OrderReport | None:
        self._called("cancel")
        self._is_listed(order.symbol)
        for found in self.standing:
            if (
                found.exchange_order_id == order.exchange_order_id
                and found.status is OrderState.OPEN
            ):
                found.status = OrderState.CANCELED
                return self._report(found)
        return None

    def lookup(self, order: Order) -> OrderReport | None:
        # What this question sees is settled when it arrives, not when its answer is read.
        seen = [
            self._report(found)
            for found in self.standing
            if found.order.client_order_id == order.client_order_id
            and found.accepted_ms + self.read_lag_ms <= self.now_ms()
        ]
        self._called("lookup")
        self._is_listed(order.symbol)
        return seen[-1] if seen else None

    def fetch(self, symbol: str, exchange_order_id: str) -> OrderReport | None:
        self._called("fetch")
        self._is_listed(symbol)
        for found in self.standing:
            if found.exchange_order_id == exchange_order_id and found.order.symbol == symbol:
                return self._report(found)
        return None

    def open_orders(self, symbol: str) -> list[OrderReport]:
        self._called("open_orders")
        self._is_listed(symbol)
        return [
            self._report(found)
            for found in self.standing
            if found.order.symbol == symbol and found.status is OrderState.OPEN
        ]

    def order_fills(self, order: Order) -> list[Fill]:
        self._called("order_fills")
        self._is_listed(order.symbol)
        return [
            fill
            for found in self.standing
            if found.exchange_order_id == order.exchange_order_id
            for fill in found.fills
        ]

    def fills_since(self, symbol: str, cursor: str | None, since_ms: int) -> list[AccountFill]:
        self._called("fills_since")
        self._is_listed(symbol)
        since = EPOCH + timedelta(milliseconds=since_ms)
        fills = [
            AccountFill(found.exchange_order_id, fill)
            for found in self.standing
            if found.order.symbol == symbol
            for fill in found.fills
            if (fill.time >= since if cursor is None else int(fill.trade_id) > int(cursor))
        ]
        return sorted(fills, key=lambda told: int(told.fill.trade_id))

    def balances(self) -> dict[str, Decimal]:
        self._called("balances")
        return self._total()

    def _total(self) -> dict[str, Decimal]:
        total = dict(self.deposits)
        for found in self.standing:
            for fill in found.fills:
                for asset, amount in moved_by_trade(found.order.symbol, fill).items():
                    total[asset] = total.get(asset, Decimal(0)) + amount
        return total

    def prices(self, symbols: Collection[str]) -> dict[str, Decimal]:
        self._called("prices")
        self._is_listed(*symbols)
        mid = self.book.mid
        return {symbol: mid for symbol in symbols if symbol in self.markets and mid is not None}

    def may_trade(self) -> bool | None:
        self._called("may_trade")
        return True

    def may_withdraw(self) -> bool | None:
        self._called("may_withdraw")
        return False

    def free_balances(self) -> dict[str, Decimal]:
        self._called("free_balances")
        return self._total()

    def order_book(self, symbol: str, depth: int) -> Book:
        self._called("order_book")
        return self.book

    def measure_clock(self) -> ClockOffset:
        self._called("measure_clock")
        return ClockOffset(self.skew_ms, self.uncertainty_ms, self.clock.now_ms())

    def _report(self, found: Standing, *, with_fills: bool = False) -> OrderReport:
        return OrderReport(
            exchange_order_id=found.exchange_order_id,
            client_order_id=found.order.client_order_id,
            symbol=found.order.symbol,
            status=found.status,
            filled=found.filled,
            fills=tuple(found.fills) if with_fills else (),
            terms=Terms(
                found.order.side,
                found.order.type,
                found.order.amount,
                found.order.price,
                found.order.time_in_force,
            ),
        )


def arrives(exchange: FakeExchange, order: Order, attempt: Attempt) -> Outcome:
    """The request arrives at once and its answer comes back."""
    return exchange.arrive(order, attempt)


def is_lost(_: FakeExchange, __: Order, ___: Attempt) -> Outcome:
    """The request never arrives, and nobody can know."""
    return Outcome(Verdict.UNKNOWN, reason="RequestTimeout: no answer")


def loses_its_answer(exchange: FakeExchange, order: Order, attempt: Attempt) -> Outcome:
    """The request arrives at once; the answer never comes back."""
    exchange.arrive(order, attempt)
    return Outcome(Verdict.UNKNOWN, reason="RequestTimeout: no answer")


def is_under_way(exchange: FakeExchange, order: Order, attempt: Attempt) -> Outcome:
    """The answer is given up on while the request is still somewhere; see `deliver`."""
    exchange.in_flight.append((order, attempt))
    return Outcome(Verdict.UNKNOWN, reason="RequestTimeout: no answer")


def dies_before_it_leaves(_: FakeExchange, __: Order, ___: Attempt) -> Outcome:
    raise Crash


def dies_after_it_arrived(exchange: FakeExchange, order: Order, attempt: Attempt) -> Outcome:
    exchange.arrive(order, attempt)
    raise Crash


def answers(verdict: Verdict, reason: str = "because", retry_after_s: int = 0) -> Placing:
    """The exchange says this, and no order comes of it."""
    return lambda _, __, ___: Outcome(verdict, reason=reason, retry_after_s=retry_after_s)


def pauses(meanwhile: Callable[[], object], then: Placing = arrives) -> Placing:
    """The worker stands still between write-ahead and send while `meanwhile` happens."""

    def placing(exchange: FakeExchange, order: Order, attempt: Attempt) -> Outcome:
        meanwhile()
        return then(exchange, order, attempt)

    return placing


class FlakyStore(MemoryStore):
    """A store whose commits fail where `plan` says so, by their number from 1 on: "before" the
    change is made, or "after" it, with the confirmation lost."""

    def __init__(self, clock: Clock, plan: dict[int, str] | None = None) -> None:
        super().__init__(clock)
        self.plan = plan or {}
        self.commits = 0

    def commit(self, change: Change) -> Committed:
        self.commits += 1
        fate = self.plan.get(self.commits)
        if fate == "before":
            raise StoreUnavailable("connection refused")
        done = super().commit(change)
        if fate == "after":
            raise StoreUnavailable("the reply was lost")
        return done


class Seen:
    """An observer that remembers."""

    def __init__(self) -> None:
        self.events: list[tuple[OrderState | None, str, OrderState]] = []

    def __call__(self, order: Order, event: Event, before: OrderState | None) -> None:
        self.events.append((before, type(event).__name__, order.state))


class NoArbitrages:
    """The arbitrage side of an intake where no arbitrage ever comes in."""

    def execute(self, signal: object, entry_id: object) -> None:
        raise AssertionError(f"an arbitrage came in: {signal} {entry_id}")

    receive = execute


class Rig:
    """A whole order desk in memory: what the composition root does, with twins."""

    def __init__(
        self,
        *,
        store_plan: dict[int, str] | None = None,
        attempts_max: int = 20,
        recv_window_ms: int | None = 5_000,
        windows: Mapping[str, int] | None = None,
        market_age_max_s: int | None = None,
        **exchange: Any,
    ) -> None:
        self.clock = FakeClock()
        self.exchange = FakeExchange(self.clock, **exchange)
        self.store = FlakyStore(self.clock, store_plan)
        self.seen = Seen()
        self.announced: list[Reconciliation] = []
        self._rules = OrderRules(recv_window_ms, attempts_max, windows or {}, market_age_max_s)
        self.ledger = MemoryLedger()
        self.book = MemoryReconciliations()
        self.valuations = MemoryValuations()
        self.arbitrages = MemoryArbitrages(self.store, self.store)
        self.workers = MemoryWorkers(self.clock)
        self.waiting = MemoryWaiting(self.store)
        self.health = MemoryHealth(self.store, self.clock)
        self.archive = Archive(
            MemoryArchive(self.store, self.clock),
            self.valuations,
            self.ledger,
            self.clock,
            Retention(keep_s=3_600, remember_s=86_400),
            self.store.halts,
        )
        self.assemble_repair(remember_s=86_400)
        self.manager = self.worker()

    def assemble_repair(self, remember_s: int) -> None:
        """Repair with the archive as it is now."""
        self.repairer, self.rebuilder = assemble_repair(
            order_stores(self.store),
            self.store,
            MemoryRepair(self.store),
            self.ledger,
            self.archive,
            self.clock,
            remember_s,
        )

    def stores(self) -> Stores:
        """What the composition root opens in Redis."""
        return Stores(
            orders=self.store,
            positions=self.store,
            epochs=self.store,
            holds=self.store,
            halts=self.store,
            intents=self.store,
            leases=self.store,
            clocks=self.store,
            archive=MemoryArchive(self.store, self.clock),
            repair=MemoryRepair(self.store),
            reconciliations=self.book,
            valuations=self.valuations,
            arbitrages=self.arbitrages,
            books=MemoryBooks(self.clock),
            workers=self.workers,
            waiting=self.waiting,
            address_holds=MemoryAddressHolds(self.store, self.clock),
            listings=MemoryListings(self.store, self.book),
            health=self.health,
        )

    def reconcile(self, policy: DriftPolicy = DriftPolicy.REPORT) -> Reconciliation:
        """What beat does every few seconds."""
        reconciler = Reconciler(
            self.context(),
            lambda: self.repairer.run([ACCOUNT]),
            self.announced.append,
            self.rebuilder.complaint,
            self.rebuilder.has_proved,
        )
        return reconciler.run(ACCOUNT, lambda: self.exchange, policy)

    def context(self) -> ReconciliationContext:
        """What a reconciliation works with."""
        return reconciliation_context(self.store, self.book, self.journal, self.clock, self.archive)

    def connect_with(self, exchange_of: Callable[[str], Exchange]) -> None:
        """Go on as a process that has other accounts, or none."""
        self.manager = self.worker(exchange_of)

    def worker(self, exchange_of: Callable[[str], Exchange] | None = None) -> OrderManager:
        """Another process on the same store and exchange."""
        connected = exchange_of or (lambda _: self.exchange)
        clocks = ExchangeClocks(self.store, self.clock, "here")
        core = assemble_orders(
            order_stores(self.store),
            connected,
            self.clock,
            clocks,
            self.seen,
            self._rules,
            recall=self.archive.recall,
        )
        self.journal, self.path, self.resolution = core.journal, core.path, core.resolution
        return core.manager

    def order(self, **changes: Any) -> Order:
        """A limit buy of 1 BTC at 100, or what `changes` make of it; the same ids each time."""
        asked: dict[str, Any] = {
            "signal_id": "signal-1",
            "account": ACCOUNT,
            "symbol": SYMBOL,
            "side": Side.BUY,
            "type": OrderType.LIMIT,
            "amount": Decimal(1),
            "price": Decimal(100),
            "now": self.clock.now(),
            **changes,
        }
        return new_order(**asked)

    def stored(self, order: Order) -> Order:
        found = self.store.order(order.order_id)
        assert found is not None, "no record of the order"
        return found

    def sweep(self, manager: OrderManager | None = None, *, for_ms: int = 60_000) -> None:
        """Do for so long, in steps of half a second, what beat's sweep and its workers do."""
        for _ in range(for_ms // 500):
            self.clock.advance(500)
            for order_id in self.store.due(self.clock.now_ms(), limit=10, lease_ms=5_000):
                (manager or self.manager).advance_by_id(order_id)

    @property
    def placements(self) -> int:
        """How many requests to place an order left the house."""
        return len(self.exchange.requests)

    @property
    def accepted(self) -> int:
        """How many orders the exchange truly has."""
        return len(self.exchange.standing)


def fill(
    trade_id: str,
    side: str,
    amount: str,
    price: str,
    fees: Iterable[tuple[str, str]] = (),
) -> Fill:
    """A fill in few words; `fees` are (asset, amount)."""
    return Fill(
        trade_id=trade_id,
        side=Side(side),
        price=Decimal(price),
        amount=Decimal(amount),
        fees=tuple(Fee(asset, Decimal(paid)) for asset, paid in fees),
        time=EPOCH + timedelta(milliseconds=START_MS),
    )


def connections_alone(
    accounts: Mapping[str, Account], clock: Clock, steady_ms: Callable[[], int] = steady_ms
) -> Connections:
    """Connections that share nothing with other processes."""
    store = MemoryStore(clock)
    clocks = ExchangeClocks(store, clock, "here")
    holds = AddressHolds(MemoryAddressHolds(store, clock), clock)
    return Connections(accounts, clock, clocks, holds, steady_ms)
