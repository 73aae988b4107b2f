"""What each way in which a placement can end says about the order.

The real ccxt class talks to a server that answers what Binance answers, or worse. Whatever is not
proof must come out as UNKNOWN, and exactly one request may ever arrive.
"""

import socket
from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from execution.api.binance_api import BinanceExchange
from execution.exchanges.port import Outcome
from execution.exchanges.profiles import binance
from execution.exchanges.registry import row_of
from execution.exchanges.verdicts import Failure
from execution.model.order import Attempt, Order, OrderState, OrderType, Side, TimeInForce, Verdict
from tests.support.api.binance_server import NEW_ORDER, BinanceServer, Reply, Request, order_answer
from tests.support.api.exchange_kits import REFUSALS
from tests.support.clock import START_MS
from tests.support.fakes import Rig

ATTEMPT = Attempt(1, START_MS + 42, START_MS + 42 + 3_000, START_MS + 42 + 5_000)
REJECTED, NOT_SENT, UNKNOWN = Verdict.REJECTED, Verdict.NOT_SENT, Verdict.UNKNOWN
HTML = "<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>"


def limit_order(**changes: Any) -> Order:
    return Rig().order(**changes)


def error(code: int, message: str) -> dict[str, Any]:
    """Binance's error payload."""
    return {"code": code, "msg": message}


# (HTTP status, Binance's answer, verdict): every row of the table, and what lies near it. Messages
# are from errors.md of binance-spot-api-docs.
ANSWERS = [
    (429, error(-1003, "Too much request weight used; current limit is 6000."), NOT_SENT),
    (418, error(-1003, "Way too much request weight used; IP banned until 1800."), NOT_SENT),
    (403, HTML, NOT_SENT),
    (400, error(-1021, "Timestamp for this request is outside of the recvWindow."), NOT_SENT),
    (400, error(-1021, "Timestamp for this request was 1000ms ahead of the server's."), NOT_SENT),
    (429, error(-1015, "Too many new orders; current limit is 50 orders per 10s."), NOT_SENT),
    (400, error(-1015, "Too many new orders; current limit is 50 orders per 10s."), NOT_SENT),
    (400, error(-1006, "An unexpected response was received. Execution status unknown."), UNKNOWN),
    (400, error(-1007, "Timeout waiting for response from backend server."), UNKNOWN),
    (504, error(-1007, "Timeout waiting for response from backend server."), UNKNOWN),
    (500, error(-1006, "An unexpected response was received. Execution status unknown."), UNKNOWN),
    (400, error(-2010, "Duplicate order sent."), UNKNOWN),
    (400, error(-2010, "Account has insufficient balance for requested action."), REJECTED),
    (400, error(-2010, "Order would immediately match and take."), REJECTED),
    (400, error(-2010, "Market is closed."), REJECTED),
    (400, error(-1013, "Filter failure: LOT_SIZE"), REJECTED),
    (400, error(-1013, "Filter failure: PRICE_FILTER"), REJECTED),
    (400, error(-1013, "Filter failure: NOTIONAL"), REJECTED),
    (401, error(-2014, "API-key format invalid."), REJECTED),
    (401, error(-2015, "Invalid API-key, IP, or permissions for action."), REJECTED),
    (400, error(-1022, "Signature for this request is not valid."), REJECTED),
    (401, error(-1002, "You are not authorized to execute this request."), REJECTED),
    (400, error(-1100, "Illegal characters found in parameter 'quantity'."), REJECTED),
    (400, error(-1101, "Too many parameters; expected '8' and received '9'."), REJECTED),
    (400, error(-1102, "Mandatory parameter 'side' was not sent."), REJECTED),
    (400, error(-1103, "An unknown parameter was sent."), REJECTED),
    (400, error(-1104, "Not all sent parameters were read."), REJECTED),
    (400, error(-1105, "Parameter 'price' was empty."), REJECTED),
    (400, error(-1106, "Parameter 'timeInForce' sent when not required."), REJECTED),
    (400, error(-1111, "Parameter 'price' has too much precision."), REJECTED),
    (400, error(-1112, "No orders on book for symbol."), REJECTED),
    (400, error(-1115, "Invalid timeInForce."), REJECTED),
    (400, error(-1116, "Invalid orderType."), REJECTED),
    (400, error(-1117, "Invalid side."), REJECTED),
    (400, error(-1121, "Invalid symbol."), REJECTED),
    # What no row names, or what came with the wrong status, is no proof.
    (400, error(-1000, "An unknown error occurred while processing the request."), UNKNOWN),
    (400, error(-1001, "Internal error; unable to process your request."), UNKNOWN),
    (400, error(-9999, "A code that nobody has seen."), UNKNOWN),
    (400, HTML, UNKNOWN),
    (401, HTML, UNKNOWN),
    (404, HTML, UNKNOWN),
    (408, "", UNKNOWN),
    (413, HTML, UNKNOWN),
    (200, error(-2010, "Account has insufficient balance for requested action."), UNKNOWN),
    (200, error(-1013, "Filter failure: LOT_SIZE"), UNKNOWN),
    (200, error(0, ""), UNKNOWN),
    # The server broke while it held the request, whatever it says about that.
    *[(status, HTML, UNKNOWN) for status in (*range(500, 506), *range(520, 528), 530)],
    *[
        (status, error(-1001, "Internal error; unable to process your request."), UNKNOWN)
        for status in (500, 502, 503)
    ],
    (503, error(-1008, "Server is currently overloaded with other requests."), UNKNOWN),
    (503, error(-2010, "Account has insufficient balance for requested action."), UNKNOWN),
    (500, error(-1013, "Filter failure: LOT_SIZE"), UNKNOWN),
    (500, error(-1021, "Timestamp for this request is outside of the recvWindow."), UNKNOWN),
    (503, "", UNKNOWN),
    *[
        (status, error(int(code), message), Verdict(verdict))
        for verdict, status, code, message in REFUSALS["binance"]
        if code is not None
    ],
]  # fmt: skip


