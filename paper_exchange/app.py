"""Builds an exchange from its options and runs it until it is stopped."""

import asyncio
import signal
import sys
from dataclasses import replace
from random import Random

from aiohttp import web

from paper_exchange.clock import ExchangeClock, system_ms
from paper_exchange.dialects.registry import DIALECTS
from paper_exchange.engine.exchange import Exchange, Setup
from paper_exchange.engine.market.shared_price import STEP_MS, SharedPrice
from paper_exchange.engine.settlement import Fees
from paper_exchange.engine.symbols import DEFAULT_SYMBOLS
from paper_exchange.faults.fault_book import FaultBook
from paper_exchange.options import Options
from paper_exchange.server.control import Control
from paper_exchange.server.http_server import HttpServer
from paper_exchange.server.server import Server
from paper_exchange.server.stream_server import StreamServer

# When the server stops, requests that a fault delays are dropped after this time.
SHUTDOWN_MS = 200
# The first id of a run is this many ids for each ms between the start of 2025 and the start of the
# run. It stays below 2^53 for two centuries.
IDS_BEGAN_MS = 1_735_689_600_000
IDS_PER_MS = 1_000


async def run(options: Options) -> None:
    """Serve until SIGTERM or SIGINT. Raises OSError if the port is not available."""
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
            walk = asyncio.create_task(_walk(exchange, options))
            # After a failed walk the market would stand still; stop the server instead.
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
    """The engine as configured by the options."""
    kind = DIALECTS[options.dialect]
    setup = Setup(
        symbols=DEFAULT_SYMBOLS,
        accounts=tuple(options.accounts),
        balances=options.balances,
        fees=Fees(options.maker_fee, options.taker_fee),
        # Two dialects with the same seed are two exchanges, each with its own prices.
        seed=f"{options.seed}/{options.dialect}",
        first_id=options.first_id or id_of_run(system_ms()),
        walks=options.walk_interval_ms > 0,
        unique_ids=kind.unique_ids,
        word_of=kind.word_of,
    )
    price = _shared_price(options)
    return Exchange(replace(setup, walk_of=price.walk) if price else setup, clock.now_ms)


def _shared_price(options: Options) -> SharedPrice | None:
    if options.price_seed is None:
        return None

    def step_now() -> int:
        # The true time: a fault in an exchange's clock does not move its prices. Without a walk,
        # prices stay at their value of step 0.
        return system_ms() // STEP_MS if options.walk_interval_ms else 0

    own_seed = f"{options.seed}/{options.dialect}/spread"
    return SharedPrice(str(options.price_seed), own_seed, options.spread_bps, step_now)


def id_of_run(started_ms: int) -> int:
    """The first id of a run. A run that starts at least a millisecond later uses none of this run's
    ids, as long as this run makes fewer than a thousand orders or trades a millisecond."""
    return (started_ms - IDS_BEGAN_MS) * IDS_PER_MS


def build_server(options: Options, exchange: Exchange, clock: ExchangeClock) -> Server:
    """The HTTP side of an exchange."""
    faults = FaultBook(Random(f"{options.seed}/{options.dialect}/faults"), clock)  # noqa: S311
    kind = DIALECTS[options.dialect]
    dialect = kind.build(exchange, options)
    streams = StreamServer(kind.streams(exchange), faults)
    return Server(dialect, Control(exchange, faults, clock), faults, clock, streams)


async def _walk(exchange: Exchange, options: Options) -> None:
    interval_ms = options.walk_interval_ms
    while True:
        # Exchanges that share a price move it at the same times: whole intervals of the clock.
        late_ms = 0 if options.price_seed is None else system_ms() % interval_ms
        await asyncio.sleep((interval_ms - late_ms) / 1000)
        exchange.step_walks()
