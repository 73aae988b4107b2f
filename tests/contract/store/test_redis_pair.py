"""Two Valkeys that change places under load, and are killed between: no confirmed write is lost."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from redis import RedisError

from execution.store.access.connection import connect
from workers.sandbox.chaos.disorders.forwarder import Forwarder
from workers.sandbox.chaos.disorders.replication import RedisPair
from workers.sandbox.local_stack import LocalStack

CHANGES = 4


class Writer:
    """Adds one number after the other; `confirmed` are those that were answered."""

    def __init__(self, url: str) -> None:
        self.confirmed: list[int] = []
        self._client: Any = connect(url)
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._write, daemon=True)

    def __enter__(self) -> "Writer":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self._thread.join()

    def _write(self) -> None:
        number = 0
        while not self._is_over.wait(0.001):
            number += 1
            try:
                self._client.rpush("numbers", number)
            except RedisError:
                continue
            self.confirmed.append(number)


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[tuple[LocalStack, RedisPair]]:
    with Forwarder() as address, LocalStack(tmp_path, redis_url=address.url) as stack:
        yield stack, RedisPair(stack, address)


def test_no_confirmed_write_is_lost_by_failovers_and_kills(
    pair: tuple[LocalStack, RedisPair],
) -> None:
    stack, servers = pair
    with Writer(stack.redis_url) as writer:
        for number in range(CHANGES):
            master, replica = servers.names
            stack.wait_for("a failover", servers.fail_over, patience_s=30)
            assert servers.names == (replica, master)
            written = len(writer.confirmed)
            stack.wait_for("writes", lambda at=written: len(writer.confirmed) > at + 20)
            if number % 2:
                servers.restart_master(0.2)
    time.sleep(0.1)
    client: Any = connect(stack.redis_url)
    assert set(writer.confirmed) <= {int(number) for number in client.lrange("numbers", 0, -1)}
