"""Puts an account's trades together by their orders, and names them."""

from collections.abc import Iterator
from itertools import groupby

from execution.exchanges.port import AccountFill
from execution.model.order import Fill


def runs_of(trades: list[AccountFill]) -> Iterator[tuple[str, tuple[Fill, ...]]]:
    """Trades that follow each other and are of one order, together. The order in which trades
    happened is kept, because profit depends on it."""
    for exchange_id, run in groupby(trades, key=lambda trade: trade.exchange_order_id):
        yield exchange_id, tuple(trade.fill for trade in run)


def name_of(symbol: str, fill: Fill) -> str:
    """A trade has one name in its symbol and on its side."""
    return f"{symbol} {fill.side} {fill.trade_id}"
