"""One price for several exchanges that never talk: a function of a seed and the time.

A random walk would have to be followed from its beginning by everybody. Here the price of any
moment follows from the seed alone: it is a sum of waves of different lengths, each drawn straight
between points that a hash sets. The same sum with other lengths makes an exchange's own distance
from that price.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from hashlib import blake2b
from random import Random

from paper_exchange.engine.market.liquidity import BPS, THOUSAND, Walk
from paper_exchange.engine.symbols import Symbol

# The price of everybody changes this often, however often an exchange looks.
STEP_MS = 250
# Waves as (length in steps, height in bps). Four times the length goes with twice the height, as
# in a random walk. Together they stay within 63 bps of the start.
PRICE_WAVES = ((1, 1), (4, 2), (16, 4), (64, 8), (256, 16), (1024, 32))
# Waves of an exchange's distance, with the share of its greatest distance that each one has. One
# that leads comes back within seconds, so that crossings appear and disappear.
SPREAD_WAVES = ((4, 1), (16, 2), (64, 4))
SPREAD_SHARES = sum(share for _, share in SPREAD_WAVES)


@dataclass(frozen=True, slots=True)
class SharedPrice:
    """Which price an exchange follows, and how far from it.

    `seed` names the price, `own_seed` the exchange's distance from it, which stays within
    `spread_bps`. `step_now` counts the steps of the price since the epoch.
    """

    seed: str
    own_seed: str
    spread_bps: Decimal
    step_now: Callable[[], int]

    def walk(self, symbol: Symbol, rng: Random) -> Walk:
        """The walk of a symbol; random numbers lay out the ladders around it."""
        return SharedWalk(symbol, rng, self)


class SharedWalk(Walk):
    """A middle price that is where the shared price says at the time of each step."""

    def __init__(self, symbol: Symbol, rng: Random, price: SharedPrice) -> None:
        super().__init__(symbol, rng)
        self._price = price
        self._common = tuple((steps, height * THOUSAND) for steps, height in PRICE_WAVES)
        spread = int(price.spread_bps * THOUSAND)
        self._own = tuple((steps, spread * share // SPREAD_SHARES) for steps, share in SPREAD_WAVES)
        self.step()

    def step(self) -> None:
        """Move the middle price to where it belongs now."""
        now, name = self._price.step_now(), self._symbol.name
        distance = waves(f"{self._price.seed}/{name}", self._common, now)
        distance += waves(f"{self._price.own_seed}/{name}", self._own, now)
        self._position = self._start + self._start * distance // (BPS * THOUSAND)


def waves(seed: str, heights: Iterable[tuple[int, int]], step: int) -> int:
    """The sum of some waves at a step; each is given by its length and its height."""
    return sum(_wave(f"{seed}/{length}", length, height, step) for length, height in heights)


def _wave(seed: str, length: int, height: int, step: int) -> int:
    number, part = divmod(step, length)
    here, there = _draw(seed, number, height), _draw(seed, number + 1, height)
    return here + (there - here) * part // length


def _draw(seed: str, number: int, height: int) -> int:
    """A whole number from -height to height that follows from the seed and the number."""
    digest = blake2b(f"{seed}/{number}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") % (2 * height + 1) - height
