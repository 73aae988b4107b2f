"""Puts the trading core together: stores, exchanges, orders and arbitrages.

All callers use it: workers, the plain functions, tests and benchmarks.
"""

from collections.abc import Callable
from dataclasses import dataclass

from execution.arbitrage.decisions import Limits
from execution.arbitrage.executor import ArbitrageExecutor
from execution.arbitrage.legs import VenueExchange
from execution.exchanges.bulkhead import Bulkhead
from execution.exchanges.clocks import ExchangeClocks
from execution.exchanges.port import Exchange
from execution.ledger.archive import Archive
from execution.ledger.port import Ledger
from execution.model.clock import Clock, SystemClock
from execution.orders.core import OrderCore
from execution.orders.journal import Journal, Recall, never
from execution.orders.manager import OrderManager
from execution.orders.observer import LogObserver, Observer
from execution.orders.path import OrderPath
from execution.orders.placement.resolution import Resolution
from execution.orders.placement.rules import OrderRules
from execution.orders.placement.sending import Sending
from execution.orders.schedule import RetrySchedule, Schedule
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

__all__ = [
    "OrderRules",
    "assemble_arbitrage_in_memory",
    "assemble_in_memory",
    "assemble_orders",
    "assemble_repair",
]


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
    retries: RetrySchedule | None = None,
) -> OrderCore:
    """Everything that an order needs, from its stores and a way to its exchange."""
    rules = rules or OrderRules()
    bulkhead = bulkhead or Bulkhead()
    schedule = Schedule(clock, clocks, retries or RetrySchedule(), rules.market_age_max_s)
    journal = Journal(stores, clock, observe, schedule, recall)
    sending, resolution = Sending(clock, clocks, rules), Resolution(clock, clocks, rules)
    path = OrderPath(stores, journal, exchange_of, clock, rules, sending, resolution)
    manager = OrderManager(stores, journal, exchange_of, path, bulkhead)
    return OrderCore(
        stores, exchange_of, clock, journal, schedule, sending, resolution, path, manager, bulkhead
    )


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
    """What carries orders out without Redis or workers. Memory is lost with the process."""

    server: MemoryServer
    orders: MemoryOrders
    core: OrderCore


def assemble_in_memory(exchange_of: Callable[[str], Exchange]) -> InMemory:
    """Everything for the orders of one call."""
    clock = SystemClock()
    server = MemoryServer(clock)
    orders = MemoryOrders(server)
    stores = OrderStores(
        orders=orders,
        positions=MemoryPositions(server),
        epochs=server,
        holds=MemoryAccountHolds(server),
        halts=MemoryHalts(server),
        intents=MemoryIntents(server),
    )
    clocks = ExchangeClocks(MemoryClocks(server), clock, host="here")
    core = assemble_orders(stores, exchange_of, clock, clocks, LogObserver())
    return InMemory(server, orders, core)


def assemble_arbitrage_in_memory(
    memory: InMemory, venue_of: Callable[[str], VenueExchange]
) -> ArbitrageExecutor:
    """What carries one arbitrage out, on top of what carries out its orders."""
    arbitrages = MemoryArbitrages(memory.server, memory.orders)
    return ArbitrageExecutor(memory.core, venue_of, arbitrages, Limits(), lambda _: None)
