"""Spreads that open in one direction, close, and open in the other: a function of a seed and the
time."""

import random
import time
from decimal import Decimal

from workers.sandbox.chaos.books import SOL, XRP, Listed, open_spread
from workers.sandbox.local_stack import LocalStack

# The account with the higher prices most of the time: the second one (1) or the first (-1). Single
# orders use other symbols, so that the ledgers show the changes of the arbitrages alone.
DIRECTIONS = {SOL: Decimal(1), XRP: Decimal(-1)}
SYMBOLS = tuple(DIRECTIONS)
PHASE_S = 12.0
# Spreads in that direction. With fees of twice 10 bps, the last one is not profitable. An arbitrage
# that waited for a phase or more is mostly still profitable.
SPREADS_BPS = tuple(Decimal(bps) for bps in (90, 70, 50, 90, 70, 50, -70, 10))
LEVELS = 6
# In lots: most signals are for more than the best price offers.
DEPTHS = tuple(Decimal(lots) for lots in ("0.25", "0.5", "1", "2"))


class Spreads:
    """Moves the books of two exchanges from its creation on."""

    def __init__(self, stack: LocalStack, seed: int) -> None:
        self._stack = stack
        self._seed = seed
        self._dice = random.Random(f"books {seed}")  # noqa: S311  # Nothing secret is drawn.
        self._began = time.monotonic()

    def move(self) -> None:
        """Set every book to its current state, with new random depths and a small offset."""
        phase = int((time.monotonic() - self._began) / PHASE_S)
        for listed in SYMBOLS:
            jitter_bps = Decimal(self._dice.randint(-8, 8))
            depths = [listed.lot * self._dice.choice(DEPTHS) for _ in range(LEVELS)]
            spread_bps = spread_bps_of(self._seed, listed, phase)
            open_spread(self._stack, listed, spread_bps + jitter_bps, depths)

    def close(self) -> None:
        """Set equal prices at both exchanges, with depth for everything that is left."""
        for listed in SYMBOLS:
            open_spread(self._stack, listed, Decimal(0), [listed.lot * 100] * LEVELS)


def spread_bps_of(seed: int, listed: Listed, phase: int) -> Decimal:
    """How far the second exchange's prices are above the first one's in that phase."""
    dice = random.Random(f"{seed} {listed.symbol} {phase}")  # noqa: S311
    return DIRECTIONS[listed] * dice.choice(SPREADS_BPS)
