"""Two independent client libraries, ccxt and python-binance, get along with the exchange."""

from decimal import Decimal

import ccxt
import pytest
from binance.client import Client
from binance.exceptions import BinanceAPIException


@pytest.fixture
def by_ccxt(paper):
    exchange = ccxt.binance(
        {
            "apiKey": "paper",
            "secret": "paper",
            "enableRateLimit": False,
            "options": {
                "fetchMarkets": {"types": ["spot"]},
                "fetchMargins": False,
                "fetchCurrencies": False,
            },
        }
    )
    exchange.session.trust_env = False
    exchange.number = str
    for api in ("public", "private"):
        exchange.urls["api"][api] = f"{paper.url}/api/v3"
    yield exchange
    exchange.session.close()


@pytest.fixture
def by_python_binance(paper, monkeypatch):
    monkeypatch.setattr(Client, "API_URL", f"{paper.url}/api")
    client = Client("paper", "paper", requests_params={"timeout": 5})
    client.session.trust_env = False
    yield client
    client.close_connection()


def test_ccxt_reads_the_markets_with_their_precision_and_limits(by_ccxt):
    market = by_ccxt.load_markets()["BTC/USDT"]
    assert sorted(by_ccxt.markets) == ["BTC/USDT", "ETH/BTC", "ETH/USDT", "SOL/USDT", "XRP/USDT"]
    assert market["active"]
    assert market["spot"]
    assert Decimal(market["precision"]["price"]) == Decimal("0.01")
    assert Decimal(market["precision"]["amount"]) == Decimal("0.00001")
    assert Decimal(market["limits"]["cost"]["min"]) == 5
    assert by_ccxt.amount_to_precision("BTC/USDT", "0.123456789") == "0.12345"


def test_ccxt_reads_the_public_side(by_ccxt, paper):
    paper.order(type="MARKET", quantity="0.01")
    assert abs(by_ccxt.fetch_time() - by_ccxt.milliseconds()) < 2000
    ticker = by_ccxt.fetch_ticker("BTC/USDT")
    assert (ticker["bid"], ticker["ask"]) == ("49900.00000000", "50100.00000000")
    assert len(by_ccxt.fetch_tickers()) == 5
    book = by_ccxt.fetch_order_book("BTC/USDT")
    assert [Decimal(level) for level in book["bids"][0]] == [49900, 5]
    assert by_ccxt.fetch_trades("BTC/USDT")[-1]["price"] == "50100.00000000"
    assert by_ccxt.fetch_bids_asks()["ETH/USDT"]["bid"] is not None


def test_ccxt_places_finds_lists_and_cancels_an_order(by_ccxt):
    placed = by_ccxt.create_order(
        "BTC/USDT", "limit", "buy", "0.01", "30000", {"clientOrderId": "ccxt-one"}
    )
    assert (placed["status"], placed["clientOrderId"]) == ("open", "ccxt-one")
    found = by_ccxt.fetch_order(None, "BTC/USDT", {"origClientOrderId": "ccxt-one"})
    assert found["id"] == placed["id"]
    assert [o["id"] for o in by_ccxt.fetch_open_orders("BTC/USDT")] == [placed["id"]]
    with pytest.raises(ccxt.ExchangeError, match="Duplicate order sent"):
        by_ccxt.create_order(
            "BTC/USDT", "limit", "buy", "0.01", "30000", {"clientOrderId": "ccxt-one"}
        )
    cancelled = by_ccxt.cancel_order(placed["id"], "BTC/USDT")
    assert cancelled["status"] == "canceled"
    assert cancelled["info"]["origClientOrderId"] == "ccxt-one"
    assert by_ccxt.fetch_orders("BTC/USDT")[-1]["status"] == "canceled"
    with pytest.raises(ccxt.OrderNotFound):
        by_ccxt.cancel_order(placed["id"], "BTC/USDT")


def test_ccxt_reads_fills_fees_and_balances(by_ccxt, paper):
    placed = by_ccxt.create_order("BTC/USDT", "market", "buy", "0.2")
    assert (placed["status"], placed["filled"], placed["average"]) == (
        "closed",
        "0.20000000",
        "50100",
    )
    (trade,) = by_ccxt.fetch_my_trades("BTC/USDT", params={"orderId": placed["id"]})
    assert (trade["side"], trade["takerOrMaker"]) == ("buy", "taker")
    assert trade["fee"] == {"cost": "0.00020000", "currency": "BTC"}
    balance = by_ccxt.fetch_balance()
    assert balance["BTC"]["free"] == paper.balances()["BTC"][0]
    since = by_ccxt.fetch_my_trades("BTC/USDT", since=trade["timestamp"], limit=1)
    assert since[0]["id"] <= trade["id"]


