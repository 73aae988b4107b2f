"""A store that comes back without its last second: what it forgot is asked of the exchange."""

from datetime import timedelta
from decimal import Decimal

import pytest
from fakes import (
    ACCOUNT,
    SYMBOL,
    Desk,
    answers,
    is_lost,
    is_under_way,
    loses_its_answer,
    pauses,
)

from execution.model.order import OrderState, Verdict
from execution.orders.waiting.attempts import REPUBLISHED_MAX_MS
from execution.store.memory.orders import MemoryStore


def forget(desk: Desk, since: MemoryStore) -> None:
    desk.store.roll_back(since)


def test_an_order_that_was_sent_and_forgotten_is_found_and_not_sent_again() -> None:
    desk = Desk(tells_fills=False)
    before = desk.store.copied()
    desk.exchange.fill_next.append([("99", "1")])
    desk.manager.submit(desk.order())
    forget(desk, before)
    assert desk.store.order(desk.order().order_id) is None
    desk.clock.advance(100)
    order = desk.manager.submit(desk.order())
    assert order.state is OrderState.FILLED
    assert (desk.placements, desk.accepted) == (1, 1)
    assert desk.store.position(ACCOUNT, SYMBOL).amount == 1


def test_a_request_still_under_way_when_the_store_forgot_it_is_waited_for() -> None:
    desk = Desk(read_lag_ms=1_000)
    before = desk.store.copied()
    desk.exchange.script.append(is_under_way)
    desk.manager.submit(desk.order())
    forget(desk, before)
    assert desk.manager.submit(desk.order()).state is OrderState.RECEIVED
    desk.sweep(for_ms=5_500)
    desk.exchange.deliver()
    assert desk.placements == 1
    desk.sweep()
    assert desk.stored(desk.order()).state is OrderState.OPEN
    assert (desk.placements, desk.accepted) == (1, 1)


def test_what_was_forgotten_and_never_arrived_is_sent_once_it_cannot_arrive() -> None:
    desk = Desk()
    before = desk.store.copied()
    desk.exchange.script.append(is_lost)
    desk.manager.submit(desk.order())
    forget(desk, before)
    desk.manager.submit(desk.order())
    desk.sweep()
    assert desk.stored(desk.order()).state is OrderState.OPEN
    assert (desk.placements, desk.accepted) == (2, 1)


def test_a_forgotten_attempt_is_found_also_where_the_record_itself_remained() -> None:
    desk = Desk()
    desk.exchange.script.append(answers(Verdict.NOT_SENT, "refused"))
    desk.manager.submit(desk.order())
    before = desk.store.copied()
    desk.exchange.script.append(loses_its_answer)
    desk.clock.advance(1_000)
    desk.manager.advance_by_id(desk.order().order_id)
    forget(desk, before)
    assert len(desk.stored(desk.order()).attempts) == 1
    desk.sweep()
    assert desk.stored(desk.order()).state is OrderState.OPEN
    assert (desk.placements, desk.accepted) == (2, 1)


def test_a_worker_whose_store_restarts_between_decision_and_write_decides_anew() -> None:
    desk = Desk()
    desk.manager.submit(desk.order(signal_id="earlier"))
    before = desk.store.copied()
    desk.exchange.on("market", lambda: forget(desk, before))
    order = desk.manager.submit(desk.order())
    assert order.state is OrderState.RECEIVED
    assert desk.placements == 1
    desk.sweep()
    assert desk.stored(order).state is OrderState.OPEN
    assert desk.placements == 2


def test_an_answer_that_comes_after_the_store_forgot_the_order_is_written_down() -> None:
    desk = Desk()
    before = desk.store.copied()
    desk.exchange.fill_next.append([("99", "0.5")])
    desk.exchange.script.append(pauses(lambda: forget(desk, before)))
    order = desk.manager.submit(desk.order())
    assert order == desk.stored(order)
    assert (order.state, order.filled) == (OrderState.OPEN, Decimal("0.5"))
    assert desk.store.position(ACCOUNT, SYMBOL).amount == Decimal("0.5")
    desk.sweep()
    assert (desk.placements, desk.accepted) == (1, 1)


def test_a_signal_published_long_after_the_restart_is_sent_without_asking() -> None:
    desk = Desk()
    forget(desk, desk.store.copied())
    desk.clock.advance(REPUBLISHED_MAX_MS + 1)
    assert desk.manager.submit(desk.order()).state is OrderState.OPEN
    assert "lookup" not in desk.exchange.calls


@pytest.mark.parametrize("skew_ms", [0, -8_000, 8_000])
def test_the_wait_after_a_restart_is_by_the_exchanges_clock(skew_ms: int) -> None:
    desk = Desk(skew_ms=skew_ms)
    before = desk.store.copied()
    desk.exchange.script.append(is_under_way)
    desk.manager.submit(desk.order())
    forget(desk, before)
    desk.manager.submit(desk.order())
    desk.sweep(for_ms=15_900)
    assert desk.placements == 1
    desk.sweep(for_ms=3_000)
    assert (desk.placements, desk.accepted) == (2, 1)


def test_an_order_that_expires_during_the_wait_is_refused() -> None:
    desk = Desk()
    expires_at = desk.clock.now() + timedelta(seconds=3)
    forget(desk, desk.store.copied())
    desk.manager.submit(desk.order(expires_at=expires_at))
    desk.sweep()
    assert desk.stored(desk.order()).state is OrderState.REFUSED
    assert desk.placements == 0


def test_a_cancel_of_a_forgotten_order_finds_and_cancels_it() -> None:
    desk = Desk()
    order = desk.manager.receive(desk.order())
    before = desk.store.copied()
    desk.manager.advance(order)
    forget(desk, before)
    order = desk.manager.cancel(order.order_id)
    assert order.state is OrderState.CANCELED
    assert desk.exchange.standing[0].status is OrderState.CANCELED
    assert desk.placements == 1
