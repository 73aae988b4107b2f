"""Puts the trading core together: stores, exchanges, orders and arbitrages.

All callers use it: workers, the plain functions, tests and benchmarks.
"""

from collections.abc import Callable

from execution.arbitrage.decisions import Limits
from execution.arbitrage.executor import ArbitrageExecutor
from execution.exchanges.bulkhead import Bulkhead
from execution.exchanges.clocks import ExchangeClocks
from execution.exchanges.port import Exchange
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
from execution.orders.store import Store
from execution.store.memory.arbitrages import MemoryArbitrages
from execution.store.memory.orders import MemoryStore

__all__ = ["OrderRules", "assemble_in_memory", "assemble_orders"]


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
    """Everything that an order needs, given a store and access to exchanges."""
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


def assemble_in_memory(
    exchange_of: Callable[[str], Exchange],
) -> tuple[OrderCore, ArbitrageExecutor]:
    """Everything for one call, without Redis or workers. Memory is lost with the process."""
    clock = SystemClock()
    store = MemoryStore(clock)
    clocks = ExchangeClocks(store, clock, host="here")
    core = assemble_orders(store, exchange_of, clock, clocks, LogObserver())
    return core, ArbitrageExecutor(core, MemoryArbitrages(store), Limits(), lambda _: None)
