"""What ccxt would really send for an order, found out without sending anything.

An order at an exchange that nobody has written an adapter for depends on ccxt alone. Here ccxt
builds the request for test orders in a made-up market, and the request is read before it leaves:
the client order id must be in it, under a name that ccxt reads back from the exchange's answers,
and the numbers must be plain decimals, digit for digit. Nothing goes over a network.
"""

import base64
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import ccxt

from execution.accounts import Account
from execution.api.ccxt_exchange import UNREADABLE
from execution.contracts import UnsupportedExchange
from execution.decimals import to_text

SYMBOL = "AAA/BBB"
# Symbol, side, amount and price.
TERMS_MIN = 4
CLIENT_ID = "oo2mzq7kd4w6xv5ryt3ngbhaec"
# Amounts and prices that binary floats and exponents spoil: very small, and of many digits.
PROBES = (
    (Decimal("0.00000007"), Decimal("0.00000009")),
    (Decimal("1234567890123.12345678"), Decimal("98765432109.87654321")),
    (Decimal("1.5"), Decimal("20000")),
)
# What some exchanges are asked before the first order: which account of the key's to use.
_PRELIMINARY: dict[str, Any] = {
    "/account/accounts": {"status": "ok", "data": [{"id": 1, "type": "spot", "state": "working"}]},
    "/user/query-api": {"retCode": 0, "result": {"uta": 1, "unified": 1, "userID": 1}},
    "/hmac/login": {"authorizer": "1", "token": "token"},
    "/account/mode": {"code": "200000", "data": {"selfTradePrevention": "", "accountMode": "C"}},
}
# Names that the exchange itself reads a client order id from, where ccxt hands on its own name and
# nothing in its answers shows it: both have Binance's parameters (Toobit, POST /api/v1/spot/order;
# Coins.ph, POST /openapi/v1/order).
_OWN_NAMES = {"coinsph": "newClientOrderId", "toobit": "newClientOrderId"}
# A key in the form that Gemini demands, and secrets in the forms that one exchange or another can
# sign with: of 32 letters, as LBank's; the seed of a key pair, as Backpack's; hexadecimal.
_KEY = "account-key"
_SECRETS = (
    base64.b64encode(b"opens nothing in here...").decode(),
    base64.b64encode(b"a seed that is known to everyone").decode(),
    "5e" * 32,
)

Pairs = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Wire:
    """How an order goes out: `refusal` says why it must not, None where it may.

    `prefix` is what ccxt puts before our id; the exchange's answers have it, too. `is_built` is
    false where ccxt did not get as far as a request.
    """

    refusal: str | None
    prefix: str = ""
    is_built: bool = True


class _Captured(BaseException):
    """Ends ccxt's work on a request that would leave now; ccxt catches no such exception."""


def check_wire(account: Account) -> None:
    """Raise UnsupportedExchange, with the reason, unless orders of the account would go out as they
    are and could be found again by their client order id."""
    refusal = wire_of(account.exchange).refusal
    if refusal is not None:
        field = f"accounts.{account.name}.exchange"
        raise UnsupportedExchange(f"{field}: {account.exchange!r} cannot be traded on: {refusal}")


@cache
def wire_of(exchange: str) -> Wire:
    """Say how orders to the exchange of that ccxt id go out; it takes some milliseconds."""
    wires = []
    for secret in _SECRETS:
        wires.append(_probed(exchange, _client_of(exchange, secret)))
        if wires[-1].is_built:
            return wires[-1]
    return wires[0]


def _probed(exchange: str, client: Any) -> Wire:
    missing = [name for name, needed in client.requiredCredentials.items() if needed]
    extra = sorted({*missing} - {"apiKey", "secret", "password"})
    if extra:
        return Wire(f"it needs {' and '.join(extra)}, which an account cannot have")
    if client.has["createOrder"] is not True:
        return Wire("ccxt places no orders there")
    prefixes = set()
    for amount, price in PROBES:
        try:
            request = _request_for(client, amount, price, {"clientOrderId": CLIENT_ID})
        except Exception as error:  # noqa: BLE001  # Whatever it is, no order can be sent.
            why = f"{type(error).__name__}: {error}"
            return Wire(f"ccxt cannot build an order there: {why}", is_built=False)
        wrong = _wrong_number(request, "amount", amount) or _wrong_number(request, "price", price)
        if wrong is not None:
            return Wire(wrong)
        sent = _client_id_in(request)
        if sent is None:
            return Wire("ccxt does not send the client order id")
        prefixes.add(sent[1].removesuffix(CLIENT_ID))
        wrong = _wrong_name(exchange, client, sent)
        if wrong is not None:
            return Wire(wrong)
    return Wire(None, prefixes.pop())


