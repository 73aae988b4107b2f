"""An exchange whose engine acts seconds after its answer: no second order, in real processes."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from execution.model.order import Order, OrderState
from oneorder import OrderSignal, Publisher, publish_order
from oneorder.identifiers import order_id_of
from oneorder.settings import SignalSettings
from workers.sandbox.audit import compare
from workers.sandbox.local_stack import LocalStack

pytestmark = pytest.mark.system

ROUTE = "POST /api/v3/order"
# Just within the 10 s for which Binance's document says that it waits for its engine.
LATE = (9_700, 8_000, 3_000)
CUT = (9_700, 500)
VANISHED = 2


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[LocalStack]:
    """Everything with its default settings, and a paper exchange without limits of its own."""
    with LocalStack(tmp_path) as running:
        running.start_redis()
        running.start_paper("--seed", "5", "--weight-per-minute", "0")
        running.start_worker()
        running.wait_for_worker()
        running.start_beat()
        yield running


def orders_of(stack: LocalStack, wanted: list[str]) -> list[Order]:
    known = {order.order_id: order for order in stack.store().orders()}
    return [known[order_id] for order_id in wanted if order_id in known]


def publish(stack: LocalStack, names: list[str], fault: dict[str, Any]) -> list[str]:
    """Publish market buys that all meet the fault; return their order ids once they have."""
    stack.paper("POST", "/paper/faults", {"route": ROUTE, **fault})
    fields = {"account": "binance-main", "symbol": "BTC/USDT", "side": "buy", "type": "market"}
    publisher = Publisher(SignalSettings(redis_url=stack.redis_url))
    for name in names:
        one = OrderSignal.model_validate({**fields, "amount": "0.001", "signal_id": name})
        publish_order(one, publisher)
    publisher.close()
    wanted = [order_id_of(name) for name in names]

    def all_unknown() -> bool:
        found = orders_of(stack, wanted)
        return len(found) == len(wanted) and all(o.reason is not None for o in found)

    stack.wait_for("the fault to meet every order", all_unknown)
    stack.paper("DELETE", "/paper/faults")
    return wanted


def test_an_engine_as_late_as_it_may_be_makes_one_order_of_each_signal(stack: LocalStack) -> None:
    late = [
        order_id
        for ms in LATE
        for order_id in publish(stack, [f"late-{ms}"], {"kind": "late_engine", "ms": ms})
    ]
    late += [
        order_id
        for ms in CUT
        for order_id in publish(
            stack, [f"cut-{ms}"], {"kind": "late_engine", "ms": ms, "answer": "cut"}
        )
    ]
    names = [f"vanished-{number}" for number in range(VANISHED)]
    vanished = publish(stack, names, {"kind": "drop_before"})

    waiting = orders_of(stack, vanished)
    assert all((order.reason or "").startswith("outcome unknown since ") for order in waiting)

    def all_filled() -> bool:
        found = orders_of(stack, late + vanished)
        return all(o.state is OrderState.FILLED and not o.fills_missing for o in found)

    stack.wait_for("every order", all_filled, patience_s=60)
    assert {len(order.attempts) for order in orders_of(stack, late)} == {1}
    assert {len(order.attempts) for order in orders_of(stack, vanished)} == {2}
    for order in orders_of(stack, vanished):
        first, second = order.attempts
        assert second.stamp_ms > first.provable_at_ms
        assert (first.reason or "").startswith("it never arrived (")
    arrived = [row["clientOrderId"] for row in stack.ledger()["orders"]]
    assert sorted(arrived) == sorted(late + vanished)
    checks = compare(stack.store().orders(), stack.stores().positions.positions(), stack.ledger())
    assert [check for check in checks if not check.agrees] == []
