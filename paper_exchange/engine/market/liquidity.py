"""The outside liquidity of a market: a ladder of prices on each side, and its price walk."""

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
# The most that the mid price moves in a step, and the share of the way back to its start.
STEP_BPS_MAX = 3
PULL_STEPS = 100
# The notional of one level.
LEVEL_WORTH_USDT_MIN = 5_000
LEVEL_WORTH_USDT_MAX = 100_000


class OutsideSide:
    """One side of the outside liquidity. Takers consume it, best price first."""

    __slots__ = ("_levels", "_size", "side")

    def __init__(self, side: Side) -> None:
        self.side = side
        # The best level is last, where removal is cheap.
        self._levels: list[PriceQty] = []
        self._size = 0

    def replace(self, levels: Sequence[PriceQty]) -> None:
        """Replace the levels; they may be in any order."""
        self._levels = sorted(levels, reverse=self.side is Side.SELL)
        self._size = len(self._levels)

    def best(self) -> PriceQty | None:
        """The best price and the quantity left there."""
        return self._levels[-1] if self._levels else None

    def take(self, qty: Decimal) -> None:
        """Remove a quantity, at most what is left, from the best level."""
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
        """Whether takers have consumed more than half of the levels."""
        return len(self._levels) * 2 < self._size


class Walk(ABC):
    """A mid price that moves step by step, and the ladders around it.

    All arithmetic is in whole ticks and steps, so a seed gives the same prices on every machine.
    """

    def __init__(self, symbol: Symbol, rng: Random) -> None:
        self._symbol = symbol
        self._rng = rng
        # The mid price in thousandths of a tick: the pull is often less than a tick.
        self._start = int(symbol.start_price / symbol.tick) * THOUSAND
        self._position = self._start
        # One bps is many ticks of one symbol and less than a tick of another.
        self._gap = max(1, self._start // THOUSAND // BPS)
        self._lots = self._lot_range()

    def _lot_range(self) -> tuple[int, int]:
        # The notional is in USDT; for a symbol quoted in BTC it is scaled by the price of one BTC.
        usdt_per_quote = 1 if self._symbol.quote == "USDT" else 50_000
        lot_worth = self._symbol.start_price * self._symbol.step * usdt_per_quote
        fewest = max(1, int(LEVEL_WORTH_USDT_MIN / lot_worth))
        return fewest, max(fewest + 1, int(LEVEL_WORTH_USDT_MAX / lot_worth))

    @abstractmethod
    def step(self) -> None:
        """Move the mid price one step."""

    @property
    def middle(self) -> Decimal:
        """The mid price, a multiple of the tick."""
        return self._symbol.tick * (self._position // THOUSAND)

    def ladder(self, side: Side) -> list[PriceQty]:
        """New levels of one side around the mid price."""
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
    """A mid price that walks randomly around its start.

    It is pulled back to it: two exchanges with different seeds stay close enough for an occasional
    arbitrage.
    """

    def step(self) -> None:
        """Move the mid price one step."""
        reach = self._start * STEP_BPS_MAX // BPS
        pull = (self._start - self._position) // PULL_STEPS
        self._position += pull + self._rng.randint(-reach, reach)
