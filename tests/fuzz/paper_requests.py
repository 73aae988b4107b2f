"""Requests to paper exchanges of both dialects, and to their control, none of which has an effect.

They are signed with an account of their own, so that even one that is right could touch nothing of
the account that trades; and every order among them lacks what an order needs.
"""

import hmac
import json
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from paper_exchange.dialects.binance.routes import ROUTES as BINANCE_ROUTES
from paper_exchange.dialects.bybit.routes import ROUTES as BYBIT_ROUTES
from tests.fuzz.odd import ODD_TEXTS, ODD_VALUES, nested

ACCOUNT = "fuzz"
CONTROLS = (
    ("GET", "/paper/ledger"), ("GET", "/paper/clock"), ("GET", "/paper/faults"),
    ("POST", "/paper/faults"), ("POST", "/paper/book"), ("PUT", "/paper/book"), ("GET", "/paper/"),
)  # fmt: skip
METHODS = ("GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "TRACE", "FUZZ")
_BINANCE_ORDER = {
    "symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": "0.01",
    "newClientOrderId": "fuzz",
}  # fmt: skip
_NO_NUMBER = ("", "0", "-1", "x", "1e3", "NaN", "\uff11", "0.000000001", "1" * 30, "\x00", " 1")
_BINANCE_INVALID = {
    "symbol": ("", "btcusdt", "BTC/USDT", "XXXYYY", "\x00", "x" * 500),
    "side": ("", "buy", "HOLD", "\ud83d"),
    "type": ("", "market", "LIMIT", "STOP_LOSS", "OCO"),
    "quantity": _NO_NUMBER,
    "price": ("1", "x"),
    "newClientOrderId": ("a b", "x" * 40, "é"),
    "trailingDelta": ("5",),
    "noSuch": ("1",),
}
_BYBIT_ORDER = {
    "category": "spot", "symbol": "BTCUSDT", "side": "Buy", "orderType": "Market", "qty": "0.01",
    "marketUnit": "baseCoin", "orderLinkId": "fuzz",
}  # fmt: skip
_BYBIT_INVALID: dict[str, tuple[object, ...]] = {
    "category": ("", "linear", None, 5, []),
    "symbol": ("", "btcusdt", "XXXYYY", None, 5, {}),
    "side": ("", "buy", "BUY", None, [], True),
    "orderType": ("", "market", "Stop", "Limit", 1),
    "qty": (*_NO_NUMBER, None, [], {}, True, -1),
    "marketUnit": ("x", 5, []),
    "triggerPrice": ("5",),
    "noSuch": ("1",),
}


@dataclass(frozen=True, slots=True)
class RawRequest:
    """The bytes of one HTTP request (or what passes for one), for the exchange of that dialect."""

    kind: str
    dialect: str
    raw: bytes


def paper_requests(seed: int) -> Iterator[RawRequest]:
    """Draw requests without an end, the same ones for the same seed, but for their time stamps."""
    dice = random.Random(seed)
    while True:
        kind = dice.choice(list(_KINDS))
        dialect = dice.choice(("binance", "bybit"))
        yield RawRequest(kind, dialect, _KINDS[kind](dice, dialect))


def http(method: str, target: str, body: bytes = b"", **headers: str) -> bytes:
    """One request on a connection of its own; the headers' names with _ for -."""
    lines = [f"{method} {target} HTTP/1.1", "Host: paper", "Connection: close"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode(errors="replace") + b"\r\n\r\n" + body


def _signed(dialect: str, method: str, path: str, params: dict[str, Any]) -> bytes:
    stamp = str(time.time_ns() // 1_000_000)
    if dialect == "binance":
        text = urlencode({**params, "timestamp": stamp}, errors="replace")
        signature = hmac.digest(ACCOUNT.encode(), text.encode(), "sha256").hex()
        return http(method, f"{path}?{text}&signature={signature}", X_MBX_APIKEY=ACCOUNT)
    text = urlencode(params, errors="replace") if method == "GET" else json.dumps(params)
    return _signed_bybit(method, path, text)


def _signed_bybit(method: str, path: str, text: str) -> bytes:
    stamp = str(time.time_ns() // 1_000_000)
    said = f"{stamp}{ACCOUNT}5000{text}".encode(errors="replace")
    headers = {
        "X_BAPI_API_KEY": ACCOUNT,
        "X_BAPI_TIMESTAMP": stamp,
        "X_BAPI_RECV_WINDOW": "5000",
        "X_BAPI_SIGN": hmac.digest(ACCOUNT.encode(), said, "sha256").hex(),
    }
    if method == "GET":
        return http(method, f"{path}?{text}", **headers)
    return http(method, path, text.encode(errors="replace"), **headers)


def _routes(dialect: str) -> Any:
    return BINANCE_ROUTES if dialect == "binance" else BYBIT_ROUTES


def _order(dice: random.Random, dialect: str) -> bytes:
    """An order that lacks what it needs, or has what no order has."""
    is_binance = dialect == "binance"
    params: dict[str, Any] = dict(_BINANCE_ORDER if is_binance else _BYBIT_ORDER)
    invalid: Any = _BINANCE_INVALID if is_binance else _BYBIT_INVALID
    name = dice.choice(sorted(invalid))
    params[name] = dice.choice(invalid[name])
    if dice.random() < 0.2:
        params["strategyId" if is_binance else "smpType"] = dice.choice(ODD_TEXTS)
    path = "/api/v3/order" if is_binance else "/v5/order/create"
    return _signed(dialect, "POST", path, params)


def _reading(dice: random.Random, dialect: str) -> bytes:
    """Any call that is no new order, its parameters odd."""
    calls = [
        key for key in sorted(_routes(dialect))
        if key[1] not in ("/api/v3/order/cancelReplace", "/v5/order/create")
        and key != ("POST", "/api/v3/order")
    ]  # fmt: skip
    method, path = dice.choice(calls)
    names = sorted(_routes(dialect)[method, path].params - {"timestamp", "signature"}) or ["x"]
    params = {
        name: dice.choice((*ODD_TEXTS, "BTCUSDT", "spot", "1", "0", "-1", "1" * 19))
        for name in dice.sample([*names, "noSuch"], dice.randint(1, len(names)))
    }
    return _signed(dialect, method, path, params)


def _json_body(dice: random.Random, dialect: str) -> bytes:
    """A body that is no object of parameters."""
    text = dice.choice((
        json.dumps(dice.choice(ODD_VALUES)), nested(dice.choice((40, 5_000)), dice), "{", "\x00",
        '{"category": "spot", "category": "spot"}', json.dumps({"symbol": dice.choice(ODD_VALUES)}),
    ))  # fmt: skip
    if dialect == "bybit":
        return _signed_bybit("POST", dice.choice(("/v5/order/cancel", "/v5/order/create")), text)
    return http("POST", "/api/v3/order", text.encode(errors="replace"), X_MBX_APIKEY=ACCOUNT)


def _unsigned(dice: random.Random, dialect: str) -> bytes:
    """Signed calls with odd headers, or none."""
    method, path = dice.choice(sorted(_routes(dialect)))
    names = ("X_MBX_APIKEY", "X_BAPI_API_KEY", "X_BAPI_TIMESTAMP", "X_BAPI_RECV_WINDOW",
             "X_BAPI_SIGN", "Content_Type", "Content_Encoding", "Transfer_Encoding", "Expect",
             "Upgrade")  # fmt: skip
    headers = {name: dice.choice(ODD_TEXTS)[:300] for name in dice.sample(names, 3)}
    clean = {name: "".join(c for c in value if c.isprintable()) for name, value in headers.items()}
    query = urlencode({"timestamp": dice.choice(ODD_TEXTS), "signature": "x"}, errors="replace")
    return http(method, f"{path}?{query}", b"x=1" if method == "POST" else b"", **clean)


def _control(dice: random.Random, dialect: str) -> bytes:
    """Calls of the control that are refused, or only read."""
    method, path = dice.choice(CONTROLS)
    if method == "GET":
        query = urlencode({
            dice.choice(("account", "since_order_id", "x")): dice.choice((*ODD_TEXTS, "fuzz", "1"))
        }, errors="replace")  # fmt: skip
        return http(method, f"{path}?{query}")
    odd = dice.choice(ODD_VALUES)
    fault = {"kind": "delay_before", "ms": 1, dice.choice(("kind", "colour", "ms")): [odd]}
    book = {"symbol": "BTCUSDT", "bids": [[odd, odd]], "x": odd}
    body = dice.choice((odd, fault, book, [fault], {"symbol": "BTCUSDT", "bids": odd, "asks": [1]}))
    return http(method, path, json.dumps(body).encode())


def _odd_path(dice: random.Random, dialect: str) -> bytes:
    method, path = dice.choice(sorted(_routes(dialect)))
    odd = quote(dice.choice(ODD_TEXTS)[:2_000], errors="replace")
    target = dice.choice(
        (
            path + "/",
            path + odd,
            "/" + odd,
            f"/api/v3/{odd}",
            f"/v5{path}",
            "*",
            path.upper(),
            f"{path}?{odd}",
            f"{path}?{odd}&{odd}",
            "//",
            "/%ff%00",
        )
    )
    return http(dice.choice((method, *METHODS)), target)


def _no_http(dice: random.Random, dialect: str) -> bytes:
    sound = bytearray(http("GET", "/api/v3/time"))
    for _ in range(dice.randint(1, 4)):
        sound[dice.randrange(len(sound))] = dice.randrange(256)
    return dice.choice((
        bytes(sound), dice.randbytes(200), b"GET", b"\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n",
        http("GET", "/api/v3/time", X="y" * 20_000), http("GET", "/" + "x" * 20_000),
        b"POST /paper/book HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"POST /paper/book HTTP/1.1\r\nContent-Length: 99\r\n\r\n{",
        b"POST /paper/book HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"POST /paper/book HTTP/1.1\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nxyz",
    ))  # fmt: skip


def _frame(opcode: int, payload: bytes) -> bytes:
    """One masked frame of a client, its mask zero."""
    size = len(payload)
    head = bytes([0x80 | opcode])
    if size < 126:
        return head + bytes([0x80 | size]) + b"\0\0\0\0" + payload
    return head + bytes([0x80 | 126]) + size.to_bytes(2, "big") + b"\0\0\0\0" + payload


def _stream(dice: random.Random, dialect: str) -> bytes:
    """A WebSocket connection, and nonsense on it; or an upgrade that is none."""
    path = (
        dice.choice(
            (
                "/ws",
                "/ws/btcusdt@depth",
                "/stream?streams=" + quote(dice.choice(ODD_TEXTS)[:500], errors="replace"),
            )
        )
        if dialect == "binance"
        else "/v5/public/spot"
    )
    key, version = dice.choice((("dGhlIHNhbXBsZSBub25jZQ==", "13"),) * 6 + (("x", "13"), ("", "1")))
    raw = (
        f"GET {path} HTTP/1.1\r\nHost: paper\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: {version}\r\n\r\n"
    ).encode()
    for _ in range(dice.randint(1, 4)):
        odd = dice.choice(ODD_VALUES)
        message = dice.choice((
            odd, {"method": "SUBSCRIBE", "params": odd, "id": odd},
            {"method": odd, "params": [odd], "id": 1}, {"op": "subscribe", "args": [odd]},
            {"op": odd, "args": odd, "req_id": odd}, {"method": "SUBSCRIBE", "params": ["x@depth"]},
        ))  # fmt: skip
        text = dice.choice((json.dumps(message), "x", nested(5_000, dice))).encode()
        raw += dice.choice(
            (
                _frame(1, text),
                _frame(2, text),
                _frame(1, b"\xff"),
                _frame(9, b"x"),
                dice.randbytes(9),
                _frame(3, b"x"),
                _frame(8, b"x"),
            )
        )
    return raw


_KINDS: dict[str, Callable[[random.Random, str], bytes]] = {
    "order": _order,
    "reading": _reading,
    "JSON body": _json_body,
    "unsigned": _unsigned,
    "control": _control,
    "odd path": _odd_path,
    "no HTTP": _no_http,
    "stream": _stream,
}
