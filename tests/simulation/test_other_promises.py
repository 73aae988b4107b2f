"""Exchanges that promise something else than Binance: ids that work once, no fence, or nothing.

Where an outcome cannot be found out, the order is quarantined; it is still never doubled, and never
called refused, withdrawn or rejected while something of it may stand.
"""

from dataclasses import replace

import pytest

from execution.exchanges.guarantees import ExchangeGuarantees, Uniqueness
from execution.exchanges.profiles import binance

from .baton import Crew
from .histories import first_failure, replay, shrunk
from .steps import (
    COMMIT,
    PLACE,
    Asked,
    Fate,
    Go,
    Halt,
    Job,
    Mood,
    Move,
    Publish,
    Restart,
    Setting,
    Start,
    Step,
    Tick,
    Way,
)
from .worker import Parts

CHUNK = 50
# The first histories are played in every run, the others in `make soak`.
FIRST_SEEDS = [
    pytest.param(seed, marks=[pytest.mark.soak] if seed else []) for seed in range(0, 200, CHUNK)
]
FENCE_AND_IDS = replace(binance.GUARANTEES, uniqueness=Uniqueness.ALL_ORDERS)
IDS_ALONE = replace(FENCE_AND_IDS, window_max_ms=0, engine_bound_ms=0)
NOTHING = replace(IDS_ALONE, uniqueness=Uniqueness.NONE)
FORGETFUL = replace(binance.GUARANTEES, ended_kept_ms=90_000)
FORGETFUL_IDS = replace(IDS_ALONE, ended_kept_ms=30_000)
PROMISES = {
    "a fence and ids that work once": FENCE_AND_IDS,
    "ids that work once": IDS_ALONE,
    "nothing": NOTHING,
    "a fence, and to keep what has ended for a while": FORGETFUL,
    "ids that work once, as long as their orders are kept": FORGETFUL_IDS,
}
ONE_LIMIT_ORDER, ONE_MARKET_ORDER = Setting(), Setting(signals=(Asked(market=True),))
ONE_EXECUTES_UP_TO_ITS_REQUEST = Start(0, Job.EXECUTE, halt=Halt(PLACE))
NO_FUNDS = Mood(funds=False)

FOUND: dict[str, tuple[ExchangeGuarantees, Setting, tuple[Step, ...]]] = {
    "an order whose forgotten request may arrive is not withdrawn": (
        FENCE_AND_IDS,
        ONE_LIMIT_ORDER,
        (
            Publish(0),
            ONE_EXECUTES_UP_TO_ITS_REQUEST,
            Go(0, Fate.CRASH_DELAYED),
            Restart(),
            Tick(1_000),
            Start(1, Job.DRAIN),
            Start(1, Job.CANCEL),
            Move(0, Way.MATCHED),
        ),
    ),
    "a rejection is not the end while a forgotten request may arrive": (
        FENCE_AND_IDS,
        ONE_LIMIT_ORDER,
        (
            Publish(0),
            ONE_EXECUTES_UP_TO_ITS_REQUEST,
            NO_FUNDS,
            Restart(),
            Start(1, Job.EXECUTE),
        ),
    ),
    "a rejection is not the end while an earlier request may arrive": (
        IDS_ALONE,
        ONE_LIMIT_ORDER,
        (NO_FUNDS, Publish(0), ONE_EXECUTES_UP_TO_ITS_REQUEST, Start(1, Job.ADVANCE)),
    ),
    "an order that a restart may have forgotten is not sent where nothing can be proven": (
        NOTHING,
        ONE_MARKET_ORDER,
        (
            Publish(0),
            ONE_EXECUTES_UP_TO_ITS_REQUEST,
            Restart(),
            Tick(17_000),
            Start(1, Job.EXECUTE),
        ),
    ),
    "an order that was found meanwhile is not quarantined, and nobody breaks off over it": (
        NOTHING,
        ONE_LIMIT_ORDER,
        (
            Publish(0),
            ONE_EXECUTES_UP_TO_ITS_REQUEST,
            Tick(17_000),
            Start(1, Job.ADVANCE, halt=Halt(COMMIT)),
            Go(0),
        ),
    ),
}


@pytest.mark.parametrize("first_seed", FIRST_SEEDS)
@pytest.mark.parametrize("promise", PROMISES)
def test_nothing_goes_wrong_where_less_is_promised(
    promise: str, first_seed: int, crew: Crew
) -> None:
    parts = _at(PROMISES[promise])
    failed = first_failure(range(first_seed, first_seed + CHUNK), crew, parts)
    assert failed is None, shrunk(failed, crew, parts).told()


@pytest.mark.parametrize("name", FOUND)
def test_what_once_went_wrong_there_does_not_go_wrong_again(name: str, crew: Crew) -> None:
    guarantees, setting, steps = FOUND[name]
    history = replay(setting, steps, crew, _at(guarantees))
    assert history.violation is None, f"{name}\n{history.told()}"


def _at(guarantees: ExchangeGuarantees) -> Parts:
    return Parts(guarantees=guarantees, true_contract=guarantees)
