"""What the simulation's tests share."""

from collections.abc import Iterator

import pytest
from structlog.testing import capture_logs

from .baton import Crew


@pytest.fixture(scope="session")
def crew() -> Iterator[Crew]:
    """Threads for all histories of this run."""
    crew = Crew()
    yield crew
    crew.close()


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Thousands of histories would log thousands of refusals."""
    with capture_logs():
        yield
