"""A symbol's trading rules, and the refusals by them before anything is sent."""

from dataclasses import dataclass
from decimal import Decimal, localcontext

from execution.model.decimals import EXACT, is_multiple, to_text
from execution.model.order import Order


@dataclass(frozen=True, slots=True)
class Market:
    """Limits of one symbol. Steps and minimums in base units, prices and notionals in quote.

    None means that the exchange has no such limit. `taker_fee` is a fraction of the value.
    `price_bands` are set if the tick depends on the price: pairs of a price and the tick from that
    price on, the lowest first. They replace `price_tick`.
    """

    symbol: str
    price_tick: Decimal | None
    amount_step: Decimal | None
    amount_min: Decimal | None
    notional_min: Decimal | None
    taker_fee: Decimal
    price_bands: tuple[tuple[Decimal, Decimal], ...] = ()

    def tick_at(self, price: Decimal) -> Decimal | None:
        """The tick at `price`, None if it is not known."""
        ticks = [tick for start, tick in self.price_bands if start <= price]
        return ticks[-1] if ticks else self.price_tick


def refusal(order: Order, market: Market | None) -> str | None:
    """The reason why the order cannot be sent, in one sentence; None if it can.

    Nothing is rounded silently: an amount that an exchange would cut, or a price that rounding
    could push across the limit, is refused.
    """
    if market is None:
        return f"symbol: {order.symbol!r} is not traded on account {order.account}"
    return untradable(order.amount, order.price, market)


def untradable(amount: Decimal, price: Decimal | None, market: Market) -> str | None:
    """The reason why the symbol's rules forbid an order of this amount (base) and price, in one
    sentence; None if they allow it. Without a price, only the amount is checked."""
    return _amount_refusal(amount, market) or _price_refusal(amount, price, market)


def whole_steps(amount: Decimal, market: Market) -> Decimal:
    """The amount rounded down to a multiple of the symbol's step."""
    if market.amount_step is None:
        return amount
    with localcontext(EXACT):
        return amount // market.amount_step * market.amount_step


def _amount_refusal(amount: Decimal, market: Market) -> str | None:
    if market.amount_step is not None and not is_multiple(amount, market.amount_step):
        step = to_text(market.amount_step)
        return f"amount: {to_text(amount)} is not a multiple of the step {step}"
    if market.amount_min is not None and amount < market.amount_min:
        return f"amount: {to_text(amount)} is below the minimum {to_text(market.amount_min)}"
    return None


def _price_refusal(amount: Decimal, price: Decimal | None, market: Market) -> str | None:
    if price is None:
        return None
    tick = market.tick_at(price)
    if tick is not None and not is_multiple(price, tick):
        return f"price: {to_text(price)} is not a multiple of the tick {to_text(tick)}"
    notional = EXACT.multiply(amount, price)
    if market.notional_min is not None and notional < market.notional_min:
        least = to_text(market.notional_min)
        return f"amount: the notional {to_text(notional)} is below the minimum {least}"
    return None
