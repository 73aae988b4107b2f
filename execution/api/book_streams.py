"""The order books of one account's exchange: streamed where it can be, asked for where it cannot.

One task for each symbol follows its stream. One more for the account asks for the books of those
symbols whose stream is down or silent: so an outage of the streams leaves books that are merely
older, and a stream that has died quietly is found out.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import aiohttp
import ccxt
import structlog

from execution.accounts import Account
from execution.api.book_clients import book_client
from execution.api.ccxt_exchange import UNREADABLE
from execution.api.parse import book_of
from execution.book_snapshots import BookHealth, BookSnapshot, Publish, Source
from execution.books import Book, Level
from execution.contracts import UnsupportedExchange
from execution.ports import Clock

# A connection that breaks under a subscription is told as it is, without a class of ccxt's.
FAILURES = (ccxt.BaseError, aiohttp.ClientError, OSError, *UNREADABLE)
# No exchange tells fewer levels than these when it cuts a book.
CUT_AT_LEAST = 5

log = structlog.get_logger("oneorder")


@dataclass(frozen=True, slots=True)
class Pace:
    """Times in ms. A stream that was silent for `quiet_ms` is compared with an answer; a market
    without a stream is asked for every `poll_ms`; two questions are `gap_ms` apart at least.

    A stream must bring its first book within `first_ms`, and keep up for `steady_ms` to have its
    failures forgotten; pauses grow to `pause_ms_max`. If an answer differs, the stream has
    `grace_ms` to bring the change, too.
    """

    quiet_ms: int = 5_000
    poll_ms: int = 1_000
    gap_ms: int = 100
    first_ms: int = 20_000
    steady_ms: int = 10_000
    grace_ms: int = 1_000
    pause_ms_max: int = 30_000

    def pause_ms(self, failures: int) -> int:
        """How long to wait after so many failures in a row."""
        return min(self.pause_ms_max, 50 << min(failures, 20))


@dataclass(slots=True)
class _Line:
    """What is known of one symbol's book."""

    symbol: str
    last: BookSnapshot | None = None
    source: Source | None = None
    is_streaming: bool = False
    has_streamed: bool = False
    updates: int = 0
    asked_ms: int = 0
    resyncs: int = 0
    trouble: str | None = None


