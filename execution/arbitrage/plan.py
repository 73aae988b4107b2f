"""Plans the orders of an arbitrage: both legs, then hedges of their imbalance.

Pure: books, rules and free balances come in; limit orders go out, or a sentence why there are none.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_FLOOR, Decimal, localcontext

from execution.arbitrage.model import Arbitrage, LegRole
from execution.market_data.snapshots import BookSnapshot
from execution.market_data.spreads import BPS, UNLIMITED, Listing, Pair, TradeLimits
from execution.model.book import Book, Level, defect_of
from execution.model.decimals import EXACT, ZERO, to_text
from execution.model.errors import NoPlan
from execution.model.order import Side
from execution.model.trading_rules import Market, untradable, whole_steps

# The tick of a limit price if the exchange has none.
TICK_DEFAULT = Decimal("1e-8")


@dataclass(frozen=True, slots=True)
class Venue:
    """The current data of one account: the symbol's rules and book, and free balances."""

    account: str
    market: Market
    book: Book
    read_ms: int
    base_free: Decimal = UNLIMITED
    quote_free: Decimal = UNLIMITED


@dataclass(frozen=True, slots=True)
class LegPlan:
    """A limit order that takes liquidity and does not rest. `reference_price` is the best price on
    the side that it takes from."""

    role: LegRole
    account: str
    side: Side
    amount: Decimal
    price: Decimal
    reference_price: Decimal


@dataclass(frozen=True, slots=True)
class Plan:
    """Both legs, and their profit in quote after both fees."""

    buy: LegPlan
    sell: LegPlan
    expected_profit: Decimal


def plan_legs(
    arbitrage: Arbitrage, buy: Venue, sell: Venue, notional_max: Decimal = UNLIMITED
) -> Plan:
    """Size both legs by free balances, steps and minimums, up to the arbitrage's amount, and only
    to the depth at which each further unit is profitable.

    Raises NoPlan if that does not reach the minimum profit after both fees.
    """
    for venue in (buy, sell):
        defect = defect_of(venue.book)
        if defect is not None:
            raise NoPlan(f"account: the book of {venue.account} does not count: {defect}")
    pair = Pair(_listing(buy), _listing(sell))
    means = TradeLimits(buy.quote_free, sell.base_free, arbitrage.amount, notional_max)
    sized = pair.size(pair.paying_depth(), means, arbitrage.min_profit_bps)
    if sized is None:
        raise NoPlan(_why_not(pair, means, arbitrage.min_profit_bps))
    bought, sold = sized.priced.bought, sized.priced.sold
    asks, bids = buy.book.asks, sell.book.bids
    return Plan(
        buy=LegPlan(
            LegRole.BUY, buy.account, Side.BUY, bought.amount, bought.worst_price, asks[0][0]
        ),
        sell=LegPlan(
            LegRole.SELL, sell.account, Side.SELL, sold.amount, sold.worst_price, bids[0][0]
        ),
        expected_profit=sized.priced.profit,
    )


def _listing(venue: Venue) -> Listing:
    symbol = venue.book.symbol
    return Listing(
        BookSnapshot(venue.account, symbol, venue.book, None, venue.read_ms, None), venue.market
    )


def _why_not(pair: Pair, means: TradeLimits, min_profit_bps: Decimal) -> str:
    margin = pair.margin_bps()
    if margin < min_profit_bps or margin <= 0:
        least = to_text(min_profit_bps)
        return f"min_profit_bps: the first unit pays {to_text(round(margin, 2))}, not {least}"
    if not means.base or not means.quote:
        where = pair.sell if not means.base else pair.buy
        return f"balance: nothing is free on {where.snapshot.account} to trade with"
    return "amount: none that pays is allowed by balances, steps and minimums"


def plan_fix(
    arbitrage: Arbitrage, imbalance: Decimal, average: Decimal, venues: Iterable[Venue]
) -> LegPlan:
    """Plan one order that hedges `imbalance` (base, bought minus sold), whose average price is
    `average`: at the best venue, at no price that costs more than the cap, fee included.

    Raises NoPlan if that is possible at no venue now.
    """
    side = Side.SELL if imbalance > 0 else Side.BUY
    hedges = [_fix(arbitrage, venue, side, abs(imbalance), average) for venue in venues]
    possible = [fix for fix in hedges if fix is not None]
    if not possible:
        done = "sold" if side is Side.SELL else "bought"
        raise NoPlan(
            f"max_loss_bps: {to_text(abs(imbalance))} cannot be {done} within "
            f"{to_text(arbitrage.max_loss_bps)} of {to_text(round(average, 8))}"
        )
    sign = 1 if side is Side.SELL else -1
    # The largest amount first, then the best price.
    return max(possible, key=lambda fix: (fix.amount, sign * fix.reference_price))


