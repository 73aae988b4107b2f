"""Faults of every kind, through real HTTP, and what the exchange really did meanwhile."""

import json
import time
from random import Random

import pytest
import requests

from paper_exchange.clock import ExchangeClock
from paper_exchange.faults.fault_book import FaultBook
from paper_exchange.faults.rules import read_fault

PLACE = "POST /api/v3/order"


def orders(paper):
    return len(paper.ledger()["orders"])


def fired(paper):
    return [fault["fired"] for fault in paper.faults()["faults"]]


def test_drop_before_cuts_the_connection_and_does_nothing(paper):
    before = orders(paper)
    paper.fault(route=PLACE, kind="drop_before")
    with pytest.raises(requests.ConnectionError):
        paper.order()
    assert orders(paper) == before
    assert fired(paper) == [1]


def test_drop_after_places_the_order_and_then_cuts_the_connection(paper):
    before = orders(paper)
    paper.fault(route=PLACE, kind="drop_after")
    with pytest.raises(requests.ConnectionError):
        paper.order()
    assert orders(paper) == before + 1


@pytest.mark.parametrize("kind", ["delay_before", "delay_after"])
def test_a_delay_holds_the_answer_back(paper, kind):
    paper.fault(route=PLACE, kind=kind, ms=250)
    started = time.monotonic()
    assert paper.order().status_code == 200
    assert time.monotonic() - started >= 0.25


def test_delay_before_comes_before_the_order_and_delay_after_comes_after_it(paper):
    paper.fault(route=PLACE, kind="delay_before", ms=200)
    paper.order()
    row = paper.ledger()["orders"][-1]
    assert row["acceptedAt"] - row["receivedAt"] >= 200
    paper.clear_faults()
    paper.fault(route=PLACE, kind="delay_after", ms=200)
    paper.order()
    row = paper.ledger()["orders"][-1]
    assert row["acceptedAt"] - row["receivedAt"] < 150


@pytest.mark.parametrize(("processed", "placed"), [(None, 0), (False, 0), (True, 1)])
def test_a_status_replaces_the_answer_and_the_order_is_placed_only_on_demand(
    paper, processed, placed
):
    before = orders(paper)
    more = {} if processed is None else {"processed": processed}
    paper.fault(route=PLACE, kind="status", code=503, body="<html>down</html>", **more)
    answer = paper.order()
    assert (answer.status_code, answer.text) == (503, "<html>down</html>")
    assert orders(paper) == before + placed


def test_a_status_may_carry_json_or_what_binance_would_say(paper):
    paper.fault(route=PLACE, kind="status", code=504, count=1)
    assert paper.order().json()["code"] == -1007
    paper.fault(route=PLACE, kind="status", code=400, body={"code": -1, "msg": "x"}, count=1)
    assert paper.order().json() == {"code": -1, "msg": "x"}


@pytest.mark.parametrize(("form", "text"), [("empty", ""), ("object", "{}")])
def test_garbage_is_a_200_that_says_nothing_although_the_order_was_placed(paper, form, text):
    before = orders(paper)
    paper.fault(route=PLACE, kind="garbage", form=form)
    answer = paper.order()
    assert (answer.status_code, answer.text) == (200, text)
    assert orders(paper) == before + 1


def test_garbage_is_html_unless_the_fault_says_otherwise(paper):
    paper.fault(route=PLACE, kind="garbage")
    answer = paper.order()
    assert answer.headers["Content-Type"].startswith("text/html")
    assert answer.text.startswith("<html>")


@pytest.mark.parametrize(("processed", "placed"), [(True, 1), (False, 0)])
def test_cut_garbage_is_the_first_half_of_an_answer(paper, processed, placed):
    before = orders(paper)
    paper.fault(route=PLACE, kind="garbage", form="cut", processed=processed)
    answer = paper.order()
    assert answer.status_code == 200
    assert answer.text.startswith('{"symbol":"BTCUSDT","orderId":')
    with pytest.raises(json.JSONDecodeError):
        answer.json()
    assert orders(paper) == before + placed


