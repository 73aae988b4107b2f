"""Every refusal: Binance's code, message and HTTP status, and nothing changed by it."""

import http.client
import time

import pytest

LEGAL_NUMBER = r"legal range is '^([0-9]{1,20})(\.[0-9]{1,20})?$'."


def state(paper):
    """What a refused request must not change."""
    return paper.ledger()


BAD_ORDERS = [
    ({"price": "30000.001"}, -1013, "Filter failure: PRICE_FILTER"),
    ({"quantity": "0.000001"}, -1013, "Filter failure: LOT_SIZE"),
    ({"quantity": "0"}, -1013, "Filter failure: LOT_SIZE"),
    ({"price": "0"}, -1013, "Filter failure: PRICE_FILTER"),
    ({"type": "MARKET", "quantity": "901"}, -1013, "Filter failure: MARKET_LOT_SIZE"),
    ({"quantity": "0.0001"}, -1013, "Filter failure: NOTIONAL"),
    ({"price": "9000"}, -1013, "Filter failure: PERCENT_PRICE_BY_SIDE"),
    ({"quantity": "NaN"}, -1100, LEGAL_NUMBER),
    ({"quantity": "Infinity"}, -1100, LEGAL_NUMBER),
    ({"quantity": "1e5"}, -1100, LEGAL_NUMBER),
    ({"quantity": "-1"}, -1100, LEGAL_NUMBER),
    ({"quantity": "+1"}, -1100, LEGAL_NUMBER),
    ({"quantity": "1,5"}, -1100, LEGAL_NUMBER),
    ({"quantity": "1_000"}, -1100, LEGAL_NUMBER),
    ({"quantity": "\uff11"}, -1100, LEGAL_NUMBER),
    ({"quantity": "1\n"}, -1100, LEGAL_NUMBER),
    ({"quantity": "0.1" + "0" * 30}, -1100, LEGAL_NUMBER),
    ({"price": "abc"}, -1100, "Illegal characters found in parameter 'price'"),
    ({"newClientOrderId": "x" * 37}, -1100, "'newClientOrderId'"),
    ({"newClientOrderId": "a b"}, -1100, "legal range is '^[a-zA-Z0-9-_]{1,36}$'."),
    ({"newClientOrderId": "a.b"}, -1100, "'newClientOrderId'"),
    ({"symbol": "btcusdt"}, -1100, "'symbol'"),
    ({"symbol": "BTC/USDT"}, -1100, "'symbol'"),
    ({"symbol": "DOGEUSDT"}, -1121, "Invalid symbol."),
    ({"symbol": None}, -1102, "Mandatory parameter 'symbol' was not sent, was empty/null"),
    ({"side": None}, -1102, "'side'"),
    ({"type": None}, -1102, "'type'"),
    ({"price": None, "type": "LIMIT_MAKER"}, -1102, "'price'"),
    ({"type": "LIMIT", "timeInForce": None}, -1102, "'timeInForce'"),
    ({"quantity": None}, -1102, "'quantity'"),
    ({"quantity": ""}, -1102, "'quantity'"),
    ({"newClientOrderId": ""}, -1105, "Parameter 'newClientOrderId' was empty."),
    (
        {"type": "MARKET", "quantity": None},
        -1102,
        "Param 'quantity' or 'quoteOrderQty' must be sent, but both were empty/null!",
    ),
    ({"type": "MARKET", "quoteOrderQty": "100"}, -1128, "Combination of optional parameters"),
    ({"colour": "red"}, -1104, "read '8' parameter(s) but was sent '9'."),
    ({"type": "MARKET", "price": "1"}, -1106, "Parameter 'price' sent when not required."),
    ({"type": "MARKET", "timeInForce": "GTC"}, -1106, "Parameter 'timeInForce' sent when not"),
    ({"quoteOrderQty": "1"}, -1106, "Parameter 'quoteOrderQty' sent when not required."),
    ({"stopPrice": "1"}, -1106, "Parameter 'stopPrice' sent when not required."),
    ({"quantity": "0.010000001"}, -1111, "Parameter 'quantity' has too much precision."),
    ({"timeInForce": "DAY"}, -1115, "Invalid timeInForce."),
    ({"type": "OCO"}, -1116, "Invalid orderType."),
    ({"side": "HOLD"}, -1117, "Invalid side."),
    ({"newOrderRespType": "LONG"}, -1130, "Data sent for parameter 'newOrderRespType'"),
    (
        {"quantity": "100", "price": "40000"},
        -2010,
        "Account has insufficient balance for requested action.",
    ),
    (
        {"type": "LIMIT_MAKER", "price": "50100"},
        -2010,
        "Order would immediately match and take.",
    ),
    (
        {"type": "STOP_LOSS", "side": "SELL", "stopPrice": "60000"},
        -2010,
        "Stop price would trigger immediately.",
    ),
    ({"icebergQty": "1"}, -2010, "Iceberg orders are not supported for this symbol."),
    ({"trailingDelta": "100"}, -2010, "Trailing stop orders are not supported"),
    ({"selfTradePreventionMode": "EXPIRE_TAKER"}, -2010, "self-trade prevention mode"),
    ({"timestamp": None}, -1102, "'timestamp'"),
    ({"timestamp": "soon"}, -1100, "'timestamp'"),
    ({"recvWindow": 60001}, -1131, "recvWindow must be less than 60000."),
]


