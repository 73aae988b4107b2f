"""Messages of each exchange, read through ccxt's own code without a binary fraction anywhere."""

import asyncio
import json
from decimal import Decimal
from typing import Any

import pytest

from execution.api.books.clients import book_client
from execution.exchanges.account import Account

PRICE, AMOUNT = "21921.123456789012345", "0.00000001"
LEVEL = (Decimal(PRICE), Decimal(AMOUNT))


class Wire:
    """ccxt's side of a connection, which notes what it is told."""

    def __init__(self, url: str = "ws://paper/v5/public/spot") -> None:
        self.url = url
        self.subscriptions: dict[str, Any] = {}
        self.resolved: list[Any] = []
        self.rejected: list[tuple[Exception, str]] = []
        self.errors: list[Exception] = []
        self.sent: list[Any] = []

    def resolve(self, result: Any, _: str) -> None:
        self.resolved.append(result)

    def reject(self, error: Exception, key: str) -> None:
        self.rejected.append((error, key))

    def on_error(self, error: Exception) -> None:
        self.errors.append(error)

    async def send(self, message: Any) -> None:
        self.sent.append(message)


def okx() -> str:
    level = [PRICE, AMOUNT, "0", "1"]
    data = {"bids": [level], "asks": [], "ts": "1626537446491", "seqId": 5, "prevSeqId": -1}
    arg = {"channel": "books", "instId": "BTC-USDT"}
    return json.dumps({"arg": arg, "action": "snapshot", "data": [data]})


def kraken() -> str:
    bid = f'{{"price": {PRICE}, "qty": {AMOUNT}}}'
    data = f'{{"symbol": "BTC/USDT", "bids": [{bid}], "asks": [], "checksum": 1}}'
    return f'{{"channel": "book", "type": "snapshot", "data": [{data}]}}'


def coinbase() -> str:
    update = {"side": "bid", "price_level": PRICE, "new_quantity": AMOUNT}
    event = {"type": "snapshot", "product_id": "BTC-USDT", "updates": [update]}
    time = "2023-02-09T20:32:50.714964855Z"
    return json.dumps({"channel": "l2_data", "timestamp": time, "events": [event]})


def upbit() -> str:
    unit = f'{{"bid_price": {PRICE}, "bid_size": {AMOUNT}, "ask_price": 30000, "ask_size": 1}}'
    start = '{"type": "orderbook", "code": "USDT-BTC", "timestamp": 1584486737444'
    return f'{start}, "orderbook_units": [{unit}], "stream_type": "SNAPSHOT"}}'


def bybit(number: int, kind: str = "delta", **levels: list[list[str]]) -> str:
    data = {"s": "BTCUSDT", "b": [], "a": [], "u": number, **levels}
    return json.dumps({"topic": "orderbook.50.BTCUSDT", "type": kind, "ts": 1, "data": data})


def told(exchange: str, *messages: str) -> tuple[Any, Wire]:
    """A client that has heard these messages, and its connection."""

    async def hear() -> tuple[Any, Wire]:
        client, wire = book_client(Account("a", exchange), 1), Wire()
        client.asyncio_loop = asyncio.get_running_loop()
        wire.subscriptions["books:BTC-USDT"] = {}
        for message in messages:
            client._take_in(wire, message)
        await asyncio.sleep(0)
        return client, wire

    return asyncio.run(hear())


@pytest.mark.parametrize(
    ("exchange", "message"),
    [
        ("okx", okx()),
        ("kraken", kraken()),
        ("coinbase", coinbase()),
        ("upbit", upbit()),
        ("bybit", bybit(1, "snapshot", b=[[PRICE, AMOUNT]])),
    ],
)
def test_a_level_is_exactly_what_was_sent(exchange: str, message: str) -> None:
    _, wire = told(exchange, message)
    assert wire.errors == []
    [book] = wire.resolved[:1]
    assert [tuple(level[:2]) for level in book["bids"]] == [LEVEL]
    assert all(type(number) is Decimal for level in book["bids"] for number in level[:2])


def test_binances_changes_are_exact_too() -> None:
    client = book_client(Account("a", "binance"), 1)
    book = client.order_book({}, 10)
    client.handle_deltas(book["bids"], [[PRICE, AMOUNT], ["1", "2"], ["1", "0.00000000"]])
    assert [tuple(level) for level in book["bids"]] == [LEVEL]


def test_bybits_changes_are_applied_while_their_numbers_follow_each_other() -> None:
    client, wire = told(
        "bybit",
        bybit(7, "snapshot", b=[["3", "1"], ["2", "1"]]),
        bybit(8, b=[["3", "0"]]),
        bybit(9, a=[["5", "1"]]),
    )
    book = client.orderbooks["BTCUSDT"]
    assert (book["bids"], book["asks"], book["nonce"]) == ([[2, 1]], [[5, 1]], 9)
    assert wire.rejected == []


def test_a_number_left_out_drops_bybits_book_and_joins_its_stream_again() -> None:
    client, wire = told(
        "bybit", bybit(7, "snapshot", b=[["3", "1"]]), bybit(9, b=[["2", "1"]]), bybit(10)
    )
    assert client.orderbooks == {}
    [(error, key)] = wire.rejected
    assert key == "orderbook:BTCUSDT"
    assert "7 then 9" in str(error)
    assert wire.sent == [{"op": "unsubscribe", "args": ["orderbook.50.BTCUSDT"]}]
    assert len(wire.resolved) == 1


def test_no_book_of_bybits_begins_with_a_change() -> None:
    client, wire = told("bybit", bybit(8, b=[["3", "1"]]))
    assert client.orderbooks == {}
    assert wire.resolved == []


@pytest.mark.parametrize(
    "message",
    ['{"topic": ', '{"topic": "orderbook.50.BTCUSDT"}', bybit(1, "snapshot", b=[["x", "1"]]),
     '{"topic": "orderbook.50.BTCUSDT", "data": {"u": NaN}}'],
)  # fmt: skip
def test_a_message_that_cannot_be_read_ends_the_connection(message: str) -> None:
    _, wire = told("bybit", message)
    assert [type(error).__name__ for error in wire.errors] == ["BadResponse"]


@pytest.mark.parametrize(
    ("headers", "wait_ms"),
    [(None, 0), ({}, 0), ({"Retry-After": "7"}, 7_000), ({"retry-after": "soon"}, 0)],
)
def test_how_long_to_wait_is_read_from_the_last_answer(headers: Any, wait_ms: int) -> None:
    client = book_client(Account("a", "binance"), 1)
    client.last_response_headers = headers
    assert client.retry_after_ms == wait_ms


def test_a_stream_is_as_deep_as_the_exchange_has_it() -> None:
    depths = {
        exchange: [book_client(Account("a", exchange), 1).stream_depth(n) for n in (1, 51, 999)]
        for exchange in ("binance", "bybit", "kraken")
    }
    assert depths == {
        "binance": [None, None, None],
        "bybit": [50, 200, 1000],
        "kraken": [10, 100, 1000],
    }


def test_any_exchange_of_ccxts_has_a_client() -> None:
    assert book_client(Account("a", "bitstamp"), 1).has["watchOrderBook"] is True
    assert not book_client(Account("a", "btcmarkets"), 1).has["watchOrderBook"]