@pytest.mark.parametrize(
    ("status", "body", "verdict"),
    ANSWERS,
    ids=lambda value: str(value["code"]) if isinstance(value, dict) else str(value)[:12],
)
def test_each_answer_of_binance_gets_its_verdict(
    status: int, body: object, verdict: Verdict, server: BinanceServer, binance: BinanceExchange
) -> None:
    server.replies[NEW_ORDER] = Reply(body, status)
    outcome = binance.place(limit_order(), ATTEMPT)
    assert outcome.verdict is verdict
    assert outcome.report is None
    assert outcome.reason
    assert server.count(NEW_ORDER) == 1


def test_every_row_of_the_table_has_a_case_here() -> None:
    decided = [
        row_of(
            Failure(
                kind="",
                message=str(body),
                status=status,
                code=str(body["code"]) if isinstance(body, dict) else None,
            ),
            "binance",
        )
        for status, body, _ in ANSWERS
    ]
    assert [row.why for row in binance.VERDICTS if row not in decided] == []


@pytest.mark.parametrize(
    "body",
    [
        HTML,
        "",
        "   ",
        "{}",
        "null",
        "[]",
        "true",
        "0",
        '""',
        "{",
        '{"symbol": "BTCUSDT", "orderId": 28, "clientOrderId": "o',
        '[{"orderId": 28}]',
        '{"orderId": 28, "clientOrderId": "x", "symbol": "BTCUSDT", "status": "NEW"}',
        '{"msg": "welcome"}',
        b"\xff\xfe\x00",
        "[" * 50_000,
    ],
    ids=lambda body: repr(body)[:14],
)
def test_a_200_that_is_not_an_order_says_nothing(
    body: str | bytes, server: BinanceServer, binance: BinanceExchange
) -> None:
    server.replies[NEW_ORDER] = Reply(body)
    assert binance.place(limit_order(), ATTEMPT).verdict is UNKNOWN
    assert server.count(NEW_ORDER) == 1


@pytest.mark.parametrize("missing", ["orderId", "clientOrderId", "symbol", "status", "executedQty"])
@pytest.mark.parametrize("how", ["absent", "null"])
def test_an_order_that_lacks_a_field_says_nothing(
    missing: str, how: str, server: BinanceServer, binance: BinanceExchange
) -> None:
    def incomplete(request: Request) -> Reply:
        answer = order_answer(request)
        if how == "absent":
            del answer[missing]
        else:
            answer[missing] = None
        return Reply(answer)

    server.replies[NEW_ORDER] = incomplete
    assert binance.place(limit_order(), ATTEMPT).verdict is UNKNOWN


@pytest.mark.parametrize(
    "change",
    [
        {"status": "SOMETHING_NEW"},
        {"executedQty": "much"},
        {"executedQty": "NaN"},
        {"orderId": ""},
        {"executedQty": "Infinity"},
        {"fills": [{"price": "1", "qty": "1"}]},
    ],
    ids=str,
)
def test_an_order_that_cannot_be_read_says_nothing(
    change: dict[str, Any], server: BinanceServer, binance: BinanceExchange
) -> None:
    server.replies[NEW_ORDER] = lambda request: Reply(order_answer(request, **change))
    assert binance.place(limit_order(), ATTEMPT).verdict is UNKNOWN


