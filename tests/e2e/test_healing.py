"""What is lost, deleted, or done behind oneorder's back comes right again, in real processes."""

import hmac
import json
import shutil
import signal
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import pytest
from redis import Redis

from execution.ledger.sql.ledger import open_ledger
from execution.model.errors import StoreUnavailable
from execution.model.order import Order, OrderState
from execution.model.position import Position
from execution.store.access import keys
from oneorder import OrderSignal, Publisher, publish_order
from oneorder.identifiers import order_id_of
from oneorder.settings import SignalSettings
from tests.support.command_line import ForkedOneorder
from workers.sandbox.audit import compare
from workers.sandbox.local_stack import PAPER_KEY, PAPER_SECRET, LocalStack

ACCOUNT, SYMBOL = "binance-main", "BTC/USDT"
PATIENCE_S = 45
FAST = {"reconcile_every_s": 1, "archive_every_s": 1, "recv_window_ms": 2_000}


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    """Valkey, a paper exchange, a worker and beat, all of which look often."""
    with LocalStack(tmp_path_factory.mktemp("healing"), FAST) as running:
        running.start_redis()
        running.start_paper("--seed", "7", "--weight-per-minute", "0")
        running.start_worker()
        running.start_beat()
        running.wait_for_worker()
        yield running


@pytest.fixture
def redis(stack: LocalStack) -> Iterator[Any]:
    with closing(Redis.from_url(stack.redis_url, decode_responses=True)) as client:
        yield client


def publish(stack: LocalStack, label: str, count: int, price: str | None = None) -> set[str]:
    """Publish buys, at the market or resting at a price; return the ids of their orders."""
    kind = {"type": "market"} if price is None else {"type": "limit", "price": price}
    fields = {"account": ACCOUNT, "symbol": SYMBOL, "side": "buy", "amount": "0.001", **kind}
    publisher = Publisher(SignalSettings(redis_url=stack.redis_url))
    names = [f"{label}-{number}" for number in range(count)]
    for name in names:
        publish_order(OrderSignal.model_validate({**fields, "signal_id": name}), publisher)
    publisher.close()
    return {order_id_of(name) for name in names}


def found(stack: LocalStack, wanted: set[str]) -> list[Order]:
    return [order for order in stack.store().orders() if order.order_id in wanted]


def keep_up(stack: LocalStack) -> None:
    """What a supervisor does: a worker may end when its broker goes away under unacknowledged
    messages."""
    if stack.processes["worker-1"].poll() is not None:
        stack.start_worker()


def wait_until(stack: LocalStack, wanted: set[str], state: OrderState) -> None:
    def all_there() -> bool:
        keep_up(stack)
        orders = found(stack, wanted)
        return len(orders) == len(wanted) and all(
            order.state is state and not order.fills_missing for order in orders
        )

    stack.wait_for(f"{len(wanted)} orders to be {state}", all_there, PATIENCE_S)


def wait_until_archived(stack: LocalStack) -> None:
    stack.wait_for("the ledger to have all", lambda: stack.stores().archive.unarchived() == [])


def wait_until_looked_over(stack: LocalStack) -> None:
    """Every loss from now on can be seen."""
    stores = stack.stores()
    stack.wait_for("the first look", lambda: stores.repair.verified_epoch() is not None)


def wait_until_equal(stack: LocalStack) -> None:
    """Wait until orders and positions are, to the last decimal, those of the exchange's ledger."""

    def agrees() -> bool:
        keep_up(stack)
        try:
            orders, positions = stack.store().orders(), stack.stores().positions.positions()
        except StoreUnavailable:
            return False
        return bool(orders) and all(
            check.agrees for check in compare(orders, positions, stack.ledger())
        )

    stack.wait_for("orders and positions to equal the exchange's", agrees, PATIENCE_S)


def position(stack: LocalStack) -> Position:
    return stack.stores().positions.position(ACCOUNT, SYMBOL)


def substance(held: Position) -> tuple[object, ...]:
    return (held.amount, held.cost, held.realised_pnl, held.turnover, held.fees)


def test_a_position_that_was_deleted_comes_back_equal(stack: LocalStack, redis: Any) -> None:
    wait_until(stack, publish(stack, "held", 4), OrderState.FILLED)
    wait_until_looked_over(stack)
    before = position(stack)
    redis.delete(keys.position(ACCOUNT, SYMBOL))
    stack.wait_for("the position", lambda: substance(position(stack)) == substance(before))
    assert before.amount > 0
    wait_until_equal(stack)


def test_everything_that_holds_positions_is_deleted_and_comes_back_equal(
    stack: LocalStack, redis: Any
) -> None:
    wait_until(stack, publish(stack, "before", 3), OrderState.FILLED)
    wait_until_looked_over(stack)
    redis.delete(keys.position(ACCOUNT, SYMBOL), keys.POSITIONS, keys.POSITION_VERSIONS)
    wait_until(stack, publish(stack, "after", 2), OrderState.FILLED)
    wait_until_looked_over(stack)
    wait_until_equal(stack)


