"""Cancelling: at once where the order stands, else as soon as it is known to stand."""

from decimal import Decimal

import pytest

from execution.model.order import OrderState, Verdict
from tests.support.exchange import (
    SYMBOL,
    Crash,
    answers,
    dies_after_it_arrived,
    is_lost,
    loses_its_answer,
    pauses,
)
from tests.support.fakes import ACCOUNT, Rig


def test_an_order_that_was_received_is_canceled_and_never_sent() -> None:
    rig = Rig()
    order = rig.manager.receive(rig.order())
    order = rig.manager.cancel(order.order_id)
    assert (order.state, order.reason) == (OrderState.CANCELED, "canceled before it was sent")
    rig.sweep()
    assert rig.placements == 0


def test_an_open_order_is_canceled_at_the_exchange() -> None:
    rig = Rig()
    order = rig.manager.submit(rig.order())
    order = rig.manager.cancel(order.order_id)
    assert order.state is OrderState.CANCELED
    assert rig.exchange.standing[0].status is OrderState.CANCELED


def test_a_part_that_filled_before_the_cancel_is_kept() -> None:
    rig = Rig()
    order = rig.manager.submit(rig.order())
    rig.exchange.trade(order.client_order_id, "99", "0.25")
    order = rig.manager.cancel(order.order_id)
    assert (order.state, order.filled) == (OrderState.CANCELED, Decimal("0.25"))
    assert rig.store.position(ACCOUNT, SYMBOL).amount == Decimal("0.25")


def test_an_order_that_filled_before_the_cancel_came_is_filled() -> None:
    rig = Rig()
    order = rig.manager.submit(rig.order())
    rig.exchange.trade(order.client_order_id, "99", "1")
    order = rig.manager.cancel(order.order_id)
    assert order.state is OrderState.FILLED
    assert rig.store.position(ACCOUNT, SYMBOL).amount == 1


def test_a_cancel_while_the_outcome_is_unknown_is_carried_out_once_the_order_is_found() -> None:
    rig = Rig()
    rig.exchange.script.append(dies_after_it_arrived)
    with pytest.raises(Crash):
        rig.manager.submit(rig.order())
    order = rig.manager.cancel(rig.order().order_id)
    assert order.state is OrderState.CANCELED
    assert rig.exchange.standing[0].status is OrderState.CANCELED


def test_a_cancel_while_the_outcome_is_unknown_ends_an_order_that_never_arrived() -> None:
    rig = Rig()
    rig.exchange.script.append(is_lost)
    order = rig.manager.submit(rig.order())
    order = rig.manager.cancel(order.order_id)
    assert (order.state, order.cancel_requested) == (OrderState.SUBMITTING, True)
    rig.sweep()
    assert rig.stored(order).state is OrderState.CANCELED
    assert rig.placements == 1


def test_a_cancel_that_comes_between_write_ahead_and_answer_is_carried_out() -> None:
    rig = Rig()
    other = rig.worker()

    def somebody_cancels() -> None:
        other.request_cancel(rig.order().order_id)

    rig.exchange.script.append(pauses(somebody_cancels))
    order = rig.manager.submit(rig.order())
    assert order.state is OrderState.CANCELED
    assert rig.exchange.standing[0].status is OrderState.CANCELED


@pytest.mark.parametrize("ended", ["filled", "canceled", "rejected", "refused"])
def test_an_order_that_has_ended_is_left_as_it_is(ended: str) -> None:
    rig = Rig()
    order = rig.order(amount=Decimal("0.0001")) if ended == "refused" else rig.order()
    if ended == "filled":
        rig.exchange.fill_next.append([("99", "1")])
    if ended == "rejected":
        rig.exchange.script.append(answers(Verdict.REJECTED))
    order = rig.manager.submit(order)
    if ended == "canceled":
        order = rig.manager.cancel(order.order_id)
    assert order.state == ended
    assert rig.manager.cancel(order.order_id) == order


def test_a_cancel_request_that_did_not_arrive_is_repeated_by_the_sweep() -> None:
    rig = Rig()
    order = rig.manager.submit(rig.order())
    rig.exchange.fail("cancel")
    order = rig.manager.cancel(order.order_id)
    assert (order.state, order.cancel_requested) == (OrderState.OPEN, True)
    rig.sweep(for_ms=3_000)
    assert rig.stored(order).state is OrderState.CANCELED


def test_a_cancel_request_that_is_only_recorded_is_carried_out_by_the_sweep() -> None:
    rig = Rig()
    order = rig.manager.submit(rig.order())
    rig.manager.request_cancel(order.order_id)
    assert rig.exchange.standing[0].status is OrderState.OPEN
    rig.sweep(for_ms=3_000)
    assert rig.stored(order).state is OrderState.CANCELED


def test_cancelling_twice_is_cancelling_once() -> None:
    rig = Rig()
    order = rig.manager.submit(rig.order())
    once = rig.manager.cancel(order.order_id)
    assert rig.manager.cancel(order.order_id) == once
    assert rig.exchange.calls.count("cancel") == 1


def test_an_order_that_the_exchange_cannot_find_to_cancel_stays_open_until_it_can() -> None:
    rig = Rig(read_lag_ms=1_000)
    rig.exchange.script.append(loses_its_answer)
    rig.manager.submit(rig.order())
    rig.clock.advance(1_000)
    order = rig.manager.advance_by_id(rig.order().order_id)
    assert order.state is OrderState.OPEN
    standing = rig.exchange.standing.pop()
    order = rig.manager.cancel(order.order_id)
    assert order.state is OrderState.OPEN
    rig.exchange.standing.append(standing)
    rig.sweep(for_ms=3_000)
    assert rig.stored(order).state is OrderState.CANCELED


def test_a_cancel_request_is_not_forgotten_when_a_signal_comes_again() -> None:
    rig = Rig()
    order = rig.manager.submit(rig.order())
    rig.manager.request_cancel(order.order_id)
    assert rig.manager.submit(rig.order()).state is OrderState.CANCELED
