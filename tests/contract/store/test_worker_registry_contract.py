"""One contract for every registry of live workers, in memory and on a real server."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest

from execution.model.errors import StoreUnavailable
from execution.operations.live_workers import (
    BEAT_TTL_MS,
    MISSING_TTL_MS,
    LiveWorker,
    WorkerRegistry,
    account_need,
    version_need,
)
from execution.store.access.connection import connect
from execution.store.memory.workers import MemoryWorkers
from execution.store.redis.workers import RedisWorkers
from tests.support.clock import FakeClock
from tests.support.stores_kit import let_elapse

STARTED = datetime(2030, 1, 2, 3, 4, 5, 678_901, tzinfo=UTC)
WORKER = LiveWorker(
    name="worker-1@here",
    host="here",
    pid=7,
    started_at=STARTED,
    beat_at=STARTED,
    accounts=("binance-main", "bybit-main"),
    reads_version=3,
    release="1.2.3",
)
OTHER = replace(WORKER, name="worker-2@there", host="there", accounts=("okx",), reads_version=1)


@dataclass
class Bench:
    registry: WorkerRegistry
    elapse: Callable[[int], None]


@pytest.fixture(params=["memory", "redis"])
def bench(request: pytest.FixtureRequest) -> Bench:
    if request.param == "memory":
        clock = FakeClock()
        return Bench(MemoryWorkers(clock), clock.advance)
    client: Any = connect(request.getfixturevalue("valkey_url"))
    client.flushall()
    return Bench(RedisWorkers(client), partial(let_elapse, client))


def test_a_worker_that_beats_is_alive_with_all_that_it_says_of_itself(bench: Bench) -> None:
    assert bench.registry.live() == []
    bench.registry.beat(WORKER)
    assert bench.registry.live() == [WORKER]


def test_a_later_beat_takes_the_place_of_the_one_before(bench: Bench) -> None:
    bench.registry.beat(WORKER)
    later = replace(WORKER, beat_at=STARTED.replace(minute=59), accounts=())
    bench.registry.beat(later)
    assert bench.registry.live() == [later]


def test_two_workers_of_one_name_are_two(bench: Bench) -> None:
    bench.registry.beat(WORKER)
    bench.registry.beat(replace(WORKER, pid=8))
    bench.registry.beat(OTHER)
    assert [worker.pid for worker in bench.registry.live()] == [7, 8, 7]


def test_a_worker_that_beats_no_more_is_gone_in_the_end(bench: Bench) -> None:
    bench.registry.beat(WORKER)
    bench.elapse(BEAT_TTL_MS - 1_000)
    bench.registry.beat(OTHER)
    assert bench.registry.live() == [WORKER, OTHER]
    bench.elapse(2_000)
    assert bench.registry.live() == [OTHER]
    bench.registry.beat(WORKER)
    assert bench.registry.live() == [WORKER, OTHER]


def test_a_worker_that_ends_by_itself_is_gone_at_once(bench: Bench) -> None:
    bench.registry.beat(WORKER)
    bench.registry.beat(OTHER)
    bench.registry.leave(WORKER)
    bench.registry.leave(WORKER)
    assert bench.registry.live() == [OTHER]


def test_what_is_missing_is_missing_since_it_was_first_missed(bench: Bench) -> None:
    need = account_need("kraken")
    assert bench.registry.missing_since_ms(need, 1_000) == 1_000
    assert bench.registry.missing_since_ms(need, 9_000) == 1_000
    assert bench.registry.missing_since_ms(account_need("other"), 9_000) == 9_000


def test_what_was_not_missed_for_long_is_missing_since_now(bench: Bench) -> None:
    need = account_need("kraken")
    assert bench.registry.missing_since_ms(need, 1_000) == 1_000
    bench.elapse(MISSING_TTL_MS - 1_000)
    assert bench.registry.missing_since_ms(need, 2_000) == 1_000
    bench.elapse(MISSING_TTL_MS + 1)
    assert bench.registry.missing_since_ms(need, 3_000) == 3_000


def test_a_beat_ends_the_missing_of_all_that_its_worker_takes(bench: Bench) -> None:
    pair = account_need("bybit-main", "binance-main")
    met = [account_need("bybit-main"), pair, version_need(2), version_need(3)]
    unmet = [account_need("okx"), account_need("okx", "bybit-main"), version_need(4)]
    for need in met + unmet:
        bench.registry.missing_since_ms(need, 1_000)
    bench.registry.beat(WORKER)
    assert [bench.registry.missing_since_ms(need, 5_000) for need in met] == [5_000] * 4
    assert [bench.registry.missing_since_ms(need, 5_000) for need in unmet] == [1_000] * 3


def test_a_worker_without_accounts_may_beat(bench: Bench) -> None:
    bench.registry.beat(replace(WORKER, accounts=(), reads_version=1))
    assert [worker.accounts for worker in bench.registry.live()] == [()]


@pytest.mark.parametrize(
    ("accounts", "version", "takes"),
    [
        (["binance-main"], 1, True),
        (["binance-main", "bybit-main"], 3, True),
        (["binance-main", "okx"], 1, False),
        (["binance-main"], 4, False),
        ([], 3, True),
    ],
)
def test_a_worker_takes_what_is_for_its_accounts_and_in_a_version_that_it_reads(
    accounts: list[str], version: int, takes: bool
) -> None:
    assert WORKER.takes(accounts, version) is takes


CALLS: dict[str, Callable[[WorkerRegistry], object]] = {
    "beat": lambda r: r.beat(WORKER),
    "leave": lambda r: r.leave(WORKER),
    "live": lambda r: r.live(),
    "missing_since_ms": lambda r: r.missing_since_ms(account_need("a"), 1),
}


@pytest.mark.parametrize("method", CALLS)
def test_a_server_that_is_not_there_is_a_store_unavailable(method: str) -> None:
    registry = RedisWorkers(connect("redis://127.0.0.1:1/0"))
    with pytest.raises(StoreUnavailable, match=r"^cannot reach Redis at "):
        CALLS[method](registry)


def test_every_method_of_the_port_has_its_failure_here() -> None:
    assert set(CALLS) == {name for name in vars(WorkerRegistry) if not name.startswith("_")}
