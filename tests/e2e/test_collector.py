"""The collector as a process: two exchanges of different kinds, and one that is not there."""

import json
import signal
import sys
from collections.abc import Iterator

import pytest

from execution.market_data.snapshots import BookSnapshot
from execution.model.clock import SystemClock
from execution.store.access.connection import connect
from execution.store.redis.books import RedisBooks
from tests.support.stores_kit import one_book
from workers.sandbox.local_stack import LocalStack, free_port

TTL_S = 3
PROGRAM = (
    "from workers.configuration.settings import load_settings; "
    "from workers.market.collector import run_collector; run_collector(load_settings())"
)


class Collected:
    """A stack whose collector keeps the books of three accounts."""

    def __init__(self, stack: LocalStack) -> None:
        self.stack = stack
        self.books = RedisBooks(connect(stack.redis_url))
        self._starts = 0
        bybit_port, dead_port = free_port(), free_port()
        accounts = {
            "binance-main": ("binance", stack.paper_port),
            "bybit-main": ("bybit", bybit_port),
            "dead": ("binance", dead_port),
        }
        tables = "".join(
            f'[accounts.{name}]\nexchange = "{exchange}"\n'
            f'base_url = "http://127.0.0.1:{port}"\ntimeout_s = 1\n'
            for name, (exchange, port) in accounts.items()
        )
        (stack.directory / "oneorder.toml").write_text(
            f'redis_url = "{stack.redis_url}"\n{tables}'
            f'[collector]\nsymbols = ["BTC/USDT", "ETH/USDT"]\nttl_s = {TTL_S}\n'
        )
        stack.start_redis()
        stack.start_paper()
        command = [sys.executable, "-m", "paper_exchange", "--dialect", "bybit"]
        stack.start("bybit", [*command, "--port", str(bybit_port)])
        stack.wait_for("bybit", lambda: "listening" in stack.log("bybit"))
        self.start()

    def start(self) -> None:
        """Start the collector, once more if it has run before."""
        self._starts += 1
        self.stack.start("collector", [sys.executable, "-c", PROGRAM])
        self.stack.wait_for("collector", lambda: self._log_says_started() == self._starts)

    def _log_says_started(self) -> int:
        return self.stack.log("collector").count("book_collector_started")

    def book(self, account: str, symbol: str = "BTC/USDT") -> BookSnapshot | None:
        return one_book(self.books, account, symbol)

    def is_fresh(self, account: str, symbol: str = "BTC/USDT") -> bool:
        found = self.book(account, symbol)
        return found is not None and SystemClock().now_ms() - found.received_ms < 1_000

    def all_fresh(self, *accounts: str) -> bool:
        return all(self.is_fresh(one, s) for one in accounts for s in ("BTC/USDT", "ETH/USDT"))

    def until_fresh(self, *accounts: str) -> None:
        self.stack.wait_for("collector", lambda: self.all_fresh(*accounts))


@pytest.fixture(scope="module")
def collected(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Collected]:
    with LocalStack(tmp_path_factory.mktemp("collector")) as stack:
        yield Collected(stack)


def test_books_of_both_exchanges_are_there_and_that_of_the_dead_one_is_not(
    collected: Collected,
) -> None:
    collected.until_fresh("binance-main", "bybit-main")
    assert collected.book("dead") is None
    for account in ("binance-main", "bybit-main"):
        found = collected.book(account)
        assert found is not None
        assert len(found.book.bids) == len(found.book.asks) == 20
        assert 40_000 < found.book.bids[0][0] < found.book.asks[0][0] < 60_000


def test_every_process_can_read_the_health_of_each_book(collected: Collected) -> None:
    collected.until_fresh("binance-main", "bybit-main")
    stack = collected.stack
    stack.wait_for("health", lambda: collected.books.load_health("bybit-main"))
    [bitcoin, ether] = collected.books.load_health("bybit-main")
    assert (bitcoin.symbol, bitcoin.source) == ("BTC/USDT", "ws")
    assert (ether.symbol, ether.source) == ("ETH/USDT", "ws")
    stack.wait_for("health", lambda: collected.books.load_health("dead"))
    assert collected.books.load_health("dead")[0].trouble is not None


def test_a_gap_on_one_exchange_is_mended(collected: Collected) -> None:
    collected.until_fresh("binance-main")

    def resyncs() -> int:
        return sum(one.resyncs for one in collected.books.load_health("binance-main"))

    before = resyncs()
    collected.stack.paper(
        "POST", "/paper/faults", {"kind": "stream_gap", "route": "WS depth", "count": 1}
    )
    collected.stack.wait_for("resync", lambda: resyncs() == before + 1)
    collected.until_fresh("binance-main")


def test_a_book_disappears_with_its_exchange_while_the_others_stay(collected: Collected) -> None:
    collected.until_fresh("binance-main", "bybit-main")
    stack = collected.stack
    stack.kill("paper")
    stack.wait_for("the end of the book", lambda: collected.book("binance-main") is None)
    collected.until_fresh("bybit-main")
    stack.start_paper()
    collected.until_fresh("binance-main", "bybit-main")


def test_no_book_outlives_a_collector_that_was_killed(collected: Collected) -> None:
    collected.until_fresh("binance-main", "bybit-main")
    stack = collected.stack
    stack.kill("collector")
    stack.wait_for(
        "the end of all books",
        lambda: not any(collected.book(one) for one in ("binance-main", "bybit-main")),
    )
    collected.start()
    collected.until_fresh("binance-main", "bybit-main")


def test_a_store_that_was_away_is_filled_again(collected: Collected) -> None:
    collected.until_fresh("bybit-main")
    collected.stack.kill("redis")
    collected.stack.start_redis()
    collected.until_fresh("binance-main", "bybit-main")


@pytest.mark.parametrize(
    "number", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.system)]
)
def test_it_stops_cleanly_on_a_signal(collected: Collected, number: signal.Signals) -> None:
    collected.until_fresh("binance-main", "bybit-main")
    process = collected.stack.processes["collector"]
    process.send_signal(number)
    assert process.wait(5) == 0
    lines = collected.stack.log("collector").splitlines()
    assert json.loads(lines[-1])["event"] == "book_collector_stopped"
    assert "Traceback" not in collected.stack.log("collector")
    collected.start()
    collected.until_fresh("binance-main", "bybit-main")
