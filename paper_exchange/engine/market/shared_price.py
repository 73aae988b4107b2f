"""One price for several exchanges that do not communicate: a function of a seed and the time.

A random walk has to be computed from its beginning. Here the price at any time follows from the
seed alone: it is a sum of piecewise linear waves of different lengths, between points that a hash
determines. The same sum with other lengths is an exchange's distance from that price.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from hashlib import blake2b
from random import Random

from paper_exchange.engine.market.liquidity import BPS, THOUSAND, Walk
from paper_exchange.engine.symbols import Symbol

# The interval at which the shared price changes, whatever an exchange's own interval.
STEP_MS = 250
# Waves as (length in steps, height in bps). Four times the length has twice the height, as in a
# random walk. Their sum stays within 63 bps of the start.
PRICE_WAVES = ((1, 1), (4, 2), (16, 4), (64, 8), (256, 16), (1024, 32))
# Waves of an exchange's distance, each with its share of the largest distance. An exchange that
# leads comes back within seconds, so that crossed prices appear and disappear.
SPREAD_WAVES = ((4, 1), (16, 2), (64, 4))
SPREAD_SHARES = sum(share for _, share in SPREAD_WAVES)


@dataclass(frozen=True, slots=True)
class SharedPrice:
    """The price that an exchange follows, and the distance from it.

    `seed` names the price, `own_seed` the exchange's distance from it, which stays within
    `spread_bps`. `step_now` counts the steps of the price since the epoch.
    """

    seed: str
    own_seed: str
    spread_bps: Decimal
    step_now: Callable[[], int]

    def walk(self, symbol: Symbol, rng: Random) -> Walk:
        """The walk of a symbol; random numbers set the ladders around it."""
        return SharedWalk(symbol, rng, self)


class SharedWalk(Walk):
    """A mid price that follows the shared price at the time of each step."""

    def __init__(self, symbol: Symbol, rng: Random, price: SharedPrice) -> None:
        super().__init__(symbol, rng)
        self._price = price
        self._common = tuple((steps, height * THOUSAND) for steps, height in PRICE_WAVES)
        spread = int(price.spread_bps * THOUSAND)
        self._own = tuple((steps, spread * share // SPREAD_SHARES) for steps, share in SPREAD_WAVES)
        self.step()

    def step(self) -> None:
        """Move the mid price to its current value."""
        now, name = self._price.step_now(), self._symbol.name
        distance = waves(f"{self._price.seed}/{name}", self._common, now)
        distance += waves(f"{self._price.own_seed}/{name}", self._own, now)
        self._position = self._start + self._start * distance // (BPS * THOUSAND)


def waves(seed: str, heights: Iterable[tuple[int, int]], step: int) -> int:
    """The sum of waves at a step; each is given by its length and height."""
    return sum(_wave(f"{seed}/{length}", length, height, step) for length, height in heights)


def _wave(seed: str, length: int, height: int, step: int) -> int:
    number, part = divmod(step, length)
    here, there = _draw(seed, number, height), _draw(seed, number + 1, height)
    return here + (there - here) * part // length


def _draw(seed: str, number: int, height: int) -> int:
    """An integer from -height to height, determined by the seed and the number."""
    digest = blake2b(f"{seed}/{number}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") % (2 * height + 1) - height
