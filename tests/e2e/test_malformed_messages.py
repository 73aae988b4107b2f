"""Whatever lies in the queue, workers go on, and nothing that came in is lost without a word."""

import base64
import json
import subprocess
import sys
from itertools import islice
from typing import Any

import pytest
from redis import Redis

from execution.model.order import OrderState
from execution.store.stores import Orders
from oneorder.identifiers import order_id_of
from tests.fuzz.broadcasts import broadcasts
from workers.sandbox.chaos.disorders.raw_messages import raw_messages, sound_message
from workers.sandbox.local_stack import LocalStack

GOOD = {
    "account": "binance-main",
    "symbol": "BTC/USDT",
    "side": "buy",
    "type": "market",
    "amount": "0.01",
}


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _envelope(payload: object, **parts: Any) -> bytes:
    """A Celery message as a producer in another language would write it, with parts replaced."""
    message = {
        "body": _base64(json.dumps(payload)),
        "content-encoding": "utf-8",
        "content-type": "application/json",
        "headers": {"task": "orders.execute", "id": "by-hand"},
        "properties": {
            "delivery_tag": "by-hand",
            "delivery_info": {"exchange": "", "routing_key": "orders"},
            "body_encoding": "base64",
        },
    }
    return json.dumps({**message, **parts}).encode()


MALFORMED = {
    "no json": b"not json",
    "nothing": b"",
    "a number": b"5",
    "a list": b"[1]",
    "an empty object": b"{}",
    "binary": b"\xff\xfe\x00",
    "no properties": _envelope([[GOOD], {}, {}], properties={}),
    "no headers": _envelope([[GOOD], {}, {}], headers={}),
    "headers of the wrong type": _envelope([[GOOD], {}, {}], headers=[1]),
    "a body that is no base64": _envelope(None, body="!!!!"),
    "a body that is no json": _envelope(None, body=_base64("{{{")),
    "a body that is null": _envelope(None),
    "a task that is not known": _envelope([[GOOD], {}, {}], headers={"task": "no", "id": "1"}),
    "pickle": _envelope(None, **{"content-type": "application/x-python-serialize"}),
    "no argument": _envelope([[], {}, {}]),
    "two arguments": _envelope([[1, 2], {}, {}]),
    "nested deep": _envelope(None, body=_base64("[" * 50_000 + "]" * 50_000)),
    "an envelope nested deep": b'{"a":' * 50_000,
    "a chain": _envelope([[GOOD], {}, {"chain": [{"task": "orders.sweep"}]}]),
    "callbacks that are none": _envelope([[GOOD], {}, {"callbacks": "x"}]),
    "errbacks that are none": _envelope([[GOOD], {}, {"errbacks": [5]}]),
    "a chord that is none": _envelope([[GOOD], {}, {"chord": 5}]),
    "an eta that is none": _envelope(
        [[GOOD], {}, {}], headers={"task": "orders.execute", "id": "by-hand", "eta": [5]}
    ),
    "an id that is a list": _envelope([[GOOD], {}, {}], headers={"task": "orders.sweep", "id": []}),
    "upkeep with arguments": _envelope(
        [[1, 2, 3], {"x": 1}, {}], headers={"task": "orders.sweep", "id": "by-hand"}
    ),
    "an unknown keyword": _envelope([[GOOD], {"colour": "red"}, {}]),
    "an order that is a number": _envelope([[5], {}, {}]),
    "an order without a price": _envelope([[{**GOOD, "signal_id": "x", "type": "limit"}], {}, {}]),
}


@pytest.mark.parametrize("raw", MALFORMED.values(), ids=MALFORMED.keys())
def test_a_malformed_message_is_kept_and_the_workers_go_on(
    stack: LocalStack, raw: bytes, request: pytest.FixtureRequest
) -> None:
    store = stack.store()
    refused = stack.stores().listings.refused
    before = len(list(refused()))
    orders_before = len(store.orders())
    broker = Redis.from_url(stack.redis_url)

    broker.lpush("orders", raw)
    stack.wait_for("the refusal", lambda: len(list(refused())) == before + 1)
    signal_id = request.node.name.replace(" ", "-")
    broker.lpush("orders", _envelope([[{**GOOD, "signal_id": signal_id}], {}, {}]))
    stack.wait_for("a good order", lambda: len(store.orders()) == orders_before + 1)

    assert all(process.poll() is None for process in stack.processes.values())
    assert next(refused()).reason.partition(": ")[0] in {
        "envelope", "properties", "properties.delivery_tag", "headers", "message", "body", "task",
        "price", "headers.eta", "headers.id", "account",
    }  # fmt: skip
    # Neither is delivered again and again; beat's own ticks come and go.
    stack.wait_for(
        "both to be acknowledged",
        lambda: not any(b"by-hand" in held for held in broker.hvals("unacked")),
    )


def test_workers_answer_what_celery_asks_them(stack: LocalStack) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "celery", "-A", "workers", "inspect", "ping", "-t", "10", "-j"],
        capture_output=True,
        text=True,
        env=stack.environment,
        cwd=stack.directory,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert [answer["ok"] for answer in json.loads(done.stdout).values()] == ["pong", "pong"]


@pytest.mark.parametrize("count", [500, pytest.param(2_000, marks=pytest.mark.system)])
def test_good_signals_among_many_odd_messages_are_carried_out(
    stack: LocalStack, count: int
) -> None:
    store = stack.store()
    before = {order.order_id for order in store.orders()}
    broker = Redis.from_url(stack.redis_url)
    good = [f"among-{count}-odd-ones-{number}" for number in range(count // 50)]

    for number, message in enumerate(islice(raw_messages(2), count)):
        broker.lpush(message.queue, message.raw)
        if number % 50 == 0:
            signal = {**GOOD, "signal_id": good[number // 50]}
            raw = sound_message("orders.execute", [signal], signal["signal_id"])
            broker.lpush("orders", json.dumps(raw))

    wanted = {order_id_of(signal_id) for signal_id in good}
    stack.wait_for("the good ones", lambda: _filled(store) - before >= wanted, patience_s=90)
    stack.wait_for("the odd ones", lambda: not _waiting(broker), patience_s=90)
    assert {order.order_id for order in store.orders()} - before == wanted
    for name, process in stack.processes.items():
        assert process.poll() is None, stack.log(name)[-2000:]
        assert "Traceback" not in stack.log(name)
    # No odd one takes up a place: as many run at once as before.
    assert not any(b"fuzz" in held for held in broker.hvals("unacked"))


def test_remote_control_is_answered_and_broadcasts_that_are_none_leave_a_line(
    stack: LocalStack,
) -> None:
    broker = Redis.from_url(stack.redis_url)
    for broadcast in islice(broadcasts(3), 300):
        broker.publish(broadcast.channel, broadcast.raw)

    asked = subprocess.run(
        [sys.executable, "-m", "celery", "-A", "workers", "inspect", "ping", "-t", "15", "--json"],
        cwd=stack.directory,
        env=stack.environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )

    pong = {"ok": "pong"}
    assert json.loads(asked.stdout) == {"worker-1@localhost": pong, "worker-2@localhost": pong}
    for name, process in stack.processes.items():
        assert process.poll() is None, stack.log(name)[-2000:]
        assert "Traceback" not in stack.log(name)


def _filled(store: Orders) -> set[str]:
    return {order.order_id for order in store.orders() if order.state is OrderState.FILLED}


def _waiting(broker: Any) -> int:
    return sum(broker.llen(queue) for queue in ("orders", "arbitrage", "upkeep")) + sum(
        b"fuzz" in held for held in broker.hvals("unacked")
    )
