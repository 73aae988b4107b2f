"""Bybit's public spot stream, as far as books go: `orderbook.1`, `.50`, `.200` and `.1000`.

https://bybit-exchange.github.io/docs/v5/websocket/public/orderbook and ws/connect
"""

import json
import re
from uuid import uuid4

from paper_exchange.dialects.bybit.request import Json
from paper_exchange.dialects.bybit.shapes import amount
from paper_exchange.dialects.http_dialect import encode
from paper_exchange.engine.exchange import Exchange
from paper_exchange.server.stream_feed import BookChange, FeedKey, Feeds
from paper_exchange.server.stream_server import Line

PATH = "/v5/public/spot"
# Push interval of a book by its number of levels, in ms.
INTERVALS_MS = {1: 10, 50: 20, 200: 200, 1000: 200}
TOPICS_A_REQUEST = 10
TOPICS_MAX = 1024
_TOPIC = re.compile(r"orderbook\.(1|50|200|1000)\.([A-Z0-9]+)")


class _BadRequest(Exception):
    """A client's message is invalid: Bybit's message."""


class BybitStreams:
    """The one path of public spot streams."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._feeds = Feeds(
            exchange.markets.get,
            lambda key, change: _message(key, change, "delta", exchange.now_ms()),
        )

    def serves(self, path: str) -> bool:
        """Whether that path serves streams."""
        return path == PATH

    def open(self, path: str, query: str, line: Line) -> "BybitTalk":
        """Open a connection; the client subscribes by messages."""
        del path, query
        return BybitTalk(self._exchange, self._feeds, line)


class BybitTalk:
    """One connection with its subscriptions."""

    def __init__(self, exchange: Exchange, feeds: Feeds, line: Line) -> None:
        self._exchange = exchange
        self._feeds = feeds
        self._line = line
        self._connection_id = str(uuid4())
        self._topics: dict[str, FeedKey] = {}

    def hear(self, text: str) -> None:
        """Answer a request; an invalid one changes nothing."""
        request: dict[str, object] = {}
        joined: list[str] = []
        try:
            request = _read(text)
            joined = self._serve(request)
            is_done, message = True, "pong" if request["op"] == "ping" else ""
        except _BadRequest as refusal:
            is_done, message = False, f"error:{refusal}"
        answer = {
            "success": is_done,
            "ret_msg": message,
            "conn_id": self._connection_id,
            "req_id": request.get("req_id", ""),
            "op": request.get("op", ""),
        }
        self._line.tell(encode(answer))
        for topic in joined:
            self._join(topic)

    def close(self) -> None:
        """Unsubscribe from every topic."""
        self._leave(list(self._topics))

    def _serve(self, request: dict[str, object]) -> list[str]:
        """Carry out the request; returns the topics that remain to be subscribed."""
        if request.get("op") == "ping":
            return []
        if request.get("op") not in ("subscribe", "unsubscribe"):
            raise _BadRequest("invalid op")
        topics = request.get("args")
        if not isinstance(topics, list) or not all(isinstance(topic, str) for topic in topics):
            raise _BadRequest("args must be a list of topics")
        if request["op"] == "unsubscribe":
            self._leave(topics)
            return []
        self._check(topics)
        return topics

    def _check(self, topics: list[str]) -> None:
        if len(topics) > TOPICS_A_REQUEST:
            raise _BadRequest(f"args size >{TOPICS_A_REQUEST}")
        if len(self._topics) + len(topics) > TOPICS_MAX:
            raise _BadRequest(f"more than {TOPICS_MAX} topics")
        for index, topic in enumerate(topics):
            match = _TOPIC.fullmatch(topic)
            if match is None or match[2] not in self._exchange.markets:
                raise _BadRequest(f"handler not found,topic:{topic}")
            if topic in self._topics or topic in topics[:index]:
                raise _BadRequest(f"already subscribed,topic:{topic}")

    def _join(self, topic: str) -> None:
        """Send the whole book first; the feed's changes continue from it."""
        _, depth, symbol = topic.split(".")
        key = FeedKey(symbol, int(depth), INTERVALS_MS[int(depth)])
        whole = self._feeds.join(key, self._line.tell_change)
        if whole is not None:
            self._topics[topic] = key
            self._line.tell(_message(key, whole, "snapshot", self._exchange.now_ms()))

    def _leave(self, topics: list[str]) -> None:
        for topic in topics:
            key = self._topics.pop(topic, None)
            if key is not None:
                self._feeds.leave(key, self._line.tell_change)


def _read(text: str) -> dict[str, object]:
    try:
        request = json.loads(text)
    except (ValueError, RecursionError):
        raise _BadRequest("request is not JSON") from None
    if not isinstance(request, dict):
        raise _BadRequest("request is no object")
    return request


def _message(key: FeedKey, change: BookChange, kind: str, now_ms: int) -> str:
    return encode(
        {
            "topic": f"orderbook.{key.depth}.{key.symbol}",
            "ts": now_ms,
            "type": kind,
            "data": _data(change),
            "cts": now_ms,
        }
    )


def _data(change: BookChange) -> Json:
    sides = {"b": change.bids, "a": change.asks}
    levels = {
        name: [[amount(price), amount(qty)] for price, qty in side] for name, side in sides.items()
    }
    return {"s": change.symbol, **levels, "u": change.number, "seq": change.last_id}
