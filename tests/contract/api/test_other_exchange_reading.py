"""What is read at the exchanges besides Binance: only well-formed answers count.

Nothing found must be what the exchange itself said. Everything else that is not an answer to the
question is ExchangeUnavailable, and never an empty list.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal
from email.utils import formatdate
from typing import Any

import pytest

from execution.api.strict.ccxt_exchange import CcxtExchange
from execution.model.book import Book
from execution.model.decimals import to_text
from execution.model.errors import ExchangeUnavailable
from execution.model.order import Fee, Order, OrderState, Side
from tests.support.api.canned_server import Reply, Request
from tests.support.api.exchange_kits import KITS, OTHERS, Bench
from tests.support.api.kit import ORDER_ID, Told, Trade, order_for, standing
from tests.support.clock import START_MS

HTML = "<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>"
GARBAGE = [
    Reply(HTML),
    Reply(HTML, 404),
    Reply(HTML, 503),
    Reply(""),
    Reply("{}"),
    Reply("null"),
    Reply('{"result": {"list": ['),
    Reply('{"msg": "welcome"}'),
    Reply(b"\xff\xfe\x00"),
    Reply("[" * 100_000),
]
SYMBOL = "BTC/USDT"
WORDS = [
    pytest.param(name, *words, id=f"{name}-{words[0]}-{words[2]}")
    for name in OTHERS
    for words in KITS[name].words
]


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    bench = Bench()
    yield bench
    bench.server.close()


def told(name: str, word: str, filled: str = "0") -> Told:
    return Told(order_for(name).client_order_id, word, filled)


# Looking an order up


@pytest.mark.parametrize(("name", "word", "state", "filled"), WORDS)
def test_each_word_for_how_an_order_stands_is_understood(
    name: str, word: str, state: str, filled: str, bench: Bench
) -> None:
    answers = KITS[name].finds([told(name, word, filled)])
    report = bench.exchange(name, answers).lookup(order_for(name))
    assert report.status == state
    assert report.filled == Decimal(filled)
    assert report.exchange_order_id == ORDER_ID
    assert report.client_order_id == order_for(name).client_order_id
    assert report.symbol == SYMBOL
    assert report.average == (Decimal(100) if report.filled and name != "upbit" else None)
    # Fills are told elsewhere, where their fees are told with them.
    assert report.fills == ()


@pytest.mark.parametrize("name", OTHERS)
def test_an_unknown_word_is_no_answer(name: str, bench: Bench) -> None:
    exchange = bench.exchange(name, KITS[name].finds([told(name, "frobnicated")]))
    with pytest.raises(ExchangeUnavailable, match="frobnicated"):
        exchange.lookup(order_for(name))


@pytest.mark.parametrize("name", OTHERS)
def test_what_the_exchange_does_not_have_is_not_found(name: str, bench: Bench) -> None:
    exchange = bench.exchange(name, KITS[name].finds([]))
    assert exchange.lookup(order_for(name)) is None
    asked = [request.route for request in bench.server.requests]
    assert set(asked) == set(KITS[name].lookups)


@pytest.mark.parametrize("reply", GARBAGE, ids=lambda reply: f"{reply.status}-{reply.text[:10]!r}")
@pytest.mark.parametrize("name", OTHERS)
def test_garbage_in_place_of_a_found_order_is_no_answer(
    name: str, reply: Reply, bench: Bench
) -> None:
    kit = KITS[name]
    for route in kit.lookups:
        exchange = bench.exchange(name, {**kit.finds([]), route: reply})
        with pytest.raises(ExchangeUnavailable):
            exchange.lookup(order_for(name))


@pytest.mark.parametrize("name", ["bybit", "okx", "kraken", "upbit"])
def test_an_answer_about_another_order_is_no_answer(name: str, bench: Bench) -> None:
    word = KITS[name].words[0][0]
    exchange = bench.exchange(name, KITS[name].finds([Told("somebody-elses", word)]))
    with pytest.raises(ExchangeUnavailable, match="the answer is about somebody-elses"):
        exchange.lookup(order_for(name))


@pytest.mark.parametrize("name", ["bybit", "okx", "kraken"])
def test_an_order_without_our_id_is_not_the_one_that_was_asked_for(name: str, bench: Bench) -> None:
    exchange = bench.exchange(name, KITS[name].finds([Told("", KITS[name].words[0][0])]))
    with pytest.raises(ExchangeUnavailable, match="the answer is about "):
        exchange.lookup(order_for(name))


def with_status(answer: Any, status: int) -> Any:
    """The same answer, from a server that says with its status that it is broken."""
    if callable(answer):
        return lambda request: with_status(answer(request), status)
    return Reply(answer.body if isinstance(answer, Reply) else answer, status)


@pytest.mark.parametrize("status", [500, 502, 503])
@pytest.mark.parametrize("name", OTHERS)
def test_a_broken_server_cannot_say_that_nothing_is_there(
    name: str, status: int, bench: Bench
) -> None:
    kit = KITS[name]
    answers = {route: with_status(said, status) for route, said in kit.finds([]).items()}
    answers[kit.cancel_order] = Reply(kit.cannot_cancel(kit.gone[0][1]), status)
    exchange = bench.exchange(name, answers)
    with pytest.raises(ExchangeUnavailable):
        exchange.lookup(order_for(name))
    with pytest.raises(ExchangeUnavailable):
        exchange.cancel(standing(name))


@pytest.mark.parametrize("name", OTHERS)
def test_a_symbol_that_is_not_traded_is_no_empty_list(name: str, bench: Bench) -> None:
    exchange = bench.exchange(name)
    for ask in (exchange.open_orders, lambda symbol: exchange.order_book(symbol, 5)):
        with pytest.raises(ExchangeUnavailable):
            ask("NOPE/USDT")
    with pytest.raises(ExchangeUnavailable):
        exchange.fills_since("NOPE/USDT", None, START_MS)


def test_a_market_buy_of_bybit_that_was_cut_short_is_not_filled(bench: Bench) -> None:
    answers = KITS["bybit"].finds([told("bybit", "PartiallyFilledCanceled", "0.4")])
    answers["GET /v5/order/history"]["result"]["list"][0] |= {"orderType": "Market", "price": "0"}
    report = bench.exchange("bybit", answers).lookup(order_for("bybit"))
    assert report.status is OrderState.CANCELED
    assert report.filled == Decimal("0.4")


# Canceling


@pytest.mark.parametrize("name", OTHERS)
def test_a_cancel_returns_the_state_of_the_order(name: str, bench: Bench) -> None:
    kit = KITS[name]
    word = next(word for word, state, _ in kit.words if state == "canceled")
    answers = {**kit.finds([told(name, word, "0.4")]), kit.cancel_order: kit.canceled()}
    report = bench.exchange(name, answers).cancel(standing(name))
    assert report.status is OrderState.CANCELED
    assert report.filled == Decimal("0.4")
    [sent] = bench.server.sent(kit.cancel_order)
    assert ORDER_ID in json.dumps(sent.params)


@pytest.mark.parametrize(
    ("name", "status", "code"), [(name, *gone) for name in OTHERS for gone in KITS[name].gone]
)
def test_a_cancel_of_what_is_gone_says_so(name: str, status: int, code: str, bench: Bench) -> None:
    kit = KITS[name]
    exchange = bench.exchange(name, {kit.cancel_order: Reply(kit.cannot_cancel(code), status)})
    assert exchange.cancel(standing(name)) is None


@pytest.mark.parametrize(
    ("name", "code"),
    [("bybit", "10016"), ("okx", "50013"), ("kraken", "EService:Unavailable"),
     ("coinbase", "INVALID_CANCEL_REQUEST"), ("upbit", "server_error")],
)  # fmt: skip
def test_a_cancel_that_failed_says_nothing_of_the_order(name: str, code: str, bench: Bench) -> None:
    kit = KITS[name]
    word = next(word for word, state, _ in kit.words if state == "open")
    status = 400 if name == "upbit" else 200
    answers = {kit.cancel_order: Reply(kit.cannot_cancel(code), status)}
    exchange = bench.exchange(name, {**kit.finds([told(name, word)]), **answers})
    with pytest.raises(ExchangeUnavailable):
        exchange.cancel(standing(name))


@pytest.mark.parametrize("reply", GARBAGE, ids=lambda reply: f"{reply.status}-{reply.text[:10]!r}")
@pytest.mark.parametrize("name", OTHERS)
def test_garbage_says_nothing_of_a_cancel(name: str, reply: Reply, bench: Bench) -> None:
    exchange = bench.exchange(name, {**KITS[name].finds([]), KITS[name].cancel_order: reply})
    with pytest.raises(ExchangeUnavailable):
        exchange.cancel(standing(name))


@pytest.mark.parametrize("name", OTHERS)
def test_a_canceled_order_that_is_not_found_is_no_answer(name: str, bench: Bench) -> None:
    kit = KITS[name]
    exchange = bench.exchange(name, {**kit.finds([]), kit.cancel_order: kit.canceled()})
    with pytest.raises(ExchangeUnavailable):
        exchange.cancel(standing(name))


@pytest.mark.parametrize("name", ["bybit", "okx", "kraken", "upbit"])
def test_a_cancel_is_not_answered_by_another_order(name: str, bench: Bench) -> None:
    kit = KITS[name]
    word = next(word for word, state, _ in kit.words if state == "canceled")
    answers = {**kit.finds([Told("somebody-elses", word)]), kit.cancel_order: kit.canceled()}
    with pytest.raises(ExchangeUnavailable, match="somebody-elses"):
        bench.exchange(name, answers).cancel(standing(name))


# Lists


@pytest.mark.parametrize("name", OTHERS)
def test_open_orders_are_read_to_the_last_page(name: str, bench: Bench) -> None:
    kit = KITS[name]
    word = next(word for word, state, _ in kit.words if state == "open")
    orders = [Told(f"c-{number}", word, "0", f"O-{number}") for number in range(130)]
    reports = bench.exchange(name, kit.opens(orders)).open_orders(SYMBOL)
    assert [report.exchange_order_id for report in reports] == [f"O-{n}" for n in range(130)]
    assert {report.symbol for report in reports} == {SYMBOL}
    assert {report.status for report in reports} == {OrderState.OPEN}
    assert bench.exchange(name, kit.opens([])).open_orders(SYMBOL) == []


def test_kraken_calls_its_markets_by_more_than_one_name(bench: Bench) -> None:
    kit = KITS["kraken"]
    exchange = bench.exchange("kraken", {**kit.opens([]), **kit.trades(TRADES[:1])})
    [report] = exchange.open_orders("BTC/USD")
    assert (report.exchange_order_id, report.symbol) == ("O-USD", "BTC/USD")
    [told] = exchange.fills_since("BTC/USD", None, START_MS)
    assert told.fill.trade_id == "t-usd"
    assert told.fill.fees == (Fee("USD", Decimal("0.0001")),)


TRADES = [Trade(number, START_MS + number * 1_000) for number in range(150, 0, -1)]


@pytest.mark.parametrize("name", OTHERS)
def test_the_fills_of_an_order_come_with_their_fees(name: str, bench: Bench) -> None:
    fills = bench.exchange(name, KITS[name].trades(TRADES)).order_fills(standing(name))
    assert {fill.trade_id for fill in fills} == {f"t-{number}" for number in range(1, 151)}
    assert {fill.fees for fill in fills} == {(Fee("USDT", Decimal("0.0001")),)}
    assert {(fill.side, fill.price, fill.amount) for fill in fills} == {
        (Side.BUY, Decimal(100), Decimal("0.001"))
    }
    [third] = [fill for fill in fills if fill.trade_id == "t-3"]
    assert int(third.time.timestamp() * 1000) == START_MS + 3_000


@pytest.mark.parametrize("name", OTHERS)
def test_an_order_without_trades_has_no_fills(name: str, bench: Bench) -> None:
    answers = KITS[name].trades([])
    if name == "upbit":
        answers = KITS[name].finds([told(name, "wait")])
        answers[KITS[name].lookups[0]]["trades"] = []
    assert bench.exchange(name, answers).order_fills(standing(name)) == []


def of_orders(trades: list[Trade]) -> list[Trade]:
    """The same trades, as those of three orders."""
    return [Trade(one.number, one.time_ms, f"O-{one.number % 3}") for one in trades]


@pytest.mark.parametrize("name", OTHERS)
def test_fills_without_a_cursor_begin_at_a_time(name: str, bench: Bench) -> None:
    exchange = bench.exchange(name, KITS[name].trades(of_orders(TRADES)))
    found = exchange.fills_since(SYMBOL, None, START_MS + 20_000)
    assert [told.fill.trade_id for told in found] == [f"t-{n}" for n in range(20, 151)]
    assert [told.exchange_order_id for told in found][:3] == ["O-2", "O-0", "O-1"]
    assert {told.fill.fees for told in found} == {(Fee("USDT", Decimal("0.0001")),)}


@pytest.mark.parametrize("name", OTHERS)
def test_fills_go_on_after_the_cursor(name: str, bench: Bench) -> None:
    exchange = bench.exchange(name, KITS[name].trades(of_orders(TRADES)))
    found = exchange.fills_since(SYMBOL, "t-30", START_MS + 140_000)
    assert [told.fill.trade_id for told in found] == [f"t-{n}" for n in range(31, 151)]
    assert exchange.fills_since(SYMBOL, "t-150", START_MS) == []


@pytest.mark.parametrize("name", OTHERS)
def test_a_trade_of_the_cursors_own_moment_is_not_lost(name: str, bench: Bench) -> None:
    twins = [Trade(3, START_MS + 2_000), Trade(2, START_MS + 2_000), Trade(1, START_MS + 1_000)]
    for order in (twins, [twins[1], twins[0], twins[2]]):
        exchange = bench.exchange(name, KITS[name].trades(order))
        found = exchange.fills_since(SYMBOL, "t-2", START_MS)
        assert [told.fill.trade_id for told in found] == ["t-3"]


@pytest.mark.parametrize("name", OTHERS)
def test_without_trades_there_are_no_fills(name: str, bench: Bench) -> None:
    answers = KITS[name].trades([])
    if name == "upbit":
        answers["GET /v1/orders/open"] = []
    assert bench.exchange(name, answers).fills_since(SYMBOL, None, START_MS) == []


def test_binance_is_asked_for_the_trades_of_one_order_on_every_page(bench: Bench) -> None:
    def page(request: Request) -> list[dict[str, Any]]:
        first, asked = int(request.params.get("fromId", 0)), request.params.get("orderId")
        rows = [
            {"id": n, "orderId": n % 2, "symbol": "BTCUSDT", "price": "100", "qty": "1",
             "commission": "0", "commissionAsset": "BNB", "time": START_MS, "isBuyer": True}
            for n in range(first, 3_000) if asked is None or n % 2 == int(asked)
        ]  # fmt: skip
        return rows[:1_000]

    exchange = bench.exchange("binance", {"GET /api/v3/myTrades": page})
    fills = exchange.order_fills(replace(order_for("binance"), exchange_order_id="1"))
    assert [int(fill.trade_id) for fill in fills] == list(range(1, 3_000, 2))


def test_the_week_before_the_last_is_asked_for_at_bybit(bench: Bench) -> None:
    exchange = bench.exchange("bybit", KITS["bybit"].trades([Trade(1, START_MS)]))
    exchange.fills_since(SYMBOL, None, START_MS - 10 * 86_400_000)
    spans = [
        (int(request.params.get("startTime", 0)), int(request.params.get("endTime", START_MS)))
        for request in bench.server.requests
    ]
    assert len(spans) == 2
    assert spans[1][1] >= START_MS - 7 * 86_400_000
    assert spans[1][0] <= START_MS - 10 * 86_400_000
    assert spans[1][1] - spans[1][0] == 7 * 86_400_000


def test_the_week_before_the_last_is_asked_for_at_upbit(bench: Bench) -> None:
    exchange = bench.exchange("upbit", KITS["upbit"].trades([Trade(1, START_MS)]))
    exchange.fills_since(SYMBOL, None, START_MS - 10 * 86_400_000)
    spans = [
        (int(request.params["start_time"]), int(request.params["end_time"]))
        for request in bench.server.sent("GET /v1/orders/closed")[1:]
    ]
    assert len(spans) == 1
    assert spans[0][1] >= START_MS - 7 * 86_400_000
    assert spans[0][0] <= START_MS - 10 * 86_400_000


def test_a_full_answer_of_upbit_does_not_hide_older_orders(bench: Bench) -> None:
    kit = KITS["upbit"]
    answers = kit.trades(of_orders(TRADES[:3]))
    ended = [{**answers["GET /v1/orders/closed"][-1], "uuid": f"O-{n}"} for n in range(1_000)]
    older = answers["GET /v1/orders/closed"]
    answers["GET /v1/orders/closed"] = lambda request: (
        older if "end_time" in request.params else ended
    )
    found = bench.exchange("upbit", answers).fills_since(SYMBOL, None, START_MS)
    assert len(found) == 3
    [_, asked] = bench.server.sent("GET /v1/orders/closed")
    assert int(asked.params["end_time"]) == START_MS


def test_upbits_fees_of_the_trades_add_up_to_what_was_paid(bench: Bench) -> None:
    answers = KITS["upbit"].trades(TRADES[:3])
    answer = answers["GET /v1/order"]

    def odd(request: Any) -> Any:
        return {**answer(request), "paid_fee": "0.1000000000000001"}

    fills = bench.exchange("upbit", {"GET /v1/order": odd}).order_fills(standing("upbit"))
    fees = [fill.fees[0].amount for fill in fills]
    assert sum(fees) == Decimal("0.1000000000000001")
    assert max(fees) - min(fees) < Decimal("1e-9")


Question = Callable[[CcxtExchange, Order], object]
QUESTIONS: dict[str, Question] = {
    "open_orders": lambda exchange, _: exchange.open_orders(SYMBOL),
    "order_fills": lambda exchange, order: exchange.order_fills(order),
    "fills_since": lambda exchange, _: exchange.fills_since(SYMBOL, None, START_MS),
    "balances": lambda exchange, _: exchange.balances(),
    "order_book": lambda exchange, _: exchange.order_book(SYMBOL, 5),
    "measure_clock": lambda exchange, _: exchange.measure_clock(),
}


@pytest.mark.parametrize("reply", GARBAGE, ids=lambda reply: f"{reply.status}-{reply.text[:10]!r}")
@pytest.mark.parametrize("question", QUESTIONS)
@pytest.mark.parametrize("name", OTHERS)
def test_garbage_is_an_answer_to_no_request(
    name: str, question: str, reply: Reply, bench: Bench
) -> None:
    exchange = bench.exchange(name)
    for route in [*KITS[name].lookups, *KITS[name].trades(TRADES), *KITS[name].opens([])]:
        bench.server.answers[route] = reply
    for route in (KITS[name].balances, KITS[name].book, CLOCKS[name][0]):
        bench.server.answers[route] = reply
    with pytest.raises(ExchangeUnavailable):
        QUESTIONS[question](exchange, standing(name))


# Books, balances and clocks

FINE = "0.12345678901234567890123"
LEVELS = f'[["99", "1"], ["100.000000000000000000001", "{FINE}"]]'
UNITS = f"""[{{"bid_price": 100.000000000000000000001, "bid_size": {FINE}, "ask_price": 101,
           "ask_size": 3}}, {{"bid_price": 99, "bid_size": 1, "ask_price": 102, "ask_size": 2}}]"""
ASKS = '[["101", "3"], ["102", "2"]]'
BOOKS = {
    "bybit": f'{{"retCode": 0, "result": {{"s": "BTCUSDT", "b": {LEVELS}, "a": {ASKS}}}}}',
    "okx": f'{{"code": "0", "data": [{{"bids": {LEVELS}, "asks": {ASKS}, "ts": "1"}}]}}',
    "kraken": f'{{"error": [], "result": {{"XBTUSDT": {{"bids": {LEVELS}, "asks": {ASKS}}}}}}}',
    "coinbase": '{"pricebook": {"product_id": "BTC-USDT", "bids": [{"price": "99", "size": "1"}, '
    f'{{"price": "100.000000000000000000001", "size": "{FINE}"}}], "asks": '
    '[{"price": "101", "size": "3"}, {"price": "102", "size": "2"}]}}',
    "upbit": f'[{{"market": "USDT-BTC", "timestamp": 1, "orderbook_units": {UNITS}}}]',
}


@pytest.mark.parametrize("name", OTHERS)
def test_a_book_is_read_to_the_last_digit_with_the_best_first(name: str, bench: Bench) -> None:
    book = bench.exchange(name, {KITS[name].book: BOOKS[name]}).order_book(SYMBOL, 5)
    assert book == Book(
        SYMBOL,
        bids=(
            (Decimal("100.000000000000000000001"), Decimal(FINE)),
            (Decimal(99), Decimal(1)),
        ),
        asks=((Decimal(101), Decimal(3)), (Decimal(102), Decimal(2))),
    )


HOLDINGS = {
    "bybit": {"retCode": 0, "result": {"list": [{"accountType": "UNIFIED", "coin": [
        {"coin": "BTC", "walletBalance": "1.5", "locked": "0.5"},
        {"coin": "USDT", "walletBalance": "0.000000000000000001", "locked": "0"}]}]}},
    "okx": {"code": "0", "data": [{"details": [
        {"ccy": "BTC", "eq": "1.5", "cashBal": "1.5", "availBal": "1", "availEq": "1",
         "frozenBal": "0.5"},
        {"ccy": "USDT", "eq": "0.000000000000000001", "cashBal": "0", "availBal": "0",
         "availEq": "0", "frozenBal": "0"}]}]},
    "kraken": {"error": [], "result": {
        "XXBT": {"balance": "1.5", "hold_trade": "0.5"},
        "USDT": {"balance": "0.000000000000000001", "hold_trade": "0"}}},
    "coinbase": {"accounts": [
        {"currency": "BTC", "available_balance": {"value": "1", "currency": "BTC"},
         "hold": {"value": "0.5", "currency": "BTC"}, "type": "ACCOUNT_TYPE_CRYPTO"},
        {"currency": "USDT", "available_balance": {"value": "0.000000000000000001",
         "currency": "USDT"}, "hold": {"value": "0", "currency": "USDT"},
         "type": "ACCOUNT_TYPE_CRYPTO"}], "has_next": False},
    "upbit": [
        {"currency": "BTC", "balance": "1", "locked": "0.5"},
        {"currency": "USDT", "balance": "0.000000000000000001", "locked": "0"}],
}  # fmt: skip


@pytest.mark.parametrize("name", OTHERS)
def test_balances_are_totals_to_the_last_digit(name: str, bench: Bench) -> None:
    balances = bench.exchange(name, {KITS[name].balances: HOLDINGS[name]}).balances()
    assert {asset: to_text(total) for asset, total in balances.items()} == {
        "BTC": "1.5",
        "USDT": "0.000000000000000001",
    }


AHEAD_MS = 2_750
DATE = formatdate((START_MS + AHEAD_MS) / 1000, usegmt=True)
CLOCKS: dict[str, tuple[str, Any]] = {
    "bybit": ("GET /v5/market/time", {"retCode": 0, "result": {}, "time": START_MS + AHEAD_MS}),
    "okx": (
        "GET /api/v5/public/time",
        {"code": "0", "data": [{"ts": str(START_MS + AHEAD_MS)}], "msg": ""},
    ),
    "kraken": (
        "GET /0/public/Time",
        {"error": [], "result": {"unixtime": (START_MS + AHEAD_MS) // 1000}},
    ),
    "coinbase": ("GET /api/v3/brokerage/time", {"epochMillis": str(START_MS + AHEAD_MS)}),
    "upbit": ("GET /v1/orderbook", Reply(BOOKS["upbit"], headers={"Date": DATE})),
}


@pytest.mark.parametrize("name", OTHERS)
def test_the_exchanges_clock_is_measured_within_its_uncertainty(name: str, bench: Bench) -> None:
    route, answer = CLOCKS[name]
    offset = bench.exchange(name, {route: answer}).measure_clock()
    assert abs(offset.offset_ms - AHEAD_MS) <= offset.uncertainty_ms
    assert offset.uncertainty_ms == KITS[name].clock_step_ms // 2 + 2
    assert offset.measured_at_ms == START_MS


@pytest.mark.parametrize("name", OTHERS)
def test_a_market_has_its_rules(name: str, bench: Bench) -> None:
    market = bench.exchange(name).market(SYMBOL)
    rules = {
        "bybit": ("0.01", "0.000001", "0.00001", "5", "0.001"),
        "okx": ("0.1", "0.00000001", "0.00001", None, "0.0015"),
        "kraken": ("0.1", "0.00000001", "0.00005", "0.5", "0.004"),
        "coinbase": ("0.01", "0.00000001", "0.00000001", "1", "0.006"),
        "upbit": ("0.01", "0.00000001", None, "0.5", "0.0025"),
    }
    found = (
        market.tick_at(Decimal(60_000)),
        market.amount_step,
        market.amount_min,
        market.notional_min,
    )
    assert tuple(None if rule is None else to_text(rule) for rule in found) == rules[name][:4]
    assert to_text(market.taker_fee) == rules[name][4]
    assert bench.exchange(name).market("DOGE/XYZ") is None
