"""A web server that says what it is told to, so that the real ccxt class can be driven against it.

It knows nothing of trading: each route has one reply, and every request is kept as it came.
"""

import json
import socket
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.support.clock import START_MS

EXCHANGE_INFO = (Path(__file__).parents[2] / "contract" / "data" / "exchange_info.json").read_text()
NEW_ORDER = "POST /api/v3/order"
GET_ORDER = "GET /api/v3/order"
CANCEL_ORDER = "DELETE /api/v3/order"
OPEN_ORDERS = "GET /api/v3/openOrders"
MY_TRADES = "GET /api/v3/myTrades"
ACCOUNT_INFO = "GET /api/v3/account"
DEPTH = "GET /api/v3/depth"
TIME = "GET /api/v3/time"


@dataclass(frozen=True)
class Request:
    """One request as it arrived: the parameters of query and form together."""

    route: str
    params: dict[str, str]
    headers: dict[str, str]


@dataclass(frozen=True)
class Reply:
    """What to answer: `how` is "answer", "hang" (until the test ends), "cut" (the connection, with
    the request read and nothing said) or "half" (the connection, in the middle of the body)."""

    body: Any = ""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    how: str = "answer"

    @property
    def text(self) -> bytes:
        if isinstance(self.body, bytes):
            return self.body
        return (self.body if isinstance(self.body, str) else json.dumps(self.body)).encode()


Answer = Reply | Callable[[Request], Reply]


class BinanceServer:
    """Listens on loopback until `close`. `cuts_unread` breaks every connection without reading."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self._news = threading.Condition()
        self.replies: dict[str, Answer] = {}
        self.cuts_unread = False
        self.connections = 0
        self.released = threading.Event()
        self.reset()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        # Looked at often, so that closing takes no time.
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def reset(self) -> None:
        """Forget the requests, and answer as at the start."""
        self.released.set()
        self.released = threading.Event()
        self.requests.clear()
        self.cuts_unread = False
        self.connections = 0
        self.replies = {
            "GET /api/v3/exchangeInfo": Reply(EXCHANGE_INFO),
            TIME: Reply({"serverTime": START_MS}),
        }

    def count(self, route: str) -> int:
        return sum(request.route == route for request in self.requests)

    def arrived(self, route: str) -> int:
        """How many requests came, once there is one: whoever gave up waiting may be ahead of it."""
        with self._news:
            self._news.wait_for(lambda: self.count(route), timeout=20)
        return self.count(route)

    def close(self) -> None:
        self.released.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _handler(owner) -> type[BaseHTTPRequestHandler]:  # noqa: N805  # self is the handler's.
        class Handler(BaseHTTPRequestHandler):
            def handle(self) -> None:
                owner.connections += 1
                if owner.cuts_unread:
                    # Once something is there: a reset during the handshake would be a refusal.
                    self.connection.recv(1, socket.MSG_PEEK)
                    _reset_connection(self.connection)
                    return
                super().handle()

            def do_GET(self) -> None:
                owner._answer(self)

            do_POST = do_PUT = do_DELETE = do_GET  # noqa: N815  # The names that http.server calls.

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                """Say nothing."""

        return Handler

    def _answer(self, handler: BaseHTTPRequestHandler) -> None:
        url = urlsplit(handler.path)
        form = handler.rfile.read(int(handler.headers.get("Content-Length") or 0)).decode()
        request = Request(
            f"{handler.command} {url.path}",
            dict(parse_qsl(url.query) + parse_qsl(form)),
            dict(handler.headers.items()),
        )
        with self._news:
            self.requests.append(request)
            self._news.notify_all()
        answer = self.replies.get(request.route, Reply("no such route", 404))
        reply = answer if isinstance(answer, Reply) else answer(request)
        if reply.how == "hang":
            self.released.wait(20)
        if reply.how in ("cut", "hang"):
            _reset_connection(handler.connection)
            return
        handler.send_response(reply.status)
        for name, value in {"Content-Type": "application/json", **reply.headers}.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(reply.text)))
        handler.end_headers()
        cut = len(reply.text) // 2 if reply.how == "half" else len(reply.text)
        handler.wfile.write(reply.text[:cut])


def _reset_connection(connection: socket.socket) -> None:
    """Close so that the other side sees a reset, as when a proxy dies."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def order_answer(request: Request, **changes: Any) -> dict[str, Any]:
    """What Binance says to an accepted order, from POST /api/v3/order in its documentation."""
    return {
        "symbol": request.params["symbol"],
        "orderId": 28,
        "orderListId": -1,
        "clientOrderId": request.params["newClientOrderId"],
        "transactTime": 1_800_000_000_123,
        "price": request.params.get("price", "0.00000000"),
        "origQty": request.params["quantity"],
        "executedQty": "0.00000000",
        "origQuoteOrderQty": "0.000000",
        "cummulativeQuoteQty": "0.00000000",
        "status": "NEW",
        "timeInForce": request.params.get("timeInForce", "GTC"),
        "type": request.params["type"],
        "side": request.params["side"],
        "workingTime": 1_800_000_000_123,
        "fills": [],
        "selfTradePreventionMode": "NONE",
        **changes,
    }


def known_order(client_order_id: str, **changes: Any) -> dict[str, Any]:
    """What Binance says of an order that it is asked for, from GET /api/v3/order."""
    return {
        "symbol": "BTCUSDT",
        "orderId": 28,
        "orderListId": -1,
        "clientOrderId": client_order_id,
        "price": "100.00000000",
        "origQty": "1.00000000",
        "executedQty": "0.00000000",
        "cummulativeQuoteQty": "0.00000000",
        "status": "NEW",
        "timeInForce": "GTC",
        "type": "LIMIT",
        "side": "BUY",
        "stopPrice": "0.00000000",
        "icebergQty": "0.00000000",
        "time": 1_800_000_000_123,
        "updateTime": 1_800_000_000_123,
        "isWorking": True,
        "workingTime": 1_800_000_000_123,
        "origQuoteOrderQty": "0.000000",
        "selfTradePreventionMode": "NONE",
        **changes,
    }


def trade(number: int, order_id: int = 28, **changes: Any) -> dict[str, Any]:
    """One entry of GET /api/v3/myTrades."""
    return {
        "symbol": "BTCUSDT",
        "id": number,
        "orderId": order_id,
        "orderListId": -1,
        "price": "100.00000000",
        "qty": "0.00100000",
        "quoteQty": "0.10000000",
        "commission": "0.00000100",
        "commissionAsset": "BTC",
        "time": 1_800_000_000_000 + number,
        "isBuyer": True,
        "isMaker": False,
        "isBestMatch": True,
        **changes,
    }
