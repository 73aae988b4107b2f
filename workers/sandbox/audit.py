"""Compares oneorder's records with a paper exchange's own ledger, to the last decimal."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from execution.model.decimals import ZERO, to_decimal, to_text
from execution.model.order import Order, OrderState
from execution.model.position import Position
from execution.orders.identifiers import is_ours

Ledger = Mapping[str, Any]

_STATUSES = {
    "NEW": OrderState.OPEN,
    "PARTIALLY_FILLED": OrderState.OPEN,
    "FILLED": OrderState.FILLED,
    "CANCELED": OrderState.CANCELED,
    "EXPIRED": OrderState.EXPIRED,
    "EXPIRED_IN_MATCH": OrderState.EXPIRED,
    "REJECTED": OrderState.REJECTED,
}
_SENT = frozenset(_STATUSES.values())
_UNSETTLED = (OrderState.RECEIVED, OrderState.SUBMITTING, OrderState.QUARANTINED)


@dataclass(frozen=True, slots=True)
class Check:
    """One comparison: equal, or a difference, which is an error."""

    what: str
    subject: str
    ours: str
    theirs: str

    @property
    def agrees(self) -> bool:
        return self.ours == self.theirs

    def __str__(self) -> str:
        return f"{self.what} {self.subject}: {self.ours}, not {self.theirs}"


def compare(orders: Iterable[Order], positions: Iterable[Position], ledger: Ledger) -> list[Check]:
    """Check every order and every position of one account against its exchange's ledger."""
    return [*order_checks(orders, ledger), *position_checks(positions, ledger)]


def order_checks(orders: Iterable[Order], ledger: Ledger) -> list[Check]:
    """Each sent order is at the exchange exactly once, with the same state and filled amount; each
    unsent one is not there; and the exchange has no order of ours without a record."""
    there = {row["clientOrderId"]: row for row in ledger["orders"]}
    count = Counter(row["clientOrderId"] for row in ledger["orders"])
    known = {order.client_order_id: order for order in orders}
    checks = [_times_check(order, count[client_id]) for client_id, order in known.items()]
    for client_id, order in known.items():
        if client_id in there:
            checks += _state_checks(order, there[client_id])
    checks += [
        Check("known to us", client_id, "no", "yes")
        for client_id in there
        if is_ours(client_id) and client_id not in known
    ]
    return checks


def _times_check(order: Order, times: int) -> Check:
    if order.state in _UNSETTLED:
        return Check("orders at the exchange", order.order_id, order.state.value, str(times))
    expected = order.state in _SENT and order.exchange_order_id is not None
    return Check("orders at the exchange", order.order_id, str(int(expected)), str(times))


def _state_checks(order: Order, row: Mapping[str, Any]) -> list[Check]:
    theirs = _STATUSES.get(row["status"])
    return [
        Check("state", order.order_id, order.state, row["status"] if theirs is None else theirs),
        Check("filled", order.order_id, to_text(order.filled), _plain(row["executedQty"])),
    ]


def position_checks(positions: Iterable[Position], ledger: Ledger) -> list[Check]:
    """Each position equals the sum of the account's trades: amount, turnover and fees."""
    ours = {position.symbol.replace("/", ""): position for position in positions}
    theirs = ledger_positions(ledger)
    checks = []
    for symbol in sorted(ours.keys() | theirs.keys()):
        mine = ours.get(symbol, Position("", symbol))
        amount, turnover, fees = theirs.get(symbol, (ZERO, ZERO, {}))
        checks += [
            Check("amount", symbol, to_text(mine.amount), to_text(amount)),
            Check("turnover", symbol, to_text(mine.turnover), to_text(turnover)),
            Check("fees", symbol, _fees(mine.fees), _fees(fees)),
        ]
    return checks


def ledger_positions(ledger: Ledger) -> dict[str, tuple[Decimal, Decimal, dict[str, Decimal]]]:
    """Amount, turnover and fees by symbol, summed from the ledger's trades."""
    amounts: dict[str, Decimal] = defaultdict(Decimal)
    turnovers: dict[str, Decimal] = defaultdict(Decimal)
    fees: dict[str, dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    for trade in ledger["trades"]:
        symbol, asset = trade["symbol"], trade["commissionAsset"]
        amount, fee = to_decimal(trade["qty"]), to_decimal(trade["commission"])
        amounts[symbol] += amount if trade["isBuyer"] else -amount
        if symbol.startswith(asset):
            amounts[symbol] -= fee
        turnovers[symbol] += amount * to_decimal(trade["price"])
        fees[symbol][asset] += fee
    return {symbol: (amounts[symbol], turnovers[symbol], fees[symbol]) for symbol in amounts}


def _fees(fees: Mapping[str, Decimal]) -> str:
    return ", ".join(f"{to_text(fee)} {asset}" for asset, fee in sorted(fees.items()) if fee)


def _plain(text: str) -> str:
    return to_text(to_decimal(text))