def test_an_answer_about_another_order_says_nothing(
    server: BinanceServer, binance: BinanceExchange
) -> None:
    server.replies[NEW_ORDER] = lambda request: Reply(
        order_answer(request, clientOrderId="somebody-elses")
    )
    outcome = binance.place(limit_order(), ATTEMPT)
    assert outcome.verdict is UNKNOWN
    assert outcome.reason == "the answer speaks of order somebody-elses"


@pytest.mark.parametrize("how", ["cut", "half"])
def test_a_connection_that_breaks_after_the_request_was_read_says_nothing(
    how: str, server: BinanceServer, binance: BinanceExchange
) -> None:
    server.replies[NEW_ORDER] = lambda request: Reply(order_answer(request), how=how)
    assert binance.place(limit_order(), ATTEMPT).verdict is UNKNOWN
    assert server.count(NEW_ORDER) == 1


def test_a_connection_that_breaks_before_the_request_was_read_says_nothing(
    server: BinanceServer, binance: BinanceExchange
) -> None:
    server.cuts_unread = True
    assert binance.place(limit_order(), ATTEMPT).verdict is UNKNOWN
    assert server.connections == 1


def test_an_answer_that_does_not_come_in_time_says_nothing(
    server: BinanceServer, connect: Callable[..., BinanceExchange]
) -> None:
    server.replies[NEW_ORDER] = Reply(how="hang")
    outcome = connect(server.url, timeout_ms=150).place(limit_order(), ATTEMPT)
    assert outcome.verdict is UNKNOWN
    assert outcome.reason.startswith("RequestTimeout")
    assert server.arrived(NEW_ORDER) == 1


def test_an_answer_that_cannot_be_unpacked_says_nothing(
    server: BinanceServer, binance: BinanceExchange
) -> None:
    server.replies[NEW_ORDER] = Reply("{}", headers={"Content-Encoding": "gzip"})
    assert binance.place(limit_order(), ATTEMPT).verdict is UNKNOWN


def test_a_refused_connection_is_proof_that_nothing_was_sent(
    closed_port: int, connect: Callable[..., BinanceExchange]
) -> None:
    outcome = connect(f"http://127.0.0.1:{closed_port}").place(limit_order(), ATTEMPT)
    assert outcome.verdict is NOT_SENT


def test_a_name_that_does_not_resolve_is_proof_that_nothing_was_sent(
    connect: Callable[..., BinanceExchange],
) -> None:
    outcome = connect("http://exchange.invalid").place(limit_order(), ATTEMPT)
    assert outcome.verdict is NOT_SENT


def test_an_order_that_ccxt_itself_refuses_was_not_sent(
    server: BinanceServer, binance: BinanceExchange
) -> None:
    order = limit_order(symbol="NOPE/USDT")
    assert binance.place(order, ATTEMPT).verdict is NOT_SENT
    assert server.requests == []


@pytest.mark.parametrize("status", [429, 418])
@pytest.mark.parametrize("header", ["Retry-After", "retry-after"])
def test_how_long_binance_wants_to_be_left_alone_is_handed_on(
    status: int, header: str, server: BinanceServer, binance: BinanceExchange
) -> None:
    server.replies[NEW_ORDER] = Reply(error(-1003, "Too many"), status, {header: "17"})
    outcome = binance.place(limit_order(), ATTEMPT)
    assert (outcome.verdict, outcome.retry_after_s) == (NOT_SENT, 17)


@pytest.mark.parametrize("wait", ["soon", "-3", ""])
def test_too_many_requests_without_a_readable_wait_is_a_short_one(
    wait: str, server: BinanceServer, binance: BinanceExchange
) -> None:
    server.replies[NEW_ORDER] = Reply("", 429, {"Retry-After": wait})
    assert binance.place(limit_order(), ATTEMPT).retry_after_s == 2


def test_a_wait_is_not_remembered_for_the_next_answer(
    server: BinanceServer, binance: BinanceExchange
) -> None:
    server.replies[NEW_ORDER] = Reply("", 429, {"Retry-After": "17"})
    binance.place(limit_order(), ATTEMPT)
    server.replies[NEW_ORDER] = Reply(how="cut")
    assert binance.place(limit_order(), ATTEMPT) == Outcome(
        UNKNOWN, reason=f"NetworkError: binance POST {server.url}/api/v3/order"
    )