def _client_of(exchange: str, secret: str) -> Any:
    credentials = {"apiKey": _KEY, "secret": secret, "password": "password"}
    client = getattr(ccxt, exchange)({**credentials, "enableRateLimit": False})
    client.options["defaultType"] = "spot"
    client.number = str
    client.set_markets([_market()])
    return client


def _market() -> dict[str, Any]:
    """A market of fine steps, with what ccxt's classes look up in one."""
    bounds = {name: {"min": None, "max": None} for name in ("amount", "price", "cost")}
    kinds = ["LIMIT", "MARKET", "limit", "market"]
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


def _request_for(client: Any, amount: Decimal, price: Decimal, params: dict[str, str]) -> Pairs:
    """The names and values of the request that ccxt would place such an order with."""
    captured: list[Pairs] = []
    marks = {CLIENT_ID, to_text(amount)}

    def fetch(url: str, method: str = "GET", headers: Any = None, body: Any = None) -> Any:
        path = urlsplit(url).path
        answer = next((told for end, told in _PRELIMINARY.items() if path.endswith(end)), None)
        if answer is not None:
            return answer
        pairs = list(_pairs_of(url, headers, body))
        # Some hand all parameters on to what they ask first: an order says its terms, too.
        is_order = len(pairs) >= TERMS_MIN and any(m in value for _, value in pairs for m in marks)
        if method == "GET" and not is_order:
            return {}
        captured.append(pairs)
        raise _Captured

    client.fetch = fetch
    try:
        client.create_order(SYMBOL, "limit", "buy", amount, price, params)
    except _Captured:
        return captured[0]
    raise ValueError("it made no request")


def _pairs_of(url: str, headers: Any, body: Any) -> Iterator[tuple[str, str]]:
    """Every name and value in a query, a form, JSON, or JSON in base64."""
    yield from parse_qsl(urlsplit(url).query)
    texts = [body, *(value for name, value in (headers or {}).items() if "payload" in name.lower())]
    for part in texts:
        text = part.decode() if isinstance(part, bytes) else str(part or "")
        told = _json_of(text)
        yield from parse_qsl(text) if told is None else _flat("", told)


def _json_of(text: str) -> Any:
    """What the text says as JSON, plain or in base64; None where it is neither."""
    try:
        plain = base64.b64decode(text, validate=True).decode() if text[:1] not in "{[" else text
        told = json.loads(plain, parse_float=str, parse_int=str)
    except ValueError:
        return None
    return told if isinstance(told, (dict, list)) else None


def _flat(name: str, told: Any) -> Iterator[tuple[str, str]]:
    if isinstance(told, Mapping):
        for key, value in told.items():
            yield from _flat(str(key), value)
    elif isinstance(told, list):
        for value in told:
            yield from _flat(name, value)
    elif isinstance(told, str):
        yield name, told


def _wrong_number(request: Pairs, what: str, number: Decimal) -> str | None:
    """Say what became of the number, None where it is there as it was given."""
    near = None
    for name, text in request:
        try:
            value = Decimal(text)
        except InvalidOperation:
            continue
        if value == number and "e" not in text.lower():
            return None
        if value.is_finite() and abs(value - number) <= number / 1000:
            near = f"{name}={text}"
    given = f"ccxt does not send the {what} {to_text(number)} as it is"
    return given if near is None else f"{given}, but as {near}"


def _client_id_in(request: Pairs) -> tuple[str, str] | None:
    """The name and the value that our id goes out under; whole, or behind a prefix."""
    return next(((n, text) for n, text in request if text.endswith(CLIENT_ID)), None)


def _wrong_name(exchange: str, client: Any, sent: tuple[str, str]) -> str | None:
    """Say why the exchange would not know our id by that name, None where it does."""
    name, text = sent
    own = _OWN_NAMES.get(exchange, name)
    if own != name:
        return f"ccxt sends the client order id as {name}, where the exchange reads {own}"
    # Binance and others answer with clientOrderId what they were sent as newClientOrderId.
    bare = name.removeprefix("new")
    for answered in (name, bare[:1].lower() + bare[1:]):
        if _read_back(client, answered, text) == text:
            return None
    return f"ccxt sends the client order id as {name}, and does not read it back from an answer"


def _read_back(client: Any, name: str, text: str) -> str | None:
    terms = {"id": "1", "symbol": "AAABBB", "side": "buy"}
    for kind in ("limit", "buy-limit"):
        answer = {**terms, "type": kind, name: text}
        try:
            told = client.parse_order(answer, client.market(SYMBOL))["clientOrderId"]
        except (ccxt.BaseError, *UNREADABLE):
            continue
        return None if told is None else str(told)
    return None