def test_read_lag_hides_young_orders_and_trades_from_every_read(paper):
    balances = paper.balances()
    paper.fault(route="*", kind="read_lag", ms=600)
    rests = paper.order().json()["orderId"]
    trades = paper.order(price="50100").json()["orderId"]

    def seen():
        found = {
            name: {row["orderId"] for row in paper.signed("GET", f"/api/v3/{name}", **of).json()}
            for name, of in (
                ("openOrders", {}),
                ("allOrders", {"symbol": "BTCUSDT"}),
                ("myTrades", {"symbol": "BTCUSDT"}),
            )
        }
        return (
            rests in found["openOrders"],
            trades in found["allOrders"],
            trades in found["myTrades"],
        )

    missing = paper.query(orderId=rests)
    assert (missing.status_code, missing.json()["code"]) == (400, -2013)
    assert seen() == (False, False, False)
    assert paper.balances() == balances
    time.sleep(0.7)
    assert paper.query(orderId=rests).status_code == 200
    assert seen() == (True, True, True)
    assert paper.balances() != balances


def test_read_lag_does_not_keep_an_order_from_being_cancelled(paper):
    paper.fault(kind="read_lag", ms=60_000)
    assert paper.cancel(orderId=paper.order().json()["orderId"]).status_code == 200


def test_rate_limit_answers_429_then_418_to_those_who_do_not_wait(paper):
    before = orders(paper)
    paper.fault(route=PLACE, kind="rate_limit", retry_after_s=1)
    first, second, third = (paper.order() for _ in range(3))
    assert [answer.status_code for answer in (first, second, third)] == [429, 418, 418]
    assert all(answer.headers["Retry-After"] == "1" for answer in (first, second, third))
    assert first.json()["code"] == -1003
    time.sleep(1.1)
    assert paper.order().status_code == 429
    assert orders(paper) == before


def test_clock_skew_ends_after_as_many_requests_as_its_count(paper):
    paper.fault(kind="clock_skew", ms=-50_000, count=2)
    assert paper.call("GET", "/paper/clock").json()["skewMs"] == -50_000
    for _ in range(2):
        paper.call("GET", "/api/v3/ping")
    assert paper.call("GET", "/paper/clock").json()["skewMs"] == 0


def step(paper, body):
    return paper.http.post(paper.url + "/paper/clock", json=body, timeout=10)


def test_a_step_of_the_clock_stays_when_faults_are_cleared(paper):
    true_ms = time.time_ns() // 1_000_000
    paper.fault(kind="clock_skew", ms=200)
    step(paper, {"step_ms": 10_000})
    assert step(paper, {"step_ms": 5_000}).json()["steppedMs"] == 15_000
    paper.call("DELETE", "/paper/faults")
    clock = paper.call("GET", "/paper/clock").json()
    assert (clock["skewMs"], clock["steppedMs"]) == (0, 15_000)
    assert clock["now"] >= true_ms + 15_000
    # Other tests share this exchange.
    assert step(paper, {"step_ms": -15_000}).json()["steppedMs"] == 0


@pytest.mark.parametrize("body", [{}, {"step_ms": "1"}, {"step_ms": True}, {"ms": 1}, [1]])
def test_a_step_of_the_clock_that_is_none_is_refused_and_moves_nothing(paper, body):
    answer = step(paper, body)
    assert answer.status_code == 400
    assert "step_ms" in answer.json()["error"]
    assert paper.call("GET", "/paper/clock").json()["steppedMs"] == 0


def test_the_times_of_orders_and_fills_are_on_the_exchanges_clock(paper):
    paper.fault(kind="clock_skew", ms=100_000)
    true_ms = time.time_ns() // 1_000_000
    placed = paper.order(price="50100", timestamp=true_ms + 100_000).json()
    assert placed["transactTime"] >= true_ms + 100_000
    row = paper.ledger()["orders"][-1]
    assert row["receivedAt"] >= true_ms + 100_000
    assert row["acceptedAt"] >= true_ms + 100_000


