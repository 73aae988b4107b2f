"""Puts the trading core together: stores, exchanges, orders and arbitrages.

All callers use it: workers, the plain functions, tests and benchmarks.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from execution.arbitrage.executor import ArbitrageExecutor
from execution.arbitrage.legs import ArbitrageContext, Limits
from execution.arbitrage.model import Arbitrage
from execution.arbitrage.store import ArbitrageStore
from execution.exchanges.bulkhead import Bulkhead
from execution.exchanges.clocks import ExchangeClocks
from execution.exchanges.port import Exchange
from execution.model.clock import Clock, SystemClock
from execution.orders.journal import Journal, Recall, RetrySchedule, never
from execution.orders.manager import OrderManager
from execution.orders.observer import LogObserver, Observer
from execution.orders.placement import Placement
from execution.orders.store import Store
from execution.store.memory.arbitrages import MemoryArbitrages
from execution.store.memory.orders import MemoryStore

ATTEMPTS_MAX = 5


@dataclass(frozen=True, slots=True)
class OrderRules:
    """The parameters of order placement. `recv_window_ms` is the window of every account that is
    not in `windows` (ms by account), None for each exchange's own. A market order that was
    published longer ago than `market_age_max_s` is refused instead of sent; None for any age."""

    recv_window_ms: int | None = None
    attempts_max: int = ATTEMPTS_MAX
    windows: Mapping[str, int] = field(default_factory=dict)
    market_age_max_s: int | None = None


@dataclass(frozen=True, slots=True)
class OrderCore:
    """The parts that carry out orders. `exchange_of` returns the calling thread's own connection of
    an account; it raises UnknownAccount and ExchangeUnavailable."""

    store: Store
    exchange_of: Callable[[str], Exchange]
    clock: Clock
    clocks: ExchangeClocks
    journal: Journal
    placement: Placement
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
    schedule: RetrySchedule | None = None,
) -> OrderCore:
    """Everything that an order needs, given a store and access to exchanges."""
    rules = rules or OrderRules()
    bulkhead = bulkhead or Bulkhead()
    journal = Journal(store, clock, clocks, observe, schedule or RetrySchedule(), recall)
    placement = Placement(
        store,
        journal,
        exchange_of,
        clock,
        clocks,
        recv_window_ms=rules.recv_window_ms,
        attempts_max=rules.attempts_max,
        windows=rules.windows,
        market_age_max_s=rules.market_age_max_s,
    )
    manager = OrderManager(store, journal, exchange_of, placement, bulkhead)
    return OrderCore(store, exchange_of, clock, clocks, journal, placement, manager, bulkhead)


def assemble_arbitrage(
    orders: OrderCore,
    store: ArbitrageStore,
    limits: Limits,
    announce: Callable[[Arbitrage], None],
) -> ArbitrageExecutor:
    """The parts that carry out arbitrages, on top of those for orders."""
    context = ArbitrageContext(
        store,
        orders.store,
        orders.journal,
        orders.manager,
        orders.placement,
        orders.exchange_of,
        orders.clock,
        orders.clocks,
        orders.bulkhead,
    )
    return ArbitrageExecutor(context, limits, announce)


@dataclass(frozen=True, slots=True)
class InMemory:
    """The trading core of one call, without Redis or workers. Its records are lost with the
    process."""

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
