"""Ticker statistics of a market."""

from dataclasses import dataclass
from decimal import Decimal

from paper_exchange.engine.market.liquidity import PriceQty
from paper_exchange.engine.market.market import Market
from paper_exchange.engine.orders import ZERO, Side, Trade

DAY_MS = 24 * 60 * 60 * 1000


@dataclass(frozen=True, slots=True)
class Day:
    """One day of a market, as far back as its trades are kept.

    Prices are in quote per base, `volume` is in base and `turnover` in quote.
    """

    trades: tuple[Trade, ...]
    first: Decimal
    last: Decimal
    high: Decimal
    low: Decimal
    volume: Decimal
    turnover: Decimal


def day_of(market: Market, now_ms: int) -> Day:
    """The last 24 hours; without a trade, the outside price is used."""
    kept = tuple(trade for trade in market.trades if trade.time_ms > now_ms - DAY_MS)
    last, first = market.last_price, kept[0].price if kept else market.symbol.start_price
    prices = [trade.price for trade in kept] + [first, last]
    return Day(
        trades=kept,
        first=first,
        last=last,
        high=max(prices),
        low=min(prices),
        volume=sum((trade.qty for trade in kept), ZERO),
        turnover=sum((trade.quote for trade in kept), ZERO),
    )


def best_of(market: Market) -> tuple[PriceQty, PriceQty]:
    """The best bid and the best ask with their quantities; zeros for an empty side."""
    none = (ZERO, ZERO)
    return next(market.levels(Side.BUY), none), next(market.levels(Side.SELL), none)
