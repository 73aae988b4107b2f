"""What book_snapshots.Books promises, of memory and of a real server alike."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import partial
from typing import Any

import pytest

from execution.market_data.snapshots import BookHealth, Books, BookSnapshot
from execution.model.book import Book
from execution.model.errors import StoreUnavailable
from execution.store.access import keys
from execution.store.access.connection import connect
from execution.store.memory.books import MemoryBooks
from execution.store.redis.books import RedisBooks
from tests.support.clock import START_MS, FakeClock
from tests.support.stores_kit import let_elapse

TTL_MS = 60_000
BIDS = ((Decimal("49900.10"), Decimal("0.00000001")), (Decimal(49900), Decimal("1E+2")))
BOOK = Book("BTC/USDT", BIDS, ())
SNAPSHOT = BookSnapshot("binance-main", "BTC/USDT", BOOK, START_MS - 5, START_MS, 77)
SILENT = replace(SNAPSHOT, account="other", exchange_ms=None, sequence=None)
HEALTH = BookHealth("binance-main", "BTC/USDT", "ws", START_MS, 3, None)


@dataclass
class Shelf:
    """Books, and how a test lets time pass for them."""

    books: Books
    elapse: Callable[[int], None]


@pytest.fixture(params=["memory", "server"])
def shelf(request: pytest.FixtureRequest) -> Shelf:
    if request.param == "memory":
        clock = FakeClock()
        return Shelf(MemoryBooks(clock, TTL_MS), clock.advance)
    client: Any = connect(request.getfixturevalue("valkey_url"))
    client.flushall()
    return Shelf(RedisBooks(client, TTL_MS), partial(let_elapse, client))


def test_what_is_saved_is_loaded_exactly(shelf: Shelf) -> None:
    shelf.books.save([SNAPSHOT, SILENT])
    assert shelf.books.load("binance-main", "BTC/USDT") == SNAPSHOT
    assert shelf.books.load("other", "BTC/USDT") == SILENT


def test_the_newer_book_takes_the_place_of_the_older(shelf: Shelf) -> None:
    newer = replace(SNAPSHOT, sequence=78, received_ms=START_MS + 1)
    shelf.books.save([SNAPSHOT])
    shelf.books.save([newer])
    assert shelf.books.load("binance-main", "BTC/USDT") == newer


def test_only_what_is_there_is_loaded(shelf: Shelf) -> None:
    shelf.books.save([SNAPSHOT])
    wanted = [("binance-main", "BTC/USDT"), ("binance-main", "ETH/USDT"), ("x", "BTC/USDT")]
    assert shelf.books.load_many(wanted) == {("binance-main", "BTC/USDT"): SNAPSHOT}
    assert shelf.books.load_many([]) == {}
    assert shelf.books.load("x", "BTC/USDT") is None


def test_a_book_that_is_not_saved_again_is_gone(shelf: Shelf) -> None:
    shelf.books.save([SNAPSHOT, SILENT])
    shelf.elapse(TTL_MS * 2 // 3)
    shelf.books.save([SILENT])
    shelf.elapse(TTL_MS * 2 // 3)
    assert shelf.books.load("binance-main", "BTC/USDT") is None
    assert shelf.books.load("other", "BTC/USDT") == SILENT


def test_health_is_of_an_account_and_passes_like_its_books(shelf: Shelf) -> None:
    shelf.books.save_health("binance-main", [HEALTH])
    assert shelf.books.load_health("binance-main") == [HEALTH]
    assert shelf.books.load_health("other") == []
    shelf.elapse(TTL_MS)
    assert shelf.books.load_health("binance-main") == []


def test_on_a_server_a_book_is_json_of_decimal_strings(valkey_url: str) -> None:
    client: Any = connect(valkey_url)
    client.flushall()
    RedisBooks(client).save([SNAPSHOT])
    assert client.get("oneorder:book:binance-main:BTC/USDT") == (
        '{"account":"binance-main","symbol":"BTC/USDT",'
        '"bids":[["49900.1","0.00000001"],["49900","100"]],"asks":[],'
        f'"exchange_ms":{START_MS - 5},"received_ms":{START_MS},"sequence":77}}'
    )


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"bids": [["1"]], "asks": []}', '{"bids": [[0.1, 1]], "asks": []}']
)
def test_what_is_no_book_is_said_to_be_none(valkey_url: str, text: str) -> None:
    client: Any = connect(valkey_url)
    client.set(keys.book("binance-main", "BTC/USDT"), text)
    with pytest.raises(StoreUnavailable, match="unreadable"):
        RedisBooks(client).load("binance-main", "BTC/USDT")


def test_a_server_that_is_away_is_unavailable() -> None:
    books = RedisBooks(connect("redis://127.0.0.1:1/0"))
    with pytest.raises(StoreUnavailable):
        books.save([SNAPSHOT])
    with pytest.raises(StoreUnavailable):
        books.load("binance-main", "BTC/USDT")
