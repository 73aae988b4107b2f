"""What a worker's watchdog is told of its broker, on a real server."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from kombu.exceptions import OperationalError
from redis import Redis

from workers.configuration.settings import Settings
from workers.liveness.watchdog import backlog_of
from workers.messaging.celery_app import make_app


@pytest.fixture
def client(valkey_url: str) -> Iterator[Any]:
    client: Any = Redis.from_url(valkey_url)
    client.flushall()
    yield client
    client.config_set("maxmemory", "0")
    client.replicaof("NO", "ONE")


def full(client: Any) -> None:
    client.config_set("maxmemory", "1")


def read_only(client: Any) -> None:
    client.replicaof("127.0.0.1", 1)


def test_the_backlog_is_what_waits_in_all_queues(client: Any, valkey_url: str) -> None:
    app = make_app(Settings(redis_url=valkey_url))
    assert backlog_of(app) == 0
    client.lpush("orders", "a", "b")
    client.lpush("upkeep", "c")
    assert backlog_of(app) == 3


@pytest.mark.parametrize("refuse", [full, read_only])
def test_a_broker_that_takes_no_writes_counts_as_away(
    client: Any, valkey_url: str, refuse: Callable[[Any], None]
) -> None:
    app = make_app(Settings(redis_url=valkey_url))
    client.lpush("orders", "a")
    refuse(client)
    with pytest.raises(OperationalError):
        backlog_of(app)
