"""Puts the trading core together: from stores and exchanges to orders, and arbitrages of them.

The one place for every caller: workers, the plain functions, tests and benchmarks.
"""

from collections.abc import Callable
from dataclasses import dataclass

from execution.arbitrage.executor import ArbitrageExecutor
from execution.arbitrage.legs import ArbitrageContext, Limits
from execution.arbitrage.model import Arbitrage
from execution.arbitrage.store import ArbitrageStore
from execution.exchanges.bulkhead import Bulkhead
from execution.exchanges.clocks import ExchangeClocks
from execution.exchanges.port import Exchange
from execution.model.clock import Clock, SystemClock
from execution.orders.journal import Journal, Recall, never
from execution.orders.manager import OrderManager
from execution.orders.observer import LogObserver, Observer
from execution.orders.order_rules import OrderRules
from execution.orders.path import OrderPath
from execution.orders.placement.resolution import Resolution
from execution.orders.placement.sending import Sending
from execution.orders.schedule import RetrySchedule, Schedule
from execution.orders.store import Store
from execution.store.memory.arbitrages import MemoryArbitrages
from execution.store.memory.orders import MemoryStore

__all__ = ["OrderRules", "assemble_arbitrage", "assemble_in_memory", "assemble_orders"]


@dataclass(frozen=True, slots=True)
class OrderCore:
    """The parts that carry orders out. `exchange_of` gives the calling thread's own connection of
    an account; it raises UnknownAccount and ExchangeUnavailable."""

    store: Store
    exchange_of: Callable[[str], Exchange]
    clock: Clock
    journal: Journal
    schedule: Schedule
    sending: Sending
    resolution: Resolution
    path: OrderPath
    manager: OrderManager
    bulkhead: Bulkhead


def assemble_orders(
    store: Store,
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
    """Everything that an order needs, from a store and a way to its exchange."""
    rules = rules or OrderRules()
    bulkhead = bulkhead or Bulkhead()
    schedule = Schedule(clock, clocks, retries or RetrySchedule(), rules.market_age_max_s)
    journal = Journal(store, clock, observe, schedule, recall)
    sending, resolution = Sending(clock, clocks, rules), Resolution(clock, clocks, rules)
    path = OrderPath(store, journal, exchange_of, clock, rules, sending, resolution)
    manager = OrderManager(store, journal, exchange_of, path, bulkhead)
    return OrderCore(
        store, exchange_of, clock, journal, schedule, sending, resolution, path, manager, bulkhead
    )


def assemble_arbitrage(
    orders: OrderCore,
    store: ArbitrageStore,
    limits: Limits,
    announce: Callable[[Arbitrage], None],
) -> ArbitrageExecutor:
    """What carries arbitrages out, on top of what carries out their orders."""
    context = ArbitrageContext(
        store,
        orders.store,
        orders.journal,
        orders.schedule,
        orders.manager,
        orders.sending,
        orders.resolution,
        orders.path,
        orders.exchange_of,
        orders.clock,
        orders.bulkhead,
    )
    return ArbitrageExecutor(context, limits, announce)


@dataclass(frozen=True, slots=True)
class InMemory:
    """The trading core of one call, without Redis or workers. Memory is lost with the process."""

    orders: OrderCore
    executor: ArbitrageExecutor


def assemble_in_memory(exchange_of: Callable[[str], Exchange]) -> InMemory:
    """Everything for one call."""
    clock = SystemClock()
    store = MemoryStore(clock)
    clocks = ExchangeClocks(store, clock, host="here")
    orders = assemble_orders(store, exchange_of, clock, clocks, LogObserver())
    executor = assemble_arbitrage(orders, MemoryArbitrages(store), Limits(), lambda _: None)
    return InMemory(orders, executor)
