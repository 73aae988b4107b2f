"""Binance's public side over real HTTP: the listing, books, trades and tickers."""

import time

import pytest


def test_the_listing_tells_the_rules_of_each_symbol(paper):
    told = paper.call("GET", "/api/v3/exchangeInfo").json()
    names = [symbol["symbol"] for symbol in told["symbols"]]
    assert names == ["BTCUSDT", "ETHUSDT", "ETHBTC", "SOLUSDT", "XRPUSDT"]
    bitcoin = told["symbols"][0]
    filters = {row["filterType"]: row for row in bitcoin["filters"]}
    assert filters["PRICE_FILTER"]["tickSize"] == "0.01000000"
    assert filters["LOT_SIZE"]["stepSize"] == "0.00001000"
    assert set(filters) == {
        "PRICE_FILTER",
        "LOT_SIZE",
        "MARKET_LOT_SIZE",
        "NOTIONAL",
        "PERCENT_PRICE_BY_SIDE",
    }
    one = paper.call("GET", "/api/v3/exchangeInfo", symbol="ETHBTC").json()["symbols"]
    assert [symbol["symbol"] for symbol in one] == ["ETHBTC"]
    two = paper.call("GET", "/api/v3/exchangeInfo", symbols='["ETHBTC","BTCUSDT"]').json()
    assert [symbol["symbol"] for symbol in two["symbols"]] == ["ETHBTC", "BTCUSDT"]


def test_the_depth_shows_resting_and_outside_orders_as_one_book(paper):
    paper.order(price="49900", quantity="2")
    paper.order(price="49800", quantity="1")
    first = paper.call("GET", "/api/v3/depth", symbol="BTCUSDT").json()
    assert first["bids"] == [["49900.00000000", "7.00000000"], ["49800.00000000", "1.00000000"]]
    assert first["asks"] == [["50100.00000000", "5.00000000"]]
    paper.order(price="49700", quantity="1")
    second = paper.call("GET", "/api/v3/depth", symbol="BTCUSDT", limit=1).json()
    assert second["bids"] == first["bids"][:1]
    assert second["lastUpdateId"] > first["lastUpdateId"]


@pytest.mark.parametrize("path", ["ticker/24hr", "ticker/price", "ticker/bookTicker"])
def test_a_ticker_is_given_for_one_for_some_and_for_all_symbols(paper, path):
    one = paper.call("GET", f"/api/v3/{path}", symbol="BTCUSDT").json()
    some = paper.call("GET", f"/api/v3/{path}", symbols='["BTCUSDT","ETHBTC"]').json()
    every = paper.call("GET", f"/api/v3/{path}").json()
    assert one["symbol"] == "BTCUSDT"
    assert [row["symbol"] for row in some] == ["BTCUSDT", "ETHBTC"]
    assert len(every) == 5


def test_a_book_ticker_shows_the_best_prices(paper):
    assert paper.call("GET", "/api/v3/ticker/bookTicker", symbol="BTCUSDT").json() == {
        "symbol": "BTCUSDT",
        "bidPrice": "49900.00000000",
        "bidQty": "5.00000000",
        "askPrice": "50100.00000000",
        "askQty": "5.00000000",
    }


def test_public_trades_are_given_in_both_forms(paper):
    fill = paper.order(price="50100").json()["fills"][0]
    (plain,) = paper.call("GET", "/api/v3/trades", symbol="BTCUSDT", limit=1).json()
    assert (plain["id"], plain["isBuyerMaker"]) == (fill["tradeId"], False)
    (aggregate,) = paper.call(
        "GET", "/api/v3/aggTrades", symbol="BTCUSDT", fromId=fill["tradeId"]
    ).json()
    assert (aggregate["a"], aggregate["p"]) == (fill["tradeId"], "50100.00000000")
    day = paper.call("GET", "/api/v3/ticker/24hr", symbol="BTCUSDT").json()
    assert day["lastId"] == fill["tradeId"]
    assert day["lastPrice"] == "50100.00000000"


def test_ping_time_and_average_price_answer(paper):
    assert paper.call("GET", "/api/v3/ping").json() == {}
    told = paper.call("GET", "/api/v3/time").json()["serverTime"]
    assert abs(told - time.time() * 1000) < 2000
    average = paper.call("GET", "/api/v3/avgPrice", symbol="BTCUSDT").json()
    assert average["price"] == "50000.00000000"
