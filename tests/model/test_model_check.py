"""The runner of the protocol model reads the verifier's output rightly. Needs no spin."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

RUNNER = Path(__file__).parents[2] / "docs" / "model" / "check.py"

HEAD = """
(Spin Version 6.5.2 -- 6 December 2019)

Full statespace search for:
	assertion violations	+
	invalid end states	+

"""
HOLDS = f"""{HEAD}State-vector 92 byte, depth reached 146, errors: 0
    11082 states, stored
    62940 states, matched
    74022 transitions (= stored+matched)

unreached in proctype Worker
	submit.pml:365, state 252, "-end-"
	(1 of 252 states)
unreached in claim ends
	_spin_nvr.tmp:8, state 10, "(1)"
	(1 of 13 states)

pan: elapsed time 0.06 seconds
"""
WRONG = (
    "(( !(((record.state==2)||(record.state==1)))||(accepted==0))"
    "&&((record.state!=3)||(accepted==1)))"
)
WITNESS = " !((((record.state==3)&&(record.attempt==0))&&workers[_pid].found))"


def violation(text: str) -> str:
    return (
        f"pan:1: assertion violated {text} (at depth 26)\npan: wrote submit.pml.trail\n{HEAD}"
        "Warning: Search not completed\n"
        "State-vector 92 byte, depth reached 26, errors: 1\n    59488 states, stored\n"
    )


@pytest.fixture(scope="module")
def runner() -> ModuleType:
    spec = importlib.util.spec_from_file_location("model_check", RUNNER)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("output", "outcome"),
    [
        (HOLDS, "HOLDS"),
        (violation("(accepted<=1)"), "DOUBLED"),
        (violation(WRONG), "DISAGREES"),
        (violation(WITNESS), "REACHED"),
        (violation("(workers[_pid].request<4)"), "BOUND"),
        (violation("(something==else)"), "UNFINISHED"),
        (f"pan:1: acceptance cycle (at depth 18)\n{HEAD}depth reached 33, errors: 1\n", "ENDLESS"),
        (f"pan:1: invalid end state (at depth 9)\n{HEAD}depth reached 9, errors: 1\n", "STUCK"),
        (f"error: max search depth too small\n{HOLDS}", "UNFINISHED"),
        (HOLDS.replace("Full", "Warning: Search not completed\nFull"), "UNFINISHED"),
        ("", "UNFINISHED"),
    ],
)
def test_each_output_of_the_verifier_has_one_outcome(
    runner: ModuleType, output: str, outcome: str
) -> None:
    assert runner.outcome_of(output) is runner.Outcome[outcome]


def test_states_are_read_in_full_and_in_short_notation(runner: ModuleType) -> None:
    assert runner.states_of(HOLDS) == 11082
    assert runner.states_of(" 1.2307374e+07 states, stored (3e+07 visited)") == 12307374
    assert runner.states_of("") == 0


def test_a_move_that_no_run_takes_is_named(runner: ModuleType) -> None:
    assert runner.unreached_of(HOLDS) == []
    missed = HOLDS.replace('"-end-"', '"accepted = (accepted+1)"')
    assert runner.unreached_of(missed) == ["submit.pml:365"]


def test_a_story_is_what_the_moves_say(runner: ModuleType) -> None:
    replay = (
        "worker 1: makes the record\n      exchange: answers NO, unheard\n"
        "spin: submit.pml:158, Error: assertion violated\n#processes: 4\n\t\taccepted = 1\n"
    )
    assert runner.story_of(replay) == "worker 1: makes the record\nexchange: answers NO, unheard"


def test_an_unfinished_search_never_meets_an_expectation(runner: ModuleType) -> None:
    expected = {check.finds for check in runner.CHECKS}
    assert not expected & {
        runner.Outcome.UNFINISHED,
        runner.Outcome.BOUND,
        runner.Outcome.STUCK,
        runner.Outcome.UNREACHED,
    }


def test_a_missing_tool_is_one_sentence_and_exit_2(
    runner: ModuleType,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert runner.main([]) == 2
    assert capsys.readouterr().err.count("\n") == 1
