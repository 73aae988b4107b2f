"""Everything that lies in Redis, by what it is for, behind one pool of connections."""

from dataclasses import dataclass

from execution.address_holds import AddressHoldStore
from execution.arbitrage_store import ArbitrageStore
from execution.archive import ArchiveStore
from execution.book_snapshots import Books
from execution.health import HealthStore
from execution.listings import Listings
from execution.live_workers import WorkerRegistry
from execution.ports import Clock, Store
from execution.reconciliation_run import ReconciliationStore
from execution.repair import RepairStore
from execution.store.book_store import RedisBooks
from execution.store.commit_counter import CommitCounter
from execution.store.connection import connect
from execution.store.redis_arbitrages import RedisArbitrages
from execution.store.redis_archive import RedisArchive
from execution.store.redis_health import RedisHealth
from execution.store.redis_holds import RedisAddressHolds
from execution.store.redis_listings import RedisListings
from execution.store.redis_reconciliations import RedisReconciliations
from execution.store.redis_repair import RedisRepair
from execution.store.redis_store import RedisStore
from execution.store.redis_valuations import RedisValuations
from execution.store.redis_waiting import RedisWaiting
from execution.store.redis_workers import RedisWorkers
from execution.valuation import ValuationStore
from execution.waiting_intents import WaitingStore


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
