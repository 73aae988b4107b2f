"""An account's order books, from paper exchanges that are real processes and misbehave."""

import asyncio
import signal
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from decimal import Decimal
from typing import Any

import pytest

from execution.api.books.clients import book_client
from execution.api.books.line import StreamTimeouts
from execution.api.books.streams import BookStreams
from execution.exchanges.account import Account
from execution.market_data.snapshots import BookHealth, BookSnapshot
from execution.model.book import Level
from execution.model.clock import SystemClock
from execution.model.errors import UnsupportedExchange
from tests.support.paper.paper_client import Paper

PATIENCE_S = 15
BRISK = StreamTimeouts(
    quiet_ms=400, poll_ms=200, gap_ms=50, first_ms=2_000, grace_ms=300, pause_ms_max=400
)
# What each dialect calls its streams, and the question for a book.
STREAMS = {"binance": "GET /ws/0", "bybit": "GET /v5/public/spot"}
QUESTIONS = {"binance": "GET /api/v3/depth", "bybit": "GET /v5/market/orderbook"}
MARKETS = {"binance": "GET /api/v3/exchangeInfo", "bybit": "GET /v5/market/instruments-info"}


@pytest.fixture(scope="module", params=["binance", "bybit"])
def running(request: pytest.FixtureRequest) -> Iterator[Any]:
    paper: Any = Paper("--dialect", request.param, "--weight-per-minute", "0")
    paper.dialect = request.param
    yield paper
    errors = paper.stop()
    assert "Traceback" not in errors, errors


@pytest.fixture
def paper(running: Any) -> Iterator[Any]:
    """An exchange without faults, whose book of BTCUSDT is known."""
    running.clear_faults()
    running.book(*BOTH)
    yield running
    running.clear_faults()


Side = list[list[str]]
BIDS: Side = [["49900", "5"], ["49800", "1"], ["49700", "2"]]
ASKS: Side = [["50100", "5"], ["50200", "1"]]
BOTH = (BIDS, ASKS)


def levels(side: Side) -> tuple[Level, ...]:
    return tuple((Decimal(price), Decimal(qty)) for price, qty in side)


