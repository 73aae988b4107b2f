"""Whatever lies in the queue, workers go on, and nothing that came in is lost without a word."""

import base64
import json
from typing import Any

import pytest
from redis import Redis

from workers.local_stack import LocalStack

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
    "an unknown keyword": _envelope([[GOOD], {"colour": "red"}, {}]),
    "an order that is a number": _envelope([[5], {}, {}]),
    "an order without a price": _envelope([[{**GOOD, "signal_id": "x", "type": "limit"}], {}, {}]),
}


@pytest.mark.parametrize("raw", MALFORMED.values(), ids=MALFORMED.keys())
def test_a_malformed_message_is_kept_and_the_workers_go_on(
    stack: LocalStack, raw: bytes, request: pytest.FixtureRequest
) -> None:
    store = stack.store()
    before = len(store.refused_intents(1_000))
    orders_before = len(store.orders())
    broker = Redis.from_url(stack.redis_url)

    broker.lpush("orders", raw)
    stack.wait_for("the refusal", lambda: len(store.refused_intents(1_000)) == before + 1)
    signal_id = request.node.name.replace(" ", "-")
    broker.lpush("orders", _envelope([[{**GOOD, "signal_id": signal_id}], {}, {}]))
    stack.wait_for("a good order", lambda: len(store.orders()) == orders_before + 1)

    assert all(process.poll() is None for process in stack.processes.values())
    assert store.refused_intents(1)[0].reason.partition(": ")[0] in {
        "envelope", "properties", "properties.delivery_tag", "headers", "message", "body", "task",
        "price",
    }  # fmt: skip
    # Neither is delivered again and again; beat's own ticks come and go.
    stack.wait_for(
        "both to be acknowledged",
        lambda: not any(b"by-hand" in held for held in broker.hvals("unacked")),
    )
