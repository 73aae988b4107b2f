"""A web server with an answer for every route, for the exchanges besides Binance.

It knows nothing of trading. Requests are kept as they came, with what their query and their body
say in one place, whether that is a form or JSON.
"""

import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

Answers = Mapping[str, Any]
# In the place of a method and path: what is said to every request that has no answer of its own.
EVERY_OTHER = "*"


@dataclass(frozen=True)
class Request:
    """One request; `params` are those of its query and its body together."""

    route: str
    params: dict[str, Any]
    headers: dict[str, str]


@dataclass(frozen=True)
class Reply:
    """What to say; a `cut` one announces more than it says, and is a broken connection."""

    body: Any = ""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    cut: bool = False

    @property
    def text(self) -> bytes:
        if isinstance(self.body, bytes):
            return self.body
        return (self.body if isinstance(self.body, str) else json.dumps(self.body)).encode()


class CannedServer:
    """Listens on loopback until `close`.

    `answers` are by method and path: a Reply, a function of the request that gives one or what to
    put into one, or the body of an answer with status 200.
    """

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.answers: dict[str, Any] = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def reset(self, answers: Answers) -> None:
        self.requests.clear()
        self.answers = {**_clocks(), **answers}

    def sent(self, route: str) -> list[Request]:
        return [request for request in self.requests if request.route == route]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _handler(owner) -> type[BaseHTTPRequestHandler]:  # noqa: N805  # self is the handler's.
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                owner._answer(self)

            do_POST = do_DELETE = do_GET  # noqa: N815  # The names that http.server calls.

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                """Say nothing."""

        return Handler

    def _answer(self, handler: BaseHTTPRequestHandler) -> None:
        request = _read(handler)
        self.requests.append(request)
        unknown = self.answers.get(EVERY_OTHER, Reply("no such route", 404))
        answer = self.answers.get(request.route, unknown)
        if isinstance(answer, Callable):  # type: ignore[arg-type]
            answer = answer(request)
        reply = answer if isinstance(answer, Reply) else Reply(answer)
        handler.send_response_only(reply.status)
        for name, value in {"Content-Type": "application/json", **reply.headers}.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(reply.text) + reply.cut))
        handler.end_headers()
        handler.wfile.write(reply.text)


def _read(handler: BaseHTTPRequestHandler) -> Request:
    url = urlsplit(handler.path)
    body = handler.rfile.read(int(handler.headers.get("Content-Length") or 0)).decode()
    params: dict[str, Any] = dict(parse_qsl(url.query))
    params |= json.loads(body) if body.startswith("{") else dict(parse_qsl(body))
    return Request(f"{handler.command} {url.path}", params, dict(handler.headers.items()))


def _clocks() -> dict[str, Any]:
    """What each exchange answers to the question for its time: ours."""
    now_ms = time.time_ns() // 1_000_000
    return {
        "GET /api/v3/time": {"serverTime": now_ms},
        "GET /v5/market/time": {
            "retCode": 0,
            "retMsg": "OK",
            "result": {"timeSecond": str(now_ms // 1000), "timeNano": str(now_ms * 1_000_000)},
            "time": now_ms,
        },
        "GET /api/v5/public/time": {"code": "0", "data": [{"ts": str(now_ms)}], "msg": ""},
        "GET /0/public/Time": {
            "error": [],
            "result": {"unixtime": now_ms // 1000, "rfc1123": "Mon, 23 Nov 26 07:00:00 +0000"},
        },
        "GET /api/v3/brokerage/time": {"epochMillis": str(now_ms)},
        # Upbit has no such question; the date of any answer has to do.
        "GET /v1/orderbook": Reply(
            [{"market": "USDT-BTC", "orderbook_units": []}], 200, {"Date": formatdate(usegmt=True)}
        ),
    }
