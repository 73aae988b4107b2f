"""Takes both legs of an arbitrage at once, if the books pay for it after both fees.

A first cut: it measures what is left unbalanced and says so; it does not yet work it off.
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from decimal import Decimal, localcontext
from enum import StrEnum

from execution.books import Take, take
from execution.decimals import EXACT, ZERO
from execution.markets import refusal
from execution.order_factory import one_off_order
from execution.orders import Order, Side, TimeInForce
from execution.ports import Exchange
from execution.position_tracker import assets_of
from execution.standalone import see_through

BOOK_DEPTH = 100


class ArbitrageState(StrEnum):
    REFUSED = "refused"  # Nothing was sent.
    CLOSED = "closed"  # As much was sold as bought.
    IMBALANCED = "imbalanced"  # One leg did more than the other; a person must look.


@dataclass(frozen=True, slots=True)
class Arbitrage:
    """What became of it. Amounts in base; profits in quote, after fees; imbalance is bought less
    sold."""

    symbol: str
    state: ArbitrageState
    reason: str | None
    expected_profit: Decimal
    bought: Decimal = ZERO
    sold: Decimal = ZERO
    net_profit: Decimal = ZERO
    buy_order: Order | None = None
    sell_order: Order | None = None

    @property
    def imbalance(self) -> Decimal:
        return self.bought - self.sold


def expected_profit(buy: Take, sell: Take, buy_fee: Decimal, sell_fee: Decimal) -> Decimal:
    """What buying and selling by depth leaves in quote; fees are fractions of each leg's value."""
    with localcontext(EXACT):
        return sell.cost * (1 - sell_fee) - buy.cost * (1 + buy_fee)


def execute_arbitrage(
    buy_exchange: Exchange, sell_exchange: Exchange, symbol: str, amount: Decimal | str
) -> Arbitrage:
    """Buy at one exchange's asks and sell at the other's bids, both at the same time.

    Nothing is sent unless the books, read now, pay for `amount` (base units) by depth after both
    taker fees. Each leg is an IOC limit order at the worst price that this counted with, placed
    exactly once. Raises ValueError for an amount that is not usable, and ExchangeUnavailable where
    a book cannot be read; then nothing was sent.
    """
    wanted = one_off_order(symbol, "buy", amount, None).amount
    buy_market, sell_market = buy_exchange.market(symbol), sell_exchange.market(symbol)
    if buy_market is None or sell_market is None:
        return _refused(symbol, f"symbol: {symbol!r} is not traded on both exchanges", ZERO)
    buy = take(buy_exchange.order_book(symbol, BOOK_DEPTH), Side.BUY, wanted)
    sell = take(sell_exchange.order_book(symbol, BOOK_DEPTH), Side.SELL, wanted)
    if buy is None or sell is None:
        return _refused(symbol, "amount: the books are too thin for it", ZERO)
    profit = expected_profit(buy, sell, buy_market.taker_fee, sell_market.taker_fee)
    if profit <= 0:
        return _refused(symbol, "the spread does not pay for the fees and the depth", profit)
    legs = [
        (buy_exchange, _leg(symbol, Side.BUY, buy)),
        (sell_exchange, _leg(symbol, Side.SELL, sell)),
    ]
    # A leg that its own exchange would refuse must stop the other one too.
    for exchange, leg in legs:
        reason = refusal(leg, exchange.market(symbol))
        if reason is not None:
            return _refused(symbol, f"{leg.side} leg: {reason}", profit)
    with ThreadPoolExecutor(max_workers=2) as pool:
        bought, sold = pool.map(lambda leg: see_through(*leg), legs)
    return _result(symbol, profit, bought, sold)


def _leg(symbol: str, side: Side, taken: Take) -> Order:
    return one_off_order(symbol, side, taken.amount, taken.worst_price, TimeInForce.IOC)


def _refused(symbol: str, reason: str, profit: Decimal) -> Arbitrage:
    return Arbitrage(symbol, ArbitrageState.REFUSED, reason, profit)


def _result(symbol: str, profit: Decimal, bought: Order, sold: Order) -> Arbitrage:
    balanced = bought.filled == sold.filled
    return Arbitrage(
        symbol=symbol,
        state=ArbitrageState.CLOSED if balanced else ArbitrageState.IMBALANCED,
        reason=None if balanced else f"bought {bought.filled} and sold {sold.filled}",
        expected_profit=profit,
        bought=bought.filled,
        sold=sold.filled,
        net_profit=_cash(sold) + _cash(bought),
        buy_order=bought,
        sell_order=sold,
    )


def _cash(order: Order) -> Decimal:
    """Quote that the order brought in, less its fees; a base fee is valued at its fill's price."""
    base, quote = assets_of(order.symbol)
    sign = 1 if order.side is Side.SELL else -1
    with localcontext(EXACT):
        cash = ZERO
        for fill in order.fills:
            cash += sign * fill.price * fill.amount
            for fee in fill.fees:
                value = {quote: fee.amount, base: fee.amount * fill.price}
                cash -= value.get(fee.asset, ZERO)
        return cash
