"""ccxt's own bybit class, as its users set it up, gets along with the exchange."""

import ccxt
import pytest

from tests.support.paper.bybit_client import BybitPaper


@pytest.fixture(scope="module")
def paper():
    made = BybitPaper("--walk-interval-ms", "0", "--weight-per-minute", "0")
    made.own_book()
    yield made
    errors = made.stop()
    assert "Traceback" not in errors, errors


@pytest.fixture
def by_ccxt(paper):
    exchange = ccxt.bybit(
        {
            "apiKey": "paper",
            "secret": "paper",
            "enableRateLimit": False,
            "options": {"defaultType": "spot"},
        }
    )
    exchange.session.trust_env = False
    exchange.number = str
    for api in exchange.urls["api"]:
        exchange.urls["api"][api] = paper.url
    yield exchange
    exchange.session.close()
    paper.cancel_all()


def test_ccxt_reads_the_markets_and_the_public_side(by_ccxt):
    market = by_ccxt.load_markets()["BTC/USDT"]
    assert sorted(by_ccxt.markets) == ["BTC/USDT", "ETH/BTC", "ETH/USDT", "SOL/USDT", "XRP/USDT"]
    assert (market["spot"], market["active"]) == (True, True)
    assert (market["precision"]["price"], market["precision"]["amount"]) == ("0.01", "0.00001")
    assert market["limits"]["cost"]["min"] == "5"
    assert {"BTC", "USDT"} <= set(by_ccxt.currencies)
    assert abs(by_ccxt.fetch_time() - by_ccxt.milliseconds()) < 2000
    assert by_ccxt.fetch_ticker("BTC/USDT")["ask"] == "50100"
    assert by_ccxt.fetch_order_book("BTC/USDT")["bids"] == [[49900.0, 5.0]]
    assert by_ccxt.fetch_trading_fee("BTC/USDT")["taker"] == "0.001"


def test_ccxt_places_amends_and_cancels_an_order(by_ccxt):
    placed = by_ccxt.create_order(
        "BTC/USDT", "limit", "buy", "0.01", "30000", {"clientOrderId": "ccxt-1"}
    )
    assert (placed["clientOrderId"], placed["status"], placed["filled"]) == ("ccxt-1", None, None)
    by_ccxt.edit_order(placed["id"], "BTC/USDT", "limit", "buy", "0.02", "31000")
    (told,) = by_ccxt.fetch_open_orders("BTC/USDT")
    assert (told["id"], told["status"], told["amount"], told["price"]) == (
        placed["id"],
        "open",
        "0.02",
        "31000",
    )
    assert by_ccxt.fetch_balance()["USDT"]["used"] == "620"
    by_ccxt.cancel_order(placed["id"], "BTC/USDT")
    assert by_ccxt.fetch_open_orders("BTC/USDT") == []
    assert by_ccxt.fetch_canceled_orders("BTC/USDT")[0]["id"] == placed["id"]


def test_ccxt_reads_fills_with_their_fees(by_ccxt):
    placed = by_ccxt.create_order("BTC/USDT", "market", "buy", "0.01")
    told = by_ccxt.fetch_order(placed["id"], "BTC/USDT", {"acknowledged": True})
    assert (told["status"], told["filled"], told["average"]) == ("closed", "0.01", "50100")
    (trade,) = by_ccxt.fetch_order_trades(placed["id"])
    assert (trade["price"], trade["amount"], trade["takerOrMaker"]) == ("50100", "0.01", "taker")
    assert (trade["fee"]["cost"], trade["fee"]["currency"]) == ("0.00001", "BTC")
    assert by_ccxt.fetch_my_trades("BTC/USDT")[-1]["id"] == trade["id"]


@pytest.mark.parametrize(
    ("amount", "price", "error"),
    [
        ("90", "30000", ccxt.InsufficientFunds),
        ("0.0001", "30000", ccxt.InvalidOrder),
        ("0.01", "2000000", ccxt.InvalidOrder),
    ],
)
def test_ccxt_understands_refusals(by_ccxt, amount, price, error):
    with pytest.raises(error):
        by_ccxt.create_order("BTC/USDT", "limit", "buy", amount, price)


def test_ccxt_recognises_that_a_key_or_a_signature_is_wrong(by_ccxt):
    by_ccxt.load_markets()
    by_ccxt.secret = "wrong"  # The paper exchange knows another one.
    with pytest.raises(ccxt.AuthenticationError):
        by_ccxt.fetch_balance()
