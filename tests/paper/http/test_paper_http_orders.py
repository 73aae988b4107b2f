"""Binance's JSON over real HTTP: placing, asking, cancelling, replacing, and what is public."""

import hmac
import time
from itertools import count
from urllib.parse import urlencode

import pytest

from paper_exchange.dialects.binance.params import parse_pairs

ORDER_FIELDS = {
    "symbol",
    "orderId",
    "orderListId",
    "clientOrderId",
    "transactTime",
    "price",
    "origQty",
    "executedQty",
    "origQuoteOrderQty",
    "cummulativeQuoteQty",
    "status",
    "timeInForce",
    "type",
    "side",
    "workingTime",
    "selfTradePreventionMode",
    "fills",
}
QUERY_FIELDS = (ORDER_FIELDS - {"transactTime", "fills"}) | {
    "stopPrice",
    "icebergQty",
    "time",
    "updateTime",
    "isWorking",
}
numbers = count()


def fresh_id():
    """A client order id that no other test uses."""
    return f"test-{next(numbers)}_{time.time_ns()}"


def test_a_limit_order_that_rests_is_answered_in_full(paper):
    client_id = fresh_id()
    answer = paper.order(newClientOrderId=client_id)
    placed = answer.json()
    assert answer.status_code == 200
    assert set(placed) == ORDER_FIELDS
    assert isinstance(placed["orderId"], int)
    told = {name: placed[name] for name in ("clientOrderId", "price", "origQty", "executedQty")}
    assert told == {
        "clientOrderId": client_id,
        "price": "30000.00000000",
        "origQty": "0.01000000",
        "executedQty": "0.00000000",
    }
    assert (placed["status"], placed["fills"], placed["orderListId"]) == ("NEW", [], -1)


def test_a_market_order_tells_its_fills_with_their_fees(paper):
    placed = paper.order(type="MARKET", quantity="0.2").json()
    assert placed["status"] == "FILLED"
    assert placed["price"] == "0.00000000"
    assert placed["cummulativeQuoteQty"] == "10020.00000000"
    (fill,) = placed["fills"]
    assert isinstance(fill.pop("tradeId"), int)
    assert fill == {
        "price": "50100.00000000",
        "qty": "0.20000000",
        "commission": "0.00020000",
        "commissionAsset": "BTC",
    }


def test_a_market_order_by_quote_shows_what_it_asked_for_and_what_it_got(paper):
    placed = paper.order(type="MARKET", quantity=None, quoteOrderQty="1002").json()
    assert placed["origQuoteOrderQty"] == "1002.00000000"
    assert placed["origQty"] == placed["executedQty"] == "0.02000000"


@pytest.mark.parametrize(
    ("params", "fields"),
    [
        ({"newOrderRespType": "FULL"}, ORDER_FIELDS),
        ({"newOrderRespType": "RESULT"}, ORDER_FIELDS - {"fills"}),
        (
            {"newOrderRespType": "ACK"},
            {"symbol", "orderId", "orderListId", "clientOrderId", "transactTime"},
        ),
        (
            {"type": "LIMIT_MAKER", "price": "30000"},
            {"symbol", "orderId", "orderListId", "clientOrderId", "transactTime"},
        ),
    ],
)
def test_an_answer_is_as_long_as_was_asked_for(paper, params, fields):
    assert set(paper.order(**params).json()) == fields


def test_an_order_is_found_by_either_id(paper):
    placed = paper.order().json()
    by_id = paper.query(orderId=placed["orderId"]).json()
    assert by_id == paper.query(origClientOrderId=placed["clientOrderId"]).json()
    assert set(by_id) == QUERY_FIELDS
    assert by_id["time"] == placed["transactTime"]
    assert by_id["isWorking"] is True


def test_a_generated_client_id_is_one_that_binance_would_accept(paper):
    client_id = paper.order().json()["clientOrderId"]
    assert client_id.isascii()
    assert client_id.isalnum()
    assert len(client_id) == 22


