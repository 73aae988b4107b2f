"""Requests for orders as ccxt would send them, built for a fictional market and never sent."""

import base64
import json
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import ccxt

from execution.model.decimals import to_text

SYMBOL = "AAA/BBB"
# Symbol, side, amount and price.
TERMS_MIN = 4
CLIENT_ID = "oo2mzq7kd4w6xv5ryt3ngbhaec"
# The request that some exchanges need before the first order: which account of the key to use.
_PRELIMINARY: dict[str, Any] = {
    "/account/accounts": {"status": "ok", "data": [{"id": 1, "type": "spot", "state": "working"}]},
    "/user/query-api": {"retCode": 0, "result": {"uta": 1, "unified": 1, "userID": 1}},
    "/hmac/login": {"authorizer": "1", "token": "token"},
    "/account/mode": {"code": "200000", "data": {"selfTradePrevention": "", "accountMode": "C"}},
}
# A key in the form that Gemini demands, and secrets in the forms that one exchange or another can
# sign with: of 32 letters, as LBank's; the seed of a key pair, as Backpack's; hexadecimal.
_KEY = "account-key"
SECRETS = (
    base64.b64encode(b"opens nothing in here...").decode(),
    base64.b64encode(b"a seed that is known to everyone").decode(),
    "5e" * 32,
)

# A fixed time, so that two requests differ by what they ask for alone.
_NOW_MS = 1_800_000_000_000

Pairs = list[tuple[str, str]]


class _Captured(BaseException):
    """Stops ccxt when a request would be sent; ccxt does not catch it."""


def client_of(exchange: str, secret: str) -> Any:
    """ccxt's client of an exchange, with invalid keys and a fixed clock."""
    credentials = {"apiKey": _KEY, "secret": secret, "password": "password"}
    client = getattr(ccxt, exchange)({**credentials, "enableRateLimit": False})
    client.options["defaultType"] = "spot"
    client.number = str
    client.milliseconds = lambda: _NOW_MS
    client.seconds = lambda: _NOW_MS // 1000
    client.microseconds = lambda: _NOW_MS * 1000
    client.nonce = lambda: _NOW_MS
    client.uuid = lambda: "0" * 32
    client.set_markets([_market()])
    return client


def _market() -> dict[str, Any]:
    """A market with fine steps, and the fields that ccxt's classes read."""
    bounds = {name: {"min": None, "max": None} for name in ("amount", "price", "cost")}
    kinds = ["LIMIT", "MARKET", "LIMIT_MAKER", "limit", "market"]
    return {
        "id": "AAABBB",
        "lowercaseId": "aaabbb",
        "uppercaseId": "AAABBB",
        "numericId": 1,
        "symbol": SYMBOL,
        "base": "AAA",
        "quote": "BBB",
        "baseId": "AAA",
        "quoteId": "BBB",
        "type": "spot",
        "spot": True,
        **dict.fromkeys(("margin", "swap", "future", "option", "contract"), False),
        **dict.fromkeys(("linear", "inverse", "settle", "settleId", "contractSize")),
        "active": True,
        "precision": {"amount": "0.00000001", "price": "0.00000001"},
        "limits": bounds,
        "info": {"orderTypes": kinds, "id": "1"},
    }


def request_for(
    client: Any, amount: Decimal, price: Decimal | None, side: str, params: Mapping[str, Any]
) -> Pairs:
    """The names and values of the request with which ccxt would place such an order: a market order
    if there is no price. Raises what ccxt raises instead of sending one."""
    captured: list[Pairs] = []
    marks = {CLIENT_ID, to_text(amount)}

    def fetch(url: str, method: str = "GET", headers: Any = None, body: Any = None) -> Any:
        path = urlsplit(url).path
        answer = next((answer for end, answer in _PRELIMINARY.items() if path.endswith(end)), None)
        if answer is not None:
            return answer
        pairs = list(_pairs_of(url, headers, body))
        # Some pass all parameters to their first request, too: a request for an order also has the
        # terms.
        is_order = len(pairs) >= TERMS_MIN and any(m in value for _, value in pairs for m in marks)
        if method == "GET" and not is_order:
            return {}
        captured.append(pairs)
        raise _Captured

    client.fetch = fetch
    try:
        kind = "market" if price is None else "limit"
        client.create_order(SYMBOL, kind, side, amount, price, dict(params))
    except _Captured:
        return captured[0]
    raise ValueError("it made no request")


def _pairs_of(url: str, headers: Any, body: Any) -> Iterator[tuple[str, str]]:
    """Every name and value in a query, a form, JSON, or JSON in base64."""
    yield from parse_qsl(urlsplit(url).query)
    texts = [body, *(value for name, value in (headers or {}).items() if "payload" in name.lower())]
    for part in texts:
        text = part.decode() if isinstance(part, bytes) else str(part or "")
        answer = _json_of(text)
        yield from parse_qsl(text) if answer is None else _flat("", answer)


def _json_of(text: str) -> Any:
    """The text decoded as JSON, plain or in base64; None if it is neither."""
    try:
        plain = base64.b64decode(text, validate=True).decode() if text[:1] not in "{[" else text
        answer = json.loads(plain, parse_float=str, parse_int=str)
    except ValueError:
        return None
    return answer if isinstance(answer, (dict, list)) else None


def _flat(name: str, answer: Any) -> Iterator[tuple[str, str]]:
    if isinstance(answer, Mapping):
        for key, value in answer.items():
            yield from _flat(str(key), value)
    elif isinstance(answer, list):
        for value in answer:
            yield from _flat(name, value)
    elif answer is not None:
        yield name, answer if isinstance(answer, str) else json.dumps(answer)