def test_the_record_of_a_live_order_that_was_deleted_comes_back(
    stack: LocalStack, redis: Any
) -> None:
    (order_id,) = publish(stack, "resting", 1, price="30000")
    wait_until(stack, {order_id}, OrderState.OPEN)
    wait_until_archived(stack)
    wait_until_looked_over(stack)
    (before,) = found(stack, {order_id})
    redis.delete(keys.order(order_id))
    stack.wait_for("the record", lambda: found(stack, {order_id}) == [before])
    # It is an order like any other again.
    done = ForkedOneorder(stack).run("cancel", order_id)
    assert done.returncode == 0, done.stderr
    wait_until(stack, {order_id}, OrderState.CANCELED)


@contextmanager
def ledger_locked(stack: LocalStack) -> Iterator[None]:
    """Somebody else writes to the ledger's file, and does not come to an end."""
    path = stack.ledger_url.removeprefix("sqlite:///")
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        yield
        connection.execute("ROLLBACK")


def test_while_the_ledger_cannot_be_written_orders_run_and_then_it_catches_up(
    stack: LocalStack,
) -> None:
    with ledger_locked(stack):
        wanted = publish(stack, "unwritten", 5)
        wait_until(stack, wanted, OrderState.FILLED)
        refused = stack.log("worker-1").count("archive_failed")
        stack.wait_for(
            "the archive to give up",
            lambda: stack.log("worker-1").count("archive_failed") > refused,
        )
        assert wanted <= set(stack.stores().archive.unarchived())
    wait_until_archived(stack)
    ledger = open_ledger(stack.ledger_url)
    assert [ledger.order(order.order_id) for order in found(stack, wanted)] == found(stack, wanted)
    wait_until_equal(stack)


def stop_server(stack: LocalStack) -> Path:
    """The data of a server that has written everything and ended."""
    stack.kill("redis", signal.SIGTERM)
    return stack.directory / "redis"


def test_a_server_that_came_back_from_an_hour_ago_catches_up_and_doubles_nothing(
    stack: LocalStack,
) -> None:
    old = publish(stack, "old", 3)
    wait_until(stack, old, OrderState.FILLED)
    (resting,) = publish(stack, "left-standing", 1, price="30000")
    wait_until(stack, {resting}, OrderState.OPEN)
    an_hour_ago = stack.directory / "an hour ago"
    shutil.copytree(stop_server(stack), an_hour_ago)
    stack.start_redis()
    lost = publish(stack, "lost", 6)
    wait_until(stack, lost, OrderState.FILLED)
    wait_until_archived(stack)
    stack.paper("POST", "/paper/book", {"symbol": "BTCUSDT", "bids": [], "asks": [["30000", "1"]]})
    wait_until(stack, {resting}, OrderState.FILLED)
    shutil.rmtree(stop_server(stack))
    shutil.copytree(an_hour_ago, stack.directory / "redis")
    stack.start_redis()
    # Its producers do not know what became of their signals, and publish them again.
    assert publish(stack, "lost", 6) == lost
    wait_until(stack, lost | old | {resting}, OrderState.FILLED)
    wait_until_equal(stack)
    arrived = [row["clientOrderId"] for row in stack.ledger()["orders"]]
    assert len(arrived) == len(set(arrived))
    time.sleep(2)  # Whatever was to be sent a second time would be there by now.
    wait_until_equal(stack)


class Stranger:
    """Another program that trades with the same key."""

    def __init__(self, stack: LocalStack) -> None:
        self._url = f"{stack.paper_url}/api/v3/order"

    def buys(self, quantity: str) -> dict[str, Any]:
        fields = {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": quantity}
        text = urlencode({**fields, "timestamp": time.time_ns() // 1_000_000})
        signature = hmac.digest(PAPER_SECRET.encode(), text.encode(), "sha256").hex()
        headers = {"X-MBX-APIKEY": PAPER_KEY}
        body = f"{text}&signature={signature}".encode()
        request = Request(self._url, body, headers)  # noqa: S310  # Always http, on loopback.
        with urlopen(request, timeout=10) as answer:  # noqa: S310
            done: dict[str, Any] = json.load(answer)
            return done


def test_what_is_traded_behind_its_back_is_reported_or_adopted_by_policy(tmp_path: Path) -> None:
    with LocalStack(tmp_path) as stack:
        stack.start_redis()
        stack.start_paper("--seed", "9")
        stranger = Stranger(stack)
        reporting = ForkedOneorder(stack)
        adopting = ForkedOneorder(stack, {**stack.environment, "ONEORDER_DRIFT_POLICY": "adopt"})
        for _ in range(2):
            reporting.json("reconcile")

        done = stranger.buys("0.003")
        (row,) = reporting.json("reconcile")
        assert row["external_orders"] == [f"{SYMBOL} {done['orderId']}"]
        assert (row["drift"], row["balances_checked"]) == ({}, True)
        assert stack.stores().positions.positions() == []

        done = stranger.buys("0.005")
        (row,) = adopting.json("reconcile")
        assert (row["external_orders"], row["drift"]) == ([], {})
        (adopted,) = stack.store().orders()
        assert (adopted.exchange_order_id, adopted.filled) == (
            str(done["orderId"]),
            Decimal("0.005"),
        )
        # A fee of a tenth of a percent was taken out of what was bought.
        assert position(stack).amount == Decimal("0.004995")
        (row,) = adopting.json("reconcile")
        assert (row["fills_applied"], row["drift"]) == (0, {})
        assert position(stack).amount == Decimal("0.004995")
