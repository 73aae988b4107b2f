"""The process that collects order books, as `[collector]` in the settings says."""

import asyncio
from contextlib import suppress

from execution.api.books.line import StreamTimeouts
from execution.api.books.streams import BookStreams
from execution.exchanges.account import Account
from execution.exchanges.address_holds import AddressHolds
from execution.market_data.collector import BookCollector
from execution.model.clock import SystemClock, steady_ms
from execution.store.access.connection import connect
from execution.store.redis.books import RedisBooks
from execution.store.redis.holds import RedisAddressHolds
from oneorder.errors import SettingsError
from workers.cli.interrupts import SIGNALS, end_soon
from workers.configuration.settings import Settings
from workers.observers.logs import configure_logging


def run_collector(settings: Settings) -> None:
    """Collect until SIGTERM or SIGINT. Needs no keys.

    Raises SettingsError, and UnsupportedExchange for an exchange that ccxt does not know. An outage
    of Redis or of an exchange does not end it.
    """
    client = connect(settings.redis_url, connections_max=16)
    clock = SystemClock()
    holds = AddressHolds(RedisAddressHolds(client, clock), clock, steady_ms)
    sources = book_sources(settings, holds)
    configure_logging(level=settings.log_level)
    books = RedisBooks(client, settings.collector.ttl_s * 1000)
    asyncio.run(_collect(BookCollector(sources, books)))


def book_sources(settings: Settings, holds: AddressHolds | None = None) -> list[BookStreams]:
    """One source for each account whose books are collected; `holds` are the addresses that must
    not be called. Raises as `run_collector` does."""
    wanted = settings.collector
    if not wanted.symbols:
        raise SettingsError('collector.symbols: name at least one symbol, like ["BTC/USDT"]')
    names = list(settings.accounts) if wanted.accounts is None else wanted.accounts
    for name in names:
        if name not in settings.accounts:
            known = ", ".join(settings.accounts) or "none"
            raise SettingsError(f"collector.accounts: {name!r} is not configured; known: {known}")
    if not names:
        raise SettingsError("collector.accounts: no account to collect books of")
    # A silent stream is confirmed well before its book expires.
    pace = StreamTimeouts(quiet_ms=wanted.ttl_s * 1000 // 3)
    clock = SystemClock()
    return [
        BookStreams(
            _without_keys(settings, name), wanted.symbols, wanted.depth, clock, pace, holds=holds
        )
        for name in dict.fromkeys(names)
    ]


def _without_keys(settings: Settings, name: str) -> Account:
    account = settings.accounts[name]
    return Account(name, account.exchange, base_url=account.base_url, timeout_s=account.timeout_s)


async def _collect(collector: BookCollector) -> None:
    collecting = asyncio.create_task(collector.run())

    def stop() -> None:
        end_soon(0)
        collecting.cancel()

    for number in SIGNALS:
        asyncio.get_running_loop().add_signal_handler(number, stop)
    with suppress(asyncio.CancelledError):
        await collecting
