"""The collector obeys a wait that a worker was asked for, and workers obey the collector's."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing, suppress

import pytest

from execution.api.books.line import StreamTimeouts
from execution.api.books.streams import BookStreams
from execution.exchanges.account import Account
from execution.exchanges.address_holds import AddressHolds, address_of
from execution.model.clock import SystemClock
from execution.model.errors import AddressHeld
from execution.store.memory.holds import MemoryAddressHolds
from tests.support.api.canned_server import CannedServer, Reply
from tests.support.api.exchange_kits import KITS
from tests.support.whole_stores import MemoryStore

BRISK = StreamTimeouts(
    quiet_ms=100, poll_ms=50, gap_ms=20, first_ms=500, grace_ms=50, pause_ms_max=100
)
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


@asynccontextmanager
async def _collecting(server: CannedServer, holds: AddressHolds) -> AsyncIterator[None]:
    account = Account("a", "binance", base_url=server.url, timeout_s=1)
    streams = BookStreams(account, ["BTC/USDT"], 5, SystemClock(), BRISK, holds=holds)
    task = asyncio.create_task(streams.run(lambda _: None))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def test_a_collector_sends_nothing_to_an_address_that_a_worker_was_asked_to_leave(
    server: CannedServer,
) -> None:
    worker, collector = _holds()
    worker.hold(address_of(server.url), 60, "HTTP 429")

    async def check() -> None:
        async with _collecting(server, collector):
            await asyncio.sleep(0.7)

    asyncio.run(check())
    assert server.requests == []


def test_what_the_collector_is_asked_holds_for_workers_and_for_its_own_streams(
    server: CannedServer,
) -> None:
    worker, collector = _holds()

    async def check() -> None:
        async with _collecting(server, collector):
            async with asyncio.timeout(20):
                while not server.sent("GET /api/v3/depth"):
                    await asyncio.sleep(0.02)
            # What was on its way when the answer came may still arrive.
            await asyncio.sleep(1)
            asked = len(server.requests)
            await asyncio.sleep(1)
            assert len(server.requests) == asked, "nothing follows, no stream either"

    asyncio.run(check())
    assert len(server.sent("GET /api/v3/depth")) == 1
    with pytest.raises(AddressHeld, match="HTTP 418"):
        worker.check(address_of(server.url), read_shared=True)
