"""Spreads that open one way, close, and open the other way: a function of a seed and the time."""

import random
import time
from decimal import Decimal
from typing import Any

from oneorder import ArbitrageSignal
from workers.sandbox.chaos.books import BTC, ETH, Listed, open_spread
from workers.sandbox.local_stack import LocalStack

SYMBOLS = (BTC, ETH)
# Longer than what a restart of the store makes arbitrages wait.
PHASE_S = 12.0
# With fees of twice 10 bps, the last one does not pay.
SPREADS_BPS = tuple(Decimal(bps) for bps in (90, 70, 50, -90, -70, -50, 10))
LEVELS = 6
# In lots: most signals want more than the best price has.
DEPTHS = tuple(Decimal(lots) for lots in ("0.25", "0.5", "1", "2"))
AMOUNTS = tuple(Decimal(lots) for lots in ("0.5", "1", "1.5", "2"))
# So many of all signals ask for the way that pays when they are published.
PAYING_SHARE = 0.95


class Spreads:
    """Moves the books of two exchanges, from its making on."""

    def __init__(self, stack: LocalStack, seed: int) -> None:
        self._stack = stack
        self._seed = seed
        self._dice = random.Random(f"books {seed}")  # noqa: S311  # Nothing secret is drawn.
        self._began = time.monotonic()

    def move(self) -> None:
        """Set every book as it is to be now, with new depths and a little off."""
        phase = int((time.monotonic() - self._began) / PHASE_S)
        for listed in SYMBOLS:
            jitter_bps = Decimal(self._dice.randint(-8, 8))
            depths = [listed.lot * self._dice.choice(DEPTHS) for _ in range(LEVELS)]
            spread_bps = spread_bps_of(self._seed, listed, phase)
            open_spread(self._stack, listed, spread_bps + jitter_bps, depths)

    def close(self) -> None:
        """Let both exchanges ask and bid the same, with depth for everything that is left."""
        for listed in SYMBOLS:
            open_spread(self._stack, listed, Decimal(0), [listed.lot * 100] * LEVELS)


def spread_bps_of(seed: int, listed: Listed, phase: int) -> Decimal:
    """How far the second exchange's prices lie above the first one's in that phase."""
    dice = random.Random(f"{seed} {listed.symbol} {phase}")  # noqa: S311
    return dice.choice(SPREADS_BPS)


def draw_arbitrages(
    count: int, seed: int, seconds: float, accounts: tuple[str, str]
) -> list[ArbitrageSignal]:
    """Signals to be published evenly over `seconds`; most of them pay at that time."""
    dice = random.Random(seed)  # noqa: S311
    return [
        _draw(number, dice, seed, int(seconds * number / count / PHASE_S), accounts)
        for number in range(count)
    ]


def _draw(
    number: int, dice: random.Random, seed: int, phase: int, accounts: tuple[str, str]
) -> ArbitrageSignal:
    listed = dice.choice(SYMBOLS)
    upward = spread_bps_of(seed, listed, phase) > 0
    if dice.random() > PAYING_SHARE:
        upward = not upward
    buy, sell = accounts if upward else reversed(accounts)
    fields: dict[str, Any] = {
        "signal_id": f"chaos-{number}",
        "buy_account": buy,
        "sell_account": sell,
        "symbol": listed.symbol,
        "amount": listed.lot * dice.choice(AMOUNTS),
    }
    return ArbitrageSignal.model_validate(fields)
