"""All that one server keeps of orders in one object, for tests that look at it from every side."""

from itertools import islice
from typing import Any

from redis import Redis

from execution.model.clock import Clock
from execution.orders.journal import Journal
from execution.orders.store import OrderStores, RefusedIntent
from execution.reconciliation.context import History, ReconciliationContext
from execution.reconciliation.run import ReconciliationStore
from execution.store.access.commit_counter import CommitCounter
from execution.store.memory.clocks import MemoryClocks
from execution.store.memory.holds import MemoryAccountHolds, MemoryHalts
from execution.store.memory.intents import MemoryIntents
from execution.store.memory.leases import MemoryLeases
from execution.store.memory.orders import MemoryOrders
from execution.store.memory.positions import MemoryPositions
from execution.store.memory.server import MemoryServer
from execution.store.redis.clocks import RedisClocks
from execution.store.redis.epochs import RedisEpochs
from execution.store.redis.holds import RedisAccountHolds, RedisHalts
from execution.store.redis.intents import RedisIntents
from execution.store.redis.leases import RedisLeases
from execution.store.redis.listings import RedisListings
from execution.store.redis.orders import RedisOrders
from execution.store.redis.positions import RedisPositions
from execution.store.stores import Stores


class MemoryStore(
    MemoryServer,
    MemoryOrders,
    MemoryPositions,
    MemoryIntents,
    MemoryAccountHolds,
    MemoryHalts,
    MemoryLeases,
    MemoryClocks,
):
    """The server in memory, with the methods of the stores that it holds."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self._server = self

    def refused_intents(self, count: int) -> list[RefusedIntent]:
        return self.tables.refused[:count]


class WholeStore:
    """The methods of several stores."""

    def __init__(self, *stores: object) -> None:
        self._stores = stores

    def __getattr__(self, name: str) -> Any:
        for store in self._stores:
            if hasattr(store, name):
                return getattr(store, name)
        raise AttributeError(name)

    def refused_intents(self, count: int) -> list[RefusedIntent]:
        return list(islice(self.refused(), count))


def redis_store(client: Redis, clock: Clock) -> Any:
    """The stores of orders on a real server, as one process has them."""
    commits = CommitCounter()
    epochs = RedisEpochs(client, clock, commits)
    return WholeStore(
        RedisOrders(client, epochs, commits),
        RedisPositions(client),
        epochs,
        RedisIntents(client),
        RedisAccountHolds(client),
        RedisHalts(client),
        RedisLeases(client),
        RedisClocks(client),
        _Refused(client),
    )


def whole_store(stores: Stores) -> Any:
    """The stores of orders that were opened together."""
    return WholeStore(
        stores.orders,
        stores.positions,
        stores.epochs,
        stores.intents,
        stores.holds,
        stores.halts,
        stores.leases,
        stores.clocks,
        _Refused(stores.listings),
    )


def order_stores(store: Any) -> OrderStores:
    """What orders are carried out with, where one object is all of it."""
    return OrderStores(store, store, store, store, store, store)


def reconciliation_context(
    store: Any, runs: ReconciliationStore, journal: Journal, clock: Clock, history: History
) -> ReconciliationContext:
    """The same for a reconciliation."""
    return ReconciliationContext(store, store, store, store, store, runs, journal, clock, history)


class _Refused:
    """Of all lists, that of refused intents: the others have names that a store has, too."""

    def __init__(self, source: Any) -> None:
        listings = RedisListings(source) if isinstance(source, Redis) else source
        self.refused = listings.refused
