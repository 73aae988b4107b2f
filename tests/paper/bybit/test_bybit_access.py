"""Who may call Bybit's API: keys, signatures, time windows, limits; and the public side."""

import time

import pytest

from paper_exchange.dialects.bybit.errors import ApiError
from paper_exchange.dialects.bybit.limits import Limits
from paper_exchange.options import parse_options
from tests.support.paper.bybit_client import BybitPaper

ORDER = (
    '{"category":"spot","symbol":"BTCUSDT","side":"Buy","orderType":"Limit",'
    '"qty":"0.01","price":"30000"}'
)


@pytest.fixture(scope="module")
def bybit():
    paper = BybitPaper("--walk-interval-ms", "0", "--weight-per-minute", "0")
    yield paper
    errors = paper.stop()
    assert "Traceback" not in errors, errors


@pytest.fixture(autouse=True)
def no_faults(bybit):
    yield
    bybit.clear_faults()


def now_ms(offset=0):
    return time.time_ns() // 1_000_000 + offset


def create(paper, **changes):
    return paper.send("POST", "/v5/order/create", body=ORDER, **changes)


def orders(paper):
    return len(paper.ledger()["orders"])


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"key": "stranger"}, 10003),
        ({"key": ""}, 10003),
        ({"secret": "wrong"}, 10004),
        ({"timestamp": "soon"}, 10001),
        ({"recv_window": "-1"}, 10001),
    ],
)
def test_a_request_that_is_not_signed_by_an_account_is_refused(bybit, changes, code):
    before = orders(bybit)
    answer = create(bybit, **changes)
    assert (answer.status_code, answer.json()["retCode"]) == (200, code)
    assert orders(bybit) == before


def test_a_body_other_than_the_signed_one_is_refused(bybit):
    send = bybit.http.request

    def tampered(method, url, *, data, **more):
        return send(method, url, data=data.replace("0.01", "0.02"), **more)

    bybit.http.request = tampered
    try:
        assert create(bybit).json()["retCode"] == 10004
    finally:
        del bybit.http.request


@pytest.mark.parametrize(
    ("offset", "window", "code"),
    [
        (-6000, "5000", 10002),
        (-4000, "5000", 0),
        (-6000, "10000", 0),
        (-300, "200", 10002),
        (1500, "5000", 10002),
        (700, "5000", 0),
    ],
)
def test_a_request_is_valid_from_its_timestamp_until_the_window_has_passed(
    bybit, offset, window, code
):
    before = orders(bybit)
    answer = create(bybit, timestamp=str(now_ms(offset)), recv_window=window)
    assert (answer.status_code, answer.json()["retCode"]) == (200, code)
    assert orders(bybit) == before + (code == 0)


def test_an_order_that_is_held_back_beyond_its_window_never_reaches_the_engine(bybit):
    before = orders(bybit)
    bybit.fault(route="POST /v5/order/create", kind="delay_before", ms=300)
    assert create(bybit, recv_window="150").json()["retCode"] == 10002
    assert orders(bybit) == before


def test_the_queue_before_the_engine_is_counted_against_the_window():
    slow = BybitPaper("--walk-interval-ms", "0", "--match-delay-ms", "200")
    try:
        assert create(slow, recv_window="100").json()["retCode"] == 10002
        assert create(slow, recv_window="2000").json()["retCode"] == 0
        (row,) = slow.ledger()["orders"]
        assert 200 <= row["acceptedAt"] - row["receivedAt"] < 2000
    finally:
        assert "Traceback" not in slow.stop()


