"""Order books of the exchanges besides Binance, where no stream can be had and no key is needed."""

import asyncio
from contextlib import suppress
from decimal import Decimal

import pytest
from test_other_exchange_reading import BOOKS, FINE

from execution.api.books.line import StreamTimeouts
from execution.api.books.streams import BookStreams
from execution.exchanges.account import Account
from execution.market_data.snapshots import BookSnapshot
from execution.model.book import Book
from execution.model.clock import SystemClock
from tests.support.api.canned_server import CannedServer
from tests.support.api.exchange_kits import KITS, OTHERS

KEYS = ("the-key", "the-secret", "the-password")
BRISK = StreamTimeouts(poll_ms=20, gap_ms=5, pause_ms_max=20)


async def first_book(account: Account) -> BookSnapshot:
    streams = BookStreams(account, ["BTC/USDT"], 20, SystemClock(), BRISK)
    seen: list[BookSnapshot] = []
    running = asyncio.create_task(streams.run(seen.append))
    try:
        async with asyncio.timeout(10):
            while not seen:
                await asyncio.sleep(0.01)
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
    return seen[0]


@pytest.mark.parametrize("name", OTHERS)
def test_a_book_is_exact_and_asked_for_without_keys(name: str) -> None:
    server, kit = CannedServer(), KITS[name]
    try:
        server.reset({**kit.at_start(), kit.book: BOOKS[name]})
        told = asyncio.run(first_book(Account("main", name, *KEYS, base_url=server.url)))
    finally:
        server.close()
    assert told.book == Book(
        "BTC/USDT",
        bids=((Decimal("100.000000000000000000001"), Decimal(FINE)), (Decimal(99), Decimal(1))),
        asks=((Decimal(101), Decimal(3)), (Decimal(102), Decimal(2))),
    )
    assert server.sent(kit.book)
    for request in server.requests:
        assert not any(key in f"{request.params} {request.headers}" for key in KEYS)
