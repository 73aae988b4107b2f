"""Every pair of books at once, in binary fractions: they rank candidates and decide nothing.

Arrays are indexed by account and symbol, in the order that their owner counts them, and by level,
the best first. What is chosen here must be priced again in decimals before anybody acts on it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Context, Decimal
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from execution.model.book import Book, Level

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]

ASKS, BIDS = 0, 1

# A binary fraction knows some sixteen digits. Written with fourteen, the sum of some levels is the
# decimal that it was before.
DIGITS = Context(prec=14)

# A fraction of the buy notional: more than what rounding errors come to, less than anybody would
# miss. A spread that pays just the minimum must not be lost to an error in the last digit.
SLACK = 1e-12

# Pairs are priced so many at a time: then the arrays between stay in the processor's cache.
BLOCK = 256


@dataclass(frozen=True, slots=True)
class Candidate:
    """A pair that seems to pay, by its indexes, and the amount (base units) that pays best.

    `bounded` says that a balance or a cap stopped the amount, so that the exact bound is the exact
    amount; otherwise it is where the depth stops paying.
    """

    buy: int
    sell: int
    symbol: int
    amount: Decimal
    bounded: bool


class SpreadGrid:
    """The books of all accounts and symbols as arrays, kept between scans.

    `fees` has a row for each account and in it a taker fee (a fraction) for each symbol; `assets`
    and `caps` have an entry for each symbol: where base and quote are in a row of balances, and the
    most to trade, in base and in quote. Infinity is no limit.
    """

    def __init__(
        self,
        fees: Sequence[Sequence[Decimal]],
        assets: Sequence[tuple[int, int]],
        caps: Sequence[tuple[Decimal, Decimal]],
        levels: int,
    ) -> None:
        self._fees: Floats = np.array(fees, dtype=float)
        places: Ints = np.array(assets, dtype=int)
        most: Floats = np.array(caps, dtype=float)
        self._base, self._quote = places[:, 0], places[:, 1]
        self._amount_max, self._notional_max = most[:, 0], most[:, 1]
        self._levels = levels
        shape = self._fees.shape
        self._prices: Floats = np.ones((2, *shape, levels))
        self._amounts: Floats = np.zeros((2, *shape, levels))
        self._stamps_ms: Ints = np.zeros((2, *shape), dtype=int)
        self._sound: Mask = np.zeros(shape, dtype=bool)

    def put(self, places: Sequence[tuple[int, int]], books: Sequence[Book]) -> None:
        """Take over books, each at its place by account and symbol; no place may come twice.

        One that is empty on a side, out of order, not above zero or crossed does not count.
        """
        if not places:
            return
        at = tuple(np.array(places, dtype=int).T)
        sound: Mask = np.ones(len(books), dtype=bool)
        for side, levels in ((ASKS, [b.asks for b in books]), (BIDS, [b.bids for b in books])):
            prices, amounts, good = _filled(levels, self._levels)
            rising = np.diff(prices if side == ASKS else -prices, axis=1)
            sound &= good & (rising >= 0).all(axis=1)
            self._prices[side][at], self._amounts[side][at] = prices, amounts
        asks, bids = self._prices[..., 0]
        self._sound[at] = sound & (asks[at] >= bids[at])

    def stamp(
        self, places: Sequence[tuple[int, int]], received_ms: list[int], exchange_ms: list[int]
    ) -> None:
        """Note when books were true: when we got them, and when their exchange says they were."""
        at = tuple(np.array(places, dtype=int).reshape(-1, 2).T)
        self._stamps_ms[0][at], self._stamps_ms[1][at] = received_ms, exchange_ms

    def counting(self, now_ms: int, received_age_ms_max: int, exchange_age_ms_max: int) -> Mask:
        """Which books are sound and young enough by both stamps, by account and symbol.

        A stamp that is as far ahead of now is no better: then a clock is wrong, and the book may
        have any age.
        """
        received, made = np.abs(now_ms - self._stamps_ms)
        young: Mask = (received <= received_age_ms_max) & (made <= exchange_age_ms_max)
        return self._sound & young

    def margins(self, counts: Mask) -> Floats:
        """Profit of the first unit of each pair, a fraction of its price, by buyer, seller, symbol.

        Minus infinity where a book does not count (`counts` is by account and symbol), and where
        buyer and seller are one.
        """
        asks, bids = self._prices[ASKS, :, :, 0], self._prices[BIDS, :, :, 0]
        costs, brings = asks * (1 + self._fees), bids * (1 - self._fees)
        margins = (brings[np.newaxis] - costs[:, np.newaxis]) / asks[:, np.newaxis]
        both = counts[:, np.newaxis] & counts[np.newaxis]
        both[np.diag_indices(len(counts))] = False
        return np.where(both, margins, -np.inf)

    def ranked(self, counts: Mask) -> list[tuple[int, int, int]]:
        """All pairs of books that count (buyer, seller, symbol), by their margin, best first."""
        margins = self.margins(counts)
        order = np.argsort(-margins, axis=None, kind="stable")
        order = order[: np.count_nonzero(margins > -np.inf)]
        places = (place.tolist() for place in np.unravel_index(order, margins.shape))
        return list(zip(*places, strict=True))

    def candidates(
        self,
        counts: Mask,
        balances: Sequence[Sequence[Decimal]],
        margin_min: Decimal,
        candidates_max: int,
    ) -> list[Candidate]:
        """The pairs that seem to pay `margin_min` (a fraction of the buy notional), best first.

        `balances` has a row for each account.
        """
        least = float(margin_min) - SLACK
        # Each further unit pays less than the one before it: where the first one does not pay, no
        # amount does. Few pairs are left, and never more than half, since no book is crossed.
        buy, sell, symbol = np.nonzero(self.margins(counts) >= least)
        reach = np.cumsum(self._amounts, axis=-1)
        limit = self._affords(balances, reach[ASKS])[buy, symbol]
        limit = np.minimum(limit, self._holds(balances)[sell, symbol])
        depth = np.minimum(reach[ASKS, buy, symbol, -1], reach[BIDS, sell, symbol, -1])
        most = np.minimum(limit, depth)
        amounts, profits = np.zeros_like(most), np.zeros_like(most)
        for start in range(0, len(most), BLOCK):
            part = slice(start, start + BLOCK)
            pairs = buy[part], sell[part], symbol[part]
            amounts[part], profits[part] = self._best(pairs, reach, most[part], least)
        bounded = (limit < depth) & (amounts >= limit)
        order = np.argsort(-profits, kind="stable")
        order = order[amounts[order] > 0][:candidates_max]
        columns = (buy, sell, symbol, amounts, bounded)
        return [
            Candidate(b, s, i, DIGITS.create_decimal(amount), stopped)
            for b, s, i, amount, stopped in zip(*(c[order].tolist() for c in columns), strict=True)
        ]

    def _affords(self, balances: Sequence[Sequence[Decimal]], reach: Floats) -> Floats:
        """The most that balance and cap in quote can buy, in base, by account and symbol.

        A limit order may cost its limit price for all of its amount, which is the price of the
        worst level taken; so what a sum affords is the best of: each level's price, up to where
        that level ends.
        """
        quote = np.array(balances, dtype=float)[:, self._quote]
        spend = np.minimum(quote / (1 + self._fees), self._notional_max)
        by_level = np.minimum(reach, spend[:, :, np.newaxis] / self._prices[ASKS])
        most: Floats = np.minimum(by_level.max(axis=-1), self._amount_max)
        return most

    def _holds(self, balances: Sequence[Sequence[Decimal]]) -> Floats:
        """What can be sold, in base, by account and symbol."""
        held: Floats = np.array(balances, dtype=float)[:, self._base]
        return held

    def _best(
        self, pairs: tuple[Ints, Ints, Ints], reach: Floats, most: Floats, least: float
    ) -> tuple[Floats, Floats]:
        """The amount that pays best, up to `most`, and its profit in quote, by pair.

        The profit is a concave function of the amount, made of straight pieces that meet where a
        level of either book ends: between two such ends all is bought at one price and sold at one
        price. So its highest point is one of these ends, or where we must stop, and a grid of
        just these amounts misses nothing.
        """
        buy, sell, symbol = pairs
        levels = self._levels
        rows = np.arange(len(most))[:, np.newaxis]
        ends = np.concatenate([reach[ASKS, buy, symbol], reach[BIDS, sell, symbol]], axis=1)
        np.minimum(ends, most[:, np.newaxis], out=ends)
        order = np.argsort(ends, axis=1)
        ends = ends.take(order + rows * (2 * levels))
        widths = np.diff(ends, axis=1, prepend=0)
        of_asks = order < levels
        ask: Ints = np.cumsum(of_asks, axis=1) - of_asks
        bid = np.arange(2 * levels) - ask
        # Past the end of a book all widths are zero, whatever the level.
        asked = self._prices[ASKS, buy, symbol].take(np.minimum(ask, levels - 1) + rows * levels)
        offered = self._prices[BIDS, sell, symbol].take(np.minimum(bid, levels - 1) + rows * levels)
        notionals = np.cumsum(widths * asked, axis=1)
        brings = np.cumsum(widths * offered, axis=1)
        brings *= 1 - self._fees[sell, symbol][:, np.newaxis]
        profits = brings - notionals * (1 + self._fees[buy, symbol][:, np.newaxis])
        return _within(ends, profits, profits - least * notionals)


def _filled(sides: list[tuple[Level, ...]], levels: int) -> tuple[Floats, Floats, Mask]:
    """One side of some books as prices and amounts, and whether all in it is above zero.

    Levels that are not there offer nothing, at a price that upsets no arithmetic.
    """
    kept = [side[:levels] for side in sides]
    counts = np.array([len(side) for side in kept])
    numbers = chain.from_iterable(chain.from_iterable(kept))
    pairs = np.fromiter(numbers, float, 2 * int(counts.sum())).reshape(-1, 2)
    there = np.arange(levels) < counts[:, np.newaxis]
    prices, amounts = np.zeros(there.shape), np.zeros(there.shape)
    prices[there], amounts[there] = pairs[:, 0], pairs[:, 1]
    good = (counts > 0) & ((prices > 0) & (amounts > 0) == there).all(axis=1)
    last = np.take_along_axis(prices, np.maximum(counts - 1, 0)[:, np.newaxis], axis=1)
    return np.where(there, prices, np.where(good[:, np.newaxis], last, 1)), amounts, good


def _within(ends: Floats, profits: Floats, spare: Floats) -> tuple[Floats, Floats]:
    """The best end and its profit, or the amount before it at which nothing is left to spare.

    `spare` is the profit above the minimum. It is concave too and starts at zero, so once it has
    become negative it stays so, and where it does is found on a straight line.
    """
    rows = np.arange(len(ends))
    best = np.argmax(profits, axis=1)
    last = np.count_nonzero(spare >= 0, axis=1) - 1
    enough = spare[rows, best] >= 0
    after = np.minimum(last + 1, ends.shape[1] - 1)
    amounts, earned, over = (
        (np.where(last >= 0, values[rows, last], 0), values[rows, after])
        for values in (ends, profits, spare)
    )
    fall = np.where(enough, 1, over[0] - over[1])
    share = np.where(enough, 0, over[0] / fall)
    between = [low + share * (high - low) for low, high in (amounts, earned)]
    return (
        np.where(enough, ends[rows, best], between[0]),
        np.where(enough, profits[rows, best], between[1]),
    )
