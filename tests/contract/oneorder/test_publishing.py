"""Publishing on real servers: the intent first and for good, then the message as a wake-up."""

import json
from pathlib import Path
from typing import Any

import pytest

from execution.store.access.connection import connect
from oneorder import (
    ArbitrageSignal,
    CancelRequest,
    OrderSignal,
    Published,
    Publisher,
    PublishFailed,
    publish_arbitrage,
    publish_cancel,
    publish_order,
)
from oneorder.broker import SCHEMA_VERSION
from oneorder.keys import SIGNALS
from oneorder.settings import SignalSettings
from workers.sandbox.local_stack import LocalStack

BODY: dict[str, Any] = {
    "signal_id": "s-1",
    "account": "binance-main",
    "symbol": "BTC/USDT",
    "side": "buy",
    "type": "market",
    "amount": "0.10",
}
ORDER = OrderSignal.model_validate(BODY)
ARBITRAGE = ArbitrageSignal(
    signal_id="a-1",
    buy_account="a",
    sell_account="b",
    symbol="BTC/USDT",
    amount="1",
)


@pytest.fixture
def redis(valkey_url: str) -> Any:
    client: Any = connect(valkey_url)
    client.flushall()
    return client


def test_an_order_is_written_first_and_then_a_worker_is_woken(valkey_url: str, redis: Any) -> None:
    publisher = Publisher(SignalSettings(redis_url=valkey_url))
    published = publish_order(ORDER, publisher)
    assert published.woken
    assert redis.xlen(SIGNALS) == 1
    entry_id, entry = redis.xrange(SIGNALS)[0]
    assert entry_id == published.entry_id
    assert entry["task"] == "orders.execute"
    assert entry["v"] == str(SCHEMA_VERSION)
    assert json.loads(entry["body"]) == BODY
    assert redis.llen("orders") == 1
    message = json.loads(redis.lindex("orders", 0))
    assert message["headers"]["task"] == "orders.execute"
    publisher.close()


def test_the_message_carries_the_body_and_which_intent_it_is_for(
    valkey_url: str, redis: Any
) -> None:
    publisher = Publisher(SignalSettings(redis_url=valkey_url))
    published = publish_order(ORDER, publisher)
    message = json.loads(redis.lindex("orders", 0))
    args, kwargs, _ = json.loads(_decoded(message))
    assert args == [BODY]
    assert kwargs == {"entry_id": published.entry_id, "v": SCHEMA_VERSION}
    publisher.close()


def test_each_message_goes_to_its_own_queue(valkey_url: str, redis: Any) -> None:
    publisher = Publisher(SignalSettings(redis_url=valkey_url))
    publish_arbitrage(ARBITRAGE, publisher)
    publish_cancel(CancelRequest(order_id="oo1"), publisher)
    assert [entry["task"] for _, entry in redis.xrange(SIGNALS)] == [
        "arbitrage.execute",
        "orders.cancel",
    ]
    assert (redis.llen("arbitrage"), redis.llen("orders")) == (1, 1)
    publisher.close()


def test_a_signal_published_twice_is_two_intents_with_one_id(valkey_url: str, redis: Any) -> None:
    publisher = Publisher(SignalSettings(redis_url=valkey_url))
    first, second = publish_order(ORDER, publisher), publish_order(ORDER, publisher)
    assert first.entry_id != second.entry_id
    bodies = {entry["body"] for _, entry in redis.xrange(SIGNALS)}
    assert len(bodies) == 1
    publisher.close()


def test_a_broker_that_is_gone_costs_the_wake_up_and_not_the_intent(
    valkey_url: str, redis: Any, tmp_path: Path
) -> None:
    with LocalStack(tmp_path) as broker:
        broker.start_redis()
        publisher = Publisher(SignalSettings(redis_url=valkey_url, broker_url=broker.redis_url))
        assert publish_order(ORDER, publisher).woken
        assert redis.llen("orders") == 0
        broker.kill("redis")
        published = publish_order(ORDER, publisher)
    assert published == Published(redis.xrange(SIGNALS)[1][0], woken=False)
    assert redis.xlen(SIGNALS) == 2
    publisher.close()


def test_without_redis_nothing_is_promised_and_no_worker_is_woken(
    valkey_url: str, redis: Any
) -> None:
    settings = SignalSettings(redis_url="redis://127.0.0.1:1/0", broker_url=valkey_url)
    publisher = Publisher(settings)
    with pytest.raises(PublishFailed, match="Redis did not confirm the signal: "):
        publish_order(ORDER, publisher)
    assert redis.llen("orders") == 0
    publisher.close()


def test_a_redis_that_refuses_the_write_promises_nothing(valkey_url: str, redis: Any) -> None:
    redis.set(SIGNALS, "not a stream")
    publisher = Publisher(SignalSettings(redis_url=valkey_url))
    with pytest.raises(PublishFailed, match="WRONGTYPE"):
        publish_order(ORDER, publisher)
    assert redis.llen("orders") == 0
    publisher.close()


def test_a_broker_that_refuses_the_message_costs_the_wake_up_and_not_the_intent(
    valkey_url: str, redis: Any
) -> None:
    redis.set("orders", "not a queue")
    publisher = Publisher(SignalSettings(redis_url=valkey_url))
    published = publish_order(ORDER, publisher)
    assert published == Published(redis.xrange(SIGNALS)[0][0], woken=False)
    publisher.close()


def test_no_broker_at_the_address_costs_the_wake_up_and_not_the_intent(
    valkey_url: str, redis: Any
) -> None:
    settings = SignalSettings(redis_url=valkey_url, broker_url="amqp://127.0.0.1:1//")
    publisher = Publisher(settings)
    assert not publish_order(ORDER, publisher).woken
    assert redis.xlen(SIGNALS) == 1
    publisher.close()


def _decoded(message: dict[str, Any]) -> str:
    import base64

    assert message["properties"]["body_encoding"] == "base64"
    return base64.b64decode(message["body"]).decode()
