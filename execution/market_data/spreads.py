"""Exact sizing of one pair of books: the amount, what limits it, and the profit."""

from bisect import bisect_left
from dataclasses import dataclass
from decimal import ROUND_DOWN, Context, Decimal, localcontext
from math import lcm
from typing import Literal

from execution.market_data.snapshots import BookSnapshot
from execution.model.book import Level, Take, take
from execution.model.decimals import EXACT, ZERO
from execution.model.order import Side
from execution.model.trading_rules import Market, untradable

LimitedBy = Literal["depth", "balance", "cap", "lot"]

UNLIMITED = Decimal("Infinity")
BPS = Decimal(10_000)

# The price after the last level of a side: nothing is bought or sold at it.
NO_ASK: Level = (UNLIMITED, ZERO)
NO_BID: Level = (ZERO, ZERO)

# Quotients, which are displayed and compared but not added, have this many digits.
QUOTIENT = Context(prec=18)

# The step if neither exchange has one.
STEP_DEFAULT = Decimal("1e-8")

# Rounding down to a lot nearly always reduces the amount. Only if it does by more than this share,
# the lot counts as the limit.
LOT_SHARE = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Listing:
    """A symbol on one account: its last book, and its rules."""

    snapshot: BookSnapshot
    market: Market


@dataclass(frozen=True, slots=True)
class TradeLimits:
    """The limits of one pair: `quote` at the buyer, fee included, and `base` at the seller; and the
    symbol's caps, `amount_max` in base, `notional_max` in quote for the buy leg."""

    quote: Decimal = UNLIMITED
    base: Decimal = UNLIMITED
    amount_max: Decimal = UNLIMITED
    notional_max: Decimal = UNLIMITED


@dataclass(frozen=True, slots=True)
class Priced:
    """Both legs of one amount, and the profit in quote after both fees."""

    bought: Take
    sold: Take
    profit: Decimal

    @property
    def profit_bps(self) -> Decimal:
        """The profit's share of the buy notional."""
        return QUOTIENT.divide(EXACT.multiply(self.profit, BPS), self.bought.cost)

    def pays(self, min_profit_bps: Decimal) -> bool:
        """Whether there is a profit of at least that share of the buy notional."""
        with localcontext(EXACT):
            return self.profit > 0 and self.profit * BPS >= min_profit_bps * self.bought.cost


@dataclass(frozen=True, slots=True)
class Sized:
    """A profitable amount, and what limited it."""

    priced: Priced
    limited_by: LimitedBy


