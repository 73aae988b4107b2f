"""Price-time priority: the trades of an order, and its cost in advance."""

from dataclasses import dataclass
from decimal import Decimal

from paper_exchange.engine.market.market import Market, is_better
from paper_exchange.engine.orders import ZERO, Order, Side, Status
from paper_exchange.engine.settlement import Settlement


@dataclass(frozen=True, slots=True)
class Cost:
    """The totals of a walk through the book, in base and in quote."""

    qty: Decimal
    quote: Decimal


def affordable(price: Decimal, available: Decimal, quote_left: Decimal, step: Decimal) -> Decimal:
    """How much of `available` can be bought with an amount of quote, in whole steps."""
    if price * available <= quote_left:
        return available
    # The division is exact down to the whole number, so the product never exceeds what is left.
    return (quote_left // (price * step)) * step


def walk_cost(
    market: Market, side: Side, qty_max: Decimal | None, quote_max: Decimal | None
) -> Cost:
    """What a market order would trade in the current book; it is bounded in base or in quote."""
    qty = quote = ZERO
    for price, available in market.levels(side.other):
        if qty_max is not None:
            taken = min(available, qty_max - qty)
        else:
            taken = affordable(price, available, (quote_max or ZERO) - quote, market.symbol.step)
        if taken <= ZERO:
            break
        qty += taken
        quote += taken * price
    return Cost(qty, quote)


def can_fill(market: Market, order: Order) -> bool:
    """Whether the book holds an order's whole quantity within its price."""
    found = ZERO
    for price, available in market.levels(order.side.other):
        if found >= order.qty or not _is_acceptable(order, price):
            break
        found += available
    return found >= order.qty


def take(market: Market, taker: Order, settlement: Settlement) -> None:
    """Trade an order against the book until it is filled, its price is reached or the side is
    empty.

    Filled makers are finished; the caller handles the rest of the taker.
    """
    makers = taker.side.other
    while (best := market.best(makers)) is not None:
        price, available, maker = best
        if not _is_acceptable(taker, price):
            break
        qty = _wanted(market, taker, price, available)
        if qty <= ZERO:
            break
        if maker is None:
            market.outside[makers].take(qty)
        settlement.settle(market, taker, maker, price, qty)
        if maker is not None:
            _reduce(market, settlement, maker, price, qty)


def sweep(market: Market, settlement: Settlement) -> None:
    """Let outside liquidity that crosses resting orders fill them.

    The resting order was there first, so it is the maker and trades at its own price.
    """
    for side in Side:
        while (resting := market.resting[side].best()) is not None:
            price, maker = resting
            outside = market.outside[side.other].best()
            if outside is None or is_better(side.other, price, outside[0]):
                break
            qty = min(maker.remaining, outside[1])
            market.outside[side.other].take(qty)
            settlement.settle(market, None, maker, price, qty)
            _reduce(market, settlement, maker, price, qty)


def _is_acceptable(taker: Order, price: Decimal) -> bool:
    return taker.price is None or not is_better(taker.side.other, taker.price, price)


def _wanted(market: Market, taker: Order, price: Decimal, available: Decimal) -> Decimal:
    if taker.quote_qty is None:
        return min(available, taker.remaining)
    left = taker.quote_qty - taker.executed_quote
    return affordable(price, available, left, market.symbol.step)


def _reduce(
    market: Market, settlement: Settlement, maker: Order, price: Decimal, qty: Decimal
) -> None:
    market.resting[maker.side].reduce(maker, price, qty)
    if maker.remaining <= ZERO:
        settlement.finish(maker, Status.FILLED)
    else:
        maker.status = Status.PARTIALLY_FILLED
