"""Turns ccxt's dictionaries into our own values; ccxt is set to give numbers as exact strings."""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from execution.books import Book
from execution.decimals import to_decimal
from execution.markets import Market
from execution.orders import Fee, Fill, OrderReport, OrderState, Side

_STATUSES = {
    "open": OrderState.OPEN,
    "closed": OrderState.FILLED,
    "canceled": OrderState.CANCELED,
    "canceling": OrderState.OPEN,
    "expired": OrderState.EXPIRED,
    "rejected": OrderState.REJECTED,
    # Binance lets an order wait for a trigger or another leg; ccxt passes the word on as it is.
    "PENDING_NEW": OrderState.OPEN,
    None: OrderState.OPEN,  # A bare acknowledgement: it stands, and says no more.
}


def report_of(order: Mapping[str, Any]) -> OrderReport:
    """Read ccxt's unified order. Raises ValueError where it is not one that can be trusted."""
    if not order.get("id"):
        raise ValueError("an order without an id")
    status = order.get("status")
    if status not in _STATUSES:
        raise ValueError(f"an order with the unknown status {status!r}")
    return OrderReport(
        exchange_order_id=str(order["id"]),
        client_order_id=order.get("clientOrderId"),
        symbol=str(order["symbol"]),
        status=_STATUSES[status],
        filled=_optional(order.get("filled")),
        average=_optional(order.get("average")),
        fills=tuple(
            fill_of(trade, order.get("timestamp"), str(order["side"]))
            for trade in order.get("trades") or ()
        ),
    )


def fill_of(trade: Mapping[str, Any], time_ms: int | None = None, side: str | None = None) -> Fill:
    """Read ccxt's unified trade; `time_ms` and `side` stand in where the trade itself lacks them.

    Raises ValueError where an id, a time or a number is missing.
    """
    stamp = trade.get("timestamp") or time_ms
    if not trade.get("id") or stamp is None:
        raise ValueError("a trade without an id or a time")
    fees = trade.get("fees") or ([trade["fee"]] if trade.get("fee") else [])
    return Fill(
        trade_id=str(trade["id"]),
        side=Side(str(trade.get("side") or side)),
        price=to_decimal(trade["price"]),
        amount=to_decimal(trade["amount"]),
        fees=tuple(
            Fee(str(fee["currency"]), to_decimal(fee["cost"])) for fee in fees if fee.get("cost")
        ),
        time=datetime.fromtimestamp(int(stamp) // 1000, UTC).replace(
            microsecond=int(stamp) % 1000 * 1000
        ),
    )


def market_of(market: Mapping[str, Any]) -> Market:
    """Read ccxt's unified market."""
    limits = market["limits"]
    return Market(
        symbol=str(market["symbol"]),
        price_tick=_optional(market["precision"]["price"]),
        amount_step=_optional(market["precision"]["amount"]),
        amount_min=_optional(limits["amount"]["min"]),
        notional_min=_optional(limits["cost"]["min"]),
        taker_fee=_optional(market.get("taker")) or Decimal(0),
    )


def book_of(symbol: str, book: Mapping[str, Any]) -> Book:
    """Read ccxt's unified order book."""
    sides = {side: [(to_decimal(p), to_decimal(a)) for p, a, *_ in book[side]] for side in _SIDES}
    return Book(symbol, tuple(sides["bids"]), tuple(sides["asks"]))


_SIDES = ("bids", "asks")


def _optional(text: object) -> Decimal | None:
    return None if text is None else to_decimal(text)