def test_an_accepted_order_comes_back_as_a_report(
    server: BinanceServer, binance: BinanceExchange
) -> None:
    order = limit_order()
    server.replies[NEW_ORDER] = lambda request: Reply(order_answer(request))
    outcome = binance.place(order, ATTEMPT)
    assert outcome.verdict is Verdict.ACCEPTED
    assert outcome.report is not None
    assert outcome.report.exchange_order_id == "28"
    assert outcome.report.client_order_id == order.client_order_id
    assert outcome.report.symbol == "BTC/USDT"
    assert outcome.report.status is OrderState.OPEN
    assert outcome.report.filled == 0
    assert outcome.report.fills == ()


def test_fills_of_an_accepted_order_come_with_their_fees(
    server: BinanceServer, binance: BinanceExchange
) -> None:
    parts = [
        {"price": "99.99000000", "qty": "0.40000000", "commission": "0.00040000",
         "commissionAsset": "BTC", "tradeId": 56},
        {"price": "100.00000000", "qty": "0.60000000", "commission": "0.00001000",
         "commissionAsset": "BNB", "tradeId": 57},
    ]  # fmt: skip
    server.replies[NEW_ORDER] = lambda request: Reply(
        order_answer(
            request,
            status="FILLED",
            executedQty="1.00000000",
            cummulativeQuoteQty="99.99600000",
            fills=parts,
        )
    )
    report = binance.place(limit_order(), ATTEMPT).report
    assert report is not None
    assert (report.status, report.filled) == (OrderState.FILLED, Decimal(1))
    assert [
        (f.trade_id, f.side, f.price, f.amount, [(fee.asset, fee.amount) for fee in f.fees])
        for f in report.fills
    ] == [
        ("56", Side.BUY, Decimal("99.99"), Decimal("0.4"), [("BTC", Decimal("0.0004"))]),
        ("57", Side.BUY, Decimal(100), Decimal("0.6"), [("BNB", Decimal("0.00001"))]),
    ]


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("NEW", "open"),
        ("PENDING_NEW", "open"),
        ("PARTIALLY_FILLED", "open"),
        ("FILLED", "filled"),
        ("CANCELED", "canceled"),
        ("PENDING_CANCEL", "open"),
        ("REJECTED", "rejected"),
        ("EXPIRED", "expired"),
        ("EXPIRED_IN_MATCH", "expired"),
    ],
)
def test_each_of_binances_statuses_has_its_state(
    status: str, state: str, server: BinanceServer, binance: BinanceExchange
) -> None:
    executed = "1.00000000" if status == "FILLED" else "0.50000000"
    server.replies[NEW_ORDER] = lambda request: Reply(
        order_answer(request, status=status, executedQty=executed)
    )
    report = binance.place(limit_order(), ATTEMPT).report
    assert report is not None
    assert report.status is OrderState(state)


def sent(server: BinanceServer, binance: BinanceExchange, order: Order) -> Request:
    server.replies[NEW_ORDER] = lambda request: Reply(order_answer(request))
    assert binance.place(order, ATTEMPT).verdict is Verdict.ACCEPTED
    assert server.count(NEW_ORDER) == 1
    return server.requests[-1]


def test_a_limit_order_is_sent_as_it_was_asked_for(
    server: BinanceServer, binance: BinanceExchange
) -> None:
    order = limit_order(amount=Decimal("0.12345"), price=Decimal("100.01"))
    request = sent(server, binance, order)
    assert set(request.params) <= {
        "symbol", "side", "type", "quantity", "price", "timeInForce", "newClientOrderId",
        "newOrderRespType", "recvWindow", "timestamp", "signature",
    }  # fmt: skip
    expected = {
        "symbol": "BTCUSDT",
        "side": "BUY",
        "type": "LIMIT",
        "quantity": "0.12345",
        "price": "100.01",
        "timeInForce": "GTC",
        "newClientOrderId": order.client_order_id,
    }
    assert {name: request.params[name] for name in expected} == expected
    assert request.headers["X-MBX-APIKEY"] == "the-key"


def test_the_request_is_stamped_and_limited_as_it_was_journaled(
    server: BinanceServer, binance: BinanceExchange
) -> None:
    request = sent(server, binance, limit_order())
    assert request.params["timestamp"] == str(ATTEMPT.stamp_ms)
    assert request.params["recvWindow"] == "3000"