@dataclass(frozen=True, slots=True)
class Pair:
    """A route through two books: buy at one's asks, sell at the other's bids."""

    buy: Listing
    sell: Listing

    def price(self, amount: Decimal) -> Priced | None:
        """Price both legs by depth; None if a book is too thin for `amount`."""
        bought = take(self.buy.snapshot.book, Side.BUY, amount)
        sold = take(self.sell.snapshot.book, Side.SELL, amount)
        if bought is None or sold is None:
            return None
        fees = self.buy.market.taker_fee, self.sell.market.taker_fee
        return Priced(bought, sold, expected_profit(bought, sold, *fees))

    def paying_depth(self, levels: int | None = None) -> Decimal:
        """The amount (base) of which each unit earns more than it costs, after both fees.

        Only the best `levels` of each side are used, all of them for None.
        """
        asks = iter(self.buy.snapshot.book.asks[:levels])
        bids = iter(self.sell.snapshot.book.bids[:levels])
        depth = ZERO
        with localcontext(EXACT):
            costs, brings = 1 + self.buy.market.taker_fee, 1 - self.sell.market.taker_fee
            (ask, offered), (bid, wanted) = next(asks, NO_ASK), next(bids, NO_BID)
            while bid * brings > ask * costs:
                part = min(offered, wanted)
                depth, offered, wanted = depth + part, offered - part, wanted - part
                if not offered:
                    ask, offered = next(asks, NO_ASK)
                if not wanted:
                    bid, wanted = next(bids, NO_BID)
        return depth

    def margin_bps(self) -> Decimal:
        """The profit of the first unit after both fees, as a share of its price."""
        ask, bid = self.buy.snapshot.book.asks[0][0], self.sell.snapshot.book.bids[0][0]
        with localcontext(EXACT):
            costs = ask * (1 + self.buy.market.taker_fee)
            brings = bid * (1 - self.sell.market.taker_fee)
            return QUOTIENT.divide((brings - costs) * BPS, ask)

    def size(self, most: Decimal, means: TradeLimits, min_profit_bps: Decimal) -> Sized | None:
        """The whole lots nearest to `most` (base), the depth that is profitable, within the limits.

        Rounded down; rounded up only to the minimum of an exchange. None if that is not profitable
        exactly, or if an exchange would refuse it.
        """
        lot = common_step(self.buy.market.amount_step, self.sell.market.amount_step)
        least = self._least_lots(lot)
        balance, cap = self._affords(means)
        limits: list[tuple[Decimal, LimitedBy]]
        limits = [(most, "depth"), (balance, "balance"), (cap, "cap")]
        bound, limited_by = min(limits, key=lambda limit: limit[0])
        with localcontext(EXACT):
            lots = int(bound // lot)
            if lots < least and least * lot <= min(balance, cap):
                lots, limited_by = least, "lot"
            elif bound - lots * lot > bound * LOT_SHARE:
                limited_by = "lot"
        priced = self._most_that_pays(range(least, lots + 1), lot, min_profit_bps)
        if priced is None or not self._is_tradable(priced):
            return None
        if priced.bought.amount < lots * lot:
            limited_by = "depth"
        return Sized(priced, limited_by)

    def _affords(self, means: TradeLimits) -> tuple[Decimal, Decimal]:
        """The largest amounts (base) that the balances allow, and that the caps allow."""
        asks = self.buy.snapshot.book.asks
        with localcontext(EXACT) as context:
            context.rounding = ROUND_DOWN
            quote = means.quote / (1 + self.buy.market.taker_fee)
        return (
            min(means.base, affordable(asks, quote)),
            min(means.amount_max, affordable(asks, means.notional_max)),
        )

    def _least_lots(self, lot: Decimal) -> int:
        """The fewest lots that both exchanges may accept, at the best prices."""
        legs = (
            (self.buy.market, self.buy.snapshot.book.asks),
            (self.sell.market, self.sell.snapshot.book.bids),
        )
        with localcontext(EXACT):
            minimums = [market.amount_min or ZERO for market, _ in legs]
            minimums += [(market.notional_min or ZERO) / levels[0][0] for market, levels in legs]
            whole, rest = divmod(max(minimums), lot)
            return max(int(whole) + bool(rest), 1)

    def _most_that_pays(self, lots: range, lot: Decimal, min_profit_bps: Decimal) -> Priced | None:
        """The largest of these numbers of lots that has the minimum profit, priced; None if none
        has.

        Each lot costs at least as much as the one before it, and earns at most as much, so all
        numbers up to some limit are profitable. That is nearly always the last one.
        """

        def paying(number: int) -> Priced | None:
            priced = self.price(number * lot)
            return priced if priced is not None and priced.pays(min_profit_bps) else None

        if not lots:
            return None
        most = paying(lots[-1])
        if most is not None:
            return most
        count = bisect_left(lots, True, key=lambda number: paying(number) is None)
        return self.price(lots[count - 1] * lot) if count else None

    def _is_tradable(self, priced: Priced) -> bool:
        """Whether both exchanges allow their limit order at its worst price."""
        legs = ((priced.bought, self.buy.market), (priced.sold, self.sell.market))
        return all(untradable(leg.amount, leg.worst_price, market) is None for leg, market in legs)


def expected_profit(bought: Take, sold: Take, buy_fee: Decimal, sell_fee: Decimal) -> Decimal:
    """The profit in quote of buying and selling by depth; fees are fractions of each leg's
    value."""
    with localcontext(EXACT):
        return sold.cost * (1 - sell_fee) - bought.cost * (1 + buy_fee)


def common_step(first: Decimal | None, other: Decimal | None) -> Decimal:
    """The smallest multiple of both steps, None being no step: 0.002 and 0.003 give 0.006."""
    steps = [step for step in (first, other) if step is not None]
    if not steps:
        return STEP_DEFAULT
    places = max(-int(step.as_tuple().exponent) for step in steps)
    with localcontext(EXACT):
        return Decimal(lcm(*(int(step.scaleb(places)) for step in steps))).scaleb(-places)


def affordable(asks: tuple[Level, ...], quote_max: Decimal) -> Decimal:
    """The largest amount (base) that one limit order may buy for at most `quote_max`.

    Computed with its limit price, the worst price taken, since an exchange locks funds for that and
    not for the average.
    """
    best = reach = ZERO
    with localcontext(EXACT) as context:
        context.rounding = ROUND_DOWN
        for price, offered in asks:
            reach += offered
            best = max(best, min(reach, quote_max / price))
    return best