def test_ccxt_places_every_kind_of_order_that_it_has(by_ccxt):
    by_ccxt.load_markets()
    for kind, side, amount, price, params in (
        ("limit", "buy", "0.01", "50100", {"timeInForce": "IOC"}),
        ("limit", "buy", "0.01", "50100", {"timeInForce": "FOK"}),
        ("limit", "buy", "0.01", "30000", {"postOnly": True}),
        ("market", "buy", "0.01", None, {"cost": "500"}),
        ("market", "sell", "0.01", None, {}),
        ("market", "sell", "0.01", None, {"stopLossPrice": "40000"}),
        ("limit", "sell", "0.01", "39000", {"stopLossPrice": "40000"}),
        ("limit", "sell", "0.01", "61000", {"takeProfitPrice": "60000"}),
    ):
        assert by_ccxt.create_order("BTC/USDT", kind, side, amount, price, params)["id"]


def test_ccxt_replaces_an_order(by_ccxt):
    placed = by_ccxt.create_order("BTC/USDT", "limit", "buy", "0.01", "30000")
    edited = by_ccxt.edit_order(placed["id"], "BTC/USDT", "limit", "buy", "0.02", "31000")
    assert edited["price"] == "31000.00000000"
    assert [o["id"] for o in by_ccxt.fetch_open_orders("BTC/USDT")] == [edited["id"]]
    by_ccxt.cancel_all_orders("BTC/USDT")
    assert by_ccxt.fetch_open_orders("BTC/USDT") == []


@pytest.mark.parametrize(
    ("order", "error"),
    [
        (("limit", "buy", "10", "50000"), None),
        (("limit", "buy", "300", "29000"), ccxt.InsufficientFunds),
        (("limit", "buy", "9001", "30000"), ccxt.InvalidOrder),
        (("limit", "buy", "0.00001", "30000"), ccxt.BadRequest),
        (("limit", "buy", "0.01", "9000"), ccxt.InvalidOrder),
    ],
)
def test_ccxt_gives_a_refusal_the_class_that_it_gives_binances(by_ccxt, order, error):
    if error is None:
        assert by_ccxt.create_order("BTC/USDT", *order)["id"]
    else:
        with pytest.raises(error):
            by_ccxt.create_order("BTC/USDT", *order)


def test_ccxt_recognises_a_wrong_key_and_a_late_request(by_ccxt):
    by_ccxt.load_markets()
    by_ccxt.nonce = lambda: by_ccxt.milliseconds() - 60_000
    with pytest.raises(ccxt.InvalidNonce):
        by_ccxt.fetch_open_orders("BTC/USDT")
    by_ccxt.secret = "wrong"
    with pytest.raises(ccxt.AuthenticationError):
        by_ccxt.fetch_open_orders("BTC/USDT")


def test_python_binance_places_finds_lists_and_cancels_an_order(by_python_binance):
    client = by_python_binance
    placed = client.order_limit_buy(
        symbol="BTCUSDT", quantity="0.01", price="30000", newClientOrderId="pb-one"
    )
    assert (placed["status"], placed["fills"]) == ("NEW", [])
    found = client.get_order(symbol="BTCUSDT", origClientOrderId="pb-one")
    assert found["orderId"] == placed["orderId"]
    assert [o["orderId"] for o in client.get_open_orders(symbol="BTCUSDT")] == [placed["orderId"]]
    cancelled = client.cancel_order(symbol="BTCUSDT", orderId=placed["orderId"])
    assert (cancelled["status"], cancelled["origClientOrderId"]) == ("CANCELED", "pb-one")
    assert client.get_all_orders(symbol="BTCUSDT")[-1]["status"] == "CANCELED"
    with pytest.raises(BinanceAPIException) as refused:
        client.cancel_order(symbol="BTCUSDT", orderId=placed["orderId"])
    assert refused.value.code == -2011


def test_python_binance_trades_and_reads_its_account(by_python_binance):
    client = by_python_binance
    before = Decimal(client.get_asset_balance(asset="BTC")["free"])
    bought = client.order_market_buy(symbol="BTCUSDT", quantity="0.1")
    assert bought["status"] == "FILLED"
    trades = client.get_my_trades(symbol="BTCUSDT", orderId=bought["orderId"])
    assert [Decimal(trade["qty"]) for trade in trades] == [Decimal("0.1")]
    after = Decimal(client.get_asset_balance(asset="BTC")["free"])
    assert after - before == Decimal("0.0999")
    assert (
        client.create_test_order(symbol="BTCUSDT", side="BUY", type="MARKET", quantity="0.1") == {}
    )


def test_python_binance_reads_the_public_side(by_python_binance):
    client = by_python_binance
    assert client.ping() == {}
    assert client.get_server_time()["serverTime"] > 0
    assert client.get_symbol_info("ETHBTC")["quoteAsset"] == "BTC"
    assert client.get_order_book(symbol="BTCUSDT")["asks"]
    assert len(client.get_all_tickers()) == 5
    assert client.get_orderbook_ticker(symbol="BTCUSDT")["bidPrice"] == "49900.00000000"
    assert client.get_ticker(symbol="BTCUSDT")["symbol"] == "BTCUSDT"
    assert client.get_avg_price(symbol="BTCUSDT")["mins"] == 5
    assert isinstance(client.get_recent_trades(symbol="BTCUSDT"), list)
