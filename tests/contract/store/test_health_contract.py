"""What HealthStore promises, of memory and of a real server alike; and what a server in trouble
says."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from execution.model.clock import SystemClock
from execution.model.errors import StoreUnavailable
from execution.operations.health import Backlog
from execution.orders.store import RefusedIntent
from execution.store.access.connection import connect
from execution.store.redis.health import RedisHealth
from execution.store.stores import Stores
from tests.support.clock import EPOCH
from tests.support.stores_kit import AWAY, PARAMS, an_order, kept, stores_of
from tests.support.whole_stores import MemoryStore
from workers.doctor.findings import Result
from workers.doctor.redis_checks import check_redis


@pytest.fixture(params=PARAMS)
def stores(request: pytest.FixtureRequest) -> Stores:
    return stores_of(request.param, request)


def test_a_server_says_what_it_is(stores: Stores) -> None:
    facts = stores.health.server()
    assert facts.is_master
    assert facts.version
    assert set(facts.settings) == {"appendonly", "appendfsync", "maxmemory-policy"}


def test_a_probe_leaves_nothing_behind(stores: Stores, request: pytest.FixtureRequest) -> None:
    stores.health.probe()
    if not isinstance(stores.orders, MemoryStore):
        assert connect(request.getfixturevalue("valkey_url")).dbsize() == 0


def test_a_run_is_noted_with_its_age_and_the_error_that_ended_it(stores: Stores) -> None:
    assert stores.health.ticks() == {}
    stores.health.tick("orders.sweep")
    stores.health.tick("positions.reconcile my account", "ValueError: no good")
    ticks = stores.health.ticks()
    assert {name: tick.error for name, tick in ticks.items()} == {
        "orders.sweep": "",
        "positions.reconcile my account": "ValueError: no good",
    }
    assert all(0 <= tick.age_ms < 5_000 for tick in ticks.values())
    stores.health.tick("positions.reconcile my account")
    assert stores.health.ticks()["positions.reconcile my account"].error == ""


def test_where_nothing_waits_there_is_no_backlog(stores: Stores) -> None:
    assert stores.health.backlog() == Backlog()


def test_the_backlog_counts_refusals_and_orders_that_the_ledger_lacks(stores: Stores) -> None:
    refused = RefusedIntent("t", "b", "r", EPOCH)
    stores.intents.refuse_intent(refused, None)
    kept(stores, an_order(1))
    kept(stores, an_order(2))
    backlog = stores.health.backlog()
    assert (backlog.refused, backlog.unarchived) == (1, 2)
    assert backlog.oldest_unarchived_ms is not None
    stores.repair.lost(["a"])
    stores.repair.set_verified_epoch("1")
    assert stores.health.backlog().unarchived == 2, "what marks the index is no order"


@pytest.fixture
def server(request: pytest.FixtureRequest, valkey_url: str) -> Iterator[Any]:
    """The run's own server, put back as it was however a test leaves it."""
    client: Any = connect(valkey_url)
    client.flushall()
    before = client.config_get("maxmemory*")
    yield client
    client.replicaof("NO", "ONE")
    for name in ("maxmemory", "maxmemory-policy"):
        client.config_set(name, before[name])


def test_the_age_of_an_intent_is_by_the_servers_clock(server: Any) -> None:
    seconds, _ = server.time()
    server.xadd("oneorder:signals", {"task": "t"}, id=f"{(seconds - 90) * 1000}-0")
    backlog = RedisHealth(server).backlog()
    assert backlog.intents == 1
    assert backlog.oldest_intent_ms is not None
    assert 89_000 <= backlog.oldest_intent_ms <= 95_000
    server.delete("oneorder:signals")
    server.xadd("oneorder:signals", {"task": "t"}, id=f"{(seconds + 900) * 1000}-0")
    ahead_ms = RedisHealth(server).backlog().oldest_intent_ms
    assert ahead_ms is not None
    assert ahead_ms < -800_000


def test_the_age_of_the_backlog_is_that_of_the_order_that_waits_longest(
    server: Any, request: pytest.FixtureRequest
) -> None:
    stores = stores_of("redis", request)
    now = SystemClock().now()
    for number, age_s in ((1, 0), (2, 500), (3, 10)):
        changed = now - timedelta(seconds=age_s)
        kept(stores, replace(an_order(number), updated_at=changed))
    age_ms = stores.health.backlog().oldest_unarchived_ms
    assert age_ms is not None
    assert 499_000 <= age_ms <= 510_000


def results(server: Any) -> dict[str, Result]:
    return {finding.check: finding.result for finding in check_redis(RedisHealth(server))}


def test_a_server_that_is_well_is_found_well(server: Any) -> None:
    found = results(server)
    assert found["redis"] == found["redis write"] == found["redis memory"] == Result.OK


def test_a_server_that_is_out_of_memory_is_found_out_of_memory(server: Any) -> None:
    server.config_set("maxmemory-policy", "noeviction")
    server.config_set("maxmemory", "1")
    (write,) = [f for f in check_redis(RedisHealth(server)) if f.check == "redis write"]
    assert write.result is Result.FAIL
    assert "maxmemory" in write.detail
    assert "raise maxmemory" in write.help
    assert results(server)["redis memory"] is Result.WARN


def test_a_read_only_replica_is_found_to_be_one(server: Any) -> None:
    server.replicaof("127.0.0.1", "1")
    found = {finding.check: finding for finding in check_redis(RedisHealth(server))}
    assert found["redis role"].result is Result.FAIL
    assert "127.0.0.1:1" in found["redis role"].detail
    assert found["redis write"].result is Result.FAIL
    assert "master" in found["redis write"].help


def test_a_server_that_throws_data_away_is_found_to(server: Any) -> None:
    server.config_set("maxmemory-policy", "allkeys-lru")
    found = {finding.check: finding for finding in check_redis(RedisHealth(server))}
    assert found["redis maxmemory-policy"].result is Result.WARN
    assert found["redis maxmemory-policy"].help == "CONFIG SET maxmemory-policy noeviction"


def test_a_server_that_is_away_is_said_so() -> None:
    health = RedisHealth(connect(AWAY))
    for question in (health.server, health.probe, health.ticks, health.backlog):
        with pytest.raises(StoreUnavailable):
            question()
