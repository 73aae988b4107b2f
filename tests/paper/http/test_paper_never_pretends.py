"""What the paper exchange does not do it refuses: a test that passes on it must mean something."""

import ast
import re
from pathlib import Path

import ccxt
import pytest

from tests.support.paper.bybit_client import BybitPaper

README = Path(__file__).parents[3] / "paper_exchange" / "README.md"


@pytest.fixture(scope="module")
def shared_bybit():
    paper = BybitPaper("--walk-interval-ms", "0", "--weight-per-minute", "0")
    yield paper
    errors = paper.stop()
    assert "Traceback" not in errors, errors


@pytest.fixture
def bybit(shared_bybit):
    shared_bybit.own_book()
    yield shared_bybit
    shared_bybit.cancel_all()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("trailingStop", "100"),
        ("triggerDirection", 1),
        ("tpslMode", "Full"),
        ("slOrderType", "Market"),
        ("slippageTolerance", "0.5"),
        ("smpType", "CancelMaker"),
        ("closeOnTrigger", True),
        ("stopLoss", "40000"),
        ("nonsense", "1"),
    ],
)
def test_an_order_with_a_term_that_is_not_carried_out_is_refused(bybit, name, value):
    before = len(bybit.ledger()["orders"])
    answer = bybit.create(orderType="Market", side="Sell", marketUnit="baseCoin", **{name: value})
    assert answer["retCode"] in (10001, 170227)
    assert len(bybit.ledger()["orders"]) == before


@pytest.mark.parametrize(
    ("path", "params"),
    [
        ("/v5/order/realtime", {"settleCoin": "USDT"}),
        ("/v5/order/realtime", {"orderFilter": "StopOrder"}),
        ("/v5/order/history", {"orderStatus": "New"}),
        ("/v5/execution/list", {"subType": "x"}),
        ("/v5/account/wallet-balance", {"accountType": "UNIFIED", "memberId": "7"}),
        ("/v5/market/orderbook", {"symbol": "BTCUSDT", "precision": "2"}),
    ],
)
def test_a_read_with_a_filter_that_is_not_heeded_is_refused(bybit, path, params):
    category = {} if "account" in path else {"category": "spot"}
    answer = bybit.get(path, **category, **params)
    assert answer["retCode"] == 10001
    assert list(params)[-1] in answer["retMsg"]


def test_terms_that_ask_for_nothing_are_taken(bybit):
    plain = {"isLeverage": 0, "reduceOnly": False, "stopLoss": "", "smpType": "None"}
    assert bybit.create(**plain)["retCode"] == 0


def test_the_history_shows_only_orders_of_the_status_that_is_asked_for(bybit):
    filled = bybit.created(orderType="Market", marketUnit="baseCoin")
    canceled = bybit.created()
    bybit.cancel_all()

    def ids(**params):
        rows = bybit.get("/v5/order/history", category="spot", **params)["result"]["list"]
        return {row["orderId"] for row in rows}

    assert {filled, canceled} <= ids()
    assert filled in ids(orderStatus="Filled")
    assert canceled not in ids(orderStatus="Filled")
    assert canceled in ids(orderStatus="Cancelled")
    assert ids(orderStatus="Filled", orderId=canceled) == set()


def test_a_sell_with_a_trailing_stop_through_ccxt_sells_nothing(bybit):
    exchange = ccxt.bybit({"apiKey": "paper", "secret": "paper"})
    exchange.options["defaultType"] = "spot"
    exchange.session.trust_env = False
    for api in exchange.urls["api"]:
        exchange.urls["api"][api] = bybit.url
    trades = len(bybit.ledger()["trades"])
    with pytest.raises(ccxt.BaseError):
        exchange.create_order("BTC/USDT", "market", "sell", 0.01, None, {"trailingPercent": "1.0"})
    assert len(bybit.ledger()["trades"]) == trades


def test_what_a_sender_says_of_its_strategy_comes_back_with_the_order(paper):
    answer = paper.order(strategyId=37, strategyType=1_000_000)
    found = paper.query(orderId=answer.json()["orderId"]).json()
    assert (found["strategyId"], found["strategyType"]) == (37, 1_000_000)
    assert "strategyId" not in paper.query(orderId=paper.order().json()["orderId"]).json()


@pytest.mark.parametrize(
    ("path", "params"),
    [
        ("/api/v3/exchangeInfo", {"permissions": "MARGIN"}),
        ("/api/v3/depth", {"symbol": "BTCUSDT", "symbolStatus": "HALT"}),
        ("/api/v3/ticker/24hr", {"symbol": "BTCUSDT", "type": "MINI"}),
    ],
)
def test_a_public_read_with_a_filter_that_is_not_heeded_is_refused(paper, path, params):
    assert paper.call("GET", path, **params).json()["code"] in (-1101, -1104)


@pytest.mark.parametrize("params", [{"trailingDelta": "0"}, {"icebergQty": "0.001"}])
def test_an_order_at_binance_with_a_term_that_is_not_carried_out_is_refused(paper, params):
    assert paper.order(**params).status_code == 400


@pytest.mark.parametrize(("dialect", "port"), [("binance", 8801), ("bybit", 8802)])
def test_the_client_of_the_readme_reaches_no_other_address(dialect, port):
    blocks = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    (block,) = (text for text in blocks if f"ccxt.{dialect}(" in text)
    # Everything but the order that it places: only the client is wanted here.
    made = ast.parse(block)
    made.body = [line for line in made.body if "create_order" not in ast.unparse(line)]
    names: dict[str, object] = {"ccxt": ccxt}
    exec(compile(made, "README.md", "exec"), names)  # noqa: S102  # It is our own page.
    addresses = set(names["exchange"].urls["api"].values())
    assert addresses
    assert all(str(address).startswith(f"http://127.0.0.1:{port}") for address in addresses)
