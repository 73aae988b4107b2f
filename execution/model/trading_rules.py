"""A symbol's trading rules, and the refusals that follow from them before anything is sent."""

from dataclasses import dataclass
from decimal import Decimal, localcontext

from execution.model.decimals import EXACT, is_multiple, to_text
from execution.model.order import Order


@dataclass(frozen=True, slots=True)
class Market:
    """Limits of one symbol. Steps and minimums in base units, prices and notionals in quote.

    None means that the exchange names no such limit. `taker_fee` is a fraction of the value.
    `price_bands` are there where the tick depends on the price: pairs of a price from which on a
    tick holds and that tick, the lowest first. They take the place of `price_tick`.
    """

    symbol: str
    price_tick: Decimal | None
    amount_step: Decimal | None
    amount_min: Decimal | None
    notional_min: Decimal | None
    taker_fee: Decimal
    price_bands: tuple[tuple[Decimal, Decimal], ...] = ()

    def tick_at(self, price: Decimal) -> Decimal | None:
        """The step of prices around `price`, None where it is not known."""
        ticks = [tick for start, tick in self.price_bands if start <= price]
        return ticks[-1] if ticks else self.price_tick


def refusal(order: Order, market: Market | None) -> str | None:
    """Say in one sentence why the order cannot be sent as it is, None where it can.

    Nothing is rounded for the trader: an amount that an exchange would cut, or a price that
    rounding could push across the limit, is refused.
    """
    if market is None:
        return f"symbol: {order.symbol!r} is not traded on account {order.account}"
    return untradable(order.amount, order.price, market)


def untradable(amount: Decimal, price: Decimal | None, market: Market) -> str | None:
    """Say in one sentence why the symbol's rules forbid an order of so much (base) at that price,
    None where they allow it. Without a price, only the amount is judged."""
    return _amount_refusal(amount, market) or _price_refusal(amount, price, market)


def whole_steps(amount: Decimal, market: Market) -> Decimal:
    """The largest amount, not above this one, that is a multiple of the symbol's step."""
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
