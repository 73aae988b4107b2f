"""The same world, with hypothesis as the one who plays, and who cuts down what fails."""

import sys

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.support.depth import examples
from tests.support.exchange import Tells

from .baton import Crew
from .ending import see_to_the_end
from .removals import KnowsNobody
from .steps import (
    ANY,
    CANCEL,
    CLOCK,
    COMMIT,
    LOOKUP,
    PLACE,
    Asked,
    Fate,
    Go,
    Halt,
    Happen,
    Happening,
    Job,
    Mood,
    Move,
    Publish,
    Publishing,
    Restart,
    Save,
    Setting,
    Start,
    Tick,
    Way,
)
from .watch import Violation
from .worker import WHOLE, Parts
from .world import World

CREW = Crew()
WORKERS = st.integers(0, 1)
SIGNALS = st.integers(0, 1)
HALTS = st.builds(
    Halt,
    at=st.sampled_from([None, PLACE, COMMIT, LOOKUP, ANY, CLOCK, CANCEL]),
    skip=st.sampled_from([0, 0, 0, 1, 2, 4, 8]),
)
ASKED = st.builds(
    Asked,
    side=st.sampled_from(["buy", "sell"]),
    market=st.booleans(),
    at_once=st.sampled_from([0, 4, 10]),
    expires_after_ms=st.sampled_from([None, None, 3_000, 12_000]),
)
SETTINGS = st.builds(
    Setting,
    signals=st.lists(ASKED, min_size=1, max_size=2).map(tuple),
    offset_ms=st.sampled_from([0, -3_000, 3_000]),
    uncertainty_ms=st.sampled_from([0, 20, 400]),
    tells=st.sampled_from(Tells),
    attempts_max=st.sampled_from([20, 2]),
)


class Play(RuleBasedStateMachine):
    """Every rule is one step of a history; see steps.py."""

    parts = WHOLE

    @initialize(setting=SETTINGS)
    def begin(self, setting: Setting) -> None:
        self.world = World(setting, CREW, self.parts)

    @rule(signal=SIGNALS, how=st.sampled_from(Publishing), cancel=st.booleans())
    def publish(self, signal: int, how: Publishing, cancel: bool) -> None:
        self.world.apply(Publish(signal, how, cancel))

    @precondition(lambda self: bool(self.world.producer.attempted))
    @rule(worker=WORKERS, job=st.sampled_from(Job), signal=SIGNALS, copy=WORKERS, halt=HALTS)
    def start(self, worker: int, job: Job, signal: int, copy: int, halt: Halt) -> None:
        self.world.apply(Start(worker, job, signal, copy, halt))

    @precondition(lambda self: any(worker.is_busy for worker in self.world.workers))
    @rule(worker=WORKERS, fate=st.sampled_from(Fate), halt=HALTS)
    def go(self, worker: int, fate: Fate, halt: Halt) -> None:
        self.world.apply(Go(worker, fate, halt))

    @rule(ms=st.sampled_from([1, 400, 1_000, 3_000, 5_001, 6_400, 7_100, 20_000]))
    def tick(self, ms: int) -> None:
        self.world.apply(Tick(ms))

    @precondition(lambda self: bool(self.world.exchange.under_way))
    @rule(request=st.integers(0, 2), way=st.sampled_from(Way))
    def move(self, request: int, way: Way) -> None:
        self.world.apply(Move(request, way))

    @precondition(lambda self: bool(self.world.exchange.standing))
    @rule(order=SIGNALS, what=st.sampled_from(Happening))
    def happen(self, order: int, what: Happening) -> None:
        self.world.apply(Happen(order, what))

    @rule(lag_ms=st.sampled_from([0, 1_000]), funds=st.booleans(), error=st.integers(-1, 1))
    def mood(self, lag_ms: int, funds: bool, error: int) -> None:
        self.world.apply(Mood(lag_ms, funds, error))

    @rule()
    def save(self) -> None:
        self.world.apply(Save())

    @rule(keeps_intents=st.booleans())
    def restart(self, keeps_intents: bool) -> None:
        self.world.apply(Restart(keeps_intents))

    @invariant()
    def nothing_is_wrong(self) -> None:
        self.world.watch.step()

    def teardown(self) -> None:
        # A run that ends by an exception, hypothesis' own among them, has no end to be judged.
        if sys.exception() is None:
            see_to_the_end(self.world)
        self.world.close()


Play.TestCase.settings = settings(max_examples=examples(150), stateful_step_count=25, deadline=None)
TestPlay = Play.TestCase


class PlayWithoutDedupe(Play):
    parts = Parts(manager=KnowsNobody)


def test_hypothesis_finds_what_goes_wrong_without_a_safeguard() -> None:
    found = settings(
        max_examples=50, derandomize=True, database=None, deadline=None, phases=(Phase.generate,)
    )
    with pytest.raises(Violation):
        run_state_machine_as_test(PlayWithoutDedupe, settings=found)
