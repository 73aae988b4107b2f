"""Converts ccxt's dictionaries to our own values; ccxt is configured to return numbers as exact
strings."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import Any

from execution.exchanges.port import AccountFill
from execution.model.book import Book, Level
from execution.model.decimals import to_decimal
from execution.model.order import (
    Fee,
    Fill,
    OrderReport,
    OrderState,
    OrderType,
    Side,
    Terms,
    TimeInForce,
)
from execution.model.trading_rules import Market

_STATUSES = {
    "open": OrderState.OPEN,
    "closed": OrderState.FILLED,
    "canceled": OrderState.CANCELED,
    "canceling": OrderState.OPEN,
    "expired": OrderState.EXPIRED,
    "rejected": OrderState.REJECTED,
    # Binance: an order that waits for a trigger or another leg; ccxt passes the status on
    # unchanged.
    "PENDING_NEW": OrderState.OPEN,
    None: OrderState.OPEN,  # A plain acknowledgement: the order is open, and no more is known.
}


def report_of(order: Mapping[str, Any], symbol: str | None = None) -> OrderReport:
    """Parse ccxt's unified order; `symbol` is the requested one, for an answer that omits it.
    Raises ValueError if the order cannot be trusted."""
    if not order.get("id"):
        raise ValueError("an order without an id")
    filled, amount = _optional(order.get("filled")), _optional(order.get("amount"))
    average = _optional(order.get("average")) if filled else None
    return OrderReport(
        exchange_order_id=str(order["id"]),
        client_order_id=order.get("clientOrderId") or None,
        symbol=str(order.get("symbol") or symbol),
        status=_state_of(order.get("status"), filled, amount),
        filled=filled,
        # Some exchanges return an average of 0 if nothing was traded, and Binance a negative value
        # if it has no figure for an old order.
        average=average if average and average > 0 else None,
        fills=_fills_of(order),
        terms=_terms_of(order),
    )


def sized_by_value(order: Mapping[str, Any]) -> dict[str, Any]:
    """The amount of an order sized in quote: what it has filled, in base, once it has ended. Until
    then its amount in base is not known."""
    ended = _STATUSES.get(order.get("status")) is not OrderState.OPEN
    return {**order, "amount": order.get("filled") if ended else None}


def _fills_of(order: Mapping[str, Any]) -> tuple[Fill, ...]:
    """The trades in an order's answer, if they have every field of a fill.

    Kraken returns only their ids there, and Upbit omits their fees. The fills are then read from
    the list of trades, because a fill without its fee cannot be corrected later.
    """
    trades = order.get("trades") or ()
    if not all(_is_complete(trade) for trade in trades):
        return ()
    return tuple(fill_of(trade, order.get("timestamp"), str(order["side"])) for trade in trades)


def _is_complete(trade: Mapping[str, Any]) -> bool:
    fees = _fees_of(trade)
    has_fees = bool(fees) and all(fee.get("cost") is not None for fee in fees)
    return has_fees and all(trade.get(key) is not None for key in ("id", "price", "amount"))


def _fees_of(trade: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    fees: list[Mapping[str, Any]] = trade.get("fees") or []
    return fees or ([trade["fee"]] if trade.get("fee") else [])


def _terms_of(order: Mapping[str, Any]) -> Terms | None:
    """The terms of the order; None if the answer omits some of them."""
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
        # Some exchanges have a status for "partially filled, then canceled", which ccxt maps to
        # closed.
        return OrderState.CANCELED
    return state


def time_of(ms: int) -> datetime:
    """Convert ms since 1970 to a time, exactly; a division would round."""
    return datetime.fromtimestamp(ms // 1000, UTC).replace(microsecond=ms % 1000 * 1000)


def date_ms(headers: Mapping[str, str]) -> int:
    """The time of an HTTP answer, in whole seconds."""
    return int(parsedate_to_datetime(headers["Date"]).timestamp()) * 1000


def fill_of(trade: Mapping[str, Any], time_ms: int | None = None, side: str | None = None) -> Fill:
    """Parse ccxt's unified trade; `time_ms` and `side` are used if the trade itself lacks them.

    Raises ValueError if an id, a time, a number or a fee's asset is missing.
    """
    stamp = trade.get("timestamp") or time_ms
    if not trade.get("id") or stamp is None:
        raise ValueError("a trade without an id or a time")
    fees = [fee for fee in _fees_of(trade) if fee.get("cost")]
    if any(not fee.get("currency") for fee in fees if to_decimal(fee["cost"])):
        raise ValueError(f"trade {trade['id']} has a fee without an asset")
    return Fill(
        trade_id=str(trade["id"]),
        side=Side(str(trade.get("side") or side)),
        price=to_decimal(trade["price"]),
        amount=to_decimal(trade["amount"]),
        fees=tuple(
            Fee(str(fee["currency"]), to_decimal(fee["cost"]))
            for fee in fees
            if fee.get("currency")
        ),
        time=time_of(int(stamp)),
    )


def account_fill_of(trade: Mapping[str, Any]) -> AccountFill:
    """Parse ccxt's unified trade as one of the account's. Raises ValueError as fill_of does."""
    if not trade.get("order"):
        raise ValueError("a trade without an order")
    return AccountFill(str(trade["order"]), fill_of(trade))


def market_of(market: Mapping[str, Any]) -> Market:
    """Parse ccxt's unified market."""
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
    """The mid of bid and ask, or the last trade's price if a side is empty."""
    bid, ask = _optional(ticker.get("bid")), _optional(ticker.get("ask"))
    return (bid + ask) / 2 if bid and ask else _optional(ticker.get("last"))


def book_of(symbol: str, book: Mapping[str, Any]) -> Book:
    """Parse an order book; its levels may be in any order."""
    bids = sorted(_levels_of(book["bids"]), reverse=True)
    return Book(symbol, tuple(bids), tuple(sorted(_levels_of(book["asks"]))))


def _levels_of(side: Iterable[Any]) -> list[Level]:
    return [(to_decimal(price), to_decimal(amount)) for price, amount, *_ in side]


def _optional(text: object) -> Decimal | None:
    return None if text is None else to_decimal(text)
