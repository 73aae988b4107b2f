"""Cancelling: at once where the order stands, else as soon as it is known to stand."""

from decimal import Decimal

import pytest
from fakes import (
    ACCOUNT,
    SYMBOL,
    Crash,
    Desk,
    answers,
    dies_after_it_arrived,
    is_lost,
    loses_its_answer,
    pauses,
)

from execution.model.order import OrderState, Verdict


def test_an_order_that_was_received_is_canceled_and_never_sent() -> None:
    desk = Desk()
    order = desk.manager.receive(desk.order())
    order = desk.manager.cancel(order.order_id)
    assert (order.state, order.reason) == (OrderState.CANCELED, "canceled before it was sent")
    desk.sweep()
    assert desk.placements == 0


def test_an_open_order_is_canceled_at_the_exchange() -> None:
    desk = Desk()
    order = desk.manager.submit(desk.order())
    order = desk.manager.cancel(order.order_id)
    assert order.state is OrderState.CANCELED
    assert desk.exchange.standing[0].status is OrderState.CANCELED


def test_a_part_that_filled_before_the_cancel_is_kept() -> None:
    desk = Desk()
    order = desk.manager.submit(desk.order())
    desk.exchange.trade(order.client_order_id, "99", "0.25")
    order = desk.manager.cancel(order.order_id)
    assert (order.state, order.filled) == (OrderState.CANCELED, Decimal("0.25"))
    assert desk.store.position(ACCOUNT, SYMBOL).amount == Decimal("0.25")


def test_an_order_that_filled_before_the_cancel_came_is_filled() -> None:
    desk = Desk()
    order = desk.manager.submit(desk.order())
    desk.exchange.trade(order.client_order_id, "99", "1")
    order = desk.manager.cancel(order.order_id)
    assert order.state is OrderState.FILLED
    assert desk.store.position(ACCOUNT, SYMBOL).amount == 1


def test_a_cancel_while_nobody_knows_is_a_wish_and_done_once_the_order_is_found() -> None:
    desk = Desk()
    desk.exchange.script.append(dies_after_it_arrived)
    with pytest.raises(Crash):
        desk.manager.submit(desk.order())
    order = desk.manager.cancel(desk.order().order_id)
    assert order.state is OrderState.CANCELED
    assert desk.exchange.standing[0].status is OrderState.CANCELED


def test_a_cancel_while_nobody_knows_ends_an_order_that_never_arrived() -> None:
    desk = Desk()
    desk.exchange.script.append(is_lost)
    order = desk.manager.submit(desk.order())
    order = desk.manager.cancel(order.order_id)
    assert (order.state, order.cancel_requested) == (OrderState.SUBMITTING, True)
    desk.sweep()
    assert desk.stored(order).state is OrderState.CANCELED
    assert desk.placements == 1


def test_a_cancel_that_comes_between_write_ahead_and_answer_is_carried_out() -> None:
    desk = Desk()
    other = desk.worker()

    def somebody_cancels() -> None:
        other.request_cancel(desk.order().order_id)

    desk.exchange.script.append(pauses(somebody_cancels))
    order = desk.manager.submit(desk.order())
    assert order.state is OrderState.CANCELED
    assert desk.exchange.standing[0].status is OrderState.CANCELED


@pytest.mark.parametrize("ended", ["filled", "canceled", "rejected", "refused"])
def test_an_order_that_has_ended_is_left_as_it_is(ended: str) -> None:
    desk = Desk()
    order = desk.order(amount=Decimal("0.0001")) if ended == "refused" else desk.order()
    if ended == "filled":
        desk.exchange.fill_next.append([("99", "1")])
    if ended == "rejected":
        desk.exchange.script.append(answers(Verdict.REJECTED))
    order = desk.manager.submit(order)
    if ended == "canceled":
        order = desk.manager.cancel(order.order_id)
    assert order.state == ended
    assert desk.manager.cancel(order.order_id) == order


def test_a_wish_that_the_exchange_did_not_hear_is_repeated_by_the_sweep() -> None:
    desk = Desk()
    order = desk.manager.submit(desk.order())
    desk.exchange.fail("cancel")
    order = desk.manager.cancel(order.order_id)
    assert (order.state, order.cancel_requested) == (OrderState.OPEN, True)
    desk.sweep(for_ms=3_000)
    assert desk.stored(order).state is OrderState.CANCELED


def test_a_wish_that_is_only_written_down_is_carried_out_by_the_sweep() -> None:
    desk = Desk()
    order = desk.manager.submit(desk.order())
    desk.manager.request_cancel(order.order_id)
    assert desk.exchange.standing[0].status is OrderState.OPEN
    desk.sweep(for_ms=3_000)
    assert desk.stored(order).state is OrderState.CANCELED


def test_cancelling_twice_is_cancelling_once() -> None:
    desk = Desk()
    order = desk.manager.submit(desk.order())
    once = desk.manager.cancel(order.order_id)
    assert desk.manager.cancel(order.order_id) == once
    assert desk.exchange.calls.count("cancel") == 1


def test_an_order_that_the_exchange_cannot_find_to_cancel_stays_open_until_it_can() -> None:
    desk = Desk(read_lag_ms=1_000)
    desk.exchange.script.append(loses_its_answer)
    desk.manager.submit(desk.order())
    desk.clock.advance(1_000)
    order = desk.manager.advance_by_id(desk.order().order_id)
    assert order.state is OrderState.OPEN
    standing = desk.exchange.standing.pop()
    order = desk.manager.cancel(order.order_id)
    assert order.state is OrderState.OPEN
    desk.exchange.standing.append(standing)
    desk.sweep(for_ms=3_000)
    assert desk.stored(order).state is OrderState.CANCELED


def test_a_cancel_wish_is_not_forgotten_when_a_signal_comes_again() -> None:
    desk = Desk()
    order = desk.manager.submit(desk.order())
    desk.manager.request_cancel(order.order_id)
    assert desk.manager.submit(desk.order()).state is OrderState.CANCELED
