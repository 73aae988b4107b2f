"""When a signed request is valid: on arrival, and once more just before the engine."""

import time

import pytest
import requests

LATE = {"code": -1021, "msg": "Timestamp for this request is outside of the recvWindow."}
EARLY = {
    "code": -1021,
    "msg": "Timestamp for this request was 1000ms ahead of the server's time.",
}


def now_ms(offset=0):
    return time.time_ns() // 1_000_000 + offset


def orders(paper):
    return len(paper.ledger()["orders"])


@pytest.mark.parametrize(
    ("offset", "window", "answer"),
    [
        (-6000, None, LATE),
        (-4000, None, None),
        (-6000, 10_000, None),
        (-300, 200, LATE),
        (-59_000, 60_000, None),
        (1500, None, EARLY),
        (700, None, None),
        (0, 0, LATE),
    ],
)
def test_a_request_is_valid_from_its_timestamp_until_the_window_has_passed(
    paper, offset, window, answer
):
    before = orders(paper)
    # A window of nothing is over as soon as the clock ticks.
    stamp = now_ms(offset if window != 0 else -5)
    got = paper.order(timestamp=stamp, recvWindow=window)
    if answer is None:
        assert got.status_code == 200, got.text
        assert orders(paper) == before + 1
    else:
        assert (got.status_code, got.json()) == (400, answer)
        assert orders(paper) == before


def test_a_read_outside_its_window_is_refused_too(paper):
    order_id = paper.order().json()["orderId"]
    assert paper.query(orderId=order_id, timestamp=now_ms(-6000)).json() == LATE
    assert paper.query(orderId=order_id, timestamp=now_ms(1500)).json() == EARLY


def test_an_order_that_is_late_is_refused_at_once_and_does_not_wait_for_the_engine(start_paper):
    slow = start_paper("--walk-interval-ms", "0", "--match-delay-ms", "5000")
    started = time.monotonic()
    assert slow.order(timestamp=now_ms(-6000)).json() == LATE
    assert time.monotonic() - started < 3


def test_an_order_that_a_fault_holds_back_beyond_its_window_never_reaches_the_engine(paper):
    before = orders(paper)
    paper.fault(route="POST /api/v3/order", kind="delay_before", ms=400)
    got = paper.order(recvWindow=200)
    assert (got.status_code, got.json()) == (400, LATE)
    assert orders(paper) == before


def test_an_order_that_a_fault_holds_back_within_its_window_goes_through(paper):
    paper.fault(route="POST /api/v3/order", kind="delay_before", ms=300)
    assert paper.order(recvWindow=5000).status_code == 200


def test_a_late_answer_to_an_order_in_time_changes_nothing_about_the_order(paper):
    paper.fault(route="POST /api/v3/order", kind="delay_after", ms=400)
    assert paper.order(recvWindow=200).json()["status"] == "NEW"


def test_an_order_whose_sender_has_hung_up_is_still_carried_out(paper):
    before = orders(paper)
    paper.fault(route="POST /api/v3/order", kind="delay_before", ms=400, count=1)
    params = {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": "0.01"}
    request = paper.http.request
    paper.http.request = lambda *args, **kwargs: request(*args, **{**kwargs, "timeout": 0.1})
    try:
        with pytest.raises(requests.Timeout):
            paper.signed("POST", "/api/v3/order", **params)
    finally:
        del paper.http.request
    time.sleep(0.6)
    assert orders(paper) == before + 1


def test_the_queue_before_the_engine_is_counted_against_the_window(start_paper):
    slow = start_paper("--walk-interval-ms", "0", "--match-delay-ms", "300")
    assert slow.order(recvWindow=200).json() == LATE
    placed = slow.order(recvWindow=2000)
    assert placed.status_code == 200
    order_id = placed.json()["orderId"]
    # Reads do not queue, cancels do.
    assert slow.query(orderId=order_id, recvWindow=200).status_code == 200
    assert slow.cancel(orderId=order_id, recvWindow=200).json() == LATE
    (row,) = slow.ledger()["orders"]
    assert row["status"] == "NEW"
    assert 300 <= row["acceptedAt"] - row["receivedAt"] < 2000


def test_the_window_is_measured_on_the_exchanges_own_clock(paper):
    paper.fault(kind="clock_skew", ms=20_000)
    told = paper.call("GET", "/api/v3/time").json()["serverTime"]
    assert abs(told - now_ms(20_000)) < 1000
    assert paper.order().json() == LATE
    assert paper.order(timestamp=now_ms(20_000)).status_code == 200
    paper.clear_faults()
    assert paper.order().status_code == 200
    assert paper.order(timestamp=now_ms(20_000)).json() == EARLY