def _fix(
    arbitrage: Arbitrage, venue: Venue, side: Side, wanted: Decimal, average: Decimal
) -> LegPlan | None:
    """The hedge that is possible at one venue; None if there is none."""
    limit = _worst_price(side, average, arbitrage.max_loss_bps, venue.market)
    for amount, price in _offers(venue, side, wanted, limit):
        if amount and untradable(amount, price, venue.market) is None:
            role = fix_role(arbitrage, venue.account, side)
            best = _levels(venue, side)[0][0]
            return LegPlan(role, venue.account, side, amount, price, best)
    return None


def _offers(
    venue: Venue, side: Side, wanted: Decimal, limit: Decimal
) -> Iterator[tuple[Decimal, Decimal]]:
    """Amounts with the limit prices at which they trade immediately, none worse than `limit`: the
    largest, at the worst price, first.

    An order may be possible only at a better price than the worst one: a sale then has a higher
    notional, as a minimum may require; a purchase locks fewer funds, so that the balance buys more.
    """
    within = [
        (price, amount)
        for price, amount in _levels(venue, side)
        if (price <= limit if side is Side.BUY else price >= limit)
    ]
    if not within:
        return
    yield _amount_at(venue, side, wanted, limit, within), limit
    for count in range(len(within), 0, -1):
        reached = within[:count]
        worst = reached[-1][0]
        amount = _amount_at(venue, side, wanted, worst, reached)
        if side is Side.BUY:
            yield amount, worst
        elif amount:
            price = max(limit, _least_price(amount, venue.market))
            if price <= worst:
                yield amount, price


def _levels(venue: Venue, side: Side) -> tuple[Level, ...]:
    """The levels that an order on that side takes."""
    return venue.book.asks if side is Side.BUY else venue.book.bids


def _amount_at(
    venue: Venue, side: Side, wanted: Decimal, price: Decimal, levels: list[Level]
) -> Decimal:
    """How much of `wanted` an order at that price can take from these levels, in whole steps."""
    with localcontext(EXACT):
        free = venue.base_free if side is Side.SELL else _buyable(venue, price)
        amount = min(wanted, sum((amount for _, amount in levels), ZERO), free)
    return whole_steps(amount, venue.market)


def _least_price(amount: Decimal, market: Market) -> Decimal:
    """The lowest price on a tick at which the amount reaches the minimum notional."""
    with localcontext(EXACT):
        return _on_tick((market.notional_min or ZERO) / amount, market, ROUND_CEILING)


def fix_role(arbitrage: Arbitrage, account: str, side: Side) -> LegRole:
    """The role of an order on that side, by its account."""
    home = arbitrage.sell_account if side is Side.SELL else arbitrage.buy_account
    return LegRole.COMPLETION if account == home else LegRole.UNWIND


def _buyable(venue: Venue, price: Decimal) -> Decimal:
    if venue.quote_free == UNLIMITED:
        return UNLIMITED
    with localcontext(EXACT) as context:
        context.rounding = ROUND_DOWN
        return venue.quote_free / (price * (1 + venue.market.taker_fee))


def _worst_price(side: Side, average: Decimal, max_loss_bps: Decimal, market: Market) -> Decimal:
    """The price at which hedging one unit costs exactly the cap, rounded to a tick within it."""
    with localcontext(EXACT):
        share = max_loss_bps / BPS
        if side is Side.SELL:
            return _on_tick(average * (1 - share) / (1 - market.taker_fee), market, ROUND_CEILING)
        return _on_tick(average * (1 + share) / (1 + market.taker_fee), market, ROUND_FLOOR)


def is_dust(amount: Decimal, price: Decimal, market: Market) -> bool:
    """Whether the amount is too small for an order at every exchange at that price, even in whole
    steps. The price may be an average, which is on no tick."""
    whole, price = whole_steps(amount, market), _on_tick(price, market, ROUND_CEILING)
    return not whole or untradable(whole, price, market) is not None


def is_dust_at(arbitrage: Arbitrage, imbalance: Decimal, average: Decimal, venue: Venue) -> bool:
    """Whether the rest is too small for any order there within the cap: at the best current price,
    or at its average price if that is higher."""
    if imbalance > 0:
        best = max([average, *(price for price, _ in venue.book.bids[:1])])
    else:
        # The limit of a purchase may be as high as the cap, whatever the asks.
        best = _worst_price(Side.BUY, average, arbitrage.max_loss_bps, venue.market)
    return is_dust(abs(imbalance), best, venue.market)


def _on_tick(price: Decimal, market: Market, rounding: str) -> Decimal:
    """The price rounded to a tick: up (ROUND_CEILING) or down (ROUND_FLOOR)."""
    tick = market.tick_at(price) or TICK_DEFAULT
    with localcontext(EXACT):
        return (price / tick).to_integral_value(rounding) * tick
