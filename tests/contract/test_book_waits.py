"""The collector obeys a wait that a worker was asked for, and workers obey the collector's."""

import asyncio
from collections.abc import Iterator
from contextlib import closing, suppress

import pytest
from canned_server import CannedServer, Reply
from exchange_kits import KITS

from execution.accounts import Account
from execution.address_holds import AddressHeld, AddressHolds, address_of
from execution.api.book_line import Pace
from execution.api.book_streams import BookStreams
from execution.clock import SystemClock
from execution.store.memory_holds import MemoryAddressHolds
from execution.store.memory_store import MemoryStore

BRISK = Pace(quiet_ms=100, poll_ms=50, gap_ms=20, first_ms=500, grace_ms=50, pause_ms_max=100)
BAN = Reply({"code": -1003, "msg": "banned"}, 418, {"Retry-After": "60"})


@pytest.fixture
def server() -> Iterator[CannedServer]:
    server = CannedServer()
    with closing(server):
        server.reset({**KITS["binance"].at_start(), "GET /api/v3/depth": BAN})
        yield server


def _holds() -> tuple[AddressHolds, AddressHolds]:
    """Those of two processes."""
    clock = SystemClock()
    shared = MemoryAddressHolds(MemoryStore(clock), clock)
    return AddressHolds(shared, clock), AddressHolds(shared, clock)


async def _collect(server: CannedServer, holds: AddressHolds, seconds: float) -> None:
    account = Account("a", "binance", base_url=server.url, timeout_s=1)
    streams = BookStreams(account, ["BTC/USDT"], 5, SystemClock(), BRISK, holds=holds)
    task = asyncio.create_task(streams.run(lambda _: None))
    await asyncio.sleep(seconds)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


def test_a_collector_sends_nothing_to_an_address_that_a_worker_was_asked_to_leave(
    server: CannedServer,
) -> None:
    worker, collector = _holds()
    worker.hold(address_of(server.url), 60, "HTTP 429")
    asyncio.run(_collect(server, collector, 0.7))
    assert server.requests == []


def test_what_the_collector_is_asked_holds_for_workers_and_for_its_own_streams(
    server: CannedServer,
) -> None:
    worker, collector = _holds()
    asyncio.run(_collect(server, collector, 2.0))
    asked = [request.route for request in server.requests]
    assert asked.count("GET /api/v3/depth") == 1
    assert asked[-1] == "GET /api/v3/depth", "nothing follows, no stream either"
    with pytest.raises(AddressHeld, match="HTTP 418"):
        worker.check(address_of(server.url), look=True)