class Watched:
    """What has been published, and how the books are kept."""

    def __init__(self, streams: BookStreams) -> None:
        self.streams = streams
        self.seen: list[BookSnapshot] = []

    @property
    def health(self) -> BookHealth:
        return self.streams.health()[0]

    def shows(self, bids: Side, asks: Side) -> bool:
        """Whether the newest book is that one."""
        last = self.seen[-1].book if self.seen else None
        return last is not None and (last.bids, last.asks) == (levels(bids), levels(asks))

    async def until(self, is_true: Callable[[], object]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not is_true():
                await asyncio.sleep(0.02)

    async def until_streamed(self, bids: Side, asks: Side) -> None:
        await self.until(lambda: self.health.source == "ws" and self.shows(bids, asks))


@asynccontextmanager
async def watching(
    paper: Any, *symbols: str, depth: int = 20, pace: StreamTimeouts = BRISK
) -> AsyncIterator[Watched]:
    account = Account("a", paper.dialect, base_url=paper.url, timeout_s=1)
    streams = BookStreams(account, symbols or ("BTC/USDT",), depth, SystemClock(), pace)
    watched = Watched(streams)
    running = asyncio.create_task(streams.run(watched.seen.append))
    try:
        yield watched
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running


async def set_book(paper: Any, bids: Side, asks: Side) -> None:
    """Set the outside liquidity, and let every stream tell it as a change of its own."""
    await asyncio.to_thread(paper.book, bids, asks)
    await asyncio.sleep(0.25)


def test_the_book_is_the_exchanges_own_through_many_changes(paper: Any) -> None:
    async def check() -> None:
        async with watching(paper) as watched:
            await watched.until_streamed(*BOTH)
            for step in range(1, 6):
                bids = [[str(49900 - step * n), str(n + 1)] for n in range(step)]
                await set_book(paper, bids, ASKS[: step % 3])
                await watched.until_streamed(bids, ASKS[: step % 3])
            assert watched.health.resyncs == 0
            assert watched.health.trouble is None

    asyncio.run(check())


def test_a_snapshot_says_whose_it_is_and_when_it_was_made_and_came(paper: Any) -> None:
    async def check() -> BookSnapshot:
        async with watching(paper) as watched:
            await watched.until_streamed(*BOTH)
            await set_book(paper, BIDS, [])
            await watched.until_streamed(BIDS, [])
            return watched.seen[-1]

    told = asyncio.run(check())
    assert (told.account, told.symbol, told.book.symbol) == ("a", "BTC/USDT", "BTC/USDT")
    assert told.exchange_ms is not None
    assert abs(told.received_ms - SystemClock().now_ms()) < 5_000
    assert 0 <= told.received_ms - told.exchange_ms < 5_000
    assert isinstance(told.sequence, int)


def test_no_more_levels_are_given_than_were_requested(paper: Any) -> None:
    async def check() -> None:
        async with watching(paper, depth=2) as watched:
            await watched.until_streamed(BIDS[:2], ASKS[:2])
            # What comes up from below was never cut off.
            await set_book(paper, BIDS[1:], ASKS)
            await watched.until_streamed(BIDS[1:3], ASKS)

    asyncio.run(check())


def test_a_gap_is_noticed_and_the_book_is_right_again(paper: Any) -> None:
    async def check() -> None:
        async with watching(paper, pace=StreamTimeouts(quiet_ms=60_000)) as watched:
            await watched.until_streamed(*BOTH)
            paper.fault(kind="stream_gap", route="WS depth", count=1)
            without = [BIDS[0], BIDS[2]]
            # Nobody is told that a level has gone.
            await set_book(paper, without, ASKS)
            await set_book(paper, without, ASKS[:1])
            await watched.until_streamed(without, ASKS[:1])
            assert watched.health.resyncs == 1

    asyncio.run(check())


def test_a_book_that_is_restarted_now_and_then_stays_right(paper: Any) -> None:
    async def check() -> None:
        async with watching(paper, pace=StreamTimeouts(quiet_ms=60_000, renew_ms=50)) as watched:
            await watched.until_streamed(*BOTH)

            def begun() -> int:
                """How often the book was seen as it is begun: of the two exchanges, only Binance's
                first book is an answer, which has no time."""
                return sum(one.exchange_ms is None for one in watched.seen)

            is_binance, steps = paper.dialect == "binance", 0
            # A change may follow so soon that nobody sees the book as it was begun.
            while steps < 5 or (is_binance and begun() < 2 and steps < 40):
                steps += 1
                bids = [[str(49900 - steps * n), str(n + 1)] for n in range(1 + steps % 5)]
                await set_book(paper, bids, ASKS[: steps % 3])
                await watched.until_streamed(bids, ASKS[: steps % 3])
            assert (begun() >= 2) is is_binance
            assert watched.health.resyncs == 0

    asyncio.run(check())


def test_a_lost_change_is_found_out_though_no_other_follows(paper: Any) -> None:
    async def check() -> None:
        async with watching(paper) as watched:
            await watched.until_streamed(*BOTH)
            paper.fault(kind="stream_gap", route="WS depth", count=1)
            await set_book(paper, BIDS[:1], ASKS)
            assert paper.faults()["faults"][0]["fired"] == 1
            await watched.until(lambda: watched.shows(BIDS[:1], ASKS))
            await watched.until_streamed(BIDS[:1], ASKS)

    asyncio.run(check())


def test_a_market_that_stands_still_is_confirmed_and_stays_on_its_stream(paper: Any) -> None:
    async def check() -> None:
        async with watching(paper) as watched:
            await watched.until_streamed(*BOTH)
            before = watched.seen[-1]
            await watched.until(lambda: watched.seen[-1].received_ms > before.received_ms + 800)
            after = watched.seen[-1]
            assert (after.book, after.sequence) == (before.book, before.sequence)
            assert (watched.health.source, watched.health.resyncs) == ("ws", 0)

    asyncio.run(check())


def test_while_the_stream_is_down_books_are_asked_for_and_then_it_is_back(paper: Any) -> None:
    async def check() -> None:
        async with watching(paper) as watched:
            await watched.until_streamed(*BOTH)
            paper.fault(kind="status", code=503, route=STREAMS[paper.dialect])
            paper.fault(kind="drop_before", route="WS depth", count=1)
            for asks in (ASKS[:1], ASKS):
                await set_book(paper, BIDS, asks)
                await watched.until(
                    lambda asks=asks: watched.health.source == "rest" and watched.shows(BIDS, asks)
                )
            assert watched.health.trouble is not None
            paper.clear_faults()
            await set_book(paper, BIDS[:1], ASKS)
            await watched.until_streamed(BIDS[:1], ASKS)
            assert watched.health.resyncs == 1
            assert watched.health.trouble is None

    asyncio.run(check())


@pytest.mark.parametrize("form", ["object", "empty", "html", "cut"])
def test_garbage_is_no_empty_book(paper: Any, form: str) -> None:
    async def check() -> None:
        paper.fault(kind="status", code=503, route=STREAMS[paper.dialect])
        before = paper.faults()["injected"].get("garbage", 0)
        paper.fault(kind="garbage", form=form, route=QUESTIONS[paper.dialect])
        async with watching(paper) as watched:
            await watched.until(lambda: paper.faults()["injected"].get("garbage", 0) >= before + 2)
            await asyncio.sleep(0.1)
            assert watched.seen == []
            paper.clear_faults()
            await watched.until_streamed(*BOTH)

    asyncio.run(check())


def test_an_exchange_that_is_away_at_first_is_waited_for(paper: Any) -> None:
    async def check() -> None:
        paper.fault(kind="drop_before", route=MARKETS[paper.dialect])
        async with watching(paper) as watched:
            await watched.until(lambda: watched.health.trouble is not None)
            assert watched.health.source is None
            paper.clear_faults()
            await watched.until_streamed(*BOTH)

    asyncio.run(check())


def test_a_symbol_that_is_not_traded_leaves_the_others_alone(paper: Any) -> None:
    async def check() -> None:
        async with watching(paper, "BTC/USDT", "NO/SUCH") as watched:
            await watched.until_streamed(*BOTH)
            assert (
                watched.streams.health()[1].trouble == f"NO/SUCH is not traded at {paper.dialect}"
            )

    asyncio.run(check())


def test_an_exchange_that_freezes_and_thaws_is_followed_again(paper: Any) -> None:
    """Its connections stay open all the time, and are silent."""

    async def check() -> None:
        async with watching(paper) as watched:
            await watched.until_streamed(*BOTH)
            paper.process.send_signal(signal.SIGSTOP)
            try:
                await watched.until(lambda: "Timeout" in (watched.health.trouble or ""))
                frozen_ms = watched.seen[-1].received_ms
            finally:
                paper.process.send_signal(signal.SIGCONT)
            await set_book(paper, BIDS[:1], ASKS)
            await watched.until_streamed(BIDS[:1], ASKS)
            assert watched.seen[-1].received_ms > frozen_ms

    asyncio.run(check())


def test_keys_are_left_at_home() -> None:
    account = Account("a", "binance", "a key", "a secret", "a password")
    client = book_client(account, 1)
    assert not client.apiKey
    assert not client.secret
    assert not client.password


def test_streams_and_requests_go_to_the_accounts_own_address() -> None:
    for address, streams in (("http://127.0.0.1:8801", "ws://"), ("https://proxy/x/", "wss://")):
        client = book_client(Account("a", "bybit", base_url=address), 1)
        host = address.partition("://")[2].rstrip("/")
        assert client.urls["api"]["ws"]["public"]["spot"] == f"{streams}{host}/v5/public/spot"
        assert client.urls["api"]["public"] == address.rstrip("/")


def test_an_unknown_exchange_is_refused_by_name() -> None:
    with pytest.raises(UnsupportedExchange, match=r"accounts\.a\.exchange: .*'nonsuch'"):
        BookStreams(Account("a", "nonsuch"), ["BTC/USDT"], 20, SystemClock())
