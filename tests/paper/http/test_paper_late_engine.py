"""An engine that carries a request out after its sender was answered, as Binance's may."""

import time

import pytest
import requests

from tests.support.paper.bybit_client import BybitPaper

PLACE = "POST /api/v3/order"


def wait_until(is_true, within_s=10):
    """Wait for a condition, and say whether it came."""
    ends = time.monotonic() + within_s
    while time.monotonic() < ends:
        if is_true():
            return True
        time.sleep(0.05)
    return False


def is_known(paper, client_id):
    return paper.query(origClientOrderId=client_id).status_code == 200


def test_a_late_order_is_answered_with_a_timeout_and_shown_only_once_it_is_carried_out(paper):
    paper.fault(route=PLACE, kind="late_engine", ms=600)
    started = time.monotonic()
    answer = paper.order(newClientOrderId="late-1")
    assert (answer.status_code, answer.json()["code"]) == (504, -1007)
    assert time.monotonic() - started < 0.5
    assert paper.query(origClientOrderId="late-1").json()["code"] == -2013
    assert "late-1" not in {row["clientOrderId"] for row in paper.ledger()["orders"]}
    assert wait_until(lambda: is_known(paper, "late-1"))
    row = paper.ledger()["orders"][-1]
    assert row["acceptedAt"] - row["receivedAt"] >= 600


def test_a_late_order_can_be_answered_with_a_cut_connection(paper):
    paper.fault(route=PLACE, kind="late_engine", ms=200, answer="cut")
    with pytest.raises(requests.ConnectionError):
        paper.order(newClientOrderId="late-2")
    assert not is_known(paper, "late-2")
    assert wait_until(lambda: is_known(paper, "late-2"))


def test_a_late_engine_carries_out_what_was_in_its_window_when_it_was_handed_over(paper):
    paper.fault(route=PLACE, kind="late_engine", ms=700)
    assert paper.order(newClientOrderId="late-3", recvWindow=300).status_code == 504
    assert wait_until(lambda: is_known(paper, "late-3"))


def test_a_request_that_is_refused_before_the_engine_is_answered_at_once(paper):
    paper.fault(route=PLACE, kind="late_engine", ms=60_000)
    stale = time.time_ns() // 1_000_000 - 10_000
    assert paper.order(timestamp=stale).json()["code"] == -1021
    assert paper.signed("POST", "/api/v3/order", secret="wrong", symbol="BTCUSDT").status_code in (
        400,
        401,
    )


def test_what_the_engine_refuses_late_leaves_no_order(paper):
    paper.fault(route=PLACE, kind="late_engine", ms=200, count=1)
    assert paper.order(newClientOrderId="late-4", quantity="100000000").status_code == 504
    time.sleep(0.5)
    assert not is_known(paper, "late-4")


def test_a_read_is_not_held_up_by_a_late_engine(paper):
    paper.fault(route="*", kind="late_engine", ms=60_000)
    assert paper.signed("GET", "/api/v3/account").status_code == 200


def test_bybit_answers_a_late_order_with_its_own_timeout():
    paper = BybitPaper("--walk-interval-ms", "0", "--weight-per-minute", "0")
    try:
        paper.fault(route="POST /v5/order/create", kind="late_engine", ms=300)
        assert paper.create(orderLinkId="late-5")["retCode"] == 10000
        link = {"category": "spot", "orderLinkId": "late-5"}

        def found():
            return paper.get("/v5/order/realtime", **link)["result"]["list"]

        assert found() == []
        assert wait_until(found)
    finally:
        errors = paper.stop()
    assert "Traceback" not in errors, errors
