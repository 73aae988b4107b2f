"""An exchange that keeps ended orders for a while only: not found proves nothing after that."""

from dataclasses import replace
from decimal import Decimal

import pytest

from execution.exchanges.guarantees import DAY_MS, HOUR_MS, ExchangeGuarantees
from execution.exchanges.profiles import binance, bybit, okx, upbit
from execution.exchanges.registry import GUARANTEES, without_guarantees
from execution.model.events import Quarantined
from execution.model.order import OrderState, TimeInForce, Verdict
from tests.support.exchange import (
    Crash,
    FakeExchange,
    Placing,
    Tells,
    answers,
    dies_after_it_arrived,
    dies_before_it_leaves,
    pauses,
)
from tests.support.fakes import ACCOUNT, Rig

MINUTE_MS = 60_000
IOC = {"time_in_force": TimeInForce.IOC}
KEPT = {"binance": 90 * DAY_MS, "bybit": DAY_MS, "okx": 2 * HOUR_MS, "kraken": 2 * HOUR_MS,
        "coinbase": 2 * HOUR_MS, "upbit": None}  # fmt: skip


def is_forgotten(exchange: FakeExchange) -> int:
    """The exchange drops what has ended without a fill; say how many orders it once accepted."""
    accepted = len(exchange.standing)
    exchange.standing = [one for one in exchange.standing if one.is_open]
    return accepted


def left_alone(rig: Rig, first: Placing = dies_after_it_arrived) -> None:
    """An order that arrives, ends unfilled, and whose worker dies before it hears of it."""
    rig.exchange.script.append(first)
    with pytest.raises(Crash):
        rig.manager.submit(rig.order(**IOC))


def test_how_long_each_exchange_keeps_what_has_ended_is_what_its_document_says() -> None:
    assert {name: guarantees.ended_kept_ms for name, guarantees in GUARANTEES.items()} == KEPT
    assert without_guarantees("somewhere").ended_kept_ms == min(k for k in KEPT.values() if k)


@pytest.mark.parametrize("guarantees", [okx.GUARANTEES, bybit.GUARANTEES], ids=["okx", "bybit"])
def test_a_worker_that_comes_back_too_late_does_not_send_again_what_the_exchange_forgot(
    guarantees: ExchangeGuarantees,
) -> None:
    rig = Rig(guarantees=guarantees)
    left_alone(rig)
    assert guarantees.ended_kept_ms is not None
    rig.clock.advance(guarantees.ended_kept_ms + 2 * MINUTE_MS)
    assert is_forgotten(rig.exchange) == 1
    rig.sweep(rig.worker())
    order = rig.stored(rig.order())
    assert order.state is OrderState.QUARANTINED
    hours = guarantees.ended_kept_ms // HOUR_MS
    assert order.reason == (
        f"not found, which proves nothing so late: {guarantees.exchange} may have deleted an "
        f"order that ended, {hours} h or more after its request"
    )
    assert rig.placements == 1


def test_a_worker_that_comes_back_in_time_sends_again_what_is_not_found() -> None:
    rig = Rig(guarantees=okx.GUARANTEES)
    left_alone(rig, dies_before_it_leaves)
    rig.clock.advance(2 * HOUR_MS - MINUTE_MS)
    rig.sweep(rig.worker())
    assert rig.stored(rig.order()).state is OrderState.EXPIRED
    assert (rig.placements, rig.accepted) == (2, 1)


def test_what_is_found_settles_the_order_however_late_it_is() -> None:
    rig = Rig(guarantees=okx.GUARANTEES)
    rig.exchange.keeps_all = True
    left_alone(rig)
    rig.clock.advance(30 * DAY_MS)
    rig.sweep(rig.worker())
    assert rig.stored(rig.order()).state is OrderState.EXPIRED
    assert rig.placements == 1


def test_a_lookup_whose_answer_comes_too_late_proves_nothing() -> None:
    rig = Rig(guarantees=okx.GUARANTEES)
    left_alone(rig, dies_before_it_leaves)
    rig.clock.advance(2 * HOUR_MS - MINUTE_MS)
    rig.exchange.on("lookup", lambda: rig.clock.advance(2 * MINUTE_MS))
    order = rig.worker().advance_by_id(rig.order().order_id)
    assert order.state is OrderState.QUARANTINED
    assert rig.placements == 1


def test_the_exchanges_clock_decides_how_long_ago_a_request_was() -> None:
    rig = Rig(guarantees=okx.GUARANTEES, uncertainty_ms=400)
    left_alone(rig, dies_before_it_leaves)
    rig.clock.advance(2 * HOUR_MS - 500)
    assert rig.worker().advance_by_id(rig.order().order_id).state is OrderState.QUARANTINED


