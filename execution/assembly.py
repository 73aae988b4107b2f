"""Puts the trading core together: from stores and exchanges to orders, and arbitrages of them.

The one place for every caller: workers, the plain functions, tests and benchmarks.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from execution.arbitrage.executor import ArbitrageExecutor
from execution.arbitrage.legs import ArbitrageContext, ArbitrageExchange, Limits
from execution.arbitrage.model import Arbitrage
from execution.arbitrage.store import ArbitrageStore
from execution.exchanges.bulkhead import Bulkhead
from execution.exchanges.clocks import ExchangeClocks
from execution.exchanges.port import Exchange
from execution.ledger.archive import Archive
from execution.ledger.port import Ledger
from execution.model.clock import Clock, SystemClock
from execution.orders.journal import Journal, Recall, RetrySchedule, never
from execution.orders.manager import OrderManager
from execution.orders.observer import LogObserver, Observer
from execution.orders.placement import Placement
from execution.orders.store import LeaseStore, OrderStores
from execution.repair.rebuilding import Rebuilder
from execution.repair.repairer import Repairer
from execution.repair.restoring import Restorer
from execution.repair.store import RepairStore
from execution.store.memory.arbitrages import MemoryArbitrages
from execution.store.memory.clocks import MemoryClocks
from execution.store.memory.holds import MemoryAccountHolds, MemoryHalts
from execution.store.memory.intents import MemoryIntents
from execution.store.memory.orders import MemoryOrders
from execution.store.memory.positions import MemoryPositions
from execution.store.memory.server import MemoryServer

ATTEMPTS_MAX = 5


@dataclass(frozen=True, slots=True)
class OrderRules:
    """How orders are placed. `recv_window_ms` is the window of every account that is not in
    `windows` (ms by account), None for each exchange's own. A market order that was published
    longer ago than `market_age_max_s` is refused instead of sent; None for any age."""

    recv_window_ms: int | None = None
    attempts_max: int = ATTEMPTS_MAX
    windows: Mapping[str, int] = field(default_factory=dict)
    market_age_max_s: int | None = None


@dataclass(frozen=True, slots=True)
class OrderCore:
    """The parts that carry orders out. `exchange_of` gives the calling thread's own connection of
    an account; it raises UnknownAccount and ExchangeUnavailable."""

    stores: OrderStores
    exchange_of: Callable[[str], Exchange]
    clock: Clock
    clocks: ExchangeClocks
    journal: Journal
    placement: Placement
    manager: OrderManager
    bulkhead: Bulkhead


def assemble_orders(
    stores: OrderStores,
    exchange_of: Callable[[str], Exchange],
    clock: Clock,
    clocks: ExchangeClocks,
    observe: Observer,
    rules: OrderRules | None = None,
    *,
    recall: Recall = never,
    bulkhead: Bulkhead | None = None,
    schedule: RetrySchedule | None = None,
) -> OrderCore:
    """Everything that an order needs, from its stores and a way to its exchange."""
    rules = rules or OrderRules()
    bulkhead = bulkhead or Bulkhead()
    journal = Journal(stores, clock, clocks, observe, schedule or RetrySchedule(), recall)
    placement = Placement(
        stores,
        journal,
        exchange_of,
        clock,
        clocks,
        recv_window_ms=rules.recv_window_ms,
        attempts_max=rules.attempts_max,
        windows=rules.windows,
        market_age_max_s=rules.market_age_max_s,
    )
    manager = OrderManager(stores, journal, exchange_of, placement, bulkhead)
    return OrderCore(stores, exchange_of, clock, clocks, journal, placement, manager, bulkhead)


def assemble_arbitrage(
    orders: OrderCore,
    store: ArbitrageStore,
    exchange_of: Callable[[str], ArbitrageExchange],
    limits: Limits,
    announce: Callable[[Arbitrage], None],
) -> ArbitrageExecutor:
    """What carries arbitrages out, on top of what carries out their orders."""
    context = ArbitrageContext(
        store,
        orders.stores,
        orders.journal,
        orders.manager,
        orders.placement,
        exchange_of,
        orders.clock,
        orders.clocks,
        orders.bulkhead,
    )
    return ArbitrageExecutor(context, limits, announce)


def assemble_repair(
    stores: OrderStores,
    leases: LeaseStore,
    parts: RepairStore,
    ledger: Ledger,
    archive: Archive,
    clock: Clock,
    remember_s: int,
) -> tuple[Repairer, Rebuilder]:
    """What makes the store whole again, and what makes positions right."""
    rebuilder = Rebuilder(stores.positions, parts, ledger, archive, clock)
    restorer = Restorer(stores.orders, stores.halts, parts, ledger, archive, clock, remember_s)
    repairer = Repairer(stores.epochs, leases, parts, archive, restorer, rebuilder, clock)
    return repairer, rebuilder


@dataclass(frozen=True, slots=True)
class InMemory:
    """The trading core of one call, without Redis or workers. Memory is lost with the process."""

    server: MemoryServer
    store: MemoryOrders
    orders: OrderCore


def assemble_in_memory(exchange_of: Callable[[str], Exchange]) -> InMemory:
    """Everything for one call."""
    clock = SystemClock()
    server = MemoryServer(clock)
    store = MemoryOrders(server)
    stores = OrderStores(
        orders=store,
        positions=MemoryPositions(server),
        epochs=server,
        holds=MemoryAccountHolds(server),
        halts=MemoryHalts(server),
        intents=MemoryIntents(server),
    )
    clocks = ExchangeClocks(MemoryClocks(server), clock, host="here")
    orders = assemble_orders(stores, exchange_of, clock, clocks, LogObserver())
    return InMemory(server, store, orders)


def assemble_arbitrage_in_memory(
    core: InMemory, exchange_of: Callable[[str], ArbitrageExchange]
) -> ArbitrageExecutor:
    """What carries one arbitrage out, on top of what carries out its orders."""
    arbitrages = MemoryArbitrages(core.server, core.store)
    return assemble_arbitrage(core.orders, arbitrages, exchange_of, Limits(), lambda _: None)