def test_the_window_is_measured_on_the_exchanges_own_clock(bybit):
    bybit.fault(kind="clock_skew", ms=20_000)
    told = bybit.call("GET", "/v5/market/time").json()
    assert abs(told["time"] - now_ms(20_000)) < 1000
    assert told["result"]["timeSecond"] == str(int(told["result"]["timeNano"]) // 10**9)
    assert create(bybit).json()["retCode"] == 10002
    assert create(bybit, timestamp=str(now_ms(20_000))).json()["retCode"] == 0


@pytest.mark.parametrize("body", ["", "[]", "{", "null", '{"category": {}}'])
def test_a_body_that_is_no_flat_json_object_is_refused(bybit, body):
    assert bybit.send("POST", "/v5/order/create", body=body).json()["retCode"] == 10001


def test_a_path_that_is_not_there_is_a_404_in_bybits_words(bybit):
    answer = bybit.call("GET", "/v5/nowhere")
    assert (answer.status_code, answer.json()["retCode"]) == (404, 10017)


def test_the_book_has_as_many_levels_as_are_asked_for(bybit):
    told = bybit.call("GET", "/v5/market/orderbook", category="spot", symbol="ETHUSDT", limit=3)
    book = told.json()["result"]
    assert (book["s"], len(book["b"]), len(book["a"])) == ("ETHUSDT", 3, 3)
    assert float(book["b"][0][0]) < float(book["a"][0][0])


def test_what_is_listed_has_its_rules(bybit):
    told = bybit.call("GET", "/v5/market/instruments-info", category="spot").json()["result"]
    btc = next(row for row in told["list"] if row["symbol"] == "BTCUSDT")
    assert (btc["baseCoin"], btc["quoteCoin"], btc["status"]) == ("BTC", "USDT", "Trading")
    assert btc["lotSizeFilter"]["basePrecision"] == "0.00001"
    assert btc["priceFilter"] == {"tickSize": "0.01"}
    other = bybit.call("GET", "/v5/market/instruments-info", category="linear").json()
    assert other["result"]["list"] == []


@pytest.mark.parametrize(
    ("path", "params"),
    [
        ("tickers", {"category": "spot", "symbol": "NOPE"}),
        ("orderbook", {"category": "spot"}),
        ("orderbook", {"category": "linear", "symbol": "BTCUSDT"}),
        ("orderbook", {"category": "spot", "symbol": "BTCUSDT", "limit": "0"}),
        ("instruments-info", {}),
    ],
)
def test_an_invalid_public_request_is_refused(bybit, path, params):
    assert bybit.call("GET", f"/v5/market/{path}", **params).json()["retCode"] == 10001


def test_an_address_that_asks_too_much_gets_a_403_until_the_minute_is_over():
    clock = [0]
    limits = Limits(2, 0, lambda: clock[0])
    limits.count_request("here")
    limits.count_request("here")
    with pytest.raises(ApiError) as caught:
        limits.count_request("here")
    assert caught.value.status == 403
    limits.count_request("elsewhere")
    clock[0] = 60_000
    limits.count_request("here")


def test_too_many_orders_are_refused_with_10006_and_the_answer_says_until_when():
    strict = BybitPaper("--walk-interval-ms", "0", "--orders-per-10s", "1")
    try:
        answers = [create(strict) for _ in range(3)]
        codes = [answer.json()["retCode"] for answer in answers]
        # The ten seconds may turn over once in between.
        assert codes[0] == 0
        assert 10006 in codes
        refused = answers[codes.index(10006)]
        assert (refused.status_code, refused.headers["X-Bapi-Limit"]) == (200, "1")
        assert refused.headers["X-Bapi-Limit-Status"] == "0"
        left_ms = int(refused.headers["X-Bapi-Limit-Reset-Timestamp"]) - now_ms()
        assert -1000 < left_ms <= 10_000
        assert len(strict.ledger()["orders"]) == codes.count(0)
    finally:
        assert "Traceback" not in strict.stop()


def test_the_command_line_knows_the_dialect(capsys):
    assert parse_options(["--dialect", "bybit", "--port", "1"]).dialect == "bybit"
    with pytest.raises(SystemExit):
        parse_options(["--dialect", "nobody", "--port", "1"])
    assert "'binance', 'bybit'" in capsys.readouterr().err
