"""A scripted server in Binance's place, and the real adapter in front of it."""

from collections.abc import Callable, Iterator

import pytest

from execution.api.binance_api import BinanceExchange, StrictBinance, binance_client
from execution.exchanges.registry import GUARANTEES
from tests.support.api.binance_server import BinanceServer
from tests.support.clock import FakeClock

KEY, SECRET = "the-key", "the-secret"
Connect = Callable[..., BinanceExchange]


@pytest.fixture(scope="session")
def listening() -> Iterator[BinanceServer]:
    server = BinanceServer()
    yield server
    server.close()


@pytest.fixture
def server(listening: BinanceServer) -> Iterator[BinanceServer]:
    """The scripted server, as new."""
    listening.reset()
    yield listening
    listening.reset()


@pytest.fixture(scope="session")
def markets(listening: BinanceServer) -> StrictBinance:
    """A client whose markets are loaded, for the others to share."""
    client = binance_client(KEY, SECRET, listening.url)
    client.load_markets()
    return client


@pytest.fixture
def connect(markets: StrictBinance) -> Connect:
    """Make an adapter for any address, with a time limit in ms."""

    def connect(url: str, timeout_ms: int = 10_000) -> BinanceExchange:
        client = binance_client(KEY, SECRET, url)
        client.timeout = timeout_ms
        client.set_markets_from_exchange(markets)
        return BinanceExchange(client, GUARANTEES["binance"], FakeClock())

    return connect


@pytest.fixture
def binance(server: BinanceServer, connect: Connect) -> BinanceExchange:
    return connect(server.url)
