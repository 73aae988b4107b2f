"""Paper exchanges for tests: one that most share, and a factory for special ones."""

import pytest

from tests.support.paper.paper_client import Paper


@pytest.fixture(scope="session")
def shared_paper():
    """A still exchange without limits, one for all tests that need nothing special."""
    paper = Paper("--walk-interval-ms", "0", "--weight-per-minute", "0")
    yield paper
    errors = paper.stop()
    assert "Traceback" not in errors, errors


@pytest.fixture
def paper(shared_paper):
    """The shared exchange, with a book to reckon with, no faults and no open orders."""
    shared_paper.clear_faults()
    shared_paper.own_book()
    yield shared_paper
    shared_paper.clear_faults()
    shared_paper.cancel_all()


@pytest.fixture
def start_paper():
    """Starts exchanges with options of their own, and stops them after the test."""
    running = []

    def start(*options, **more):
        paper = Paper(*options, **more)
        running.append(paper)
        return paper

    yield start
    for paper in running:
        errors = paper.stop()
        assert "Traceback" not in errors, errors
