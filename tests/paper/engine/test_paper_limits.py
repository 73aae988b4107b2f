"""Request weights, order counts, 429 and 418."""

import pytest

from paper_exchange.dialects.binance.errors import ApiError
from paper_exchange.dialects.binance.limits import BAN_MS, REFUSALS_BEFORE_BAN, Limits
from paper_exchange.dialects.binance.params import Params
from paper_exchange.dialects.binance.request import ApiContext, Request
from paper_exchange.dialects.binance.trading import place_order
from paper_exchange.engine.errors import BalanceError
from tests.support.paper.engine_kit import make_exchange

WEIGHT = "X-MBX-USED-WEIGHT-1M"


class HandClock:
    ms = 120_000_000

    def __call__(self):
        return self.ms


@pytest.fixture
def clock():
    return HandClock()


def refusal(attempt, *args):
    with pytest.raises(ApiError) as caught:
        attempt(*args)
    return caught.value


def test_weight_beyond_the_limit_is_refused_until_the_next_minute(clock):
    limits = Limits(100, 0, clock)
    limits.spend_weight("here", 80)
    refused = refusal(limits.spend_weight, "here", 21)
    assert (refused.status, refused.code, refused.retry_after_s) == (429, -1003, 60)
    limits.spend_weight("here", 20)
    limits.spend_weight("elsewhere", 100)
    clock.ms += 60_000
    limits.spend_weight("here", 100)


def test_an_address_that_goes_on_after_429_is_banned_for_a_while(clock):
    limits = Limits(10, 0, clock)
    for _ in range(REFUSALS_BEFORE_BAN):
        assert refusal(limits.spend_weight, "here", 11).status == 429
    banned = refusal(limits.spend_weight, "here", 1 + 10)
    assert (banned.status, banned.code, banned.retry_after_s) == (418, -1003, BAN_MS // 1000)
    assert refusal(limits.spend_weight, "here", 1).status == 418
    clock.ms += 60_000
    assert refusal(limits.spend_weight, "here", 1).status == 418
    clock.ms += BAN_MS
    limits.spend_weight("here", 1)


def test_orders_beyond_the_limit_are_refused_until_the_next_ten_seconds(clock):
    limits = Limits(0, 2, clock)
    limits.count_order("ann")
    limits.count_order("ann")
    limits.count_order("bob")
    refused = refusal(limits.count_order, "ann")
    assert (refused.status, refused.code, refused.retry_after_s) == (429, -1015, 10)
    clock.ms += 10_000
    limits.count_order("ann")


def test_a_limit_of_nothing_is_no_limit(clock):
    limits = Limits(0, 0, clock)
    for _ in range(10_000):
        limits.spend_weight("here", 1000)
        limits.count_order("ann")


def test_an_order_that_is_refused_is_not_counted():
    exchange = make_exchange()
    limits = Limits(0, 1, exchange.now_ms)
    params = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC"}
    for quantity, price in (("30", "40000"), ("1", "40000")):
        request = Request(Params({**params, "quantity": quantity, "price": price}), "ann", 0)
        if quantity == "30":
            with pytest.raises(BalanceError):
                place_order(ApiContext(exchange, limits), request)
        else:
            place_order(ApiContext(exchange, limits), request)
    assert limits.used_orders("ann") == 1


def test_each_answer_has_the_weight_used_and_orders_cost_none(start_paper):
    paper = start_paper("--walk-interval-ms", "0")

    def used(answer):
        assert answer.status_code in (200, 400), answer.text
        return int(answer.headers[WEIGHT])

    assert used(paper.call("GET", "/api/v3/ping")) == 1
    assert used(paper.call("GET", "/api/v3/exchangeInfo")) == 21
    assert used(paper.call("GET", "/api/v3/depth", symbol="BTCUSDT")) == 26
    assert used(paper.call("GET", "/api/v3/depth", symbol="BTCUSDT", limit=5000)) == 276
    placed = paper.order()
    assert used(placed) == 276
    assert placed.headers["X-MBX-ORDER-COUNT-10S"] == "1"
    order_id = placed.json()["orderId"]
    assert used(paper.query(orderId=order_id)) == 280
    assert used(paper.cancel(orderId=order_id)) == 280
    assert used(paper.cancel(orderId=order_id)) == 281
    assert used(paper.signed("GET", "/api/v3/openOrders")) == 361
    assert used(paper.signed("GET", "/api/v3/openOrders", symbol="BTCUSDT")) == 367
    assert used(paper.signed("GET", "/api/v3/myTrades", symbol="BTCUSDT")) == 387
    assert used(paper.signed("GET", "/api/v3/myTrades", symbol="BTCUSDT", orderId=1)) == 392
    assert used(paper.signed("GET", "/api/v3/account")) == 412


def test_a_client_that_asks_too_much_gets_429_and_then_418_and_changes_nothing(start_paper):
    paper = start_paper("--walk-interval-ms", "0", "--weight-per-minute", "1")
    answers = [paper.query(orderId=1) for _ in range(REFUSALS_BEFORE_BAN + 2)]
    assert [a.status_code for a in answers] == [429] * REFUSALS_BEFORE_BAN + [418, 418]
    assert all(answer.json()["code"] == -1003 for answer in answers)
    assert 1 <= int(answers[0].headers["Retry-After"]) <= 60
    assert 100 < int(answers[-1].headers["Retry-After"]) <= 120
    assert paper.order().status_code == 418
    assert paper.ledger()["orders"] == []


def test_an_account_that_orders_too_often_gets_429(start_paper):
    paper = start_paper("--walk-interval-ms", "0", "--orders-per-10s", "3")
    answers = [paper.order() for _ in range(8)]
    refused = [answer for answer in answers if answer.status_code == 429]
    assert len(refused) >= 2
    assert refused[0].json()["code"] == -1015
    assert len(paper.ledger()["orders"]) == 8 - len(refused)
    limits = paper.call("GET", "/api/v3/exchangeInfo").json()["rateLimits"]
    assert {row["rateLimitType"]: row["limit"] for row in limits} == {
        "REQUEST_WEIGHT": 6000,
        "ORDERS": 3,
    }