def test_the_same_attempt_is_signed_the_same_way_at_any_time(
    server: BinanceServer, binance: BinanceExchange
) -> None:
    first = sent(server, binance, limit_order())
    server.requests.clear()
    assert sent(server, binance, limit_order()).params == first.params


def test_after_a_placement_requests_are_stamped_with_the_real_time_again(
    server: BinanceServer, binance: BinanceExchange
) -> None:
    sent(server, binance, limit_order())
    assert binance.client.stamp_ms is None
    assert binance.client.nonce() != ATTEMPT.stamp_ms


def test_a_market_order_has_no_price_even_if_the_record_has_one(
    server: BinanceServer, binance: BinanceExchange
) -> None:
    order = limit_order(type=OrderType.MARKET, side=Side.SELL, price=None)
    request = sent(server, binance, replace(order, price=Decimal(100)))
    assert request.params["type"] == "MARKET"
    assert request.params["side"] == "SELL"
    assert request.params["quantity"] == "1"
    assert not {"price", "quoteOrderQty", "timeInForce"} & set(request.params)


def test_a_post_only_order_is_a_limit_maker(
    server: BinanceServer, binance: BinanceExchange
) -> None:
    request = sent(server, binance, limit_order(time_in_force=TimeInForce.PO))
    assert request.params["type"] == "LIMIT_MAKER"
    assert "timeInForce" not in request.params
    assert request.params["price"] == "100"


@pytest.mark.parametrize("time_in_force", ["GTC", "IOC", "FOK"])
def test_a_time_in_force_is_handed_on(
    time_in_force: str, server: BinanceServer, binance: BinanceExchange
) -> None:
    request = sent(server, binance, limit_order(time_in_force=TimeInForce(time_in_force)))
    assert request.params["timeInForce"] == time_in_force


@pytest.mark.parametrize(
    ("amount", "price", "quantity", "at"),
    [
        ("1E+7", "7E-7", "10000000", "0.0000007"),
        ("3", "0.00001234", "3", "0.00001234"),
        ("90000000", "0.99999999", "90000000", "0.99999999"),
        ("1.000", "0.50", "1", "0.5"),
    ],
)
def test_large_and_tiny_numbers_are_sent_plainly_and_unrounded(
    amount: str,
    price: str,
    quantity: str,
    at: str,
    server: BinanceServer,
    binance: BinanceExchange,
) -> None:
    order = limit_order(symbol="PEPE/USDT", amount=Decimal(amount), price=Decimal(price))
    request = sent(server, binance, order)
    assert (request.params["quantity"], request.params["price"]) == (quantity, at)


@pytest.mark.parametrize("status", [200, 400, 500])
def test_no_reason_ever_shows_what_signed_the_request(
    status: int, server: BinanceServer, binance: BinanceExchange
) -> None:
    def echo(request: Request) -> Reply:
        query = "&".join(f"{name}={value}" for name, value in request.params.items())
        return Reply(f"<html>no such page: /api/v3/order?{query}</html>", status)

    server.replies[NEW_ORDER] = echo
    outcome = binance.place(limit_order(), ATTEMPT)
    assert server.requests[0].params["signature"] not in outcome.reason
    assert "the-secret" not in outcome.reason


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port that refuses connections: bound, so that nobody else takes it, and not listened on."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]


@pytest.mark.parametrize("status", [307, 308])
def test_a_placement_is_never_sent_again_to_where_a_gateway_points(
    status: int, server: BinanceServer, binance: BinanceExchange
) -> None:
    there = {"Location": f"{server.url}/api/v3/order"}
    server.replies[NEW_ORDER] = Reply("", status, there)
    assert binance.place(limit_order(), ATTEMPT).verdict is Verdict.UNKNOWN
    assert server.count(NEW_ORDER) == 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_to_nowhere_is_no_proof_that_nothing_was_sent(
    status: int, server: BinanceServer, binance: BinanceExchange
) -> None:
    server.replies[NEW_ORDER] = Reply("", status, {"Location": "http://127.0.0.1:1/"})
    assert binance.place(limit_order(), ATTEMPT).verdict is Verdict.UNKNOWN


def test_an_answer_for_another_symbol_says_nothing(
    server: BinanceServer, binance: BinanceExchange
) -> None:
    server.replies[NEW_ORDER] = lambda request: Reply(order_answer(request, symbol="PEPEUSDT"))
    assert binance.place(limit_order(), ATTEMPT).verdict is Verdict.UNKNOWN
