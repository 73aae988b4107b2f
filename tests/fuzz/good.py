"""Good signals, published at a steady rate among the others, by each of the three ways."""

import json
import threading
from itertools import count, cycle
from typing import Any

from redis import Redis

from oneorder import OrderSignal, Publisher, publish_order
from oneorder.broker import EXECUTE
from oneorder.keys import SIGNALS
from oneorder.settings import SignalSettings
from oneorder.signals import parse_as
from tests.fuzz.odd import MARKET
from workers.sandbox.chaos.disorders.raw_messages import sound_message
from workers.sandbox.local_stack import LocalStack

EVERY_S = 0.5


class GoodSignals:
    """Publishes until it is over. `signal_ids` has each whose publication was confirmed."""

    def __init__(self, stack: LocalStack) -> None:
        self.signal_ids: list[str] = []
        self.faults: list[str] = []
        self._publisher = Publisher(SignalSettings(redis_url=stack.redis_url))
        self._redis: Any = Redis.from_url(stack.redis_url)

    def publish_all(self, over: threading.Event) -> None:
        """One every half a second, buys and sells in turn."""
        ways = cycle((self._by_library, self._by_stream, self._by_library, self._by_message))
        for number, way in zip(count(1), ways, strict=False):
            side = "buy" if number % 2 else "sell"
            body = {**MARKET, "signal_id": f"good-{number:06}", "side": side}
            try:
                way(body)
            except Exception as error:  # noqa: BLE001  # The run goes on, and is not clean.
                self.faults.append(f"{body['signal_id']} was not published: {error!r:.300}")
            else:
                self.signal_ids.append(body["signal_id"])
            if over.wait(EVERY_S):
                return

    def _by_library(self, body: dict[str, Any]) -> None:
        publish_order(parse_as(OrderSignal, body), self._publisher)

    def _by_stream(self, body: dict[str, Any]) -> None:
        """As a producer that knows of no message: the sweep finds it."""
        self._redis.xadd(SIGNALS, {"task": EXECUTE, "body": json.dumps(body), "v": "1"})

    def _by_message(self, body: dict[str, Any]) -> None:
        raw = json.dumps(sound_message(EXECUTE, [body], body["signal_id"]))
        self._redis.lpush("orders", raw)

    def close(self) -> None:
        """Give the connections back."""
        self._publisher.close()
        self._redis.close()
