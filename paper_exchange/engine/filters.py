"""A symbol's trading rules, applied to an order before the engine matches it."""

from decimal import Decimal

from paper_exchange.engine.errors import FilterError
from paper_exchange.engine.market.market import Market
from paper_exchange.engine.matching import walk_cost
from paper_exchange.engine.orders import STOP_TYPES, ZERO, NewOrder, Side
from paper_exchange.engine.symbols import Symbol


def check_filters(symbol: Symbol, order: NewOrder, reference: Decimal) -> None:
    """Raise FilterError, naming the rule, if the order breaks one.

    `reference` is the market's recent price; it is used as the price of a market order.
    """
    for price in (order.price, order.stop_price):
        if price is not None:
            _check_price(symbol, price)
    if order.price is not None:
        _check_distance(symbol, order.price, reference)
    if order.qty is not None:
        _check_qty(symbol, order.qty, at_market=order.price is None)
    _check_notional(symbol, order, reference)


def _check_price(symbol: Symbol, price: Decimal) -> None:
    if not symbol.tick <= price <= symbol.price_max or price % symbol.tick != ZERO:
        raise FilterError("PRICE_FILTER")


def _check_distance(symbol: Symbol, price: Decimal, reference: Decimal) -> None:
    lowest = reference * symbol.price_factor_down
    if not lowest <= price <= reference * symbol.price_factor_up:
        raise FilterError("PERCENT_PRICE_BY_SIDE")


def _check_qty(symbol: Symbol, qty: Decimal, *, at_market: bool) -> None:
    if not symbol.step <= qty <= symbol.qty_max or qty % symbol.step != ZERO:
        raise FilterError("LOT_SIZE")
    if at_market and qty > symbol.market_qty_max:
        raise FilterError("MARKET_LOT_SIZE")


def _check_notional(symbol: Symbol, order: NewOrder, reference: Decimal) -> None:
    if order.quote_qty is not None:
        notional = order.quote_qty
    else:
        notional = (order.price or order.stop_price or reference) * (order.qty or ZERO)
    if notional < symbol.notional_min:
        raise FilterError("NOTIONAL")
    # As on Binance, the upper bound does not apply to market orders.
    if order.price is not None and notional > symbol.notional_max:
        raise FilterError("NOTIONAL")


def hold_for(market: Market, new: NewOrder) -> Decimal:
    """The amount of the paying asset that an order locks, given the current book."""
    qty = new.qty or ZERO
    if new.side is Side.SELL:
        return qty or walk_cost(market, new.side, None, new.quote_qty).qty
    if new.price is not None:
        return new.price * qty
    if new.type in STOP_TYPES:
        # Its cost is known only when it triggers, and is charged then.
        return ZERO
    return new.quote_qty or walk_cost(market, new.side, qty, None).quote
