"""How likely everything is. A number is a weight beside the others of its table."""

from random import Random
from typing import TypeVar

from execution.model.order import OrderState
from tests.support.exchange import Tells

from .steps import (
    ANY,
    CANCEL,
    CLOCK,
    COMMIT,
    LOOKUP,
    PLACE,
    Asked,
    Fate,
    Happening,
    Job,
    Publishing,
    Setting,
    Way,
)

T = TypeVar("T")
Weighted = dict[T, int]

SIGNALS: Weighted[int] = {1: 4, 2: 5, 3: 6, 4: 1}
WORKERS: Weighted[int] = {2: 3, 3: 1}
UNCERTAINTIES_MS: Weighted[int] = {0: 1, 20: 1, 400: 3}
SKEWS_MS: Weighted[int] = {0: 4, 500: 1, -500: 1}
EXPIRIES_MS: Weighted[int | None] = {None: 12, 3_000: 1, 25_000: 2}
LAGS_MS: Weighted[int] = {0: 2, 500: 1, 1_000: 4}
FUNDS: Weighted[bool] = {True: 3, False: 1}
ERRORS: Weighted[int] = {0: 1, -1: 1, 1: 3}
TICKS_MS: Weighted[int] = {
    1: 1, 300: 2, 1_000: 2, 1_100: 2, 2_500: 2, 5_001: 2, 16_100: 4, 20_000: 1,
}  # fmt: skip
WAYS: Weighted[Way] = {Way.MATCHED: 5, Way.ARRIVES: 3, Way.DROPPED: 1}
HAPPENINGS: Weighted[Happening] = {Happening.TRADES: 2, Happening.FILLS: 2, Happening.EXPIRES: 1}
PUBLISHINGS: Weighted[Publishing] = {
    Publishing.HEARD: 8, Publishing.UNHEARD: 1, Publishing.FAILED: 1,
}  # fmt: skip

# Where a job is stopped, by what it will most likely do.
UNSENT_HALTS: Weighted[str | None] = {None: 1, PLACE: 12, COMMIT: 3, LOOKUP: 1, CLOCK: 1, ANY: 3}
UNKNOWN_HALTS: Weighted[str | None] = {None: 3, PLACE: 8, COMMIT: 4, LOOKUP: 3, CLOCK: 1, ANY: 4}
SETTLED_HALTS: Weighted[str | None] = {None: 4, COMMIT: 3, ANY: 7}
OPEN_HALTS: Weighted[str | None] = {None: 2, COMMIT: 3, CANCEL: 8, ANY: 7}
HALTS = {
    OrderState.RECEIVED: UNSENT_HALTS,
    OrderState.SUBMITTING: UNKNOWN_HALTS,
    OrderState.OPEN: OPEN_HALTS,
}
SKIPS: Weighted[int] = {0: 6, 1: 2, 2: 2, 3: 1, 5: 1, 8: 1, 12: 1, 16: 1}

PLACING_JOBS = frozenset({Job.EXECUTE, Job.ADVANCE, Job.SWEEP})
# What a placement comes to when somebody hears it; what that is, depends on the exchange's mood.
HEARD = (Fate.FINE, Fate.FINE, Fate.REFUSED, Fate.THROTTLED)
# What it comes to when nobody does.
UNHEARD = (
    Fate.LOST, Fate.UNHEARD, Fate.DELAYED, Fate.QUEUED, Fate.CRASH_DELAYED, Fate.CRASH_QUEUED,
)  # fmt: skip

# Shares of one. A placement is where everything is decided, so it goes wrong most often.
PLACEMENTS_THAT_FAIL, CALLS_THAT_FAIL = 0.85, 0.2
# A process that dies where nothing was under way teaches little.
CRASHES_SPARED = 0.8
HISTORIES_WITH_RESTARTS = 0.5
SIGNALS_OPENED = 0.7
OPENINGS_PAST_THE_PLACEMENT = 0.6
MARKET_ORDERS = 0.5
IOC_ORDERS = 0.2
CANCELS = 0.5
INTENTS_KEPT = 0.7


def pick(dice: Random, weighted: Weighted[T]) -> T:
    return dice.choices(tuple(weighted), tuple(weighted.values()))[0]


def draw_setting(dice: Random) -> Setting:
    return Setting(
        signals=tuple(_draw_asked(dice) for _ in range(pick(dice, SIGNALS))),
        workers=pick(dice, WORKERS),
        offset_ms=dice.choice((0, -3_000, 3_000)),
        drift_ppm=dice.choice((0, -200, 200)),
        uncertainty_ms=pick(dice, UNCERTAINTIES_MS),
        skew_ms=pick(dice, SKEWS_MS),
        tells=dice.choice(tuple(Tells)),
        attempts_max=dice.choice((20, 20, 2)),
    )


def _draw_asked(dice: Random) -> Asked:
    market = dice.random() < MARKET_ORDERS
    return Asked(
        side=dice.choice(("buy", "sell")),
        market=market,
        ioc=not market and dice.random() < IOC_ORDERS,
        at_once=dice.choice((0, 4, 10)),
        expires_after_ms=pick(dice, EXPIRIES_MS),
    )
