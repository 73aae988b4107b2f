"""Environments as users have them: new, without the lock and without the tools of this checkout."""

import os
import sys
from pathlib import Path

import pytest

from tests.release.release_kit import Shell, pythons

SUMMARY = pytest.StashKey[list[str]]()


@pytest.fixture(scope="session")
def environment() -> dict[str, str]:
    """A user's variables, with nothing of ours."""
    ours = str(Path(sys.executable).parent)
    path = [part for part in os.environ["PATH"].split(os.pathsep) if part != ours]
    kept = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith(("ONEORDER_", "PYTHON", "VIRTUAL_ENV", "PYTEST", "MAKE"))
    }
    return {**kept, "PATH": os.pathsep.join(path), "PIP_DISABLE_PIP_VERSION_CHECK": "1"}


@pytest.fixture(scope="module", params=pythons().items(), ids=lambda item: item[0])
def python(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    environment: dict[str, str],
) -> Path:
    """The interpreter of a new virtual environment, once for each Python at hand."""
    _, interpreter = request.param
    folder = tmp_path_factory.mktemp("environment")
    Shell(folder, environment).run(interpreter, "-m", "venv", "venv")
    return folder / "venv/bin/python"


@pytest.fixture
def shell(tmp_path: Path, environment: dict[str, str]) -> Shell:
    """A shell in an empty folder, away from this checkout."""
    return Shell(tmp_path, environment)


@pytest.fixture
def summary(pytestconfig: pytest.Config) -> list[str]:
    """Lines to print once all tests have run."""
    return pytestconfig.stash.setdefault(SUMMARY, [])


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Print the measurements, which are shown and not judged."""
    for line in config.stash.get(SUMMARY, []):
        terminalreporter.write_line(line)
