"""Every store in Redis, behind one pool of connections."""

from dataclasses import dataclass
from typing import Protocol

from execution.arbitrage.store import ArbitrageStore
from execution.exchanges.clocks import ClockStore
from execution.exchanges.hold_store import AddressHoldStore
from execution.ledger.archive import ArchiveStore
from execution.market_data.snapshots import Books
from execution.model.clock import Clock
from execution.model.order import Order, OrderState
from execution.operations.health import HealthStore
from execution.operations.listings import Listings
from execution.operations.live_workers import WorkerRegistry
from execution.operations.missing_accounts import LiveOrders
from execution.operations.waiting_intents import WaitingStore
from execution.orders.store import DueOrders, LeaseStore, OrderStore, OrderStores
from execution.positions.valuation import ValuationStore
from execution.reconciliation.run import KnownOrders, ReconciliationStore
from execution.repair.store import RepairStore
from execution.store.access.commit_counter import CommitCounter
from execution.store.access.connection import connect
from execution.store.redis.arbitrages import RedisArbitrages
from execution.store.redis.archive import RedisArchive
from execution.store.redis.books import RedisBooks
from execution.store.redis.epochs import RedisEpochs
from execution.store.redis.health import RedisHealth
from execution.store.redis.holds import RedisAccountHolds, RedisAddressHolds, RedisHalts
from execution.store.redis.intents import RedisIntents, RedisWaiting
from execution.store.redis.listings import RedisListings
from execution.store.redis.orders import RedisOrders, RedisPositions
from execution.store.redis.processes import RedisClocks, RedisLeases, RedisWorkers
from execution.store.redis.reconciliations import RedisReconciliations
from execution.store.redis.repair import RedisRepair
from execution.store.redis.valuations import RedisValuations


class Orders(OrderStore, DueOrders, KnownOrders, LiveOrders, Protocol):
    """All that the store of orders does for the parts that share it."""

    def orders(self, state: OrderState | None = None, account: str | None = None) -> list[Order]:
        """Oldest first."""

    def due(self, now_ms: int, limit: int, lease_ms: int) -> list[str]:
        """Take order ids that are due; they become due again after the lease."""


@dataclass(frozen=True, slots=True)
class Stores(OrderStores):
    """All stores that processes share."""

    orders: Orders
    leases: LeaseStore
    clocks: ClockStore
    archive: ArchiveStore
    repair: RepairStore
    reconciliations: ReconciliationStore
    valuations: ValuationStore
    arbitrages: ArbitrageStore
    books: Books
    workers: WorkerRegistry
    waiting: WaitingStore
    address_holds: AddressHoldStore
    listings: Listings
    health: HealthStore


def open_stores(
    url: str, clock: Clock, connections_max: int = 64, remember_s: int = 30 * 86_400
) -> Stores:
    """Connects to Redis on first use. Ended orders are remembered for `remember_s`."""
    client = connect(url, connections_max=connections_max)
    commits = CommitCounter()
    epochs = RedisEpochs(client, clock, commits)
    return Stores(
        orders=RedisOrders(client, epochs, commits),
        positions=RedisPositions(client),
        epochs=epochs,
        holds=RedisAccountHolds(client),
        halts=RedisHalts(client),
        intents=RedisIntents(client),
        leases=RedisLeases(client),
        clocks=RedisClocks(client),
        archive=RedisArchive(client, clock),
        repair=RedisRepair(client, clock),
        reconciliations=RedisReconciliations(client),
        valuations=RedisValuations(client),
        arbitrages=RedisArbitrages(client, remember_s, commits),
        books=RedisBooks(client),
        workers=RedisWorkers(client),
        waiting=RedisWaiting(client),
        address_holds=RedisAddressHolds(client, clock),
        listings=RedisListings(client),
        health=RedisHealth(client),
    )
