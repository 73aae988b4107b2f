"""Everything that lies in Redis, by what it is for, behind one pool of connections."""

from dataclasses import dataclass

from execution.arbitrage.store import ArbitrageStore
from execution.exchanges.hold_store import AddressHoldStore
from execution.ledger.archive import ArchiveStore
from execution.market_data.snapshots import Books
from execution.model.clock import Clock
from execution.operations.health import HealthStore
from execution.operations.listings import Listings
from execution.operations.live_workers import WorkerRegistry
from execution.operations.waiting_intents import WaitingStore
from execution.orders.store import Store
from execution.positions.valuation import ValuationStore
from execution.reconciliation.run import ReconciliationStore
from execution.repair.store import RepairStore
from execution.store.access.commit_counter import CommitCounter
from execution.store.access.connection import connect
from execution.store.redis.arbitrages import RedisArbitrages
from execution.store.redis.archive import RedisArchive
from execution.store.redis.books import RedisBooks
from execution.store.redis.health import RedisHealth
from execution.store.redis.holds import RedisAddressHolds
from execution.store.redis.listings import RedisListings
from execution.store.redis.orders import RedisStore
from execution.store.redis.reconciliations import RedisReconciliations
from execution.store.redis.repair import RedisRepair
from execution.store.redis.valuations import RedisValuations
from execution.store.redis.waiting import RedisWaiting
from execution.store.redis.workers import RedisWorkers


@dataclass(frozen=True, slots=True)
class Stores:
    """The doors to what is kept between processes."""

    orders: Store
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
    """Connect to Redis when something is first asked of it. What has ended is remembered for
    `remember_s`."""
    client = connect(url, connections_max=connections_max)
    commits = CommitCounter()
    return Stores(
        orders=RedisStore(client, clock, commits),
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