class BookStreams:
    """An account's books. `run` belongs to one event loop; keys are neither needed nor sent.

    Raises UnsupportedExchange for an exchange that ccxt does not know.
    """

    def __init__(
        self,
        account: Account,
        symbols: Iterable[str],
        depth: int,
        clock: Clock,
        pace: Pace | None = None,
        client_of: Callable[[Account, int], Any] = book_client,
    ) -> None:
        self.account = account.name
        if account.exchange not in ccxt.exchanges:
            field = f"accounts.{account.name}.exchange"
            raise UnsupportedExchange(f"{field}: ccxt knows no exchange {account.exchange!r}")
        self._account = account
        self._depth = depth
        self._clock = clock
        self._pace = pace or Pace()
        self._client_of = client_of
        self._lines = {symbol: _Line(symbol) for symbol in symbols}

    def health(self) -> list[BookHealth]:
        """How each symbol's book is kept, in the order of the settings."""
        return [
            BookHealth(
                account=self.account,
                symbol=line.symbol,
                source=line.source,
                received_ms=line.last.received_ms if line.last else None,
                resyncs=line.resyncs,
                trouble=line.trouble,
            )
            for line in self._lines.values()
        ]

    async def run(self, publish: Publish) -> None:
        """Publish every book that comes, until cancelled, whatever the exchange does."""
        client = self._client_of(self._account, len(self._lines))
        try:
            await self._load_markets(client)
            lines = [line for line in self._lines.values() if self._is_traded(client, line)]
            async with asyncio.TaskGroup() as tasks:
                if client.has["watchOrderBook"] is True:
                    for line in lines:
                        tasks.create_task(self._stream(client, line, publish))
                tasks.create_task(self._poll(client, lines, publish))
        finally:
            await client.close()

    async def _load_markets(self, client: Any) -> None:
        failures = 0
        while True:
            try:
                await client.load_markets()
            except FAILURES as error:
                failures += 1
                await self._note(self._lines.values(), "book_markets_failed", error, failures)
            else:
                return

    def _is_traded(self, client: Any, line: _Line) -> bool:
        if line.symbol in client.markets:
            return True
        line.trouble = f"{line.symbol} is not traded at {self._account.exchange}"
        log.error("book_symbol_unknown", account=self.account, symbol=line.symbol)
        return False

    async def _stream(self, client: Any, line: _Line, publish: Publish) -> None:
        """Follow a symbol's stream, and start again after pauses that grow."""
        failures = 0
        while True:
            started_ms = self._clock.now_ms()
            try:
                await self._follow(client, line, publish)
            except FAILURES as error:
                line.is_streaming = False
                if not isinstance(error, ccxt.BaseError):
                    # ccxt has seen nothing wrong, and would go on with what it has.
                    client.abandon(line.symbol)
                if self._clock.now_ms() - started_ms > self._pace.steady_ms:
                    failures = 0
                failures += 1
                await self._note([line], "book_stream_down", error, failures)

    async def _follow(self, client: Any, line: _Line, publish: Publish) -> None:
        depth = client.stream_depth(self._depth)
        # Subscriptions leave one after the other.
        first_ms = self._pace.first_ms + 300 * len(self._lines)
        async with asyncio.timeout(first_ms / 1000):
            book = await client.watch_order_book(line.symbol, depth)
        self._publish(line, book, "ws", publish)
        line.resyncs += line.has_streamed
        line.is_streaming = line.has_streamed = True
        line.trouble = None
        log.info("book_stream_up", account=self.account, symbol=line.symbol, resyncs=line.resyncs)
        while True:
            book = await client.watch_order_book(line.symbol, depth)
            self._publish(line, book, "ws", publish)

    async def _poll(self, client: Any, lines: list[_Line], publish: Publish) -> None:
        """Ask for the book that has waited longest, if any is due."""
        failures = 0
        while True:
            await asyncio.sleep(self._pace.gap_ms / 1000)
            line = min(lines, key=self._due_ms, default=None)
            if line is None or self._due_ms(line) > self._clock.now_ms():
                continue
            try:
                await self._ask(client, line, publish)
                failures = 0
            except FAILURES as error:
                failures += 1
                await self._note([line], "book_question_failed", error, failures)

    def _due_ms(self, line: _Line) -> int:
        if line.is_streaming and line.last is not None:
            return max(line.last.received_ms, line.asked_ms) + self._pace.quiet_ms
        return line.asked_ms + self._pace.poll_ms

    async def _ask(self, client: Any, line: _Line, publish: Publish) -> None:
        line.asked_ms = self._clock.now_ms()
        before = line.updates
        told = await client.fetch_order_book(line.symbol, self._depth)
        if line.updates != before:
            return  # The stream has brought a newer one meanwhile.
        if not line.is_streaming:
            self._publish(line, told, "rest", publish)
        elif line.last is not None and self._is_still_true(line.last, told):
            self._confirm(line, line.last, publish)
        else:
            await asyncio.sleep(self._pace.grace_ms / 1000)
            if line.updates == before:
                client.abandon(line.symbol)
                self._publish(line, told, "rest", publish)

    def _is_still_true(self, last: BookSnapshot, told: Mapping[str, Any]) -> bool:
        """Whether a silent stream has missed nothing: an answer has its book, or an older one."""
        number = told.get("nonce")
        if number is not None and last.sequence is not None and number <= last.sequence:
            return True
        now = self._read(last.symbol, told)
        return _agree(last.book.bids, now.bids) and _agree(last.book.asks, now.asks)

    def _confirm(self, line: _Line, last: BookSnapshot, publish: Publish) -> None:
        line.last = replace(last, received_ms=self._clock.now_ms())
        publish(line.last)

    def _publish(
        self, line: _Line, book: Mapping[str, Any], source: Source, publish: Publish
    ) -> None:
        stamp, number = book.get("timestamp"), book.get("nonce")
        line.last = BookSnapshot(
            account=self.account,
            symbol=line.symbol,
            book=self._read(line.symbol, book),
            exchange_ms=None if stamp is None else int(stamp),
            received_ms=self._clock.now_ms(),
            sequence=None if number is None else int(number),
        )
        line.source = source
        line.updates += 1
        publish(line.last)

    def _read(self, symbol: str, book: Mapping[str, Any]) -> Book:
        """The top of ccxt's book. Raises ValueError for one that is crossed, so out of step."""
        top = {side: book[side][: self._depth] for side in ("bids", "asks")}
        read = book_of(symbol, top)
        if read.bids and read.asks and read.bids[0][0] >= read.asks[0][0]:
            raise ValueError(f"{symbol}: bid {read.bids[0][0]} crosses ask {read.asks[0][0]}")
        return read

    async def _note(
        self, lines: Iterable[_Line], event: str, error: BaseException, failures: int
    ) -> None:
        """Say what went wrong, and wait before it is tried again."""
        reason = f"{type(error).__name__}: {str(error)[:200]}"
        pause_ms = self._pace.pause_ms(failures)
        symbols = []
        for line in lines:
            line.trouble = reason
            symbols.append(line.symbol)
        log.warning(event, account=self.account, symbols=symbols, reason=reason, pause_ms=pause_ms)
        await asyncio.sleep(pause_ms / 1000)


def _agree(one: tuple[Level, ...], other: tuple[Level, ...]) -> bool:
    """Whether two sides are the same; where an exchange cuts one of them, as far as both go."""
    both = min(len(one), len(other))
    is_cut = len(one) != len(other) and both >= CUT_AT_LEAST
    return one[:both] == other[:both] if is_cut else one == other
