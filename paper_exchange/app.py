"""Puts an exchange together from its options and runs it until it is told to stop."""

import asyncio
import signal
import sys
from random import Random

from aiohttp import web

from paper_exchange.binance.dialect import BinanceDialect
from paper_exchange.binance.limits import Limits
from paper_exchange.clock import ExchangeClock
from paper_exchange.control import Control
from paper_exchange.engine.exchange import Exchange, Setup
from paper_exchange.engine.settlement import Fees
from paper_exchange.engine.symbols import DEFAULT_SYMBOLS
from paper_exchange.faults import FaultBook
from paper_exchange.http_server import HttpServer
from paper_exchange.options import Options
from paper_exchange.server import Server

# Requests that a fault is holding back are given up after this long when the server stops.
SHUTDOWN_MS = 200


async def run(options: Options) -> None:
    """Serve until SIGTERM or SIGINT. OSError if the port cannot be had."""
    clock = ExchangeClock()
    exchange = build_exchange(options, clock)
    server = build_server(options, exchange, clock)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    http = HttpServer(server.handle, server.refusal)
    runner = web.ServerRunner(http, shutdown_timeout=SHUTDOWN_MS / 1000)
    await runner.setup()
    walk: asyncio.Task[None] | None = None
    try:
        site = web.TCPSite(runner, options.host, options.port, backlog=1024)
        await site.start()
        if options.walk_interval_ms:
            walk = asyncio.create_task(_walk(exchange, options.walk_interval_ms))
            # A walk that failed would leave a market that stands still; stop the server instead.
            walk.add_done_callback(lambda _: stop.set())
        port = runner.addresses[0][1]
        sys.stdout.write(
            f"paper exchange ({options.dialect}) listening on http://{options.host}:{port}\n"
        )
        sys.stdout.flush()
        await stop.wait()
        if walk is not None and walk.done():
            await walk
    finally:
        if walk is not None:
            walk.cancel()
        await runner.cleanup()


def build_exchange(options: Options, clock: ExchangeClock) -> Exchange:
    """The engine that the options describe."""
    setup = Setup(
        symbols=DEFAULT_SYMBOLS,
        accounts=tuple(options.accounts),
        balances=options.balances,
        fees=Fees(options.maker_fee, options.taker_fee),
        # Two dialects with the same seed are still two exchanges with prices of their own.
        seed=f"{options.seed}/{options.dialect}",
        walks=options.walk_interval_ms > 0,
    )
    return Exchange(setup, clock.now_ms)


def build_server(options: Options, exchange: Exchange, clock: ExchangeClock) -> Server:
    """The HTTP side of an exchange."""
    faults = FaultBook(Random(f"{options.seed}/{options.dialect}/faults"), clock)  # noqa: S311
    limits = Limits(options.weight_per_minute, options.orders_per_10s, clock.now_ms)
    secrets = {key: secret.encode() for key, secret in options.accounts.items()}
    dialect = BinanceDialect(exchange, secrets, limits, options.match_delay_ms)
    return Server(dialect, Control(exchange, faults, clock), faults, clock)


async def _walk(exchange: Exchange, interval_ms: int) -> None:
    while True:
        await asyncio.sleep(interval_ms / 1000)
        exchange.step_walks()
