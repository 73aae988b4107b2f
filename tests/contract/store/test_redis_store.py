"""What only a real server can show of the store: text that is none, ids that are none, restarts."""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from execution.model.errors import StoreUnavailable
from execution.orders.store import Change, Committed, RefusedIntent
from execution.store.access import keys
from execution.store.access.connection import connect
from tests.support.clock import START_MS, FakeClock
from tests.support.fakes import ACCOUNT, Rig
from tests.support.whole_stores import redis_store
from workers.sandbox.local_stack import LocalStack


@pytest.fixture
def redis(valkey_url: str) -> Any:
    client: Any = connect(valkey_url)
    client.flushall()
    return client


def test_one_entry_that_is_no_text_does_not_keep_the_others_from_being_taken(redis: Any) -> None:
    store = redis_store(redis, FakeClock())
    redis.xadd(keys.SIGNALS, {"task": "orders.execute", "body": b"\xff\xfe"})
    good = redis.xadd(keys.SIGNALS, {"task": "orders.execute", "body": "{}"})
    assert good in [intent.entry_id for intent in store.take_intents(10, 0)]


def test_a_refusal_that_quotes_half_a_character_is_stored_all_the_same(redis: Any) -> None:
    store = redis_store(redis, FakeClock())
    entry_id = redis.xadd(keys.SIGNALS, {"task": "orders.execute", "body": "{}"})
    refused = RefusedIntent("orders.execute", "{}", "\ud800: is there twice", FakeClock().now())
    store.refuse_intent(refused, entry_id)
    assert store.take_intents(10, 0) == []


def test_a_commit_with_an_entry_that_cannot_be_is_made_whole_or_not_at_all(redis: Any) -> None:
    """`entry_id` comes from a message that anybody may have written."""
    store = redis_store(redis, FakeClock())
    redis.xadd(keys.SIGNALS, {"task": "orders.execute", "body": "another's"})
    order = replace(Rig().order(), entry_id="nonsense")
    after = replace(order, version=1)
    try:
        done = store.commit(Change(order, after, due_ms=1)) is Committed.DONE
    except StoreUnavailable:
        done = False
    stored = store.order(order.order_id) is not None
    assert stored is done
    assert (store.due(10, 10, 1) == [order.order_id]) is stored
    assert (store.live_orders(ACCOUNT) != []) is stored


def test_a_shorter_wait_does_not_end_a_longer_one_on_a_server(redis: Any) -> None:
    store = redis_store(redis, FakeClock())
    store.hold(ACCOUNT, 120)
    store.hold(ACCOUNT, 1)
    assert redis.ttl(keys.hold(ACCOUNT)) > 100


def test_the_time_since_a_restart_is_counted_on_the_readers_own_clock(redis: Any) -> None:
    """Two hosts whose clocks differ: the one behind sees the new server first."""
    clock = FakeClock()
    behind, ours = FakeClock(START_MS - 10_000), clock
    redis.set(keys.EPOCH, "00ff00ff 0")
    redis_store(redis, behind).epoch()
    assert redis_store(redis, ours).epoch().since_ms >= clock.now_ms()


def test_a_server_that_comes_back_empty_is_no_new_one_to_who_knew_it_before(
    tmp_path: Path,
) -> None:
    with LocalStack(tmp_path) as stack:
        stack.start_redis()
        clock = FakeClock()
        store = redis_store(connect(stack.redis_url), clock)
        order = Rig().order()
        kept = replace(order, version=1)
        change = Change(order, kept, None, epoch=store.epoch())
        assert store.commit(change) is Committed.DONE
        stack.kill("redis")
        shutil.rmtree(tmp_path / "redis")
        stack.start_redis()
        assert store.commit(change) is Committed.RESTARTED
        assert store.epoch().since_ms == clock.now_ms()


def test_orders_of_the_same_millisecond_are_listed_oldest_first(redis: Any) -> None:
    store = redis_store(redis, FakeClock())
    first = Rig().order(signal_id="a")
    orders = [
        replace(Rig().order(signal_id=name), created_at=first.created_at.replace(microsecond=us))
        for us, name in enumerate("abcdef")
    ]
    for order in orders:
        store.commit(Change(order, replace(order, version=1), None))
    assert [order.signal_id for order in store.orders()] == list("abcdef")
