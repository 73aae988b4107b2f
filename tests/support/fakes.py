"""The trading core in memory: a store that fails on demand, an observer, and all of it together."""

from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any

from execution.api.connections import Connections
from execution.assembly import OrderRules, assemble_orders, assemble_repair
from execution.exchanges.account import Account
from execution.exchanges.address_holds import AddressHolds
from execution.exchanges.clocks import ExchangeClocks
from execution.exchanges.port import Exchange
from execution.ledger.archive import Archive, Retention
from execution.ledger.memory import MemoryLedger
from execution.model.clock import Clock, steady_ms
from execution.model.errors import StoreUnavailable
from execution.model.events import Event
from execution.model.order import (
    Fee,
    Fill,
    Order,
    OrderState,
    OrderType,
    Side,
)
from execution.orders.factory import new_order
from execution.orders.manager import OrderManager
from execution.orders.store import Change, Committed
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
from tests.support.clock import EPOCH, START_MS, FakeClock
from tests.support.exchange import SYMBOL, FakeExchange
from tests.support.whole_stores import MemoryStore, order_stores, reconciliation_context

ACCOUNT = "binance-main"


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
    """The whole trading core in memory: what the composition root does, with twins."""

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
