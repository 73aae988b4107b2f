"""The composition root: the one place where rules meet the doors to Redis and to exchanges."""

import socket
from dataclasses import dataclass
from functools import cache

from execution.accounts import Account
from execution.api.connections import Connections
from execution.clock import ExchangeClocks, SystemClock
from execution.events import Event
from execution.journal import Journal, Patience
from execution.logger import LogObserver
from execution.order_manager import OrderManager
from execution.orders import Order, OrderState
from execution.ports import Clock, Observer, Store
from execution.reconciliation import Reconciler
from execution.store.redis_store import RedisStore, connect
from workers.intake import Intake
from workers.sentry import AlertObserver
from workers.settings import Settings, accounts_from_environment, load_settings


@dataclass(frozen=True, slots=True)
class Services:
    """Everything that tasks and commands use, put together."""

    settings: Settings
    accounts: dict[str, Account]
    clock: Clock
    store: Store
    connections: Connections
    clocks: ExchangeClocks
    manager: OrderManager
    intake: Intake
    reconciler: Reconciler


def compose(
    settings: Settings, accounts: dict[str, Account], store: Store, observe: Observer
) -> Services:
    """Put the parts together. Raises UnsupportedExchange for an account without a contract."""
    clock = SystemClock()
    connections = Connections(accounts, clock)
    clocks = ExchangeClocks(store, clock, socket.gethostname())
    journal = Journal(store, clock, clocks, observe, Patience())
    manager = OrderManager(
        store,
        journal,
        connections.exchange,
        clock,
        clocks,
        recv_window_ms=settings.recv_window_ms,
        attempts_max=settings.attempts_max,
    )
    return Services(
        settings=settings,
        accounts=accounts,
        clock=clock,
        store=store,
        connections=connections,
        clocks=clocks,
        manager=manager,
        intake=Intake(store, manager, clock, accounts),
        reconciler=Reconciler(store, journal, clock),
    )


def open_store(settings: Settings) -> RedisStore:
    """Connect to the store of record, with a connection for every thread and some to spare."""
    client = connect(settings.redis_url, connections_max=settings.worker_threads + 20)
    return RedisStore(client, SystemClock())


@cache
def services() -> Services:
    """The process's own services, by its settings. Raises SettingsError, UnsupportedExchange."""
    settings = load_settings()
    accounts = accounts_from_environment(settings)
    return compose(settings, accounts, open_store(settings), observe)


_OBSERVERS: tuple[Observer, ...] = (LogObserver(), AlertObserver())


def observe(order: Order, event: Event, before: OrderState | None) -> None:
    """Tell everybody who watches orders."""
    for observer in _OBSERVERS:
        observer(order, event, before)
