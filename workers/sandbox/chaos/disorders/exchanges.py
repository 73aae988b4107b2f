"""Disturbances of an exchange beyond single requests: it is a black hole, its clock is set, its
engine is late."""

import math
import random
import time
from collections import Counter
from collections.abc import Callable, Sequence

from workers.sandbox.chaos.disorders.faults import Controls, Draw, Fault, Routes
from workers.sandbox.chaos.disorders.forwarder import Forwarder

STEP_MS = 10_000
# The longest delay is a second below the bound in Binance's documentation.
LATE_MS = (300, 2_000, 5_000, 9_000)
# Earlier faults last until the next draw; add requests in flight, and the engine's delay.
QUIET_BEFORE_S = 3 + 3 + LATE_MS[-1] / 1_000
QUIET_AFTER_S = 5.0
QUIET_LAG_MS = 300


class BlackHole:
    """Makes the exchange behind `forwarder` a black hole half of the time, in phases.

    `placed` counts the orders that the first exchange has accepted so far: its numbers in both
    kinds of phase show whether the second exchange slows it down.
    """

    def __init__(
        self,
        forwarder: Forwarder,
        placed: Callable[[], int],
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self.counts: Counter[str] = Counter()
        # Seconds, and orders at the first exchange, by whether the second one is a black hole.
        self.seconds = {True: 0.0, False: 0.0}
        self.orders = {True: 0, False: 0}
        self._forwarder = forwarder
        self._placed = placed
        self._now_s = now_s
        self._since = now_s()
        self._placed_since = placed()

    def change(self) -> None:
        """Switch the phase."""
        self._count()
        if self._forwarder.is_black_hole:
            self._forwarder.let_through()
        else:
            self._forwarder.become_black_hole()
            self.counts["second exchange froze"] += 1

    def end(self) -> None:
        self._count()
        self._forwarder.let_through()

    def _count(self) -> None:
        now, placed = self._now_s(), self._placed()
        was_frozen = self._forwarder.is_black_hole
        self.seconds[was_frozen] += now - self._since
        self.orders[was_frozen] += placed - self._placed_since
        self._since, self._placed_since = now, placed


class ExchangeClocks:
    """Sets the clock of one exchange ahead permanently, and draws the faults of all of them.

    If an exchange's clock jumps by as much as its engine may be late, its clock proves nothing:
    that is outside of the guarantees. So for some time before and after a step no engine is late,
    no other clock jumps, and reads lag little.
    """

    def __init__(
        self,
        stack: Controls,
        dice: random.Random,
        draw: Draw,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self.counts: Counter[str] = Counter()
        self._stack = stack
        self._dice = dice
        self._draw = draw
        self._now_s = now_s
        self._quiet_until = 0.0
        self._step_at = math.inf

    def announce(self) -> None:
        """Reduce the faults of the exchanges, and schedule the step."""
        self._step_at = self._now_s() + QUIET_BEFORE_S
        self._quiet_until = self._step_at + QUIET_AFTER_S

    def step_when_due(self) -> None:
        if self._now_s() < self._step_at:
            return
        self._step_at = math.inf
        account = self._dice.choice(list(self._stack.dialects))
        self._stack.paper("POST", "/paper/clock", {"step_ms": STEP_MS}, account=account)
        self.counts["clock steps"] += 1

    def draw(self, dice: random.Random, routes: Routes) -> Sequence[Fault]:
        """The faults of an exchange from now on."""
        drawn = [*self._draw(dice, routes), *draw_late_engine(dice, routes)]
        if self._now_s() > self._quiet_until:
            return drawn
        calm = [fault for fault in drawn if fault["kind"] not in ("late_engine", "clock_skew")]
        return [
            {**fault, "ms": QUIET_LAG_MS} if fault["kind"] == "read_lag" else fault
            for fault in calm
        ]


def draw_late_engine(dice: random.Random, routes: Routes) -> Sequence[Fault]:
    """The engine is late with some placements and cancels; the response is a timeout, or cut."""
    return [
        {
            "kind": "late_engine",
            "route": route,
            "probability": "0.1",
            "ms": dice.choice(LATE_MS),
            "answer": dice.choice(("timeout", "cut")),
        }
        for route in (routes.order, routes.cancel)
    ]
