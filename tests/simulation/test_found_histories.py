"""Histories in which something once went wrong, cut down to what matters; none must again."""

import pytest

from .baton import Crew
from .histories import replay
from .steps import (
    ANY,
    LOOKUP,
    PLACE,
    POSITION,
    Asked,
    Fate,
    Go,
    Halt,
    Happen,
    Happening,
    Job,
    Mood,
    Publish,
    Restart,
    Save,
    Setting,
    Start,
    Step,
    Tick,
)

ONE_MARKET_ORDER = Setting(signals=(Asked(market=True),))
PAST_ITS_FENCE = Tick(17_000)
NO_FUNDS, FUNDS = Mood(funds=False), Mood()
ONE_EXECUTES_UP_TO_ITS_REQUEST = Start(0, Job.EXECUTE, halt=Halt(PLACE))
IT_HEARS_THE_ANSWER_AND_STOPS = Go(0, halt=Halt(ANY))
IT_GOES_ON = Go(0)

FOUND: dict[str, tuple[Setting, tuple[Step, ...]]] = {
    "a forgotten order is not refused because its signal has expired meanwhile": (
        Setting(signals=(Asked(expires_after_ms=3_000),)),
        (Publish(0), Start(0, Job.EXECUTE), Restart()),
    ),
    "a forgotten order is not withdrawn because its cancel came meanwhile": (
        Setting(),
        (Publish(0), Start(0, Job.EXECUTE), Restart(), Publish(0, cancel=True)),
    ),
    "a rejection from before a restart is not about the attempt begun after it": (
        Setting(),
        (
            Publish(0),
            ONE_EXECUTES_UP_TO_ITS_REQUEST,
            NO_FUNDS,
            IT_HEARS_THE_ANSWER_AND_STOPS,
            FUNDS,
            Restart(),
            PAST_ITS_FENCE,
            Start(1, Job.EXECUTE, halt=Halt(PLACE)),
            IT_GOES_ON,
        ),
    ),
    "a death from before a restart is not about the attempt begun after it": (
        ONE_MARKET_ORDER,
        (
            Publish(0),
            ONE_EXECUTES_UP_TO_ITS_REQUEST,
            Restart(),
            PAST_ITS_FENCE,
            Start(1, Job.EXECUTE, halt=Halt(PLACE)),
            Go(1, Fate.CRASH_DELAYED),
            IT_GOES_ON,
            Start(1, Job.ADVANCE),
        ),
    ),
    "a rejection of the first attempt does not end an order that lost its record and stands": (
        ONE_MARKET_ORDER,
        (
            Publish(0),
            ONE_EXECUTES_UP_TO_ITS_REQUEST,
            NO_FUNDS,
            IT_HEARS_THE_ANSWER_AND_STOPS,
            FUNDS,
            PAST_ITS_FENCE,
            Start(1, Job.ADVANCE),
            Restart(),
            IT_GOES_ON,
        ),
    ),
    "a rejection of the first attempt does not end an order whose second was forgotten": (
        ONE_MARKET_ORDER,
        (
            Publish(0),
            ONE_EXECUTES_UP_TO_ITS_REQUEST,
            Save(),
            NO_FUNDS,
            IT_HEARS_THE_ANSWER_AND_STOPS,
            FUNDS,
            PAST_ITS_FENCE,
            Start(1, Job.ADVANCE),
            Restart(),
            IT_GOES_ON,
        ),
    ),
    "a position that was read before a restart is not written over the one after it": (
        Setting(signals=(Asked(), Asked(market=True), Asked(market=True, side="sell"))),
        (
            Publish(0),
            Start(0, Job.EXECUTE),
            Save(),
            Publish(1),
            Start(0, Job.EXECUTE, signal=1),
            Happen(0, Happening.FILLS),
            Start(1, Job.RECONCILE, halt=Halt(POSITION)),
            Go(1, halt=Halt(ANY)),
            Restart(),
            PAST_ITS_FENCE,
            Publish(2),
            Start(0, Job.EXECUTE, signal=2),
            Go(1),
        ),
    ),
    "fills are counted once when a record of the same version is another one after a restart": (
        ONE_MARKET_ORDER,
        (
            Publish(0),
            ONE_EXECUTES_UP_TO_ITS_REQUEST,
            Start(1, Job.EXECUTE, halt=Halt(LOOKUP)),
            Restart(),
            IT_GOES_ON,
            Go(1),
        ),
    ),
}


@pytest.mark.parametrize("name", FOUND)
def test_what_once_went_wrong_does_not_go_wrong_again(name: str, crew: Crew) -> None:
    history = replay(*FOUND[name], crew)
    assert history.violation is None, f"{name}\n{history.told()}"