@pytest.mark.parametrize(
    ("route", "hits"),
    [
        ("POST /api/v3/order", (True, False, False)),
        ("* /api/v3/order", (True, True, False)),
        ("GET *", (False, True, True)),
        ("*", (True, True, True)),
    ],
)
def test_a_fault_hits_only_its_route(paper, route, hits):
    paper.fault(route=route, kind="status", code=503)
    got = (paper.order(), paper.query(orderId=1), paper.call("GET", "/api/v3/ping"))
    assert tuple(answer.status_code == 503 for answer in got) == hits


def test_a_fault_fires_no_more_often_than_its_count(paper):
    paper.fault(route=PLACE, kind="status", code=503, count=2)
    assert [paper.order().status_code for _ in range(4)] == [503, 503, 200, 200]
    assert fired(paper) == [2]


def test_two_faults_of_which_one_is_spent_give_way_to_each_other(paper):
    paper.fault(route=PLACE, kind="status", code=503, count=1)
    paper.fault(route=PLACE, kind="status", code=502, count=1)
    assert [paper.order().status_code for _ in range(3)] == [503, 502, 200]


def test_a_delay_and_a_drop_work_together(paper):
    paper.fault(route=PLACE, kind="delay_before", ms=200)
    paper.fault(route=PLACE, kind="drop_before")
    started = time.monotonic()
    with pytest.raises(requests.ConnectionError):
        paper.order()
    assert time.monotonic() - started >= 0.2


def pattern(seed):
    """Which of 300 requests a fault with a probability of 0.3 hits."""
    faults = FaultBook(Random(seed), ExchangeClock(lambda: 0))
    faults.add(read_fault({"kind": "status", "code": 503, "probability": "0.3"}))
    return [faults.draw("GET", "/") is not None for _ in range(300)]


def test_a_probability_hits_its_share_of_requests_and_the_same_ones_for_a_seed():
    assert 60 <= pattern("7").count(True) <= 120
    assert pattern("7") == pattern("7")
    assert pattern("7") != pattern("8")


def test_clearing_ends_all_faults_and_keeps_the_totals(paper):
    before = paper.faults()["injected"].get("status", 0)
    paper.fault(route=PLACE, kind="status", code=503)
    paper.order()
    assert paper.clear_faults()["faults"] == []
    assert paper.order().status_code == 200
    assert paper.faults()["injected"]["status"] == before + 1


@pytest.mark.parametrize(
    ("fault", "word"),
    [
        ({"kind": "explode"}, "explode"),
        ({}, "kind"),
        ({"kind": "status"}, "code"),
        ({"kind": "status", "code": 99}, "99"),
        ({"kind": "status", "code": "503"}, "503"),
        ({"kind": "status", "code": True}, "True"),
        ({"kind": "delay_before"}, "ms"),
        ({"kind": "delay_before", "ms": -1}, "-1"),
        ({"kind": "delay_before", "ms": 1.5}, "1.5"),
        ({"kind": "delay_after", "ms": 10**9}, "1000000000"),
        ({"kind": "drop_before", "ms": 5}, "ms"),
        ({"kind": "drop_before", "probability": 2}, "probability"),
        ({"kind": "drop_before", "probability": "NaN"}, "NaN"),
        ({"kind": "drop_before", "probability": True}, "True"),
        ({"kind": "drop_before", "count": 0}, "count"),
        ({"kind": "drop_before", "count": "many"}, "many"),
        ({"kind": "drop_before", "route": "order"}, "order"),
        ({"kind": "drop_before", "route": "FETCH /api/v3/order"}, "FETCH"),
        ({"kind": "drop_before", "route": 5}, "5"),
        ({"kind": "garbage", "form": "noise"}, "noise"),
        ({"kind": "garbage", "processed": "no"}, "no"),
        ({"kind": "rate_limit", "retry_after_s": 0}, "retry_after_s"),
        ({"kind": "clock_skew", "ms": 5, "probability": 0.5}, "probability"),
        ([], "object"),
    ],
)
def test_a_fault_that_makes_no_sense_is_refused_in_one_sentence(paper, fault, word):
    answer = paper.http.post(paper.url + "/paper/faults", json=fault)
    assert answer.status_code == 400
    assert word in answer.json()["error"]
    assert "\n" not in answer.json()["error"]
    assert paper.faults()["faults"] == []
