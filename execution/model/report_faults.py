"""Impossible reports of an exchange about an order, and which part of them is accepted.

A trade has changed the account, whatever else is wrong with the answer: it is always counted, so
that the position stays correct. A reported amount without trades is not accepted beyond the order's
amount. In both cases the fault is written on the order, and raised as an alert.
"""

from dataclasses import replace
from decimal import Decimal

from execution.model.decimals import to_text
from execution.model.order import EXTERNAL, Fill, Order, OrderReport, OrderState, OrderType

FAULT = "exchange fault"


def is_fault(reason: str | None) -> bool:
    """Whether the reason of an order is a fault of its exchange."""
    return reason is not None and reason.startswith(FAULT)


def fault_reason(faults: list[str]) -> str:
    """All of the faults as one reason."""
    return f"{FAULT}: {'; '.join(faults)}"


def knows_terms(order: Order) -> bool:
    """Whether the record has the order's original terms. An adopted one only has the exchange's
    report, and one that a restart may have lost has only its id."""
    is_probe = order.type is OrderType.LIMIT and order.price is None
    return bool(order.signal_id) and order.strategy != EXTERNAL and not is_probe


def mismatches(order: Order, report: OrderReport) -> list[str]:
    """The differences between the exchange's order and the requested one; empty if there are none,
    or if the answer omits the terms."""
    differences = []
    if report.symbol != order.symbol:
        differences.append(f"it is in {report.symbol}, asked for was {order.symbol}")
    terms = report.terms
    if terms is None or not order.signal_id:
        return differences
    if terms.side is not order.side:
        differences.append(f"it is a {terms.side}, asked for was a {order.side}")
    if not knows_terms(order):
        return differences
    if terms.type is not order.type:
        differences.append(f"it is a {terms.type} order, asked for was a {order.type} order")
    elif order.type is OrderType.LIMIT:
        # An exchange may size a market order differently, or cut it to the balance.
        if terms.amount != order.amount:
            asked = to_text(order.amount)
            differences.append(f"its amount is {to_text(terms.amount)}, asked for was {asked}")
        if terms.price and order.price is not None and terms.price != order.price:
            asked = to_text(order.price)
            differences.append(f"its price is {to_text(terms.price)}, asked for was {asked}")
    return differences


def believable(order: Order, report: OrderReport) -> tuple[OrderReport, list[str]]:
    """The acceptable part of the report, and the faults of the rest."""
    faults = []
    fills = tuple(fill for fill in report.fills if fill.price > 0 and fill.amount > 0)
    if len(fills) < len(report.fills):
        faults += [_nonsense(fill) for fill in report.fills if fill not in fills]
    if report.symbol != order.symbol:
        # The report is about another market, where reconciliation reads its trades.
        return replace(report, fills=(), filled=None, average=None), faults
    if any(fill.side is not order.side for fill in fills):
        faults.append(f"it has trades that are no {order.side}")
    filled = report.filled
    if filled is not None and filled < 0:
        faults.append(f"its filled amount is {to_text(filled)}")
        filled = None
    if filled is not None and filled > order.amount and knows_terms(order):
        faults.append(f"filled {to_text(filled)} is more than the amount {to_text(order.amount)}")
        # The sum of its trades counts; a claim without them does not. An order that is reported
        # open has not filled, and must stay cancelable.
        filled = None if report.status is OrderState.OPEN else order.amount
    return replace(report, fills=fills, filled=filled), faults


def overfill(order: Order, traded: Decimal) -> list[str]:
    """A fault if the trades of an order sum to more than its amount."""
    if traded <= order.amount or not knows_terms(order):
        return []
    sums = f"{to_text(traded)}, which is more than the amount {to_text(order.amount)}"
    return [f"its trades add up to {sums}"]


def _nonsense(fill: Fill) -> str:
    price, amount = to_text(fill.price), to_text(fill.amount)
    return f"trade {fill.trade_id} is of {amount} at {price}, and not counted"
