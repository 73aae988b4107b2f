"""Binance's spot market streams, as far as books go: `<symbol>@depth` and `@depth@100ms`.

https://developers.binance.com/docs/binance-spot-api-docs/web-socket-streams
"""

import json
import re
from collections.abc import Callable
from urllib.parse import parse_qs

from paper_exchange.dialects.binance.shapes import amount
from paper_exchange.dialects.http_dialect import encode
from paper_exchange.engine.exchange import Exchange
from paper_exchange.server.stream_feed import BookChange, FeedKey, Feeds, Listener
from paper_exchange.server.stream_server import Line, StreamRefusedError

STREAMS_MAX = 1024
METHODS = ("SUBSCRIBE", "UNSUBSCRIBE", "LIST_SUBSCRIPTIONS")
USUAL_INTERVAL_MS = 1_000
_DEPTH = re.compile(r"([a-z0-9]+)@depth(?:@(100|1000)ms)?")


class _BadRequest(Exception):
    """A client's message is invalid: Binance's code and message."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


class BinanceStreams:
    """Everything below `/ws` and `/stream`."""

    def __init__(self, exchange: Exchange) -> None:
        self._feeds = Feeds(
            exchange.markets.get, lambda _, change: _event(change, exchange.now_ms())
        )

    def serves(self, path: str) -> bool:
        """Whether that path serves streams."""
        return path in ("/ws", "/stream") or path.startswith("/ws/")

    def open(self, path: str, query: str, line: Line) -> "BinanceTalk":
        """Open a connection; `/stream` wraps each event with the name of its stream."""
        is_wrapped = path == "/stream"
        named = parse_qs(query).get("streams", [""])[0] if is_wrapped else path[len("/ws/") :]
        talk = BinanceTalk(self._feeds, line, is_wrapped=is_wrapped)
        # Clients number their connections in the path (`/ws/1`); only what has an @ is a stream.
        names = [name for name in named.split("/") if "@" in name]
        try:
            talk.subscribe(names)
        except _BadRequest as refusal:
            raise StreamRefusedError(str(refusal)) from None
        return talk


class BinanceTalk:
    """One connection with its subscriptions."""

    def __init__(self, feeds: Feeds, line: Line, *, is_wrapped: bool) -> None:
        self._feeds = feeds
        self._line = line
        self._is_wrapped = is_wrapped
        self._streams: dict[str, tuple[FeedKey, Listener]] = {}

    def hear(self, text: str) -> None:
        """Answer a request; an invalid one changes nothing."""
        request: object = None
        try:
            request = _read(text)
            answer = self._serve(request)
        except _BadRequest as refusal:
            answer = {"error": {"code": refusal.code, "msg": str(refusal)}}
        request_id = request.get("id") if isinstance(request, dict) else None
        self._line.tell(encode({**answer, "id": request_id}))

    def close(self) -> None:
        """Unsubscribe from every stream."""
        self._unsubscribe(list(self._streams))

    def subscribe(self, names: list[str]) -> None:
        """Subscribe to streams, all of them or none; an existing subscription stays.

        Binance accepts any name and sends nothing; here an unknown name is refused, since a client
        would take the silence for a quiet market. Raises _BadRequest.
        """
        if len(self._streams.keys() | set(names)) > STREAMS_MAX:
            raise _BadRequest(2, f"Invalid request: more than {STREAMS_MAX} streams")
        fresh = {name: self._key(name) for name in names if name not in self._streams}
        for name, key in fresh.items():
            listener = self._listener(name)
            self._feeds.join(key, listener)
            self._streams[name] = key, listener

    def _serve(self, request: dict[str, object]) -> dict[str, object]:
        method = request.get("method")
        if method not in METHODS:
            raise _BadRequest(2, f"Invalid request: unknown variant, expected one of {METHODS}")
        if method == "LIST_SUBSCRIPTIONS":
            return {"result": list(self._streams)}
        names = request.get("params")
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise _BadRequest(2, "Invalid request: params must be a list of stream names")
        if method == "UNSUBSCRIBE":
            self._unsubscribe(names)
        else:
            self.subscribe(names)
        return {"result": None}

    def _key(self, name: str) -> FeedKey:
        match = _DEPTH.fullmatch(name)
        if match is None or not self._feeds.has(match[1].upper()):
            raise _BadRequest(2, f"Invalid request: the stream {name!r} is not served here")
        return FeedKey(match[1].upper(), None, int(match[2] or USUAL_INTERVAL_MS))

    def _listener(self, name: str) -> Callable[[str], None]:
        tell = self._line.tell_change
        if not self._is_wrapped:
            return tell
        opening = f'{{"stream":{encode(name)},"data":'
        return lambda event: tell(f"{opening}{event}}}")

    def _unsubscribe(self, names: list[str]) -> None:
        for name in names:
            joined = self._streams.pop(name, None)
            if joined is not None:
                self._feeds.leave(*joined)


def _read(text: str) -> dict[str, object]:
    try:
        request = json.loads(text)
    except (ValueError, RecursionError):
        raise _BadRequest(3, "Invalid JSON") from None
    if not isinstance(request, dict):
        raise _BadRequest(2, "Invalid request: a request must be an object")
    return request


def _event(change: BookChange, now_ms: int) -> str:
    return encode(
        {
            "e": "depthUpdate",
            "E": now_ms,
            "s": change.symbol,
            "U": change.first_id,
            "u": change.last_id,
            "b": [[amount(price), amount(qty)] for price, qty in change.bids],
            "a": [[amount(price), amount(qty)] for price, qty in change.asks],
        }
    )
