"""Each safeguard is needed: without it, the same simulation goes wrong within bounded histories."""

import pytest

from .baton import Crew
from .histories import shrunk
from .removals import REMOVALS, Removal, miss

# Those that are missed soon are tried in every run, the others in `make soak`.
SOON = 200
EACH = [
    pytest.param(each, id=each.name, marks=[] if each.within <= SOON else [pytest.mark.soak])
    for each in REMOVALS
]


@pytest.mark.parametrize("removal", EACH)
def test_a_safeguard_that_is_taken_out_is_missed(removal: Removal, crew: Crew) -> None:
    assert miss(removal, crew) is not None, f"nothing went wrong in {removal.within} histories"


def test_a_history_that_fails_is_cut_down_to_the_steps_that_matter(crew: Crew) -> None:
    removal = next(removal for removal in REMOVALS if removal.name == "silence means no")
    missed = miss(removal, crew)
    assert missed is not None
    short = shrunk(missed.history, crew, removal.parts)
    assert short.violation is not None
    assert len(short.steps) <= 8, short.told()
