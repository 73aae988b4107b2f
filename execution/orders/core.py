"""The parts that carry out orders, put together by `execution/assembly.py`."""

from collections.abc import Callable
from dataclasses import dataclass

from execution.exchanges.bulkhead import Bulkhead
from execution.exchanges.port import Exchange
from execution.model.clock import Clock
from execution.orders.journal import Journal
from execution.orders.manager import OrderManager
from execution.orders.path import OrderPath
from execution.orders.placement.resolution import Resolution
from execution.orders.placement.sending import Sending
from execution.orders.schedule import Schedule
from execution.orders.store import OrderStores


@dataclass(frozen=True, slots=True)
class OrderCore:
    """The parts that carry out orders. `exchange_of` returns the calling thread's own connection of
    an account; it raises UnknownAccount and ExchangeUnavailable."""

    stores: OrderStores
    exchange_of: Callable[[str], Exchange]
    clock: Clock
    journal: Journal
    schedule: Schedule
    sending: Sending
    resolution: Resolution
    path: OrderPath
    manager: OrderManager
    bulkhead: Bulkhead
