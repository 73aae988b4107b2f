"""One contract for the intents that wait, in memory and on a real server."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from execution.model.clock import SystemClock
from execution.model.errors import StoreUnavailable
from execution.operations.waiting_intents import WaitingIntent, WaitingStore
from execution.orders.store import REFUSED_MAX, Intent, RefusedIntent
from execution.store.access import keys
from execution.store.access.connection import connect
from execution.store.access.due_times import DUE_AHEAD_MAX_MS
from execution.store.memory.intents import MemoryWaiting
from execution.store.redis.intents import RedisWaiting
from tests.support.clock import FakeClock
from tests.support.fakes import Rig
from tests.support.whole_stores import MemoryStore, redis_store

SINCE = datetime(2030, 1, 2, 3, 4, 5, 678_000, tzinfo=UTC)


@dataclass
class Bench:
    store: Any
    waiting: WaitingStore
    add_ahead: Callable[[int], str]


@pytest.fixture(params=["memory", "redis"])
def bench(request: pytest.FixtureRequest) -> Bench:
    if request.param == "memory":
        store = MemoryStore(FakeClock())
        return Bench(
            store,
            MemoryWaiting(store),
            lambda ahead_ms: store.add_intent("orders.execute", "ahead", ahead_ms=ahead_ms),
        )
    client: Any = connect(request.getfixturevalue("valkey_url"))
    client.flushall()

    def add_ahead(ahead_ms: int) -> str:
        entry_id = f"{SystemClock().now_ms() + ahead_ms}-1"
        fields = {"task": "orders.execute", "body": "ahead"}
        return str(client.xadd(keys.SIGNALS, fields, id=entry_id))

    return Bench(redis_store(client, SystemClock()), RedisWaiting(client), add_ahead)


def ids(bench: Bench) -> list[str]:
    return [intent.entry_id for intent in bench.store.take_intents(100, 0)]


def test_an_intent_that_was_added_is_in_the_stream_as_it_was_written(bench: Bench) -> None:
    intent = bench.waiting.add("orders.execute", '{"é": 1}', "7")
    assert (intent.task, intent.body, intent.version) == ("orders.execute", '{"é": 1}', "7")
    assert bench.store.take_intents(10, 0) == [intent]
    assert bench.waiting.intent(intent.entry_id) == intent
    assert bench.waiting.intent("1-1") is None


def test_what_is_set_aside_leaves_the_stream_and_is_not_lost(bench: Bench) -> None:
    first, second = (bench.waiting.add("orders.execute", body, "1") for body in "ab")
    assert bench.waiting.set_aside(first, "no worker", SINCE, due_ms=1_000)
    assert ids(bench) == [second.entry_id]
    assert bench.waiting.intent(first.entry_id) == first
    assert bench.waiting.waiting() == [WaitingIntent(first, "no worker", SINCE)]
    assert bench.waiting.count() == 1


def test_one_that_waits_may_get_another_reason_and_waits_since_it_first_did(bench: Bench) -> None:
    intent = bench.waiting.add("orders.execute", "a", "1")
    bench.waiting.set_aside(intent, "no worker", SINCE, due_ms=1_000)
    assert bench.waiting.set_aside(intent, "still none", SINCE + timedelta(days=1), due_ms=5_000)
    assert bench.waiting.waiting() == [WaitingIntent(intent, "still none", SINCE)]
    assert bench.waiting.take(4_999, 10, 1) == []


def test_one_that_is_settled_cannot_be_set_aside(bench: Bench) -> None:
    intent = bench.waiting.add("orders.execute", "a", "1")
    bench.store.settle_intent(intent.entry_id)
    assert not bench.waiting.set_aside(intent, "late", SINCE, due_ms=1)
    assert bench.waiting.count() == 0


def test_what_is_due_is_taken_the_longest_due_first_and_is_due_again_later(bench: Bench) -> None:
    intents = [bench.waiting.add("orders.execute", body, "1") for body in "abc"]
    for intent, due_ms in zip(intents, (3_000, 1_000, 9_000), strict=True):
        bench.waiting.set_aside(intent, "r", SINCE, due_ms)
    assert bench.waiting.take(999, 10, 2_000) == []
    taken = bench.waiting.take(3_000, 10, 2_000)
    assert [each.intent for each in taken] == [intents[1], intents[0]]
    assert bench.waiting.take(4_999, 10, 2_000) == []
    assert len(bench.waiting.take(5_000, 1, 2_000)) == 1
    assert len(bench.waiting.take(5_000, 9, 2_000)) == 1
    assert bench.waiting.count() == 3


@pytest.mark.parametrize("how", ["settled", "refused"])
def test_what_is_done_with_waits_no_more(bench: Bench, how: str) -> None:
    intent = bench.waiting.add("orders.execute", "a", "1")
    bench.waiting.set_aside(intent, "r", SINCE, due_ms=1)
    if how == "settled":
        bench.store.settle_intent(intent.entry_id)
    else:
        refused = RefusedIntent("t", "b", "r", SINCE)
        bench.store.refuse_intent(refused, intent.entry_id)
    assert bench.waiting.waiting() == []
    assert bench.waiting.intent(intent.entry_id) is None
    assert bench.waiting.take(10, 10, 10) == []


def test_those_that_wait_are_listed_as_they_were_published(bench: Bench) -> None:
    intents = [bench.waiting.add("orders.execute", str(n), "1") for n in range(12)]
    for intent in reversed(intents):
        bench.waiting.set_aside(intent, "r", SINCE, due_ms=1)
    assert [each.intent for each in bench.waiting.waiting()] == intents


def test_an_entry_that_is_ahead_of_now_is_taken_and_so_are_those_behind_it(bench: Bench) -> None:
    young = bench.waiting.add("orders.execute", "young", "1")
    ahead = bench.add_ahead(3_600_000)
    behind = bench.waiting.add("orders.execute", "behind", "1")
    taken = bench.store.take_intents(10, older_than_ms=60_000)
    assert [intent.entry_id for intent in taken] == [ahead, behind.entry_id]
    assert ids(bench) == [young.entry_id, ahead, behind.entry_id]
    assert len(bench.store.take_intents(2, older_than_ms=0)) == 2


def test_an_index_of_those_that_wait_is_made_again_where_it_was_lost(valkey_url: str) -> None:
    client: Any = connect(valkey_url)
    client.flushall()
    waiting = RedisWaiting(client)
    intents = [waiting.add("orders.execute", body, "1") for body in "ab"]
    for intent in intents:
        waiting.set_aside(intent, "r", SINCE, due_ms=90_000)
    client.delete(keys.WAITING_DUE)
    assert {each.intent.body for each in waiting.take(1_000, 10, 1_000)} == {"a", "b"}
    assert waiting.take(1_000, 10, 1_000) == []
    client.delete(keys.WAITING)
    assert waiting.take(9_000, 10, 1_000) == []
    assert client.zcard(keys.WAITING_DUE) == 0


def test_thousands_that_wait_cost_a_sweep_no_more_than_those_that_it_looks_at(
    valkey_url: str,
) -> None:
    client: Any = connect(valkey_url)
    client.flushall()
    waiting, store = RedisWaiting(client), redis_store(client, SystemClock())
    for number in range(5_000):
        intent = waiting.add("orders.cancel", f"{number}", "1")
        waiting.set_aside(intent, "unknown", SINCE, due_ms=1)
    good = waiting.add("orders.execute", "good", "1")
    began = time.monotonic()
    for number in range(10):
        assert store.take_intents(500, 0) == [good]
        assert len(waiting.take(number + 1, 200, 1_000_000)) == 200
    assert time.monotonic() - began < 5


@pytest.mark.parametrize("field", ["task", "body", "reason"])
@pytest.mark.parametrize("letter", ["x", "é", "\ud800", "币"])
def test_what_is_refused_is_cut_to_bounded_bytes_and_says_how_long_it_was(
    field: str, letter: str
) -> None:
    refused = replace(RefusedIntent("t", "b", "r", SINCE), **{field: letter * 5_000_000})
    kept = getattr(refused, field)
    assert len(kept.encode()) <= REFUSED_MAX[field]
    assert kept.endswith("... (cut: 5,000,000 characters)")
    assert kept.startswith(letter.encode(errors="backslashreplace").decode() * 5)


def test_refusals_of_huge_bodies_take_bounded_memory(valkey_url: str) -> None:
    client: Any = connect(valkey_url)
    client.flushall()
    store = redis_store(client, SystemClock())
    before = client.info("memory")["used_memory"]
    for number in range(30):
        store.refuse_intent(RefusedIntent("t", f"{number}" + "x" * 5_000_000, "r", SINCE), None)
    assert client.info("memory")["used_memory"] - before < 1_000_000
    assert len(store.refused_intents(100)) == 30


INTENT = Intent("1-1", "t", "b")
CALLS: dict[str, Callable[[WaitingStore], object]] = {
    "add": lambda w: w.add("t", "b", "1"),
    "intent": lambda w: w.intent("1-1"),
    "set_aside": lambda w: w.set_aside(INTENT, "r", SINCE, 1),
    "take": lambda w: w.take(1, 1, 1),
    "waiting": lambda w: w.waiting(),
    "count": lambda w: w.count(),
}


@pytest.mark.parametrize("method", CALLS)
def test_a_server_that_is_not_there_is_a_store_unavailable(method: str) -> None:
    waiting = RedisWaiting(connect("redis://127.0.0.1:1/0"))
    with pytest.raises(StoreUnavailable, match=r"^cannot reach Redis at "):
        CALLS[method](waiting)


def test_every_method_of_the_port_has_its_failure_here() -> None:
    assert set(CALLS) == {name for name in vars(WaitingStore) if not name.startswith("_")}


def test_the_twin_keeps_what_waits_through_a_rollback_of_its_server() -> None:
    rig = Rig()
    intent = rig.waiting.add("orders.execute", "a", "1")
    rig.waiting.set_aside(intent, "r", SINCE, due_ms=1)
    rig.store.roll_back(rig.store.copied())
    assert rig.waiting.intent(intent.entry_id) == intent


def test_one_put_off_by_a_clock_that_was_set_back_since_does_not_wait_for_it(bench: Bench) -> None:
    intent = bench.waiting.add("orders.execute", "a", "1")
    bench.waiting.set_aside(intent, "no worker", SINCE, due_ms=DUE_AHEAD_MAX_MS + 1_000)
    assert bench.waiting.take(1_000, 10, 1) == []
    assert [one.intent for one in bench.waiting.take(999, 10, 1)] == [intent]
