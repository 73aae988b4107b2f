"""Turns ccxt's dictionaries into our own values; ccxt is set to give numbers as exact strings."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import Any

from execution.books import Book, Level
from execution.decimals import to_decimal
from execution.markets import Market
from execution.orders import (
    Fee,
    Fill,
    OrderReport,
    OrderState,
    OrderType,
    Side,
    Terms,
    TimeInForce,
)
from execution.ports import AccountFill

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
    filled, amount = _optional(order.get("filled")), _optional(order.get("amount"))
    return OrderReport(
        exchange_order_id=str(order["id"]),
        client_order_id=order.get("clientOrderId"),
        symbol=str(order["symbol"]),
        status=_state_of(order.get("status"), filled, amount),
        filled=filled,
        # Some exchanges write an average of 0 where nothing was traded.
        average=_optional(order.get("average")) if filled else None,
        fills=tuple(
            fill_of(trade, order.get("timestamp"), str(order["side"]))
            for trade in order.get("trades") or ()
        ),
        terms=_terms_of(order),
    )


def _terms_of(order: Mapping[str, Any]) -> Terms | None:
    """What the order asks for; None where the answer leaves something of it out."""
    side, kind, amount = order.get("side"), order.get("type"), _optional(order.get("amount"))
    if side not in list(Side) or kind not in list(OrderType) or not amount:
        return None
    tif = order.get("timeInForce")
    is_limit = kind == OrderType.LIMIT
    return Terms(
        side=Side(side),
        type=OrderType(kind),
        amount=amount,
        price=_optional(order.get("price")) if is_limit else None,
        time_in_force=TimeInForce(tif) if is_limit and tif in list(TimeInForce) else None,
    )


def _state_of(status: Any, filled: Decimal | None, amount: Decimal | None) -> OrderState:
    if status not in _STATUSES:
        raise ValueError(f"an order with the unknown status {status!r}")
    state = _STATUSES[status]
    if state is OrderState.FILLED and filled and amount is not None and filled < amount:
        # Some exchanges have a word for "filled in part, then canceled", which ccxt calls closed.
        return OrderState.CANCELED
    return state


def time_of(ms: int) -> datetime:
    """Turn ms since 1970 into a time; exact, where division would round."""
    return datetime.fromtimestamp(ms // 1000, UTC).replace(microsecond=ms % 1000 * 1000)


def date_ms(headers: Mapping[str, str]) -> int:
    """Read the time, in whole seconds, at which an HTTP answer was made."""
    return int(parsedate_to_datetime(headers["Date"]).timestamp()) * 1000


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
        time=time_of(int(stamp)),
    )


def account_fill_of(trade: Mapping[str, Any]) -> AccountFill:
    """Read ccxt's unified trade as one of the account's. Raises ValueError as fill_of does."""
    if not trade.get("order"):
        raise ValueError("a trade without an order")
    return AccountFill(str(trade["order"]), fill_of(trade))


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


def price_of(ticker: Mapping[str, Any]) -> Decimal | None:
    """Halfway between bid and ask, or the last trade's price where a side is empty."""
    bid, ask = _optional(ticker.get("bid")), _optional(ticker.get("ask"))
    return (bid + ask) / 2 if bid and ask else _optional(ticker.get("last"))


def book_of(symbol: str, book: Mapping[str, Any]) -> Book:
    """Read an order book, in whatever order its levels come."""
    bids = sorted(_levels_of(book["bids"]), reverse=True)
    return Book(symbol, tuple(bids), tuple(sorted(_levels_of(book["asks"]))))


def _levels_of(side: Iterable[Any]) -> list[Level]:
    return [(to_decimal(price), to_decimal(amount)) for price, amount, *_ in side]


def _optional(text: object) -> Decimal | None:
    return None if text is None else to_decimal(text)