@pytest.mark.parametrize(("params", "code", "message"), BAD_ORDERS)
def test_a_bad_order_is_refused_with_its_code_and_changes_nothing(paper, params, code, message):
    before = state(paper)
    answer = paper.order(**params)
    assert answer.status_code == 400
    assert answer.json()["code"] == code
    assert message in answer.json()["msg"]
    assert set(answer.json()) == {"code", "msg"}
    assert state(paper) == before


def test_a_parameter_that_comes_twice_is_refused(paper):
    before = state(paper)
    now = time.time_ns() // 1_000_000
    text = (
        "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.01&quantity=1"
        f"&price=30000&timestamp={now}"
    )
    answer = paper.send_signed("POST", "/api/v3/order", text)
    assert answer.json() == {
        "code": -1101,
        "msg": "Duplicate values for parameter 'quantity' detected.",
    }
    assert state(paper) == before


def test_a_public_path_without_parameters_refuses_any(paper):
    answer = paper.call("GET", "/api/v3/ping", loud="yes")
    assert answer.json() == {
        "code": -1101,
        "msg": "Too many parameters; expected '0' and received '1'.",
    }


@pytest.mark.parametrize(
    ("method", "path", "params", "code"),
    [
        ("GET", "/api/v3/order", {"symbol": "BTCUSDT", "orderId": 10**9}, -2013),
        ("GET", "/api/v3/order", {"symbol": "BTCUSDT", "origClientOrderId": "nobody"}, -2013),
        ("GET", "/api/v3/order", {"symbol": "BTCUSDT"}, -1102),
        ("GET", "/api/v3/order", {"symbol": "BTCUSDT", "orderId": "x"}, -1100),
        ("GET", "/api/v3/order", {"symbol": "NONE", "orderId": 1}, -1121),
        ("DELETE", "/api/v3/order", {"symbol": "BTCUSDT", "orderId": 10**9}, -2011),
        ("DELETE", "/api/v3/order", {"symbol": "BTCUSDT"}, -1102),
        (
            "DELETE",
            "/api/v3/order",
            {"symbol": "BTCUSDT", "orderId": 1, "cancelRestrictions": "NEVER"},
            -1145,
        ),
        ("GET", "/api/v3/openOrders", {"symbol": "NONE"}, -1121),
        ("GET", "/api/v3/allOrders", {}, -1102),
        ("GET", "/api/v3/allOrders", {"symbol": "BTCUSDT", "limit": 1001}, -1102),
        ("GET", "/api/v3/allOrders", {"symbol": "BTCUSDT", "limit": 0}, -1130),
        ("GET", "/api/v3/myTrades", {}, -1102),
        ("GET", "/api/v3/myTrades", {"symbol": "BTCUSDT", "fromId": 1, "startTime": 1}, -1128),
        (
            "GET",
            "/api/v3/myTrades",
            {"symbol": "BTCUSDT", "startTime": 1, "endTime": 86_400_002},
            -1127,
        ),
        ("GET", "/api/v3/account", {"omitZeroBalances": "maybe"}, -1130),
        ("POST", "/api/v3/order/cancelReplace", {"symbol": "BTCUSDT"}, -1102),
    ],
)
def test_a_bad_private_request_is_refused_with_its_code(paper, method, path, params, code):
    answer = paper.signed(method, path, **params)
    assert (answer.status_code, answer.json()["code"]) == (400, code)


