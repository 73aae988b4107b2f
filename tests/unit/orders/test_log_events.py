"""A line of the log is named after what happened to the order."""

from structlog.testing import capture_logs

from execution.model.order import Verdict
from execution.orders.observer import LogObserver
from tests.support.exchange import answers, is_lost
from tests.support.fakes import Rig


def logging_rig() -> Rig:
    rig = Rig()
    rig.seen = LogObserver()
    rig.manager = rig.worker()
    return rig


def test_an_order_is_logged_from_its_attempt_through_a_partial_fill_to_its_end() -> None:
    rig = logging_rig()
    with capture_logs() as lines:
        order = rig.manager.submit(rig.order())
        rig.exchange.trade(order.client_order_id, "99", "0.25")
        rig.reconcile()
        rig.exchange.trade(order.client_order_id, "99", "0.75")
        rig.reconcile()
    assert [(line["event"], line["log_level"], line["filled"]) for line in lines] == [
        ("attempt_began", "info", "0"),
        ("order_open", "info", "0"),
        ("order_partially_filled", "info", "0.25"),
        ("order_filled", "info", "1.00"),
    ]


def test_a_cancel_and_what_comes_of_it_are_two_lines() -> None:
    rig = logging_rig()
    order = rig.manager.submit(rig.order())
    with capture_logs() as lines:
        rig.manager.cancel(order.order_id)
    assert [line["event"] for line in lines] == ["cancel_requested", "order_canceled"]


def test_what_the_exchange_refuses_is_a_warning() -> None:
    rig = logging_rig()
    rig.exchange.script.append(answers(Verdict.REJECTED, "too little money"))
    with capture_logs() as lines:
        rig.manager.submit(rig.order())
    line = lines[-1]
    assert (line["event"], line["log_level"]) == ("order_rejected", "warning")
    assert line["reason"] == "too little money"


def test_an_attempt_of_unknown_outcome_is_logged_until_it_is_dead() -> None:
    rig = logging_rig()
    rig.exchange.script.append(is_lost)
    with capture_logs() as lines:
        rig.manager.submit(rig.order())
        rig.sweep()
    events = [line["event"] for line in lines]
    assert events[:2] == ["attempt_began", "attempt_unknown"]
    assert events[-3:] == ["attempt_died", "attempt_began", "order_open"]
