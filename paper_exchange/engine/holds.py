"""What a new order has to lock before it may trade."""

from decimal import Decimal

from paper_exchange.engine.market.market import Market
from paper_exchange.engine.matching import walk_cost
from paper_exchange.engine.orders import STOP_TYPES, ZERO, NewOrder, Side


def hold_for(market: Market, new: NewOrder) -> Decimal:
    """The amount of the asset that an order pays with, for the book as it is."""
    qty = new.qty or ZERO
    if new.side is Side.SELL:
        return qty or walk_cost(market, new.side, None, new.quote_qty).qty
    if new.price is not None:
        return new.price * qty
    if new.type in STOP_TYPES:
        # What it will cost is known only when it triggers, and is taken then.
        return ZERO
    return new.quote_qty or walk_cost(market, new.side, qty, None).quote