def test_a_second_attempt_counts_from_its_own_stamp_where_the_first_one_is_proven_dead() -> None:
    rig = Rig(guarantees=okx.GUARANTEES)
    rig.exchange.script.append(answers(Verdict.NOT_SENT))
    rig.manager.submit(rig.order(**IOC))
    rig.clock.advance(3 * HOUR_MS)
    rig.sweep(for_ms=500)
    assert rig.stored(rig.order()).state is OrderState.EXPIRED
    assert rig.placements == 2


# Ids that work once, without a fence.

NO_FENCE = GUARANTEES["coinbase"]


def test_an_id_that_may_be_forgotten_is_not_sent_again_later_than_it_is_kept() -> None:
    rig = Rig(guarantees=NO_FENCE)
    left_alone(rig)
    rig.clock.advance(2 * HOUR_MS)
    is_forgotten(rig.exchange)
    rig.sweep(rig.worker())
    assert rig.stored(rig.order()).state is OrderState.QUARANTINED
    assert rig.placements == 1


def test_an_attempt_left_behind_is_not_forgotten_while_the_next_one_waits() -> None:
    rig = Rig(guarantees=NO_FENCE)
    left_alone(rig, dies_before_it_leaves)
    rig.store.hold(ACCOUNT, 8_000)
    # Not found, so the next attempt may be made; but it has to wait for longer than ids are kept.
    rig.worker().advance_by_id(rig.order().order_id)
    order = rig.stored(rig.order())
    assert (order.state, order.attempts[0].verdict) == (OrderState.RECEIVED, Verdict.UNKNOWN)
    rig.clock.advance(2 * HOUR_MS)
    rig.sweep(rig.worker())
    assert rig.stored(order).state is OrderState.QUARANTINED
    assert rig.placements == 1


def test_where_an_id_is_refused_for_ever_it_is_sent_again_at_any_time() -> None:
    rig = Rig(guarantees=upbit.GUARANTEES)
    left_alone(rig, dies_before_it_leaves)
    rig.clock.advance(30 * DAY_MS)
    rig.sweep(rig.worker())
    assert rig.stored(rig.order()).state is OrderState.EXPIRED
    assert (rig.placements, rig.accepted) == (2, 1)


# After a restart of the store.


def test_a_signal_published_long_before_a_restart_is_not_sent_because_it_is_not_found() -> None:
    rig = Rig(guarantees=okx.GUARANTEES)
    before = rig.store.copied()
    order = rig.order(**IOC)
    rig.manager.submit(order)
    rig.clock.advance(2 * HOUR_MS)
    is_forgotten(rig.exchange)
    rig.store.roll_back(before)
    after = rig.worker().submit(order)
    assert after.state is OrderState.QUARANTINED
    assert after.reason == (
        "a restart may have lost an attempt; not found, which proves nothing so late: okx may "
        "have deleted an order that ended, 2 h or more after its signal"
    )
    assert rig.placements == 1


def test_a_leg_published_long_before_a_restart_may_stand_though_it_is_not_found() -> None:
    rig = Rig(guarantees=okx.GUARANTEES)
    order = rig.order(**IOC)
    rig.clock.advance(2 * HOUR_MS)
    rig.store.roll_back(rig.store.copied())
    epoch = rig.store.epoch()
    found = rig.resolution.look_back(order, rig.exchange, epoch)
    assert isinstance(found, Quarantined)


def test_binance_keeps_what_has_ended_long_enough_for_a_worker_that_was_away_for_a_month() -> None:
    rig = Rig(guarantees=binance.GUARANTEES)
    left_alone(rig, dies_before_it_leaves)
    rig.clock.advance(30 * DAY_MS)
    rig.sweep(rig.worker())
    assert (rig.placements, rig.accepted) == (2, 1)


def test_a_fill_is_never_forgotten_with_the_order_that_it_is_of() -> None:
    rig = Rig(guarantees=replace(okx.GUARANTEES, ended_kept_ms=MINUTE_MS), tells=Tells.FILLED)
    rig.exchange.fill_next.append([("99", "1")])
    rig.exchange.script.append(pauses(lambda: None, dies_after_it_arrived))
    with pytest.raises(Crash):
        rig.manager.submit(rig.order())
    rig.clock.advance(2 * MINUTE_MS)
    rig.sweep(rig.worker())
    assert rig.stored(rig.order()).filled == Decimal(1)
