"""Whole stacks of real processes, one for each test module that asks for one."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.command_line import Oneorder
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


@pytest.fixture(scope="module")
def oneorder(stack: LocalStack) -> Oneorder:
    return Oneorder(stack)
