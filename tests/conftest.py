"""What every test folder may use: one embedded Valkey for the whole run."""

from collections.abc import Iterator

import pytest
from hypothesis import settings
from redis import Redis

from tests.support.depth import SOAK
from workers.sandbox.local_stack import LocalStack

# `--hypothesis-profile` chooses it before test modules are imported. See tests/support/depth.py;
# this is ten times as many for the properties that state no number.
settings.register_profile(SOAK, deadline=None, max_examples=1_000)


@pytest.fixture(scope="session")
def valkey_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real Valkey of this run's own, on a free port; each test that uses it flushes it first.

    It need not keep anything for longer than the run, so that it does not wait for its disk.
    """
    with LocalStack(tmp_path_factory.mktemp("valkey")) as stack:
        stack.start_redis()
        Redis.from_url(stack.redis_url).config_set("appendfsync", "no")
        yield stack.redis_url