def test_order_ids_count_up_over_all_symbols(paper):
    first = paper.order().json()["orderId"]
    assert paper.order(symbol="ETHUSDT", price="2000").json()["orderId"] == first + 1
    assert paper.order().json()["orderId"] == first + 2


def test_a_cancel_answers_with_the_orders_id_and_an_id_of_its_own(paper):
    placed = paper.order().json()
    cancelled = paper.cancel(orderId=placed["orderId"]).json()
    assert cancelled["origClientOrderId"] == placed["clientOrderId"]
    assert cancelled["clientOrderId"] not in ("", placed["clientOrderId"])
    assert cancelled["status"] == "CANCELED"
    chosen = paper.order().json()
    answer = paper.cancel(origClientOrderId=chosen["clientOrderId"], newClientOrderId="my-cancel")
    assert answer.json()["clientOrderId"] == "my-cancel"
    queried = paper.query(orderId=chosen["orderId"]).json()
    assert queried["clientOrderId"] == chosen["clientOrderId"]


def test_a_client_id_may_be_used_again_once_its_order_has_filled(paper):
    client_id = fresh_id()
    paper.order(price="50100", newClientOrderId=client_id)
    second = paper.order(newClientOrderId=client_id).json()
    assert paper.query(origClientOrderId=client_id).json()["orderId"] == second["orderId"]
    refused = paper.order(newClientOrderId=client_id)
    assert refused.json() == {"code": -2010, "msg": "Duplicate order sent."}


def test_open_orders_are_listed_by_symbol_or_all(paper):
    bitcoin = paper.order().json()["orderId"]
    ether = paper.order(symbol="ETHUSDT", price="2000").json()["orderId"]
    everything = paper.signed("GET", "/api/v3/openOrders").json()
    assert {bitcoin, ether} <= {order["orderId"] for order in everything}
    of_one = paper.signed("GET", "/api/v3/openOrders", symbol="BTCUSDT").json()
    assert [order["orderId"] for order in of_one] == [bitcoin]
    assert set(of_one[0]) == QUERY_FIELDS


def test_all_open_orders_of_a_symbol_are_cancelled_at_once(paper):
    placed = [paper.order().json()["orderId"] for _ in range(3)]
    cancelled = paper.signed("DELETE", "/api/v3/openOrders", symbol="BTCUSDT").json()
    assert [order["orderId"] for order in cancelled] == placed
    again = paper.signed("DELETE", "/api/v3/openOrders", symbol="BTCUSDT")
    assert again.json() == {"code": -2011, "msg": "Unknown order sent."}


def test_all_orders_are_listed_from_an_id_on(paper):
    ids = [paper.order().json()["orderId"] for _ in range(3)]
    listed = paper.signed("GET", "/api/v3/allOrders", symbol="BTCUSDT", orderId=ids[1]).json()
    assert [order["orderId"] for order in listed] == ids[1:]
    newest = paper.signed("GET", "/api/v3/allOrders", symbol="BTCUSDT", limit=1).json()
    assert [order["orderId"] for order in newest] == ids[2:]


def test_own_trades_are_found_by_order_by_id_and_by_time(paper):
    # A symbol that no other test trades in, where some set the clock forward.
    since = int(time.time() * 1000)
    paper.book(asks=[["150", "100"]], symbol="SOLUSDT")
    orders = [paper.order(symbol="SOLUSDT", price="150", quantity="1").json() for _ in range(3)]
    ids = [order["fills"][0]["tradeId"] for order in orders]

    def trades(**params):
        rows = paper.signed("GET", "/api/v3/myTrades", symbol="SOLUSDT", **params).json()
        return [row["id"] for row in rows]

    assert trades(orderId=orders[1]["orderId"]) == [ids[1]]
    assert trades(fromId=ids[1]) == ids[1:]
    assert trades(fromId=ids[0], limit=2) == ids[:2]
    assert trades(startTime=since) == ids
    assert trades(startTime=since, endTime=since + 60_000, limit=1) == ids[:1]
    assert trades(startTime=since + 60_000) == []
    assert trades(limit=1) == ids[2:]


