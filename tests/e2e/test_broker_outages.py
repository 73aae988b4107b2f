"""Redis restarts, is full, refuses writes, or hands over to a replica: no process ends, nothing is
lost or doubled, and each is back at work within seconds, with the process id that it had."""

import json
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from redis import Redis, RedisError

from execution.model.clock import SystemClock
from execution.model.order import OrderState
from execution.store.access.connection import connect
from execution.store.redis.books import RedisBooks
from execution.store.stores import Orders, open_stores
from oneorder import OrderSignal
from oneorder.errors import PublishFailed
from oneorder.publisher import Publisher, publish_order
from oneorder.settings import SignalSettings
from workers.sandbox.chaos.disorders.forwarder import Forwarder
from workers.sandbox.chaos.disorders.raw_messages import sound_message
from workers.sandbox.chaos.disorders.replication import has_caught_up, start_replica
from workers.sandbox.local_stack import LocalStack, free_port

pytestmark = pytest.mark.system

RESTARTS = 4
RECONNECT_S = 5
BARE = 20
ORDER = {
    "account": "binance-main",
    "symbol": "BTC/USDT",
    "side": "buy",
    "type": "market",
    "amount": "0.001",
}
WORKERS = ("worker-1", "worker-2", "worker-3")
SERVICES = (*WORKERS, "beat", "collector")
SETTINGS: dict[str, Any] = {
    "reconcile_every_s": 2,
    "recv_window_ms": 1_000,
    "worker_threads": 4,
    "collector": {"symbols": ["BTC/USDT"], "ttl_s": 3},
}


class Load:
    """Publishes a small order every few milliseconds, each until it is accepted."""

    def __init__(self, redis_url: str) -> None:
        self.accepted: list[str] = []
        self.failures = 0
        self._publisher = Publisher(SignalSettings(redis_url=redis_url))
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._publish, daemon=True)

    def __enter__(self) -> "Load":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self._thread.join()
        self._publisher.close()

    def _publish(self) -> None:
        while not self._is_over.wait(0.1):
            signal_id = f"load-{len(self.accepted)}"
            order = OrderSignal.model_validate({**ORDER, "signal_id": signal_id})
            try:
                publish_order(order, self._publisher)
            except PublishFailed:
                self.failures += 1
                continue
            self.accepted.append(signal_id)


def start_services(stack: LocalStack) -> None:
    stack.start_paper("--seed", "3", "--weight-per-minute", "0")
    for name in WORKERS:
        stack.start_worker(name)
    stack.start_beat()
    stack.start_collector()
    for name in WORKERS:
        stack.wait_for_worker(name)


@pytest.fixture
def busy(tmp_path: Path) -> Iterator[LocalStack]:
    """Three workers, beat, a collector and a paper exchange; nothing restarts what ends."""
    with LocalStack(tmp_path, SETTINGS) as stack:
        stack.start_redis()
        start_services(stack)
        yield stack


def process_ids(stack: LocalStack) -> dict[str, int]:
    """Of the services that run."""
    running = {name: stack.processes[name] for name in SERVICES}
    return {name: process.pid for name, process in running.items() if process.poll() is None}


def waiting_workers(redis_url: str) -> int:
    """How many wait for messages at that very server, or take one just now."""
    client: Any = Redis.from_url(redis_url)
    try:
        return sum(one["cmd"] == "brpop" for one in client.client_list())
    except RedisError:
        return 0


def bare_message(signal_id: str) -> str:
    """A message of an order, without an intent that would stand for it if it were lost."""
    order = {**ORDER, "signal_id": signal_id}
    return json.dumps(sound_message("orders.execute", [order], signal_id))


def wait_for_all_filled(stack: LocalStack, store: Orders, count: int) -> None:
    def are_all_filled() -> bool:
        states = [order.state for order in store.orders()]
        return states == [OrderState.FILLED] * count

    stack.wait_for("every accepted signal", are_all_filled, patience_s=90)
    sent = Counter(row["clientOrderId"] for row in stack.ledger()["orders"])
    assert len(sent) == sent.total() == count


