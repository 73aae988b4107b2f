"""An exchange that takes connections and is silent: its account waits, the others do not."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import partial

import pytest

from execution.api.accounts.circuit import WAIT_S
from execution.api.connections import Connections
from execution.exchanges.account import Account
from execution.model.clock import SystemClock
from execution.model.errors import ExchangeUnavailable
from tests.support.api.canned_server import CannedServer
from tests.support.api.exchange_kits import KITS
from tests.support.fakes import connections_alone
from tests.support.whole_stores import MemoryStore
from workers.liveness.outage_watch import AccountWatch

TIMEOUT_S = 1


@contextmanager
def _silence() -> Iterator[str]:
    """An address where the kernel takes connections and nothing ever answers."""
    with socket.create_server(("127.0.0.1", 0), backlog=128) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


@pytest.fixture
def alive() -> Iterator[CannedServer]:
    server = CannedServer()
    with closing(server):
        server.reset(KITS["binance"].at_start())
        yield server


def _account(name: str, url: str) -> Account:
    return Account(name, "binance", "the-key", "secret", base_url=url, timeout_s=TIMEOUT_S)


def test_loading_a_dead_accounts_markets_does_not_keep_another_account_waiting(
    alive: CannedServer,
) -> None:
    with _silence() as silence:
        accounts = {"dead": _account("dead", silence), "alive": _account("alive", alive.url)}
        connections = connections_alone(accounts, SystemClock())
        stuck = threading.Thread(target=_try, args=(connections,))
        stuck.start()
        time.sleep(0.1)
        began_s = time.monotonic()
        assert connections.exchange("alive").market("BTC/USDT") is not None
        assert time.monotonic() - began_s < 0.7
        assert stuck.is_alive(), "the other one is still being waited for"
        stuck.join()


def _try(connections: Connections) -> None:
    with pytest.raises(ExchangeUnavailable):
        connections.exchange("dead")


def test_threads_that_want_a_dead_account_cost_one_timeout_together_and_then_nothing() -> None:
    with _silence() as silence:
        connections = connections_alone({"dead": _account("dead", silence)}, SystemClock())
        began_s = time.monotonic()
        threads = [threading.Thread(target=_try, args=(connections,)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert time.monotonic() - began_s < 2 * TIMEOUT_S + 0.8
        began_s = time.monotonic()
        for _ in range(50):
            with pytest.raises(ExchangeUnavailable, match="not been reachable since"):
                connections.exchange("dead")
        assert time.monotonic() - began_s < 0.5


def test_an_account_that_dies_after_its_markets_were_loaded_costs_one_timeout(
    alive: CannedServer,
) -> None:
    hang = threading.Event()

    def silent(_: object) -> object:
        hang.wait(5)
        return {"balances": []}

    connections = connections_alone({"main": _account("main", alive.url)}, SystemClock())
    exchange = connections.exchange("main")
    alive.answers["GET /api/v3/account"] = silent
    with pytest.raises(ExchangeUnavailable):
        exchange.balances()
    with pytest.raises(ExchangeUnavailable, match="RequestTimeout"):
        connections.exchange("main")
    hang.set()
    deadline_s = time.monotonic() + 5
    while time.monotonic() < deadline_s:
        try:
            found = connections.exchange("main").balances()
        except ExchangeUnavailable:
            time.sleep(0.05)
        else:
            break
    assert found == {}


def test_the_watch_finds_out_that_an_account_is_back_though_its_requests_were_swallowed(
    alive: CannedServer,
) -> None:
    hang = threading.Event()

    def silent(_: object) -> object:
        hang.wait(5)
        return {"serverTime": SystemClock().now_ms()}

    connections = connections_alone({"main": _account("main", alive.url)}, SystemClock())
    connections.exchange("main")
    alive.answers["GET /api/v3/time"] = silent
    with pytest.raises(ExchangeUnavailable):
        connections.probe("main")
    assert connections.unreachable() == ("main",)
    circuit = connections.circuit("main")
    connections.note_reachable_elsewhere([])
    with pytest.raises(ExchangeUnavailable) as refused:
        connections.exchange("main")
    assert refused.value.wait_s == WAIT_S
    hang.set()
    store = MemoryStore(SystemClock())
    probe = partial(connections.probe, "main")
    watch = AccountWatch("main", circuit, probe, store, SystemClock(), lambda: None)
    watch.claim()
    deadline_s = time.monotonic() + 10
    while connections.unreachable() and time.monotonic() < deadline_s:
        time.sleep(watch.step() / 1_000)
    assert connections.unreachable() == ()
    assert connections.exchange("main").market("BTC/USDT") is not None


def test_old_markets_serve_while_they_cannot_be_read_again(alive: CannedServer) -> None:
    """An order that is known must be looked up and canceled also then."""
    connections = connections_alone({"main": _account("main", alive.url)}, SystemClock())
    exchange = connections.exchange("main")
    alive.answers.pop(KITS["binance"].markets)
    with pytest.raises(ExchangeUnavailable):
        exchange.market("NEW/USDT", SystemClock().now_ms())
    assert connections.exchange("main").market("BTC/USDT") is not None


def test_a_refused_connection_is_found_out_without_waiting() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
        connections = connections_alone({"dead": _account("dead", url)}, SystemClock())
        for _ in range(20):
            with pytest.raises(ExchangeUnavailable):
                connections.exchange("dead")
