"""Whole stacks of real processes, one for each test module that asks for one."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from workers.sandbox.local_stack import LocalStack

E2E = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything here is end to end."""
    for item in items:
        if E2E in item.path.parents:
            item.add_marker(pytest.mark.e2e)


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    """Valkey, a paper exchange, two workers and beat."""
    with LocalStack(tmp_path_factory.mktemp("stack"), {"reconcile_every_s": 1}) as running:
        running.start_redis()
        running.start_paper("--seed", "11", "--weight-per-minute", "0")
        names = ("worker-1", "worker-2")
        for name in names:
            running.start_worker(name)
        running.start_beat()
        for name in names:
            running.wait_for_worker(name)
        yield running


class Oneorder:
    """The command line, as a user at a terminal has it."""

    def __init__(self, stack: LocalStack, environment: dict[str, str] | None = None) -> None:
        self._stack = stack
        self._environment = environment or stack.environment

    def run(self, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "workers.cli", *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            env=self._environment,
            cwd=self._stack.directory,
            timeout=120,
            check=False,
        )

    def json(self, *arguments: str, stdin: str = "") -> Any:
        done = self.run(*arguments, "--json", stdin=stdin)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def submit(self, *signals: dict[str, Any]) -> list[dict[str, Any]]:
        """Submit signals as JSON lines; return what was printed for each."""
        lines = "\n".join(json.dumps(signal) for signal in signals)
        done = self.run("submit", "-", "--json", stdin=lines)
        return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.fixture(scope="module")
def oneorder(stack: LocalStack) -> Oneorder:
    return Oneorder(stack)
