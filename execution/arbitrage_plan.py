"""What an arbitrage sends: both legs at first, and then whatever works off what they differ by.

Pure: books, rules and free balances come in; limit orders go out, or a sentence why there are none.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_FLOOR, Decimal, localcontext

from execution.arbitrages import Arbitrage, LegRole
from execution.book_defects import defect_of
from execution.book_snapshots import BookSnapshot
from execution.books import Book
from execution.decimals import EXACT, ZERO, to_text
from execution.markets import Market
from execution.orders import Side
from execution.spread_pricing import BPS, UNLIMITED, Listing, Means, Pair

# A limit price where the exchange names no tick.
TICK_DEFAULT = Decimal("1e-8")


@dataclass(frozen=True, slots=True)
class Venue:
    """One account as it was read just now: the symbol's rules and book, and what is free there."""

    account: str
    market: Market
    book: Book
    read_ms: int
    base_free: Decimal = UNLIMITED
    quote_free: Decimal = UNLIMITED


@dataclass(frozen=True, slots=True)
class LegPlan:
    """A limit order that takes what is there and leaves nothing standing. `reference_price` is the
    best price on the side that it takes from."""

    role: LegRole
    account: str
    side: Side
    amount: Decimal
    price: Decimal
    reference_price: Decimal


@dataclass(frozen=True, slots=True)
class Plan:
    """Both legs, and what they leave in quote after both fees."""

    buy: LegPlan
    sell: LegPlan
    expected_profit: Decimal


class NoPlan(Exception):
    """Nothing is to be sent; the sentence says why."""


def plan_legs(
    arbitrage: Arbitrage, buy: Venue, sell: Venue, notional_max: Decimal = UNLIMITED
) -> Plan:
    """Size both legs by free balances, steps and minimums, up to the arbitrage's amount, and no
    deeper than each further unit pays for itself.

    Raises NoPlan where that does not pay the minimum profit after both fees.
    """
    for venue in (buy, sell):
        defect = defect_of(venue.book)
        if defect is not None:
            raise NoPlan(f"account: the book of {venue.account} does not count: {defect}")
    pair = Pair(_listing(buy), _listing(sell))
    means = Means(buy.quote_free, sell.base_free, arbitrage.amount, notional_max)
    sized = pair.size(_paying_depth(buy, sell), means, arbitrage.min_profit_bps)
    if sized is None:
        raise NoPlan(_why_not(pair, means, arbitrage.min_profit_bps))
    bought, sold = sized.priced.bought, sized.priced.sold
    asks, bids = buy.book.asks, sell.book.bids
    return Plan(
        buy=LegPlan(LegRole.BUY, buy.account, Side.BUY, bought.amount, bought.worst_price,
                    asks[0][0]),
        sell=LegPlan(LegRole.SELL, sell.account, Side.SELL, sold.amount, sold.worst_price,
                     bids[0][0]),
        expected_profit=sized.priced.profit,
    )  # fmt: skip


def _paying_depth(buy: Venue, sell: Venue) -> Decimal:
    """How much (base) brings more than it costs, each unit by itself, after both fees."""
    asks, bids, depth = list(buy.book.asks), list(sell.book.bids), ZERO
    with localcontext(EXACT):
        costs, brings = 1 + buy.market.taker_fee, 1 - sell.market.taker_fee
        while asks and bids and bids[0][0] * brings > asks[0][0] * costs:
            part = min(asks[0][1], bids[0][1])
            depth += part
            for side in (asks, bids):
                price, amount = side.pop(0)
                if amount > part:
                    side.insert(0, (price, amount - part))
    return depth


def _listing(venue: Venue) -> Listing:
    symbol = venue.book.symbol
    return Listing(
        BookSnapshot(venue.account, symbol, venue.book, None, venue.read_ms, None), venue.market
    )


def _why_not(pair: Pair, means: Means, min_profit_bps: Decimal) -> str:
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
    """Plan one order that works off `imbalance` (base, bought beyond sold), which came at the price
    `average`: where it can be done best, at no price that costs more than the cap, fee included.

    Raises NoPlan where that is nowhere possible now.
    """
    side = Side.SELL if imbalance > 0 else Side.BUY
    fixes = [_fix(arbitrage, venue, side, abs(imbalance), average) for venue in venues]
    possible = [fix for fix in fixes if fix is not None]
    if not possible:
        done = "sold" if side is Side.SELL else "bought"
        raise NoPlan(
            f"max_loss_bps: {to_text(abs(imbalance))} cannot be {done} within "
            f"{to_text(arbitrage.max_loss_bps)} of {to_text(round(average, 8))}"
        )
    sign = 1 if side is Side.SELL else -1
    # The most at once comes first, then the best price.
    return max(possible, key=lambda fix: (fix.amount, sign * fix.reference_price))


def _fix(
    arbitrage: Arbitrage, venue: Venue, side: Side, wanted: Decimal, average: Decimal
) -> LegPlan | None:
    """What can be worked off at one venue; None for nothing."""
    limit = _worst_price(side, average, arbitrage.max_loss_bps, venue.market)
    levels = venue.book.asks if side is Side.BUY else venue.book.bids
    with localcontext(EXACT):
        within = [
            amount
            for price, amount in levels
            if (price <= limit if side is Side.BUY else price >= limit)
        ]
        free = venue.base_free if side is Side.SELL else _buyable(venue, limit)
        amount = min(wanted, sum(within, ZERO), free)
    amount = _whole_steps(amount, venue.market)
    if not within or is_dust(amount, limit, venue.market):
        return None
    role = fix_role(arbitrage, venue.account, side)
    return LegPlan(role, venue.account, side, amount, limit, levels[0][0])


def fix_role(arbitrage: Arbitrage, account: str, side: Side) -> LegRole:
    """What an order on that side is for, by where it is made."""
    home = arbitrage.sell_account if side is Side.SELL else arbitrage.buy_account
    return LegRole.COMPLETION if account == home else LegRole.UNWIND


def _buyable(venue: Venue, price: Decimal) -> Decimal:
    if venue.quote_free == UNLIMITED:
        return UNLIMITED
    with localcontext(EXACT) as context:
        context.rounding = ROUND_DOWN
        return venue.quote_free / (price * (1 + venue.market.taker_fee))


def _worst_price(side: Side, average: Decimal, max_loss_bps: Decimal, market: Market) -> Decimal:
    """The price at which working off one unit costs exactly the cap, on the near side of a tick."""
    with localcontext(EXACT):
        share = max_loss_bps / BPS
        if side is Side.SELL:
            price = average * (1 - share) / (1 - market.taker_fee)
            tick = market.tick_at(price) or TICK_DEFAULT
            return (price / tick).to_integral_value(ROUND_CEILING) * tick
        price = average * (1 + share) / (1 + market.taker_fee)
        tick = market.tick_at(price) or TICK_DEFAULT
        return (price / tick).to_integral_value(ROUND_FLOOR) * tick


def _whole_steps(amount: Decimal, market: Market) -> Decimal:
    if market.amount_step is None:
        return amount
    with localcontext(EXACT):
        return amount // market.amount_step * market.amount_step


def is_dust(amount: Decimal, price: Decimal, market: Market) -> bool:
    """No exchange would take an order of so little."""
    whole = _whole_steps(amount, market)
    least = market.amount_min or ZERO
    notional = EXACT.multiply(whole, price)
    return not whole or whole < least or notional < (market.notional_min or ZERO)