def test_no_process_ends_when_redis_restarts_under_load(busy: LocalStack) -> None:
    before = process_ids(busy)
    with Load(busy.redis_url) as load:
        for number in range(RESTARTS):
            busy.wait_for("some orders", lambda at=number: len(load.accepted) > 10 * at)
            # Killed, or asked to end, in turn; away for up to a second.
            busy.kill("redis", signal.SIGKILL if number % 2 else signal.SIGTERM)
            time.sleep(0.3 * (number % 4))
            busy.start_redis()
            busy.wait_for(
                "the workers to be back",
                lambda: waiting_workers(busy.redis_url) == len(WORKERS),
                patience_s=RECONNECT_S,
            )
    wait_for_all_filled(busy, busy.store(), len(load.accepted))
    assert process_ids(busy) == before


def full(client: Any) -> Callable[[], object]:
    client.config_set("maxmemory", "1mb")
    return lambda: client.config_set("maxmemory", "0")


def read_only(client: Any) -> Callable[[], object]:
    client.replicaof("127.0.0.1", free_port())
    return lambda: client.replicaof("NO", "ONE")


@pytest.mark.parametrize("refuse", [full, read_only])
def test_no_process_ends_when_redis_refuses_writes(
    busy: LocalStack, refuse: Callable[[Any], Callable[[], object]]
) -> None:
    before = process_ids(busy)
    with Load(busy.redis_url) as load:
        busy.wait_for("some orders", lambda: len(load.accepted) > 10)
        client: Any = Redis.from_url(busy.redis_url)
        # So that each of them takes a message from a server that then refuses to record it.
        for name in WORKERS:
            busy.kill(name, signal.SIGSTOP)
        for number in range(BARE):
            client.lpush("orders", bare_message(f"bare-{number}"))
        busy.wait_for("messages to wait", lambda: client.llen("orders") > 20)
        accept_again = refuse(client)
        failures = load.failures
        for name in WORKERS:
            busy.kill(name, signal.SIGCONT)
        busy.wait_for("refusals", lambda: load.failures > failures + 30)
        accept_again()
        accepted = len(load.accepted)
        busy.wait_for(
            "the workers to be back",
            lambda: waiting_workers(busy.redis_url) == len(WORKERS),
            patience_s=RECONNECT_S,
        )
        busy.wait_for("more orders", lambda: len(load.accepted) > accepted + 10)
    wait_for_all_filled(busy, busy.store(), len(load.accepted) + BARE)
    assert process_ids(busy) == before


def test_a_failover_with_the_old_master_alive_costs_seconds(tmp_path: Path) -> None:
    with (
        LocalStack(tmp_path, SETTINGS) as stack,
        Forwarder(stack.redis_port) as address,
    ):
        stack.start_redis()
        old: Any = Redis.from_url(stack.redis_url)
        replica_port, new = start_replica(stack)
        stack.environment["ONEORDER_REDIS_URL"] = address.url
        start_services(stack)
        before = process_ids(stack)
        with Load(address.url) as load:
            stack.wait_for("some orders", lambda: len(load.accepted) > 20)
            # The producer may go on: the hand-over is done while nothing is written.
            old.execute_command("CLIENT", "PAUSE", "10000", "WRITE")
            stack.wait_for("the replica", lambda: has_caught_up(old, new))
            new.replicaof("NO", "ONE")
            address.target = replica_port
            # What it still holds is refused: it is a replica before it lets go of it.
            old.replicaof("127.0.0.1", replica_port)
            old.execute_command("CLIENT", "UNPAUSE")
            failures, accepted, changed = load.failures, len(load.accepted), time.monotonic()
            stack.wait_for(
                "the workers at the new master",
                lambda: waiting_workers(f"redis://127.0.0.1:{replica_port}/0") == len(WORKERS),
                patience_s=RECONNECT_S,
            )
            stack.wait_for("more orders", lambda: len(load.accepted) > accepted + 20)
            assert load.failures <= failures + 2
        # Beat ticks at the new master, or nothing would take an intent without a message.
        new.xadd("oneorder:signals", {"task": "orders.cancel", "body": "{}"})
        stores = open_stores(address.url, SystemClock())
        refused = stores.listings.refused
        stack.wait_for("a tick", lambda: len(list(refused())) == 1, patience_s=10)
        books = RedisBooks(connect(address.url))
        stack.wait_for("a book", lambda: books.load("binance-main", "BTC/USDT") is not None)
        assert time.monotonic() - changed < 30
        wait_for_all_filled(stack, stores.orders, len(load.accepted))
        assert process_ids(stack) == before
