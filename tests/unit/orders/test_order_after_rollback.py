"""A store that comes back without its last second: what it forgot is asked of the exchange."""

from datetime import timedelta
from decimal import Decimal

import pytest

from execution.model.order import OrderState, Verdict
from execution.orders.placement.proof import REPUBLISHED_MAX_MS
from tests.support.exchange import (
    SYMBOL,
    Tells,
    answers,
    is_lost,
    is_under_way,
    loses_its_answer,
    pauses,
)
from tests.support.fakes import ACCOUNT, Rig
from tests.support.whole_stores import MemoryStore


def forget(rig: Rig, since: MemoryStore) -> None:
    rig.store.roll_back(since)


def test_an_order_that_was_sent_and_forgotten_is_found_and_not_sent_again() -> None:
    rig = Rig(tells=Tells.FILLED)
    before = rig.store.copied()
    rig.exchange.fill_next.append([("99", "1")])
    rig.manager.submit(rig.order())
    forget(rig, before)
    assert rig.store.order(rig.order().order_id) is None
    rig.clock.advance(100)
    order = rig.manager.submit(rig.order())
    assert order.state is OrderState.FILLED
    assert (rig.placements, rig.accepted) == (1, 1)
    assert rig.store.position(ACCOUNT, SYMBOL).amount == 1


def test_a_request_still_under_way_when_the_store_forgot_it_is_waited_for() -> None:
    rig = Rig(read_lag_ms=1_000)
    before = rig.store.copied()
    rig.exchange.script.append(is_under_way)
    rig.manager.submit(rig.order())
    forget(rig, before)
    assert rig.manager.submit(rig.order()).state is OrderState.RECEIVED
    rig.sweep(for_ms=5_500)
    rig.exchange.deliver_all()
    assert rig.placements == 1
    rig.sweep()
    assert rig.stored(rig.order()).state is OrderState.OPEN
    assert (rig.placements, rig.accepted) == (1, 1)


def test_what_was_forgotten_and_never_arrived_is_sent_once_it_cannot_arrive() -> None:
    rig = Rig()
    before = rig.store.copied()
    rig.exchange.script.append(is_lost)
    rig.manager.submit(rig.order())
    forget(rig, before)
    rig.manager.submit(rig.order())
    rig.sweep()
    assert rig.stored(rig.order()).state is OrderState.OPEN
    assert (rig.placements, rig.accepted) == (2, 1)


def test_a_forgotten_attempt_is_found_also_where_the_record_itself_remained() -> None:
    rig = Rig()
    rig.exchange.script.append(answers(Verdict.NOT_SENT, "refused"))
    rig.manager.submit(rig.order())
    before = rig.store.copied()
    rig.exchange.script.append(loses_its_answer)
    rig.clock.advance(1_000)
    rig.manager.advance_by_id(rig.order().order_id)
    forget(rig, before)
    assert len(rig.stored(rig.order()).attempts) == 1
    rig.sweep()
    assert rig.stored(rig.order()).state is OrderState.OPEN
    assert (rig.placements, rig.accepted) == (2, 1)


def test_a_worker_whose_store_restarts_between_decision_and_write_decides_again() -> None:
    rig = Rig()
    rig.manager.submit(rig.order(signal_id="earlier"))
    before = rig.store.copied()
    rig.exchange.on("market", lambda: forget(rig, before))
    order = rig.manager.submit(rig.order())
    assert order.state is OrderState.RECEIVED
    assert rig.placements == 1
    rig.sweep()
    assert rig.stored(order).state is OrderState.OPEN
    assert rig.placements == 2


def test_an_answer_that_comes_after_the_store_forgot_the_order_is_written_down() -> None:
    rig = Rig()
    before = rig.store.copied()
    rig.exchange.fill_next.append([("99", "0.5")])
    rig.exchange.script.append(pauses(lambda: forget(rig, before)))
    order = rig.manager.submit(rig.order())
    assert order == rig.stored(order)
    assert (order.state, order.filled) == (OrderState.OPEN, Decimal("0.5"))
    assert rig.store.position(ACCOUNT, SYMBOL).amount == Decimal("0.5")
    rig.sweep()
    assert (rig.placements, rig.accepted) == (1, 1)


def test_a_signal_published_long_after_the_restart_is_sent_without_asking() -> None:
    rig = Rig()
    forget(rig, rig.store.copied())
    rig.clock.advance(REPUBLISHED_MAX_MS + 1)
    assert rig.manager.submit(rig.order()).state is OrderState.OPEN
    assert "lookup" not in rig.exchange.calls


@pytest.mark.parametrize("skew_ms", [0, -8_000, 8_000])
def test_the_wait_after_a_restart_is_by_the_exchanges_clock(skew_ms: int) -> None:
    rig = Rig(offset_ms=skew_ms)
    before = rig.store.copied()
    rig.exchange.script.append(is_under_way)
    rig.manager.submit(rig.order())
    forget(rig, before)
    rig.manager.submit(rig.order())
    rig.sweep(for_ms=15_900)
    assert rig.placements == 1
    rig.sweep(for_ms=3_000)
    assert (rig.placements, rig.accepted) == (2, 1)


def test_an_order_that_expires_during_the_wait_is_refused() -> None:
    rig = Rig()
    expires_at = rig.clock.now() + timedelta(seconds=3)
    forget(rig, rig.store.copied())
    rig.manager.submit(rig.order(expires_at=expires_at))
    rig.sweep()
    assert rig.stored(rig.order()).state is OrderState.REFUSED
    assert rig.placements == 0


def test_a_cancel_of_a_forgotten_order_finds_and_cancels_it() -> None:
    rig = Rig()
    order = rig.manager.receive(rig.order())
    before = rig.store.copied()
    rig.manager.advance(order)
    forget(rig, before)
    order = rig.manager.cancel(order.order_id)
    assert order.state is OrderState.CANCELED
    assert rig.exchange.standing[0].status is OrderState.CANCELED
    assert rig.placements == 1