def test_an_own_trade_has_every_field(paper):
    placed = paper.order(price="50100").json()
    (row,) = paper.signed(
        "GET", "/api/v3/myTrades", symbol="BTCUSDT", orderId=placed["orderId"]
    ).json()
    assert row.pop("time") == placed["transactTime"]
    assert row.pop("id") == placed["fills"][0]["tradeId"]
    assert row == {
        "symbol": "BTCUSDT",
        "orderId": placed["orderId"],
        "orderListId": -1,
        "price": "50100.00000000",
        "qty": "0.01000000",
        "quoteQty": "501.00000000",
        "commission": "0.00001000",
        "commissionAsset": "BTC",
        "isBuyer": True,
        "isMaker": False,
        "isBestMatch": True,
    }


def test_the_account_shows_what_is_free_and_what_is_locked(paper):
    before = paper.balances()["USDT"]
    paper.order(price="30000", quantity="0.5")
    after = paper.balances()["USDT"]
    assert before[1] == "0.00000000"
    assert after[1] == "15000.00000000"
    told = paper.signed("GET", "/api/v3/account").json()
    assert (told["makerCommission"], told["canTrade"]) == (10, True)
    assert told["commissionRates"]["taker"] == "0.00100000"


def test_a_test_order_is_checked_but_not_placed(paper):
    count_before = len(paper.ledger()["orders"])
    good = {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": "1"}
    assert paper.signed("POST", "/api/v3/order/test", **good).json() == {}
    told = paper.signed("POST", "/api/v3/order/test", **good, computeCommissionRates="true")
    assert told.json()["standardCommissionForOrder"]["maker"] == "0.00100000"
    bad = paper.signed("POST", "/api/v3/order/test", **{**good, "quantity": "0.000001"})
    assert bad.json()["code"] == -1013
    assert len(paper.ledger()["orders"]) == count_before


def test_a_signature_covers_the_query_string_and_the_form_together(paper):
    query = f"symbol=BTCUSDT&side=BUY&timestamp={time.time_ns() // 1_000_000}"
    form = "type=LIMIT&timeInForce=GTC&quantity=0.01&price=30000"
    for url, signed_text in ((query, query + form), (query, query + "&" + form)):
        signature = hmac.digest(b"paper", signed_text.encode(), "sha256").hex()
        answer = paper.http.post(
            f"{paper.url}/api/v3/order?{url}",
            data=f"{form}&signature={signature}",
            headers={
                "X-MBX-APIKEY": "paper",
                "Content-Type": "application/x-www-form-urlencoded",
            },
        )
        if signed_text == query + form:
            assert answer.status_code == 200
        else:
            assert answer.json()["code"] == -1022


def test_what_is_in_the_query_string_and_in_the_form_is_taken_from_the_query_string():
    assert parse_pairs("a=1&b=2", "b=3&c=4") == {"a": "1", "b": "2", "c": "4"}


def test_parameters_may_be_percent_encoded(paper):
    order = {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": "1"}
    text = urlencode({**order, "timestamp": time.time_ns() // 1_000_000})
    text = text.replace("BTC", "%42T%43")
    assert paper.send_signed("POST", "/api/v3/order/test", text).json() == {}


def test_a_stop_order_waits_and_can_be_cancelled_over_http(paper):
    placed = paper.order(
        side="SELL", type="STOP_LOSS_LIMIT", timeInForce="GTC", price="39000", stopPrice="40000"
    ).json()
    queried = paper.query(orderId=placed["orderId"]).json()
    assert (queried["status"], queried["isWorking"]) == ("NEW", False)
    assert (queried["stopPrice"], queried["workingTime"]) == ("40000.00000000", -1)
    assert paper.cancel(orderId=placed["orderId"]).json()["status"] == "CANCELED"
