"""Determines what ccxt would really send for an order, without sending anything.

An order at an exchange without its own adapter depends on ccxt alone. Here ccxt builds the requests
for test orders, which are checked before they leave: the client order id must be in them, under a
name that ccxt reads back from the exchange's answers; the numbers must be plain decimals, digit for
digit; and a time in force must make a difference. Nothing goes over a network.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import Any

import ccxt

from execution.api.strict.ccxt_exchange import UNREADABLE
from execution.api.wire.dry_request import (
    CLIENT_ID,
    SECRETS,
    SYMBOL,
    Pairs,
    client_of,
    request_for,
)
from execution.exchanges.account import Account
from execution.model.decimals import to_text
from execution.model.errors import UnsupportedExchange
from execution.model.order import OrderType, TimeInForce

# Amounts and prices that floats and exponents corrupt: very small, and with many digits.
PROBES = (
    (Decimal("0.00000007"), Decimal("0.00000009")),
    (Decimal("1234567890123.12345678"), Decimal("98765432109.87654321")),
    (Decimal("1.5"), Decimal("20000")),
)
ID = {"clientOrderId": CLIENT_ID}
# The name of the client order id at exchanges where ccxt passes on its own name and the answers do
# not show it. Toobit: the name that ccxt uses for its own ids in other orders there. Coins.ph: not
# confirmed by a document, but its API follows Binance's in every other name, and if the id were not
# read, every open order would end up in quarantine.
_OWN_NAMES = {"coinsph": "newClientOrderId", "toobit": "newClientOrderId"}


@dataclass(frozen=True, slots=True)
class Wire:
    """How ccxt sends an order: `refusal` says why it must not be sent, None if it may.

    `prefix` is what ccxt puts before our id; the exchange's answers have it, too. `excluded` holds
    the kinds of orders that must not be sent although others may, "market" or a time in force, each
    with the reason. `is_built` is false if ccxt did not get as far as a request.
    """

    refusal: str | None
    prefix: str = ""
    excluded: Mapping[str, str] = field(default_factory=dict)
    is_built: bool = True


def check_wire(account: Account) -> None:
    """Raise UnsupportedExchange, with the reason, unless ccxt would send the account's orders
    unchanged and they could be found by their client order id."""
    refusal = wire_of(account.exchange).refusal
    if refusal is not None:
        field = f"accounts.{account.name}.exchange"
        raise UnsupportedExchange(f"{field}: {account.exchange!r} cannot be traded on: {refusal}")


@cache
def wire_of(exchange: str) -> Wire:
    """How ccxt sends orders to the exchange with that ccxt id; takes some milliseconds."""
    wires = []
    for secret in SECRETS:
        wires.append(_probed(exchange, client_of(exchange, secret)))
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
            request = request_for(client, amount, price, "buy", ID)
        except Exception as error:  # noqa: BLE001  # After any error, no order can be sent.
            why = f"{type(error).__name__}: {error}"
            return Wire(f"ccxt cannot build an order there: {why}", is_built=False)
        sent = _client_id_in(request)
        wrong = _wrong_terms(request, amount, price) or _wrong_name(exchange, client, sent)
        if wrong is not None:
            return Wire(wrong)
        prefixes.add(sent[1].removesuffix(CLIENT_ID))
    return Wire(None, prefixes.pop(), _excluded(client))


def _excluded(client: Any) -> dict[str, str]:
    """The kinds of orders that ccxt refuses, corrupts, or sends as another kind."""
    faults = {OrderType.MARKET.value: _spoiled(client, None, {})}
    for tif in TimeInForce:
        asked = {"postOnly": True} if tif is TimeInForce.PO else {"timeInForce": tif.value}
        faults[tif.value] = _spoiled(client, tif, asked)
    return {kind: why for kind, why in faults.items() if why is not None}


def _spoiled(client: Any, tif: TimeInForce | None, asked: dict[str, Any]) -> str | None:
    for amount, limit in PROBES:
        price = None if tif is None else limit
        try:
            request = request_for(client, amount, price, "sell", {**ID, **asked})
            plain, again = (request_for(client, amount, limit, "sell", ID) for _ in range(2))
        except Exception as error:  # noqa: BLE001  # After any error, no such order can be sent.
            return f"ccxt cannot build it: {type(error).__name__}: {error}"
        wrong = _wrong_terms(request, amount, price)
        if wrong is not None:
            return wrong
        if tif is not TimeInForce.GTC and not differs(request, plain, again):
            return "ccxt sends the same as for an order that rests until it is canceled"
    return None


def differs(request: Pairs, plain: Pairs, again: Pairs) -> bool:
    """Whether a request differs from a plain one that was built twice: what differs between those
    two is a nonce, or depends on one."""
    noise = {name for name, _ in {*plain} ^ {*again}}
    return any(name not in noise for name, _ in {*request} ^ {*plain})


def _wrong_terms(request: Pairs, amount: Decimal, price: Decimal | None) -> str | None:
    wrong = _wrong_number(request, "amount", amount)
    if wrong is None and price is not None:
        wrong = _wrong_number(request, "price", price)
    if wrong is None and not _client_id_in(request)[1]:
        wrong = "ccxt does not send the client order id"
    return wrong


def _wrong_number(request: Pairs, what: str, number: Decimal) -> str | None:
    """How the number was changed, None if it is sent as given."""
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


def _client_id_in(request: Pairs) -> tuple[str, str]:
    """The name under which our id is sent, and the value: the id alone, or after a prefix. Both are
    empty if it is not sent."""
    return next(((n, text) for n, text in request if text.endswith(CLIENT_ID)), ("", ""))


def _wrong_name(exchange: str, client: Any, sent: tuple[str, str]) -> str | None:
    """The reason why the exchange would not recognize our id by that name, None if it would."""
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
            client_id = client.parse_order(answer, client.market(SYMBOL))["clientOrderId"]
        except (ccxt.BaseError, *UNREADABLE):
            continue
        return None if client_id is None else str(client_id)
    return None
