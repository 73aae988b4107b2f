"""The record of the truth, and the outside book on demand."""

from decimal import Decimal

import pytest

ORDER_FIELDS = {
    "orderId",
    "clientOrderId",
    "symbol",
    "side",
    "type",
    "price",
    "origQty",
    "executedQty",
    "status",
    "account",
    "receivedAt",
    "acceptedAt",
}
TRADE_FIELDS = {
    "tradeId",
    "orderId",
    "clientOrderId",
    "symbol",
    "price",
    "qty",
    "isBuyer",
    "isMaker",
    "commission",
    "commissionAsset",
    "account",
    "time",
}


def test_the_ledger_holds_every_order_with_its_state(paper):
    placed = paper.order().json()
    paper.cancel(orderId=placed["orderId"])
    row = paper.ledger()["orders"][-1]
    assert set(row) >= ORDER_FIELDS
    assert (row["orderId"], row["status"]) == (placed["orderId"], "CANCELED")
    assert (row["symbol"], row["account"], row["origQty"]) == ("BTCUSDT", "paper", "0.01")
    assert isinstance(row["receivedAt"], int)
    assert 0 <= row["acceptedAt"] - row["receivedAt"] < 1000


def test_the_ledger_has_one_trade_row_for_each_accounts_side(start_paper):
    ann = start_paper("--account", "ann:1", "--account", "bob:2", account="ann:1")
    ann.book()
    resting = ann.order(price="50000").json()["orderId"]
    ann.order(side="SELL", price="50000", key="bob", secret="2")
    told = ann.ledger()
    assert all(set(row) >= TRADE_FIELDS for row in told["trades"])
    rows = {row["account"]: row for row in told["trades"]}
    assert len(told["trades"]) == 2
    assert rows["ann"]["tradeId"] == rows["bob"]["tradeId"]
    assert (rows["ann"]["isBuyer"], rows["ann"]["isMaker"]) == (True, True)
    assert (rows["bob"]["isBuyer"], rows["bob"]["isMaker"]) == (False, False)
    assert (rows["ann"]["commission"], rows["ann"]["commissionAsset"]) == ("0.00001000", "BTC")
    assert rows["bob"]["commissionAsset"] == "USDT"
    assert Decimal(told["balances"]["bob"]["USDT"]["free"]) == Decimal("1000499.5")
    assert [r["orderId"] for r in ann.ledger(account="ann")["orders"]] == [resting]
    assert list(ann.ledger(account="bob")["balances"]) == ["bob"]
    later = ann.ledger(since_order_id=resting + 1)
    assert [row["orderId"] for row in later["orders"]] == [resting + 1]
    assert [row["orderId"] for row in later["trades"]] == [resting + 1]


def test_an_account_sees_only_its_own(start_paper):
    ann = start_paper("--account", "ann:1", "--account", "bob:2", account="ann:1")
    order_id = ann.order().json()["orderId"]
    as_bob = {"key": "bob", "secret": "2"}
    assert ann.query(orderId=order_id, **as_bob).json()["code"] == -2013
    assert ann.cancel(orderId=order_id, **as_bob).json()["code"] == -2011
    assert ann.signed("GET", "/api/v3/openOrders", **as_bob).json() == []
    # The default account is there only if no other was named.
    stranger = ann.signed("GET", "/api/v3/account", key="paper", secret="paper")
    assert stranger.json()["code"] == -2015


@pytest.mark.parametrize("query", [{"account": "nobody"}, {"since_order_id": "x"}])
def test_an_invalid_ledger_request_is_refused(paper, query):
    answer = paper.call("GET", "/paper/ledger", **query)
    assert answer.status_code == 400
    assert next(iter(query.values())) in answer.json()["error"]


def test_a_book_is_exactly_what_it_was_set_to_and_is_not_renewed(paper):
    paper.book([["49800", "2"], [49900, 1]], [["50100.5", "0.5"], ["50200", 1.5]])
    told = paper.call("GET", "/api/v3/depth", symbol="BTCUSDT").json()
    assert told["bids"] == [["49900.00000000", "1.00000000"], ["49800.00000000", "2.00000000"]]
    assert told["asks"] == [["50100.50000000", "0.50000000"], ["50200.00000000", "1.50000000"]]
    paper.order(type="MARKET", quantity="2")
    assert paper.call("GET", "/api/v3/depth", symbol="BTCUSDT").json()["asks"] == []
    assert paper.order(type="MARKET", quantity="0.5").json()["status"] == "EXPIRED"


def test_a_new_book_fills_the_resting_orders_that_it_reaches(paper):
    placed = paper.order(price="49950", quantity="1").json()
    paper.book([["49000", "1"]], [["49900", "0.4"]])
    queried = paper.query(orderId=placed["orderId"]).json()
    assert (queried["status"], queried["executedQty"]) == ("PARTIALLY_FILLED", "0.40000000")
    row = paper.ledger()["trades"][-1]
    assert (row["price"], row["isMaker"]) == ("49950", True)


@pytest.mark.parametrize(
    ("book", "word"),
    [
        ({"symbol": "NONE", "bids": [], "asks": []}, "NONE"),
        ({"bids": []}, "symbol"),
        ({"symbol": "BTCUSDT", "bid": []}, "bid"),
        ({"symbol": "BTCUSDT", "bids": "all"}, "bids"),
        ({"symbol": "BTCUSDT", "bids": [["49900"]]}, "bids"),
        ({"symbol": "BTCUSDT", "bids": [["49900.001", "1"]]}, "49900.001"),
        ({"symbol": "BTCUSDT", "bids": [["49900", "0.000001"]]}, "step"),
        ({"symbol": "BTCUSDT", "asks": [["-1", "1"]]}, "-1"),
        ({"symbol": "BTCUSDT", "asks": [["NaN", "1"]]}, "NaN"),
        ({"symbol": "BTCUSDT", "asks": [[True, "1"]]}, "True"),
        ({"symbol": "BTCUSDT", "asks": [["1", "1"], ["1.0", "1"]]}, "twice"),
        ({"symbol": "BTCUSDT", "bids": [["2", "1"]], "asks": [["2", "1"]]}, "cross"),
        ([1], "object"),
    ],
)
def test_a_book_that_makes_no_sense_is_refused_and_changes_nothing(paper, book, word):
    before = paper.call("GET", "/api/v3/depth", symbol="BTCUSDT").json()
    answer = paper.http.post(paper.url + "/paper/book", json=book)
    assert answer.status_code == 400
    assert word in answer.json()["error"]
    assert paper.call("GET", "/api/v3/depth", symbol="BTCUSDT").json() == before


def test_a_body_that_is_not_json_is_refused(paper):
    for body in (b"{", b"\xff", b'{"kind": NaN}', b"[" * 100_000):
        answer = paper.http.post(paper.url + "/paper/faults", data=body)
        assert (answer.status_code, answer.json()) == (400, {"error": "the body must be JSON"})