@pytest.mark.parametrize(
    ("path", "params", "code"),
    [
        ("depth", {}, -1102),
        ("depth", {"symbol": "NONE"}, -1121),
        ("trades", {"symbol": "BTCUSDT", "limit": "many"}, -1100),
        ("exchangeInfo", {"symbols": "BTCUSDT"}, -1100),
        ("exchangeInfo", {"symbols": '["BTCUSDT","BTCUSDT"]'}, -1151),
        ("exchangeInfo", {"symbol": "BTCUSDT", "symbols": '["BTCUSDT"]'}, -1128),
        ("ticker/price", {"symbol": "NONE"}, -1121),
        ("aggTrades", {"symbol": "BTCUSDT", "fromId": 1, "endTime": 5}, -1128),
    ],
)
def test_a_bad_public_request_is_refused_with_its_code(paper, path, params, code):
    answer = paper.call("GET", f"/api/v3/{path}", **params)
    assert (answer.status_code, answer.json()["code"]) == (400, code)


@pytest.mark.parametrize(
    ("key", "secret", "status", "code"),
    [
        ("bad key!", "paper", 401, -2014),
        ("k" * 200, "paper", 401, -2014),
        ("stranger", "paper", 401, -2015),
        ("paper", "wrong", 400, -1022),
    ],
)
def test_a_wrong_key_or_signature_is_refused_and_changes_nothing(paper, key, secret, status, code):
    before = state(paper)
    params = {
        "symbol": "BTCUSDT",
        "side": "BUY",
        "type": "MARKET",
        "quantity": "1",
        "key": key,
        "secret": secret,
    }
    answer = paper.signed("POST", "/api/v3/order", **params)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert state(paper) == before


def test_a_request_without_a_key_is_refused(paper):
    answer = paper.call("GET", "/api/v3/account", timestamp=1, signature="00")
    assert (answer.status_code, answer.json()["code"]) == (401, -2014)


def test_a_request_without_a_signature_is_refused(paper):
    now = time.time_ns() // 1_000_000
    answer = paper.http.get(
        f"{paper.url}/api/v3/account?timestamp={now}", headers={"X-MBX-APIKEY": "paper"}
    )
    assert answer.json()["code"] == -1102
    assert "'signature'" in answer.json()["msg"]


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/api/v3/nothing"), ("PUT", "/api/v3/order"), ("GET", "/"), ("GET", "/paper/none")],
)
def test_an_unknown_path_is_answered_404_in_json(paper, method, path):
    answer = paper.call(method, path)
    assert answer.status_code == 404
    assert answer.headers["Content-Type"].startswith("application/json")
    assert answer.json()


def test_what_is_not_http_is_answered_in_json_and_the_server_lives_on(paper):
    host, port = paper.url.removeprefix("http://").split(":")
    for target, body in (("/api/v3/depth?symbol=\xff", b""), ("/api/v3/order", b"x" * 2_000_000)):
        connection = http.client.HTTPConnection(host, int(port), timeout=5)
        connection.putrequest("POST", "/x", skip_host=True)
        connection._buffer[0] = f"POST {target} HTTP/1.1".encode("latin-1")
        connection.putheader("Host", "localhost")
        connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body)
        answer = connection.getresponse()
        assert answer.status in (400, 413)
        assert answer.getheader("Content-Type").startswith("application/json")
        connection.close()
    assert paper.call("GET", "/api/v3/ping").json() == {}


def test_bytes_that_are_not_text_are_refused_without_an_internal_error(paper):
    answer = paper.http.post(
        f"{paper.url}/api/v3/order",
        data=b"symbol=\xff\xfe&timestamp=1&signature=%ff%fe",
        headers={"X-MBX-APIKEY": "paper"},
    )
    assert answer.status_code == 400
    assert answer.json()["code"] in (-1022, -1021)
