"""One signal, one order, in thousands of seeded histories of everything that can go wrong.

`python -m tests.simulation` plays as many more as one likes.
"""

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from execution.model.order import OrderState
from tests.support.exchange import Tally

from .baton import Crew
from .histories import History, first_failure, replay, shrunk, simulate
from .steps import PLACE, Fate, Job, Way

FIRST = 500
CHUNK = 250
LAST = 1_500
SOME = range(20)
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def histories(crew: Crew) -> list[History]:
    """Those that every run plays."""
    return [simulate(seed, crew) for seed in range(FIRST)]


def test_every_signal_makes_one_order_and_all_agree_on_it_in_the_end(
    histories: list[History], crew: Crew
) -> None:
    failed = next((each for each in histories if each.violation is not None), None)
    assert failed is None, shrunk(failed, crew).told()


@pytest.mark.soak
@pytest.mark.parametrize("first_seed", range(FIRST, LAST, CHUNK))
def test_in_further_histories_every_signal_makes_one_order_too(first_seed: int, crew: Crew) -> None:
    failed = first_failure(range(first_seed, first_seed + CHUNK), crew)
    assert failed is None, shrunk(failed, crew).told()


def test_the_histories_meet_everything_that_can_happen(histories: list[History]) -> None:
    met: Tally = Counter()
    for history in histories:
        met += history.tally
    expected = {
        *(("placements that went wrong", fate) for fate in Fate if fate is not Fate.FINE),
        *(("requests given up that moved on", way) for way in Way),
        *(("jobs", job) for job in Job),
        *(("pauses", call) for call in (PLACE, "lookup", "commit", "clock", "cancel", "epoch")),
        *(("crashes", call) for call in (PLACE, "lookup", "commit", "clock")),
        *(("store calls that went wrong", fate) for fate in (Fate.LOST, Fate.UNHEARD)),
        *(("questions that went wrong", fate) for fate in (Fate.LOST, Fate.THROTTLED)),
        *(("signals that ended", state) for state in ENDS),
        ("requests sent", "again"),
        ("signals published", "again"),
        ("doubles attempted", "stopped by the fence"),
        ("restarts of the store", "all intents kept"),
        ("restarts of the store", "newer intents lost"),
    }
    assert expected - set(met) == set()


ENDS = (
    OrderState.OPEN,
    OrderState.FILLED,
    OrderState.CANCELED,
    OrderState.EXPIRED,
    OrderState.REJECTED,
    OrderState.REFUSED,
)


def test_a_seed_always_makes_the_same_history(crew: Crew) -> None:
    others = Crew()
    assert [simulate(seed, crew) for seed in SOME] == [simulate(seed, others) for seed in SOME]
    others.close()


def test_a_history_is_its_steps_and_nothing_else(crew: Crew) -> None:
    for seed in SOME:
        drawn = simulate(seed, crew)
        played = replay(drawn.setting, drawn.steps, crew)
        assert (played.violation, played.tally) == (drawn.violation, drawn.tally)


def test_no_history_depends_on_the_process_that_it_is_played_in() -> None:
    assert _told_by_another_process(hash_seed="1") == _told_by_another_process(hash_seed="2")


def _told_by_another_process(hash_seed: str) -> str:
    run = subprocess.run(
        [sys.executable, "-m", "tests.simulation", "--histories", "12", "--show"],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        capture_output=True,
        text=True,
        timeout=60,
    )
    told, _, speed = run.stdout.partition("12 histories in ")
    assert speed, run.stderr
    return told
