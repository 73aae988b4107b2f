"""What Binance's answers to questions are worth: only a well-formed one says anything."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from execution.api.binance_api import (
    TRADES_A_PAGE,
    BinanceExchange,
    initialize_binance_api,
    place_order,
)
from execution.arbitrage_executor import execute_arbitrage
from execution.model.errors import (
    ExchangeUnavailable,
    NotSent,
    OrderRejected,
    OutcomeUnknown,
    RequestRefused,
    UnknownSymbol,
)
from execution.model.order import Order, OrderState, Side
from execution.model.trading_rules import Market
from tests.support.api.binance_server import (
    ACCOUNT_INFO,
    CANCEL_ORDER,
    DEPTH,
    GET_ORDER,
    MY_TRADES,
    OPEN_ORDERS,
    TIME,
    BinanceServer,
    Reply,
    Request,
    known_order,
    trade,
)
from tests.support.clock import START_MS
from tests.support.fakes import Rig

HTML = "<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>"
GARBAGE = [HTML, "", "{}", "null", "true", '"ok"', "[", '{"code": 0, "msg": ""}', "[{}]", "[null]"]
NOT_THERE = {"code": -2013, "msg": "Order does not exist."}
UNKNOWN_ORDER = {"code": -2011, "msg": "Unknown order sent."}


def an_order() -> Order:
    rig = Rig()
    return rig.manager.submit(rig.order())


QUESTIONS: dict[str, tuple[str, Callable[[BinanceExchange], Any]]] = {
    "lookup": (GET_ORDER, lambda binance: binance.lookup(an_order())),
    "cancel": (CANCEL_ORDER, lambda binance: binance.cancel(an_order())),
    "open_orders": (OPEN_ORDERS, lambda binance: binance.open_orders("BTC/USDT")),
    "order_fills": (MY_TRADES, lambda binance: binance.order_fills(an_order())),
    "fills_since": (MY_TRADES, lambda binance: binance.fills_since("BTC/USDT", "7", 0)),
    "balances": (ACCOUNT_INFO, lambda binance: binance.balances()),
    "order_book": (DEPTH, lambda binance: binance.order_book("BTC/USDT", 5)),
    "measure_clock": (TIME, lambda binance: binance.measure_clock()),
}
question = pytest.mark.parametrize("name", QUESTIONS)


@question
@pytest.mark.parametrize("body", GARBAGE)
def test_an_answer_that_is_not_what_was_asked_for_is_no_answer(
    name: str, body: str, server: BinanceServer, binance: BinanceExchange
) -> None:
    route, ask = QUESTIONS[name]
    server.replies[route] = Reply(body)
    with pytest.raises(ExchangeUnavailable):
        ask(binance)
    assert server.count(route) == 1


@question
@pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 500, 502, 503, 504])
def test_a_failure_is_no_answer(
    name: str, status: int, server: BinanceServer, binance: BinanceExchange
) -> None:
    route, ask = QUESTIONS[name]
    server.replies[route] = Reply(HTML, status)
    with pytest.raises(ExchangeUnavailable):
        ask(binance)
    assert server.count(route) == 1


@question
@pytest.mark.parametrize("how", ["cut", "half", "hang"])
def test_a_broken_connection_or_silence_is_no_answer(
    name: str, how: str, server: BinanceServer, connect: Callable[..., BinanceExchange]
) -> None:
    route, ask = QUESTIONS[name]
    server.replies[route] = Reply([1, 2, 3], how=how)
    with pytest.raises(ExchangeUnavailable):
        ask(connect(server.url, timeout_ms=60 if how == "hang" else 10_000))
    assert server.arrived(route) == 1


@question
def test_an_exchange_out_of_reach_is_no_answer(
    name: str, connect: Callable[..., BinanceExchange]
) -> None:
    _, ask = QUESTIONS[name]
    with pytest.raises(ExchangeUnavailable):
        ask(connect("http://127.0.0.1:1"))


@question
def test_how_long_binance_wants_to_be_left_alone_comes_with_the_refusal(
    name: str, server: BinanceServer, binance: BinanceExchange
) -> None:
    route, ask = QUESTIONS[name]
    server.replies[route] = Reply({"code": -1003, "msg": "Too many"}, 418, {"Retry-After": "120"})
    with pytest.raises(ExchangeUnavailable) as raised:
        ask(binance)
    assert raised.value.retry_after_s == 120


@question
def test_the_signature_of_a_request_is_never_in_the_reason(
    name: str, server: BinanceServer, binance: BinanceExchange
) -> None:
    route, ask = QUESTIONS[name]
    server.replies[route] = Reply(HTML, 502)
    with pytest.raises(ExchangeUnavailable) as raised:
        ask(binance)
    signature = server.requests[-1].params.get("signature", "the-secret")
    assert signature not in str(raised.value)


@pytest.mark.parametrize(("name", "body"), [("open_orders", []), ("order_fills", []),
                                            ("fills_since", [])])  # fmt: skip
def test_an_empty_list_is_an_answer(
    name: str, body: list[Any], server: BinanceServer, binance: BinanceExchange
) -> None:
    route, ask = QUESTIONS[name]
    server.replies[route] = Reply(body)
    assert ask(binance) == []


def test_an_order_is_looked_up_by_its_client_id(
    server: BinanceServer, binance: BinanceExchange
) -> None:
    order = an_order()
    server.replies[GET_ORDER] = Reply(
        known_order(order.client_order_id, status="PARTIALLY_FILLED", executedQty="0.25000000",
                    cummulativeQuoteQty="24.75000000")
    )  # fmt: skip
    report = binance.lookup(order)
    assert report is not None
    assert server.requests[-1].params["origClientOrderId"] == order.client_order_id
    assert "orderId" not in server.requests[-1].params
    assert report.exchange_order_id == "28"
    assert report.status is OrderState.OPEN
    assert (report.filled, report.average) == (Decimal("0.25"), Decimal(99))


def test_an_order_that_binance_says_it_does_not_have_is_not_there(
    server: BinanceServer, binance: BinanceExchange
) -> None:
    server.replies[GET_ORDER] = Reply(NOT_THERE, 400)
    assert binance.lookup(an_order()) is None


@pytest.mark.parametrize(
    "body", ["<html>Order does not exist.</html>", {"msg": NOT_THERE["msg"]}, [NOT_THERE]], ids=str
)
def test_what_is_not_binances_own_answer_cannot_say_that_an_order_is_not_there(
    body: Any, server: BinanceServer, binance: BinanceExchange
) -> None:
    server.replies[GET_ORDER] = Reply(body, 400)
    with pytest.raises(ExchangeUnavailable):
        binance.lookup(an_order())


def test_an_earlier_answer_does_not_vouch_for_a_later_page(
    server: BinanceServer, binance: BinanceExchange
) -> None:
    server.replies[GET_ORDER] = Reply(NOT_THERE, 400)
    assert binance.lookup(an_order()) is None
    server.replies[GET_ORDER] = Reply("Order does not exist.", 404)
    with pytest.raises(ExchangeUnavailable):
        binance.lookup(an_order())


def test_a_lookup_that_returns_another_order_is_no_answer(
    server: BinanceServer, binance: BinanceExchange
) -> None:
    server.replies[GET_ORDER] = Reply(known_order("somebody-elses"))
    with pytest.raises(ExchangeUnavailable, match="the answer is about somebody-elses"):
        binance.lookup(an_order())


def test_a_cancel_speaks_of_the_order_and_not_of_itself(
    server: BinanceServer, binance: BinanceExchange
) -> None:
    order = an_order()
    answer = known_order("the-cancels-own-id", status="CANCELED", executedQty="0.10000000")
    answer |= {"orderId": 7000, "origClientOrderId": order.client_order_id}
    server.replies[CANCEL_ORDER] = Reply(answer)
    report = binance.cancel(order)
    assert report is not None
    assert report.client_order_id == order.client_order_id
    assert (report.status, report.filled) == (OrderState.CANCELED, Decimal("0.1"))
    assert server.requests[-1].params["orderId"] == order.exchange_order_id


@pytest.mark.parametrize(
    "change",
    [{"orderId": 28}, {"origClientOrderId": "another"}, {"origClientOrderId": None}],
    ids=str,
)
def test_a_cancel_that_speaks_of_another_order_is_no_answer(
    change: dict[str, Any], server: BinanceServer, binance: BinanceExchange
) -> None:
    order = an_order()
    answer = known_order("the-cancels-own-id", status="CANCELED")
    answer |= {"orderId": 7000, "origClientOrderId": order.client_order_id}
    server.replies[CANCEL_ORDER] = Reply({**answer, **change})
    with pytest.raises(ExchangeUnavailable):
        binance.cancel(order)


def test_a_cancel_of_what_has_ended_finds_nothing_to_cancel(
    server: BinanceServer, binance: BinanceExchange
) -> None:
    server.replies[CANCEL_ORDER] = Reply(UNKNOWN_ORDER, 400)
    assert binance.cancel(an_order()) is None


def test_open_orders_are_asked_for_one_symbol(
    server: BinanceServer, binance: BinanceExchange
) -> None:
    server.replies[OPEN_ORDERS] = Reply([known_order("a"), known_order("b", orderId=29)])
    reports = binance.open_orders("BTC/USDT")
    assert [(r.exchange_order_id, r.client_order_id) for r in reports] == [("28", "a"), ("29", "b")]
    assert server.requests[-1].params["symbol"] == "BTCUSDT"


def test_one_order_that_cannot_be_read_spoils_the_list(
    server: BinanceServer, binance: BinanceExchange
) -> None:
    server.replies[OPEN_ORDERS] = Reply([known_order("a"), known_order("b", status="ODD")])
    with pytest.raises(ExchangeUnavailable):
        binance.open_orders("BTC/USDT")


def test_trades_come_with_side_fee_and_time(
    server: BinanceServer, binance: BinanceExchange
) -> None:
    server.replies[MY_TRADES] = Reply([trade(5, orderId=7000, isBuyer=False)])
    fill = binance.order_fills(an_order())[0]
    assert (fill.trade_id, fill.side) == ("5", Side.SELL)
    assert (fill.price, fill.amount) == (Decimal(100), Decimal("0.001"))
    assert [(fee.asset, fee.amount) for fee in fill.fees] == [("BTC", Decimal("0.000001"))]
    assert fill.time == datetime(2027, 1, 15, 8, 0, 0, 5_000, tzinfo=UTC)


def test_the_trades_of_one_order_are_asked_for_by_its_exchange_id(
    server: BinanceServer, binance: BinanceExchange
) -> None:
    server.replies[MY_TRADES] = Reply([])
    order = an_order()
    binance.order_fills(order)
    assert server.requests[-1].params["orderId"] == order.exchange_order_id


def test_trades_after_a_cursor_begin_with_the_next(
    server: BinanceServer, binance: BinanceExchange
) -> None:
    server.replies[MY_TRADES] = Reply([trade(9), trade(8)])
    found = binance.fills_since("BTC/USDT", "7", START_MS)
    assert [told.fill.trade_id for told in found] == ["8", "9"]
    assert [told.exchange_order_id for told in found] == ["28", "28"]
    assert server.requests[-1].params["fromId"] == "8"
    assert "startTime" not in server.requests[-1].params


def test_trades_without_a_cursor_begin_at_a_time(
    server: BinanceServer, binance: BinanceExchange
) -> None:
    server.replies[MY_TRADES] = Reply([])
    binance.fills_since("BTC/USDT", None, START_MS)
    assert server.requests[-1].params["startTime"] == str(START_MS)
    assert "fromId" not in server.requests[-1].params


def test_trades_are_read_page_by_page_to_the_last(
    server: BinanceServer, binance: BinanceExchange
) -> None:
    ids = range(8, 8 + TRADES_A_PAGE + 5)

    def page(request: Request) -> Reply:
        first = int(request.params["fromId"])
        limit = int(request.params["limit"])
        return Reply([trade(number) for number in ids if number >= first][:limit])

    server.replies[MY_TRADES] = page
    found = binance.fills_since("BTC/USDT", "7", 0)
    assert [int(told.fill.trade_id) for told in found] == list(ids)
    assert server.count(MY_TRADES) == 2


def test_balances_count_what_is_held_by_orders_too(
    server: BinanceServer, binance: BinanceExchange
) -> None:
    balances = [
        {"asset": "BTC", "free": "0.10000000", "locked": "0.20000000"},
        {"asset": "USDT", "free": "5.00000000", "locked": "0.00000000"},
    ]
    server.replies[ACCOUNT_INFO] = Reply({"canTrade": True, "balances": balances})
    assert binance.balances() == {"BTC": Decimal("0.3"), "USDT": Decimal(5)}


def test_a_book_is_read_exactly_and_best_first(
    server: BinanceServer, binance: BinanceExchange
) -> None:
    server.replies[DEPTH] = Reply(
        '{"lastUpdateId": 1, "bids": [["99.10000000", "0.3"], ["99", "1"]],'
        ' "asks": [["99.30000000", "1.00000000"]]}'
    )
    book = binance.order_book("BTC/USDT", 5)
    assert book.bids == ((Decimal("99.1"), Decimal("0.3")), (Decimal(99), Decimal(1)))
    assert book.asks == ((Decimal("99.3"), Decimal(1)),)
    assert book.mid == Decimal("99.2")
    assert server.requests[-1].params == {"symbol": "BTCUSDT", "limit": "5"}


def test_the_clock_is_measured_against_the_middle_of_the_round_trip(
    server: BinanceServer, binance: BinanceExchange
) -> None:
    server.replies[TIME] = Reply({"serverTime": START_MS + 777})
    offset = binance.measure_clock()
    # The twin of our clock stands still during the round trip.
    assert (offset.offset_ms, offset.uncertainty_ms) == (777, 2)
    assert offset.measured_at_ms == START_MS


def test_a_symbols_rules_are_read_exactly(binance: BinanceExchange) -> None:
    assert binance.market("BTC/USDT") == Market(
        symbol="BTC/USDT",
        price_tick=Decimal("0.01"),
        amount_step=Decimal("0.00001"),
        amount_min=Decimal("0.00001"),
        notional_min=Decimal(5),
        taker_fee=Decimal("0.001"),
    )
    pepe = binance.market("PEPE/USDT")
    assert pepe is not None
    assert (pepe.price_tick, pepe.amount_step) == (Decimal("1E-8"), Decimal(1))


@pytest.mark.parametrize("symbol", ["NOPE/USDT", "OLD/USDT", "BTCUSDT", ""])
def test_a_symbol_that_is_not_traded_has_no_rules(symbol: str, binance: BinanceExchange) -> None:
    assert binance.market(symbol) is None


def test_connecting_loads_the_markets(server: BinanceServer) -> None:
    exchange = initialize_binance_api("k", "s", server.url)
    assert exchange.market("BTC/USDT") is not None
    assert [request.route for request in server.requests] == ["GET /api/v3/exchangeInfo"]


@pytest.mark.parametrize("reply", [Reply(HTML), Reply({"symbols": []}), Reply("", 503)])
def test_connecting_to_something_else_is_refused(reply: Reply, server: BinanceServer) -> None:
    server.replies["GET /api/v3/exchangeInfo"] = reply
    with pytest.raises(ExchangeUnavailable):
        initialize_binance_api("k", "s", server.url)


@pytest.mark.parametrize(
    ("body", "status", "raised"),
    [
        ({"code": -2010, "msg": "Account has insufficient balance"}, 400, OrderRejected),
        ({"code": -1021, "msg": "Timestamp outside of the recvWindow."}, 400, NotSent),
        (HTML, 502, OutcomeUnknown),
    ],
)
def test_place_order_raises_what_the_attempt_came_to(
    body: Any,
    status: int,
    raised: type[Exception],
    server: BinanceServer,
    binance: BinanceExchange,
) -> None:
    server.replies["POST /api/v3/order"] = Reply(body, status)
    with pytest.raises(raised) as caught:
        place_order(binance, "BTC/USDT", "buy", "1", "100")
    assert server.count("POST /api/v3/order") == 1
    if isinstance(caught.value, OutcomeUnknown):
        sent = server.requests[-1].params["newClientOrderId"]
        assert caught.value.client_order_id == sent


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("BTC/USDT", "hold", "1", "100"), "side"),
        (("BTC/USDT", "buy", "0", "100"), "amount"),
        (("BTC/USDT", "buy", "1", "-1"), "price"),
        (("BTC/USDT", "buy", "1", "100.001"), "price"),
        (("NOPE/USDT", "buy", "1", "100"), "symbol"),
    ],
)
def test_place_order_refuses_what_cannot_be_sent_before_anything_is(
    arguments: tuple[str, str, str, str],
    named: str,
    server: BinanceServer,
    binance: BinanceExchange,
) -> None:
    with pytest.raises(ValueError, match=f"^{named}: "):
        place_order(binance, *arguments)
    assert server.requests == []


@pytest.mark.parametrize("status", [200, 500, 502, 503, 504])
def test_a_broken_server_cannot_say_that_an_order_is_not_there(
    status: int, server: BinanceServer, binance: BinanceExchange
) -> None:
    server.replies[GET_ORDER] = Reply(NOT_THERE, status)
    with pytest.raises(ExchangeUnavailable):
        binance.lookup(an_order())


@pytest.mark.parametrize("body", ["[" * 100_000, '{"a":' * 100_000], ids=["lists", "objects"])
def test_an_answer_nested_too_deeply_is_no_answer(
    body: str, server: BinanceServer, binance: BinanceExchange
) -> None:
    server.replies[GET_ORDER] = Reply(body)
    with pytest.raises(ExchangeUnavailable):
        binance.lookup(an_order())


@pytest.mark.parametrize("balances", ["", {}, "none", 0, True])
def test_balances_that_are_no_list_are_not_an_empty_account(
    balances: object, server: BinanceServer, binance: BinanceExchange
) -> None:
    server.replies[ACCOUNT_INFO] = Reply({"canTrade": True, "balances": balances})
    with pytest.raises(ExchangeUnavailable):
        binance.balances()


def test_an_order_that_traded_in_more_parts_than_one_page_has_all_its_fills(
    server: BinanceServer, binance: BinanceExchange
) -> None:
    def page(request: Request) -> Reply:
        # As documented: 500 unless a limit is given, at most 1000, the oldest first.
        first = int(request.params.get("fromId", 0))
        limit = min(1_000, int(request.params.get("limit", 500)))
        told = [trade(n, orderId=7000) for n in range(1, 1_202) if n >= first]
        return Reply(told[:limit])

    server.replies[MY_TRADES] = page
    assert len(binance.order_fills(an_order())) == 1_201


def test_a_symbol_that_is_not_traded_has_no_book_and_no_leak_of_ccxts_errors(
    binance: BinanceExchange,
) -> None:
    with pytest.raises(ExchangeUnavailable):
        binance.order_book("NOPE/USDT", 5)


def test_an_arbitrage_in_a_symbol_that_is_not_traded_is_refused(
    server: BinanceServer, connect: Callable[..., BinanceExchange]
) -> None:
    done = execute_arbitrage(connect(server.url), connect(server.url), "NOPE/USDT", "1")
    assert done.reason == "symbol: 'NOPE/USDT' is not traded on account buy"


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (Reply({"code": -1121, "msg": "Invalid symbol."}, 400), UnknownSymbol),
        (Reply({"code": -1100, "msg": "Illegal characters"}, 400), RequestRefused),
        (Reply([{"no": "trade"}]), RequestRefused),
        (Reply({"code": -2015, "msg": "Invalid API-key"}, 401), ExchangeUnavailable),
        (Reply(HTML, 503), ExchangeUnavailable),
        (Reply({"code": -1003, "msg": "Too many requests"}, 429), ExchangeUnavailable),
    ],
)
def test_a_request_that_fails_by_itself_is_distinguished_from_an_exchange_that_does_not_answer(
    reply: Reply, kind: type[Exception], server: BinanceServer, binance: BinanceExchange
) -> None:
    server.replies[MY_TRADES] = reply
    with pytest.raises(ExchangeUnavailable) as raised:
        binance.fills_since("BTC/USDT", None, 1)
    assert type(raised.value) is kind


def test_a_symbol_that_is_not_listed_is_unknown_without_a_request(
    server: BinanceServer, binance: BinanceExchange
) -> None:
    assert "BTC/USDT" in binance.symbols()
    assert "NOPE/USDT" not in binance.symbols()
    with pytest.raises(UnknownSymbol):
        binance.fills_since("NOPE/USDT", None, 1)
    assert server.count(MY_TRADES) == 0
