"""Orders over Bybit's API: placing, refusing, amending, cancelling, and reading them back."""

import time
from decimal import Decimal

import pytest

from paper_exchange.engine.history import History
from tests.support.paper.bybit_client import BybitPaper


@pytest.fixture(scope="module")
def one_bybit():
    paper = BybitPaper("--walk-interval-ms", "0", "--weight-per-minute", "0")
    yield paper
    errors = paper.stop()
    assert "Traceback" not in errors, errors


@pytest.fixture
def bybit(one_bybit):
    one_bybit.own_book()
    yield one_bybit
    one_bybit.clear_faults()
    one_bybit.cancel_all()


def rows(answer):
    assert answer["retCode"] == 0, answer
    return answer["result"]["list"]


def row_of(bybit, order_id):
    (row,) = (row for row in bybit.ledger()["orders"] if str(row["orderId"]) == order_id)
    return row


def test_a_new_order_is_only_acknowledged(bybit):
    answer = bybit.create(orderLinkId="ack-1")
    assert (answer["retCode"], answer["retMsg"]) == (0, "OK")
    assert answer["result"] == {"orderId": answer["result"]["orderId"], "orderLinkId": "ack-1"}
    assert abs(answer["time"] - time.time_ns() // 1_000_000) < 2000
    row = row_of(bybit, answer["result"]["orderId"])
    assert (row["clientOrderId"], row["status"], row["price"]) == ("ack-1", "NEW", "30000")


def test_an_open_order_is_found_by_both_ids(bybit):
    order_id = bybit.created(orderLinkId="find-1")
    by_link = rows(bybit.get("/v5/order/realtime", category="spot", orderLinkId="find-1"))
    assert by_link == [bybit.order(order_id)]
    told = by_link[0]
    assert (told["orderId"], told["orderLinkId"], told["symbol"]) == (order_id, "find-1", "BTCUSDT")
    assert (told["side"], told["orderType"], told["timeInForce"]) == ("Buy", "Limit", "GTC")
    assert (told["orderStatus"], told["qty"], told["leavesQty"]) == ("New", "0.01", "0.01")
    assert (told["cumExecQty"], told["avgPrice"]) == ("0", "")


def test_an_unknown_order_or_another_accounts_is_an_empty_list_and_no_error(bybit):
    assert rows(bybit.get("/v5/order/realtime", category="spot", orderLinkId="never-seen")) == []
    assert rows(bybit.get("/v5/order/history", category="spot", orderId="not-a-number")) == []


@pytest.mark.parametrize(
    ("order", "status", "filled", "reason"),
    [
        ({"price": "50100"}, "Filled", "0.01", "EC_NoError"),
        ({"orderType": "Market", "marketUnit": "baseCoin"}, "Filled", "0.01", "EC_NoError"),
        ({"side": "Sell", "orderType": "Market"}, "Filled", "0.01", "EC_NoError"),
        (
            {"qty": "6", "price": "50100", "timeInForce": "IOC"},
            "PartiallyFilledCanceled", "5", "EC_NoImmediateQtyToFill",
        ),
        ({"timeInForce": "IOC"}, "Cancelled", "0", "EC_NoImmediateQtyToFill"),
        (
            {"qty": "6", "price": "50100", "timeInForce": "FOK"},
            "Cancelled", "0", "EC_CancelForNoFullFill",
        ),
        (
            {"price": "50100", "timeInForce": "PostOnly"},
            "Rejected", "0", "EC_PostOnlyWillTakeLiquidity",
        ),
    ],
)  # fmt: skip
def test_what_becomes_of_an_order_is_in_reads_and_in_the_ledger(
    bybit, order, status, filled, reason
):
    order_id = bybit.created(**order)
    told = bybit.order(order_id)
    assert (told["orderStatus"], told["cumExecQty"], told["rejectReason"]) == (
        status,
        filled,
        reason,
    )
    assert told["leavesQty"] == "0"
    assert bybit.order(order_id, "/v5/order/history") == told
    word = "CANCELED" if "Cancel" in status else status.upper()
    assert row_of(bybit, order_id)["status"] == word


def test_a_post_only_order_that_takes_nothing_rests(bybit):
    told = bybit.order(bybit.created(price="49950", timeInForce="PostOnly"))
    assert (told["orderStatus"], told["timeInForce"]) == ("New", "PostOnly")


def test_a_market_buy_spends_its_quantity_unless_it_says_that_it_is_in_base(bybit):
    told = bybit.order(bybit.created(orderType="Market", qty="1002"))
    assert (told["cumExecValue"], told["cumExecQty"], told["marketUnit"]) == (
        "1002",
        "0.02",
        "quoteCoin",
    )
    assert told["cumFeeDetail"] == {"BTC": "0.00002"}
    sold = bybit.order(bybit.created(side="Sell", orderType="Market", qty="0.02"))
    assert (sold["marketUnit"], sold["avgPrice"]) == ("baseCoin", "49900")
    assert sold["cumFeeDetail"] == {"USDT": "0.998"}


@pytest.mark.parametrize("end", ["cancel", "fill", "leave open"])
def test_an_order_link_id_is_refused_for_ever_whatever_became_of_its_order(bybit, end):
    link = f"once-{end.replace(' ', '-')}"
    order_id = bybit.created(orderLinkId=link, price="50100" if end == "fill" else "30000")
    if end == "cancel":
        bybit.post("/v5/order/cancel", symbol="BTCUSDT", orderId=order_id)
    before = len(bybit.ledger()["orders"])
    for symbol in ("BTCUSDT", "ETHUSDT"):
        again = bybit.create(orderLinkId=link, symbol=symbol, qty="0.1", price="3000")
        expected = 170141 if symbol == "ETHUSDT" else 170371
        assert again["retCode"] == expected, again
    assert bybit.create(orderLinkId=link)["retCode"] == 170141
    assert len(bybit.ledger()["orders"]) == before


def test_an_id_that_was_refused_may_be_used_for_another_order(bybit):
    assert bybit.create(orderLinkId="second-try", qty="90")["retCode"] == 170131
    assert bybit.create(orderLinkId="second-try")["retCode"] == 0


@pytest.mark.parametrize(
    ("order", "code"),
    [
        ({"symbol": "NOPE"}, 170121),
        ({"side": "buy"}, 170117),
        ({"orderType": "Stop"}, 170116),
        ({"timeInForce": "GTD"}, 170115),
        ({"orderType": "Market", "timeInForce": "PostOnly"}, 170115),
        ({"category": "linear"}, 10001),
        ({"category": ""}, 10001),
        ({"qty": ""}, 10001),
        ({"qty": "0"}, 10001),
        ({"qty": ["0.01"]}, 10001),
        ({"qty": "-1"}, 170130),
        ({"qty": "NaN"}, 170130),
        ({"price": ""}, 10001),
        ({"price": "1e4"}, 170130),
        ({"orderLinkId": "no spaces"}, 10001),
        ({"orderLinkId": "x" * 37}, 10001),
        ({"orderType": "Market", "marketUnit": "lots"}, 10001),
        ({"triggerPrice": "40000"}, 170227),
        ({"isLeverage": 1}, 170227),
        ({"price": "0.001"}, 170133),
        ({"price": "2000000"}, 170132),
        ({"price": "30000.001"}, 170134),
        ({"price": "30000.0000000001"}, 170134),
        ({"price": "300000"}, 170193),
        ({"price": "300000", "side": "Sell"}, 170192),
        ({"price": "9000", "side": "Sell"}, 170194),
        ({"price": "9000"}, 170371),
        ({"qty": "0.000001"}, 170136),
        ({"qty": "0.0100001"}, 170137),
        ({"qty": "0.0000000001"}, 170137),
        ({"qty": "9001"}, 170135),
        ({"qty": "901", "orderType": "Market", "side": "Sell"}, 170135),
        ({"qty": "0.0001"}, 170140),
        ({"qty": "400"}, 170124),
        ({"qty": "4", "orderType": "Market"}, 170140),
        ({"qty": "100"}, 170131),
        ({"qty": "150", "side": "Sell", "price": "50500"}, 170131),
    ],
)
def test_a_refused_order_is_a_code_with_status_200_and_changes_nothing(bybit, order, code):
    before = bybit.ledger()
    answer = bybit.create(**order)
    assert answer["retCode"] == code, answer
    assert (answer["result"], answer["retMsg"] != "") == ({}, True)
    assert bybit.ledger() == before


def test_an_amendment_changes_the_order_that_is_there(bybit):
    order_id = bybit.created(orderLinkId="amended")
    answer = bybit.post(
        "/v5/order/amend", symbol="BTCUSDT", orderLinkId="amended", price="31000", qty="0.02"
    )
    assert answer["result"] == {"orderId": order_id, "orderLinkId": "amended"}
    told = bybit.order(order_id)
    assert (told["orderStatus"], told["price"], told["qty"]) == ("New", "31000", "0.02")
    assert Decimal(bybit.ledger()["balances"]["paper"]["USDT"]["locked"]) == 620
    bybit.post("/v5/order/amend", symbol="BTCUSDT", orderId=order_id, qty="0.005")
    assert Decimal(bybit.ledger()["balances"]["paper"]["USDT"]["locked"]) == 155


def test_an_amendment_that_crosses_trades(bybit):
    order_id = bybit.created()
    bybit.post("/v5/order/amend", symbol="BTCUSDT", orderId=order_id, price="50100")
    assert bybit.order(order_id)["orderStatus"] == "Filled"
    maker = bybit.created(timeInForce="PostOnly")
    bybit.post("/v5/order/amend", symbol="BTCUSDT", orderId=maker, price="50100")
    assert bybit.order(maker)["orderStatus"] == "Rejected"
    assert Decimal(bybit.ledger()["balances"]["paper"]["USDT"]["locked"]) == 0


@pytest.mark.parametrize(
    ("terms", "code"),
    [
        ({"qty": "100"}, 170131),
        ({"price": "31000.001"}, 170134),
        ({"qty": "0.0000001"}, 170136),
        ({}, 10001),
        ({"orderId": "99999", "qty": "0.02"}, 170213),
    ],
)
def test_a_refused_amendment_changes_nothing(bybit, terms, code):
    order_id = bybit.created()
    before = bybit.ledger()
    answer = bybit.post("/v5/order/amend", **{"symbol": "BTCUSDT", "orderId": order_id, **terms})
    assert answer["retCode"] == code, answer
    assert bybit.ledger() == before


def test_an_order_cannot_be_amended_below_what_it_has_traded(bybit):
    order_id = bybit.created(qty="6", price="50100")
    amend = {"symbol": "BTCUSDT", "orderId": order_id}
    assert bybit.post("/v5/order/amend", **amend, qty="5")["retCode"] == 170136
    assert bybit.post("/v5/order/amend", **amend, qty="5.5")["retCode"] == 0
    told = bybit.order(order_id)
    assert (told["orderStatus"], told["leavesQty"]) == ("PartiallyFilled", "0.5")


def test_a_cancel_is_acknowledged_once_and_then_there_is_nothing_to_cancel(bybit):
    order_id = bybit.created(orderLinkId="cancel-1")
    answer = bybit.post("/v5/order/cancel", symbol="BTCUSDT", orderLinkId="cancel-1")
    assert answer["result"] == {"orderId": order_id, "orderLinkId": "cancel-1"}
    told = bybit.order(order_id)
    assert (told["orderStatus"], told["cancelType"]) == ("Cancelled", "CancelByUser")
    again = bybit.post("/v5/order/cancel", symbol="BTCUSDT", orderId=order_id)
    assert (again["retCode"], again["result"]) == (170213, {})


def test_all_open_orders_are_cancelled_at_once_of_one_symbol_or_of_all(bybit):
    btc, eth = bybit.created(), bybit.created(symbol="ETHUSDT", price="2000")
    of_btc = bybit.post("/v5/order/cancel-all", symbol="BTCUSDT")["result"]
    assert [row["orderId"] for row in of_btc["list"]] == [btc]
    assert [row["orderId"] for row in bybit.cancel_all()["result"]["list"]] == [eth]
    assert rows(bybit.get("/v5/order/realtime", category="spot")) == []


def test_lists_give_every_row_once_page_by_page_the_newest_first(bybit):
    made = [bybit.created(price="50100") for _ in range(5)]
    opened = [bybit.created() for _ in range(3)]
    for path, wanted in (
        ("/v5/order/history", made),
        ("/v5/execution/list", made),
        ("/v5/order/realtime", opened),
    ):
        seen, cursor = [], None
        while cursor != "" and len(seen) < len(wanted):
            more = {"cursor": cursor} if cursor else {}
            page = bybit.get(path, category="spot", symbol="BTCUSDT", limit=2, **more)["result"]
            seen += [row["orderId"] for row in page["list"]]
            cursor = page["nextPageCursor"]
        assert seen[: len(wanted)] == wanted[::-1], path


def test_pages_of_a_history_keep_within_its_times_and_end_where_they_end():
    history = History.of((f"at {ms}", ms, ms) for ms in (10, 20, 30, 40, 50))
    assert history.page(2) == (["at 50", "at 40"], 3)
    assert history.page(2, 3) == (["at 30", "at 20"], 1)
    assert history.page(2, 1) == (["at 10"], 0)
    assert history.page(2, start_ms=20, end_ms=30) == (["at 30", "at 20"], 0)
    assert history.page(9, start_ms=31) == (["at 50", "at 40"], 0)
    assert history.page(9, is_wanted=lambda item: item == "at 20") == (["at 20"], 0)
    assert history.page(1, 99) == (["at 50"], 4)


def test_the_last_page_names_no_next_one(bybit):
    bybit.created()
    page = bybit.get("/v5/order/realtime", category="spot", limit=1)["result"]
    assert (len(page["list"]), page["nextPageCursor"]) == (1, "")


def test_executions_are_found_by_order_and_within_their_times(bybit):
    order_id = bybit.created(price="50100", orderLinkId="exec-1")
    (told,) = rows(bybit.get("/v5/execution/list", category="spot", orderId=order_id))
    assert (told["execPrice"], told["execQty"], told["execFee"]) == ("50100", "0.01", "0.00001")
    assert (told["feeCurrency"], told["isMaker"], told["execType"]) == ("BTC", False, "Trade")
    (row,) = (t for t in bybit.ledger()["trades"] if str(t["orderId"]) == order_id)
    assert (told["execId"], told["execTime"]) == (str(row["tradeId"]), str(row["time"]))
    at = int(told["execTime"])

    def between(start_ms, end_ms):
        times = {"startTime": start_ms, "endTime": end_ms}
        found = bybit.get("/v5/execution/list", category="spot", orderId=order_id, **times)
        return len(rows(found))

    assert (between(at, at), between(at + 1, at + 2), between(at - 2, at - 1)) == (1, 0, 0)
    too_long = bybit.get("/v5/execution/list", category="spot", startTime=1, endTime=10**9)
    assert too_long["retCode"] == 10001


def test_no_two_symbols_share_an_execution_id(bybit):
    bybit.created(price="50100")
    bybit.created(symbol="ETHUSDT", orderType="Market", marketUnit="baseCoin", qty="1")
    told = rows(bybit.get("/v5/execution/list", category="spot"))
    assert {row["symbol"] for row in told} == {"BTCUSDT", "ETHUSDT"}
    assert len({row["execId"] for row in told}) == len(told)


def test_only_the_latest_500_ended_orders_are_in_realtime_and_all_are_in_the_history(start_bybit):
    bybit = start_bybit("--walk-interval-ms", "0", "--weight-per-minute", "0")
    first = bybit.created(timeInForce="IOC")
    for _ in range(499):
        bybit.created(timeInForce="IOC")
    assert bybit.order(first)["orderStatus"] == "Cancelled"
    bybit.created(timeInForce="IOC")
    assert bybit.order(first) is None
    assert bybit.order(first, "/v5/order/history")["orderStatus"] == "Cancelled"


@pytest.fixture
def start_bybit():
    running = []

    def start(*options):
        running.append(BybitPaper(*options))
        return running[-1]

    yield start
    for paper in running:
        errors = paper.stop()
        assert "Traceback" not in errors, errors


def test_the_wallet_tells_what_the_ledger_tells(bybit):
    bybit.created(qty="0.5")
    answer = bybit.get("/v5/account/wallet-balance", accountType="UNIFIED")
    (wallet,) = rows(answer)
    told = {row["coin"]: (row["walletBalance"], row["locked"]) for row in wallet["coin"]}
    for coin, row in bybit.ledger()["balances"]["paper"].items():
        total = Decimal(row["free"]) + Decimal(row["locked"])
        assert tuple(map(Decimal, told[coin])) == (total, Decimal(row["locked"]))
    assert told["USDT"][1] == "15000"
    assert bybit.get("/v5/account/wallet-balance", accountType="SPOT")["retCode"] == 10001


def test_reads_that_lag_do_not_show_what_is_younger(bybit):
    balance = {"path": "/v5/account/wallet-balance", "accountType": "UNIFIED", "coin": "USDT"}
    bybit.fault(kind="read_lag", ms=60_000)
    before = rows(bybit.get(**balance))[0]["coin"]
    order_id = bybit.created(price="50100")
    resting = bybit.created()
    assert (bybit.order(order_id), bybit.order(resting)) == (None, None)
    assert bybit.order(order_id, "/v5/order/history") is None
    assert rows(bybit.get("/v5/execution/list", category="spot", orderId=order_id)) == []
    assert rows(bybit.get("/v5/order/realtime", category="spot")) == []
    assert rows(bybit.get(**balance))[0]["coin"] == before
    bybit.clear_faults()
    assert bybit.order(order_id)["orderStatus"] == "Filled"


def test_a_fault_on_a_route_of_bybits_hits_that_route(bybit):
    bybit.fault(route="POST /v5/order/create", kind="status", code=503, count=1)
    answer = bybit.send("POST", "/v5/order/create", body="{}")
    assert (answer.status_code, answer.json()["retCode"]) == (503, 10016)
    assert bybit.create()["retCode"] == 0
