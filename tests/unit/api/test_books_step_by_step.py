"""What becomes of a stream's books and of answers, step by step, with a client that plays along."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from decimal import Decimal
from typing import Any

import ccxt
import pytest

from execution.api.books.line import StreamTimeouts
from execution.api.books.streams import BookStreams
from execution.exchanges.account import Account
from execution.market_data.snapshots import BookSnapshot
from execution.model.clock import SystemClock

Raw = dict[str, Any]
BRISK = StreamTimeouts(
    quiet_ms=40, poll_ms=20, gap_ms=5, first_ms=60, steady_ms=200, grace_ms=30, pause_ms_max=20
)
NEVER_QUIET = StreamTimeouts(
    quiet_ms=60_000, poll_ms=20, gap_ms=5, first_ms=60_000, pause_ms_max=20
)


def raw(bid: str, ask: str = "200", nonce: int | None = None, depth: int = 1) -> Raw:
    """A book as ccxt has it."""
    bids = [[Decimal(bid) - n, Decimal(1)] for n in range(depth)]
    asks = [[Decimal(ask) + n, Decimal(1)] for n in range(depth)]
    return {"bids": bids, "asks": asks, "nonce": nonce, "timestamp": None}


class Client:
    """What BookStreams sees of ccxt: a stream that says what is put into it, and an answer."""

    def __init__(self, answer: Raw | Exception, *, has_streams: bool = True) -> None:
        self.has: Mapping[str, Any] = {"watchOrderBook": has_streams or None}
        self.markets = {"BTC/USDT": {}}
        self.answer = answer
        self.answering: Callable[[], Awaitable[None]] | None = None
        self.stream: asyncio.Queue[Raw | Exception] = asyncio.Queue()
        self.questions = 0
        self.abandoned = 0
        self.renewed = 0
        self.retry_after_ms = 0
        self.is_closed = False

    async def load_markets(self) -> None:
        """There is nothing to load."""

    def stream_depth(self, depth: int) -> None:
        del depth

    async def watch_order_book(self, symbol: str, limit: int | None) -> Raw:
        return _told(await self.stream.get())

    async def fetch_order_book(self, symbol: str, limit: int) -> Raw:
        self.questions += 1
        told = self.answer
        if self.answering is not None:
            await self.answering()
        return _told(told)

    def abandon(self, symbol: str) -> None:
        self.abandoned += 1

    def renew(self, symbol: str) -> None:
        self.renewed += 1

    async def close(self) -> None:
        self.is_closed = True


def _told(told: Raw | Exception) -> Raw:
    if isinstance(told, Exception):
        raise told
    return told


class Played:
    """A run of BookStreams with a client, and what it has published."""

    def __init__(self, client: Client, pace: StreamTimeouts = BRISK) -> None:
        account = Account("a", "binance")
        self.client = client
        self.seen: list[BookSnapshot] = []
        self.streams = BookStreams(
            account, ["BTC/USDT"], 20, SystemClock(), pace, lambda *_: client
        )

    @property
    def best_bids(self) -> list[Decimal]:
        return [one.book.bids[0][0] for one in self.seen]

    def during(self, play: Callable[["Played"], Awaitable[None]]) -> "Played":
        async def run() -> None:
            running = asyncio.create_task(self.streams.run(self.seen.append))
            try:
                await play(self)
            finally:
                running.cancel()
                with suppress(asyncio.CancelledError):
                    await running

        asyncio.run(run())
        return self

    async def until(self, is_true: Callable[[], object]) -> None:
        async with asyncio.timeout(5):
            while not is_true():
                await asyncio.sleep(0.002)


def test_an_answer_that_the_stream_has_overtaken_is_not_published() -> None:
    client = Client(raw("100"))

    async def meanwhile() -> None:
        client.stream.put_nowait(raw("101"))
        client.stream.put_nowait(ccxt.NetworkError("and gone"))
        client.answering = None
        client.answer = raw("102")
        await asyncio.sleep(0.05)

    client.answering = meanwhile

    async def play(played: Played) -> None:
        await played.until(lambda: len(played.seen) > 1)

    assert Played(client, NEVER_QUIET).during(play).best_bids[:2] == [101, 102]


def test_without_its_stream_a_book_is_asked_for_at_once_and_again_and_again() -> None:
    client = Client(raw("100"))

    async def play(played: Played) -> None:
        client.stream.put_nowait(raw("101"))
        await played.until(lambda: played.streams.health()[0].source == "ws")
        asked = client.questions
        client.stream.put_nowait(ccxt.NetworkError("gone"))
        await played.until(lambda: client.questions > asked + 2)
        assert played.streams.health()[0].source == "rest"
        assert played.streams.health()[0].trouble == "NetworkError: gone"

    Played(client, NEVER_QUIET).during(play)


def test_an_exchange_without_streams_is_asked() -> None:
    async def play(played: Played) -> None:
        await played.until(lambda: len(played.seen) > 2)

    played = Played(Client(raw("100"), has_streams=False)).during(play)
    assert played.streams.health()[0].source == "rest"
    assert played.client.is_closed


@pytest.mark.parametrize(
    "nonsense",
    [raw("200", "200"), {**raw("1"), "bids": [[0.5, Decimal(1)]]}, {"bids": []}],
    ids=["crossed", "fraction", "cut"],
)
def test_a_stream_that_says_nonsense_is_given_up_and_nothing_of_it_published(nonsense: Raw) -> None:
    client = Client(ccxt.NetworkError("no answer either"))

    async def play(played: Played) -> None:
        client.stream.put_nowait(nonsense)
        await played.until(lambda: client.abandoned)
        assert played.seen == []
        client.stream.put_nowait(raw("100"))
        await played.until(lambda: played.best_bids == [100])

    Played(client, NEVER_QUIET).during(play)


def test_a_stream_whose_first_book_does_not_come_is_given_up() -> None:
    client = Client(raw("100"))

    async def play(played: Played) -> None:
        await played.until(lambda: client.abandoned > 1)

    assert Played(client).during(play).streams.health()[0].source == "rest"


def test_a_stream_is_given_up_when_an_answer_shows_what_it_has_missed() -> None:
    client = Client(raw("99"))

    async def play(played: Played) -> None:
        client.stream.put_nowait(raw("100"))
        await played.until(lambda: played.best_bids[-1:] == [100])
        await played.until(lambda: client.abandoned)
        assert played.best_bids[-1] == 99

    Played(client).during(play)


@pytest.mark.parametrize(
    ("streamed", "answered"),
    [
        (raw("100"), raw("100")),
        # The answer lags behind: its number says so.
        (raw("100", nonce=7), raw("99", nonce=6)),
        # One of the two is cut to fewer levels.
        (raw("100", depth=15), raw("100", depth=20)),
    ],
    ids=["same", "older", "cut"],
)
def test_a_silent_stream_that_has_missed_nothing_is_confirmed(streamed: Raw, answered: Raw) -> None:
    client = Client(answered)

    async def play(played: Played) -> None:
        client.stream.put_nowait(streamed)
        await played.until(lambda: played.streams.health()[0].source == "ws")
        before = len(played.seen)
        await played.until(lambda: len(played.seen) > before + 2)
        assert client.abandoned == 0
        books = [one.book for one in played.seen[before:]]
        assert all(len(book.bids) == len(streamed["bids"]) for book in books)
        times = [one.received_ms for one in played.seen[before:]]
        assert times == sorted(set(times))

    Played(client).during(play)


def test_a_book_that_has_been_kept_for_long_is_restarted() -> None:
    client = Client(raw("100"))

    async def play(played: Played) -> None:
        for bid in range(100, 120):
            client.stream.put_nowait(raw(str(bid)))
            await asyncio.sleep(0.005)
        assert played.streams.health()[0].resyncs == 0

    Played(client, replace(NEVER_QUIET, renew_ms=20)).during(play)
    assert 2 <= client.renewed < 20


@pytest.mark.parametrize(("retry_after_ms", "least_ms"), [(0, 100), (300, 300)])
def test_an_exchange_that_wants_to_be_left_alone_is(retry_after_ms: int, least_ms: int) -> None:
    """By questions and streams alike: the limit is the address's."""
    client = Client(ccxt.DDoSProtection("429"))
    client.retry_after_ms = retry_after_ms

    async def play(played: Played) -> None:
        await played.until(lambda: client.questions)
        client.answer = raw("100")
        began = time.monotonic()
        client.stream.put_nowait(ccxt.NetworkError("gone"))
        client.stream.put_nowait(raw("101"))
        await played.until(lambda: played.seen)
        # The question was a moment before.
        assert time.monotonic() - began > (least_ms - 30) / 1000

    Played(client, replace(NEVER_QUIET, limited_ms=100)).during(play)


def test_pauses_grow_to_a_limit() -> None:
    pace = StreamTimeouts(pause_ms_max=30_000)
    pauses = [pace.pause_ms(failures) for failures in (1, 2, 3, 9, 10, 1_000)]
    assert pauses == [100, 200, 400, 25_600, 30_000, 30_000]
