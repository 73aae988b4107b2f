"""What the outside world offers in a market: a ladder of prices on each side, and how it moves."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from decimal import Decimal
from random import Random

from paper_exchange.engine.orders import Side
from paper_exchange.engine.symbols import Symbol

PriceQty = tuple[Decimal, Decimal]

LEVELS = 50
# One ten-thousandth of the price; steps and gaps are counted in these.
BPS = 10_000
THOUSAND = 1_000
# The middle moves by at most this much in a step, and returns this share of the way to its start.
STEP_BPS_MAX = 3
PULL_STEPS = 100
# What one level is worth.
LEVEL_WORTH_USDT_MIN = 5_000
LEVEL_WORTH_USDT_MAX = 100_000


class OutsideSide:
    """One side of the outside liquidity. Takers eat it, best price first."""

    __slots__ = ("_levels", "_size", "side")

    def __init__(self, side: Side) -> None:
        self.side = side
        # The best level is the last, where it is cheap to remove.
        self._levels: list[PriceQty] = []
        self._size = 0

    def replace(self, levels: Sequence[PriceQty]) -> None:
        """Offer these levels, in any order, instead of what was there."""
        self._levels = sorted(levels, reverse=self.side is Side.SELL)
        self._size = len(self._levels)

    def best(self) -> PriceQty | None:
        """The best price and what is left there."""
        return self._levels[-1] if self._levels else None

    def take(self, qty: Decimal) -> None:
        """Remove a quantity, no more than what is there, from the best level."""
        price, left = self._levels[-1]
        if qty >= left:
            self._levels.pop()
        else:
            self._levels[-1] = (price, left - qty)

    def levels(self) -> Iterator[PriceQty]:
        """Prices and quantities, best first."""
        return reversed(self._levels)

    @property
    def is_thin(self) -> bool:
        """Whether takers have emptied more than half of the levels."""
        return len(self._levels) * 2 < self._size


class Walk(ABC):
    """A middle price that moves step by step, and the ladders around it.

    Everything is counted in whole ticks and steps, so a seed gives the same prices everywhere.
    """

    def __init__(self, symbol: Symbol, rng: Random) -> None:
        self._symbol = symbol
        self._rng = rng
        # Where the middle is, in thousandths of a tick: the pull is often less than a tick.
        self._start = int(symbol.start_price / symbol.tick) * THOUSAND
        self._position = self._start
        # A hundredth of a percent is many ticks of one symbol and less than a tick of another.
        self._gap = max(1, self._start // THOUSAND // BPS)
        self._lots = self._lot_range()

    def _lot_range(self) -> tuple[int, int]:
        # Worth is meant in USDT; a symbol quoted in BTC is scaled by the price of one BTC.
        usdt_per_quote = 1 if self._symbol.quote == "USDT" else 50_000
        lot_worth = self._symbol.start_price * self._symbol.step * usdt_per_quote
        fewest = max(1, int(LEVEL_WORTH_USDT_MIN / lot_worth))
        return fewest, max(fewest + 1, int(LEVEL_WORTH_USDT_MAX / lot_worth))

    @abstractmethod
    def step(self) -> None:
        """Move the middle price once."""

    @property
    def middle(self) -> Decimal:
        """The middle price, a multiple of the tick."""
        return self._symbol.tick * (self._position // THOUSAND)

    def ladder(self, side: Side) -> list[PriceQty]:
        """Fresh levels of one side around the middle price."""
        draw = self._rng.randint
        sign = -1 if side is Side.BUY else 1
        fewest, most = self._lots
        ticks = self._position // THOUSAND
        levels = []
        for _ in range(LEVELS):
            ticks += sign * draw(1, self._gap)
            levels.append((self._symbol.tick * ticks, self._symbol.step * draw(fewest, most)))
        return levels


class RandomWalk(Walk):
    """A middle price that wanders around its start.

    It is pulled back there: two exchanges with different seeds stay close enough to each other to
    be worth an arbitrage now and then.
    """

    def step(self) -> None:
        """Move the middle price once."""
        reach = self._start * STEP_BPS_MAX // BPS
        pull = (self._start - self._position) // PULL_STEPS
        self._position += pull + self._rng.randint(-reach, reach)
