"""A store whose address leads to another server, while the old one lives on as its replica."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from execution.model.errors import StoreUnavailable
from execution.model.order import Order
from execution.orders.store import Change, Committed, Epoch
from execution.store.access.connection import connect
from oneorder import OrderSignal
from oneorder.publisher import Published, Publisher, publish_order
from oneorder.settings import SignalSettings
from tests.support.clock import FakeClock
from tests.support.fakes import ACCOUNT, Rig
from tests.support.whole_stores import redis_store
from workers.sandbox.chaos.disorders.forwarder import Forwarder
from workers.sandbox.chaos.disorders.replication import has_caught_up, start_replica
from workers.sandbox.local_stack import LocalStack


@dataclass
class Pair:
    """A master and its replica behind one address."""

    stack: LocalStack
    address: Forwarder
    old: Any
    new: Any
    new_port: int

    def fail_over(self) -> None:
        """Promote the replica, lead new connections to it, and make the old master its replica."""
        self.new.replicaof("NO", "ONE")
        self.address.target = self.new_port
        self.old.replicaof("127.0.0.1", self.new_port)


def start_pair(stack: LocalStack, address: Forwarder) -> Pair:
    stack.start_redis()
    new_port, new = start_replica(stack)
    return Pair(stack, address, connect(stack.redis_url), new, new_port)


@dataclass
class HandedOver:
    """What was connected before a failover to a replica that had caught up, and is used after."""

    stack: LocalStack
    store: Any
    order: Order
    epoch: Epoch
    pool: Any
    publisher: Publisher


@pytest.fixture(scope="module")
def after(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HandedOver]:
    with (
        LocalStack(tmp_path_factory.mktemp("pair")) as stack,
        Forwarder(stack.redis_port) as address,
    ):
        pair = start_pair(stack, address)
        store = redis_store(connect(address.url), FakeClock())
        epoch = store.epoch()
        order = replace(Rig().order(), version=1)
        assert store.commit(Change(Rig().order(), order, None)) is Committed.DONE
        pool = connect(address.url).connection_pool
        for connection in [pool.get_connection() for _ in range(8)]:
            connection.connect()
            pool.release(connection)
        publisher = Publisher(SignalSettings(redis_url=address.url))
        assert publish(publisher, "before").woken
        stack.wait_for("the replica", lambda: has_caught_up(pair.old, pair.new))
        pair.fail_over()
        yield HandedOver(stack, store, order, epoch, pool, publisher)
        publisher.close()


def publish(publisher: Publisher, signal_id: str) -> Published:
    order = {"account": "a", "symbol": "BTC/USDT", "side": "buy", "type": "market"}
    signal = OrderSignal.model_validate({**order, "signal_id": signal_id, "amount": "1"})
    return publish_order(signal, publisher)


def test_a_replica_that_had_caught_up_is_another_epoch_all_the_same(after: HandedOver) -> None:
    store, order = after.store, after.order
    attempt = Change(order, replace(order, version=2), 5, epoch=after.epoch)
    with pytest.raises(StoreUnavailable):
        store.commit(attempt)
    assert store.commit(attempt) is Committed.RESTARTED
    assert store.epoch().run_id != after.epoch.run_id
    assert store.order(order.order_id) == order


def test_the_connections_of_a_pool_leave_the_old_master_together(after: HandedOver) -> None:
    store = redis_store(Redis.from_pool(after.pool), FakeClock())
    with pytest.raises(StoreUnavailable):
        store.hold(ACCOUNT, 60)
    taken = [after.pool.get_connection() for _ in range(8)]
    for connection in taken:
        connection.send_command("SET", "key", "value")
    assert [connection.read_response() for connection in taken] == ["OK"] * 8


def test_a_producer_does_not_notice(after: HandedOver) -> None:
    publish(after.publisher, "right-after")
    after.stack.wait_for("a message", lambda: publish(after.publisher, "later").woken, patience_s=5)


def test_a_replica_that_lagged_is_another_epoch_without_what_it_never_got(tmp_path: Path) -> None:
    with LocalStack(tmp_path) as stack, Forwarder(stack.redis_port) as address:
        pair = start_pair(stack, address)
        store = redis_store(connect(address.url), FakeClock())
        before = store.epoch()
        pair.stack.wait_for("the replica", lambda: has_caught_up(pair.old, pair.new))
        # From here on it gets nothing any more.
        pair.new.replicaof("NO", "ONE")
        order = replace(Rig().order(), version=1)
        first = Change(Rig().order(), order, None, epoch=before)
        assert store.commit(first) is Committed.DONE
        pair.fail_over()

        with pytest.raises(StoreUnavailable):
            store.commit(Change(order, replace(order, version=2), None, epoch=before))
        assert store.order(order.order_id) is None
        assert store.commit(first) is Committed.RESTARTED
