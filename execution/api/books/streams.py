"""The order books of one account's exchange: streamed if possible, polled otherwise.

One task for each symbol follows its stream. One more for the account polls the books of symbols
whose stream is down or silent: so an outage of the streams only makes books older, and a stream
that stopped silently is detected.
"""

import asyncio
from collections.abc import Callable, Iterable
from typing import Any

import aiohttp
import ccxt
import structlog

from execution.api.books.clients import book_client
from execution.api.books.line import BookLine, StreamTimeouts
from execution.api.strict.ccxt_exchange import UNREADABLE
from execution.exchanges.account import Account
from execution.exchanges.address_holds import AddressHolds
from execution.market_data.snapshots import BookHealth, Publish
from execution.model.clock import Clock, steady_ms
from execution.model.errors import AddressHeld, StoreUnavailable, UnsupportedExchange
from execution.text.redaction import redact

# A connection that breaks during a subscription raises the original error, not one of ccxt's.
FAILURES = (
    ccxt.BaseError,
    aiohttp.ClientError,
    OSError,
    AddressHeld,
    StoreUnavailable,
    *UNREADABLE,
)
# An address with a longer hold is checked again after this.
HELD_PAUSE_MAX_MS = 15_000
TOO_MANY = (ccxt.DDoSProtection, ccxt.RateLimitExceeded)

log = structlog.get_logger("oneorder")


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
        pace: StreamTimeouts | None = None,
        client_of: Callable[[Account, int], Any] = book_client,
        holds: AddressHolds | None = None,
    ) -> None:
        if account.exchange not in ccxt.exchanges:
            field = f"accounts.{account.name}.exchange"
            raise UnsupportedExchange(f"{field}: ccxt knows no exchange {account.exchange!r}")
        self.account = account.name
        self._account = account
        self._depth = depth
        self._pace = pace or StreamTimeouts()
        self._client_of = client_of
        self._holds = holds
        self._held_until_ms = 0
        self._lines = [
            BookLine(account.name, symbol, depth, clock) for symbol in dict.fromkeys(symbols)
        ]

    def health(self) -> list[BookHealth]:
        """The health of each symbol's book, in the order of the settings."""
        return [line.health() for line in self._lines]

    async def run(self, publish: Publish) -> None:
        """Publish every new book, until cancelled, through all failures of the exchange."""
        client = self._client_of(self._account, len(self._lines))
        client.holds = self._holds
        try:
            await self._load_markets(client)
            lines = [line for line in self._lines if self._is_traded(client, line)]
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
                await self._note_failure(
                    client, self._lines, "book_markets_failed", error, failures
                )
            else:
                return

    def _is_traded(self, client: Any, line: BookLine) -> bool:
        if line.symbol in client.markets:
            return True
        line.trouble = f"{line.symbol} is not traded at {self._account.exchange}"
        log.error("book_symbol_unknown", account=self.account, symbol=line.symbol)
        return False

    async def _stream(self, client: Any, line: BookLine, publish: Publish) -> None:
        """Follow a symbol's stream, and restart it after growing pauses."""
        failures = 0
        while True:
            began_ms = steady_ms()
            try:
                await self._follow(client, line, publish)
            except FAILURES as error:
                line.is_streaming = False
                if not isinstance(error, ccxt.BaseError):
                    # ccxt has detected nothing, and would continue with its current book.
                    client.abandon(line.symbol)
                if steady_ms() - began_ms > self._pace.steady_ms:
                    failures = 0
                failures += 1
                await self._note_failure(client, [line], "book_stream_down", error, failures)

    async def _follow(self, client: Any, line: BookLine, publish: Publish) -> None:
        depth = client.stream_depth(self._depth)
        # Subscriptions are sent one after the other.
        first_ms = self._pace.first_ms + 300 * len(self._lines)
        async with asyncio.timeout(first_ms / 1000):
            book = await client.watch_order_book(line.symbol, depth)
        publish(line.take(book, "ws"))
        line.begin_stream()
        log.info("book_stream_up", account=self.account, symbol=line.symbol)
        renew_at_ms = steady_ms() + self._pace.renew_ms
        while True:
            publish(line.take(await client.watch_order_book(line.symbol, depth), "ws"))
            if steady_ms() > renew_at_ms:
                client.renew(line.symbol)
                renew_at_ms += self._pace.renew_ms

    async def _poll(self, client: Any, lines: list[BookLine], publish: Publish) -> None:
        """Poll the book that has waited longest, if any is due."""
        failures = 0
        while True:
            await asyncio.sleep(self._pace.gap_ms / 1000)
            line = min(lines, key=lambda line: line.due_ms(self._pace), default=None)
            due_ms = 0 if line is None else max(line.due_ms(self._pace), self._held_until_ms)
            if line is None or due_ms > steady_ms():
                continue
            try:
                await self._ask(client, line, publish)
                failures = 0
            except FAILURES as error:
                failures += 1
                await self._note_failure(client, [line], "book_poll_failed", error, failures)

    async def _ask(self, client: Any, line: BookLine, publish: Publish) -> None:
        line.asked_ms = steady_ms()
        before = line.updates
        fetched = await client.fetch_order_book(line.symbol, self._depth)
        if line.updates != before:
            return  # The stream brought a newer one meanwhile.
        if not line.is_streaming:
            publish(line.take(fetched, "rest"))
            return
        confirmed = line.confirm(fetched)
        if confirmed is not None:
            publish(confirmed)
            return
        await asyncio.sleep(self._pace.grace_ms / 1000)
        if line.updates == before:
            client.abandon(line.symbol)
            publish(line.take(fetched, "rest"))

    async def _note_failure(
        self, client: Any, lines: Iterable[BookLine], event: str, error: Exception, failures: int
    ) -> None:
        """Log the failure, and wait before the next try."""
        reason = f"{type(error).__name__}: {redact(str(error))[:200]}"
        pause_ms = self._pace.pause_ms(failures)
        if isinstance(error, TOO_MANY):
            # The limit is by address, so all requests of this process have to wait.
            pause_ms = max(pause_ms, self._pace.limited_ms, client.retry_after_ms)
            self._held_until_ms = steady_ms() + pause_ms
        if isinstance(error, AddressHeld):
            pause_ms = max(pause_ms, min(error.wait_s * 1_000, HELD_PAUSE_MAX_MS))
        symbols = []
        for line in lines:
            line.trouble = reason
            symbols.append(line.symbol)
        log.warning(event, account=self.account, symbols=symbols, reason=reason, pause_ms=pause_ms)
        await asyncio.sleep(max(pause_ms, self._held_until_ms - steady_ms()) / 1000)
