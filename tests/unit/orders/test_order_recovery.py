"""When nobody knows whether an order arrived: looked up, never doubled, never lost."""

from dataclasses import replace
from decimal import Decimal

import pytest

from execution.model.errors import StoreUnavailable
from execution.model.events import Quarantined
from execution.model.order import Order, OrderState, Verdict
from tests.support.exchange import (
    SYMBOL,
    Crash,
    Placing,
    Tells,
    answers,
    dies_after_it_arrived,
    dies_before_it_leaves,
    is_lost,
    is_under_way,
    loses_its_answer,
    pauses,
)
from tests.support.fakes import ACCOUNT, Rig

# The window of 5 s, 10 s for the matching engine, and one for read lag.
PROVABLE_AFTER_MS = 5_000 + 10_000 + 1_000


def test_an_order_whose_answer_was_lost_is_found_at_once() -> None:
    rig = Rig()
    rig.exchange.script.append(loses_its_answer)
    order = rig.manager.submit(rig.order())
    assert order.state is OrderState.OPEN
    assert order.attempts[0].verdict is Verdict.ACCEPTED
    assert (rig.placements, rig.accepted) == (1, 1)


def test_an_order_that_is_not_found_before_the_fence_is_not_sent_again() -> None:
    rig = Rig()
    rig.exchange.script.append(is_lost)
    order = rig.manager.submit(rig.order())
    assert order.state is OrderState.SUBMITTING
    assert order.attempts[0].verdict is Verdict.UNKNOWN
    rig.clock.advance(PROVABLE_AFTER_MS)
    assert rig.manager.advance_by_id(order.order_id).state is OrderState.SUBMITTING
    assert rig.placements == 1


def test_an_order_that_is_not_found_after_the_fence_is_sent_exactly_once_more() -> None:
    rig = Rig()
    rig.exchange.script.append(is_lost)
    order = rig.manager.submit(rig.order())
    rig.clock.advance(PROVABLE_AFTER_MS + 10)
    order = rig.manager.advance_by_id(order.order_id)
    assert order.state is OrderState.OPEN
    assert [a.verdict for a in order.attempts] == [Verdict.NOT_SENT, Verdict.ACCEPTED]
    assert order.attempts[0].reason == "it never arrived (RequestTimeout: no answer)"
    rig.sweep()
    assert (rig.placements, rig.accepted) == (2, 1)


def test_a_request_that_arrives_just_before_the_fence_is_found_and_not_doubled() -> None:
    rig = Rig(read_lag_ms=1_000)
    rig.exchange.script.append(is_under_way)
    order = rig.manager.submit(rig.order())
    rig.clock.advance(15_000)
    rig.exchange.deliver_all()
    assert rig.accepted == 1
    rig.clock.advance(999)
    assert rig.manager.advance_by_id(order.order_id).state is OrderState.SUBMITTING
    rig.sweep()
    assert rig.stored(order).state is OrderState.OPEN
    assert rig.placements == 1


def test_a_lookup_that_began_before_the_fence_proves_nothing_however_late_its_answer() -> None:
    rig = Rig()
    rig.exchange.script.append(is_under_way)
    order = rig.manager.submit(rig.order())

    def arrives_while_the_answer_is_under_way() -> None:
        rig.exchange.deliver_all()
        rig.clock.advance(60_000)

    rig.exchange.on("lookup", arrives_while_the_answer_is_under_way)
    order = rig.manager.advance_by_id(order.order_id)
    assert order.state is OrderState.SUBMITTING
    rig.sweep()
    assert rig.stored(order).state is OrderState.OPEN
    assert (rig.placements, rig.accepted) == (1, 1)


def test_not_found_counts_by_the_exchanges_clock_and_not_by_ours() -> None:
    # The exchange's clock is 10 s behind ours: what has passed here has not passed there.
    rig = Rig(offset_ms=-10_000)
    rig.exchange.script.append(is_lost)
    order = rig.manager.submit(rig.order())
    rig.clock.advance(PROVABLE_AFTER_MS)
    assert rig.manager.advance_by_id(order.order_id).state is OrderState.SUBMITTING
    rig.clock.advance(10)
    assert rig.manager.advance_by_id(order.order_id).state is OrderState.OPEN


@pytest.mark.parametrize("verdict", [Verdict.REJECTED, Verdict.NOT_SENT, Verdict.UNKNOWN])
@pytest.mark.parametrize("second", [is_lost, loses_its_answer, is_under_way])
def test_a_paused_workers_late_verdict_does_not_touch_the_second_attempt(
    verdict: Verdict, second: Placing
) -> None:
    rig = Rig()
    other = rig.worker()

    def another_worker_goes_on() -> None:
        rig.clock.advance(PROVABLE_AFTER_MS + 1_000)
        rig.exchange.script.append(second)
        other.advance_by_id(rig.order().order_id)

    rig.exchange.script.append(pauses(another_worker_goes_on, answers(verdict, "late")))
    rig.manager.submit(rig.order())
    order = rig.stored(rig.order())
    assert len(order.attempts) == 2
    assert order.attempts[0].verdict is Verdict.NOT_SENT
    assert order.attempts[0].reason == "it never arrived"
    assert order.state in (OrderState.SUBMITTING, OrderState.OPEN)
    rig.exchange.deliver_all()
    rig.sweep()
    assert rig.stored(order).state is OrderState.OPEN
    assert rig.accepted == 1


def test_the_request_of_a_worker_that_was_paused_too_long_is_refused_by_the_exchange() -> None:
    rig = Rig()
    other = rig.worker()

    def another_worker_goes_on() -> None:
        rig.clock.advance(PROVABLE_AFTER_MS + 1_000)
        other.advance_by_id(rig.order().order_id)

    rig.exchange.script.append(pauses(another_worker_goes_on))
    order = rig.manager.submit(rig.order())
    assert order.state is OrderState.OPEN
    assert (rig.placements, rig.accepted) == (2, 1)


def test_of_two_resolvers_that_find_the_attempt_dead_one_sends_the_next() -> None:
    rig = Rig()
    other = rig.worker()
    rig.exchange.script.append(is_lost)
    order = rig.manager.submit(rig.order())
    rig.clock.advance(PROVABLE_AFTER_MS + 100)

    def another_resolver_is_faster() -> None:
        other.advance_by_id(order.order_id)

    rig.exchange.on("lookup", another_resolver_is_faster)
    after = rig.manager.advance_by_id(order.order_id)
    assert after == rig.stored(order)
    assert (rig.placements, rig.accepted) == (2, 1)


def test_of_two_workers_that_would_begin_the_next_attempt_one_does() -> None:
    rig = Rig()
    other = rig.worker()
    rig.exchange.script.append(answers(Verdict.NOT_SENT))
    order = rig.manager.submit(rig.order())

    def another_worker_is_faster() -> None:
        other.advance_by_id(order.order_id)

    rig.exchange.on("market", another_worker_is_faster)
    after = rig.manager.advance_by_id(order.order_id)
    assert after.state is OrderState.OPEN
    assert (rig.placements, rig.accepted) == (2, 1)


def test_an_order_filled_before_its_first_lookup_moves_the_position_once() -> None:
    rig = Rig(tells=Tells.FILLED)
    rig.exchange.fill_next.append([("99", "0.5"), ("98", "0.5")])
    rig.exchange.script.append(dies_after_it_arrived)
    with pytest.raises(Crash):
        rig.manager.submit(rig.order())
    for _ in range(3):
        rig.worker().submit(rig.order())
        rig.sweep(for_ms=3_000)
    assert rig.stored(rig.order()).state is OrderState.FILLED
    position = rig.store.position(ACCOUNT, SYMBOL)
    assert (position.amount, position.cost) == (Decimal(1), Decimal("98.5"))
    assert rig.placements == 1


def test_an_attempt_whose_worker_died_before_sending_is_made_again_after_the_fence() -> None:
    rig = Rig()
    rig.exchange.script.append(dies_before_it_leaves)
    with pytest.raises(Crash):
        rig.manager.submit(rig.order())
    assert rig.stored(rig.order()).state is OrderState.SUBMITTING
    rig.sweep(rig.worker(), for_ms=PROVABLE_AFTER_MS - 500)
    assert rig.placements == 1
    rig.sweep(rig.worker(), for_ms=5_000)
    assert rig.stored(rig.order()).state is OrderState.OPEN
    assert (rig.placements, rig.accepted) == (2, 1)


def test_an_order_accepted_while_the_store_was_down_is_found_and_not_doubled() -> None:
    rig = Rig(store_plan={2: "before"})
    with pytest.raises(StoreUnavailable):
        rig.manager.submit(rig.order())
    assert rig.accepted == 1
    assert rig.stored(rig.order()).state is OrderState.SUBMITTING
    assert rig.manager.submit(rig.order()).state is OrderState.OPEN
    assert rig.placements == 1


def test_a_write_ahead_that_failed_sends_nothing() -> None:
    rig = Rig(store_plan={1: "before"})
    with pytest.raises(StoreUnavailable):
        rig.manager.submit(rig.order())
    assert rig.placements == 0
    assert rig.manager.submit(rig.order()).state is OrderState.OPEN
    assert rig.accepted == 1


def test_a_write_ahead_whose_confirmation_was_lost_sends_nothing_before_the_fence() -> None:
    rig = Rig(store_plan={1: "after"})
    with pytest.raises(StoreUnavailable):
        rig.manager.submit(rig.order())
    assert rig.manager.submit(rig.order()).state is OrderState.SUBMITTING
    assert rig.placements == 0
    rig.sweep()
    assert rig.stored(rig.order()).state is OrderState.OPEN
    assert (rig.placements, rig.accepted) == (1, 1)


@pytest.mark.parametrize("question", ["lookup", "measure_clock"])
def test_a_resolver_that_gets_no_answer_concludes_nothing(question: str) -> None:
    rig = Rig()
    rig.exchange.script.append(is_lost)
    order = rig.manager.submit(rig.order())
    rig.clock.advance(200_000)
    rig.exchange.fail(question)
    order = rig.manager.advance_by_id(order.order_id)
    assert order.state is OrderState.SUBMITTING
    assert rig.placements == 1
    rig.sweep(for_ms=2_000)
    assert rig.stored(order).state is OrderState.OPEN


def looks_at(rig: Rig, order: Order) -> list[int]:
    """When the order is looked up from now on until it is sent again, in s after its stamp."""
    times: list[int] = []
    for _ in range(2_000):
        before = rig.exchange.calls.count("lookup")
        rig.sweep(for_ms=500)
        if len(rig.stored(order).attempts) > 1:
            return times
        if rig.exchange.calls.count("lookup") > before:
            times.append(rig.clock.now_ms() - order.attempts[0].stamp_ms)
    raise AssertionError("it is never sent again")


def test_an_order_that_is_under_way_is_looked_for_early_and_less_often_the_longer_it_takes() -> (
    None
):
    rig = Rig()
    rig.exchange.script.append(is_lost)
    order = rig.manager.submit(rig.order())
    assert looks_at(rig, order) == [1_500, 3_000, 6_000, 12_000]
    assert rig.placements == 2


def test_an_order_whose_worker_died_is_looked_for_from_the_end_of_its_window_on() -> None:
    rig = Rig()
    rig.exchange.script.append(dies_before_it_leaves)
    with pytest.raises(Crash):
        rig.manager.submit(rig.order())
    assert looks_at(rig, rig.stored(rig.order())) == [5_500, 11_000]


def test_an_order_that_arrives_late_is_found_within_seconds_and_not_only_at_the_bound() -> None:
    rig = Rig()
    rig.exchange.script.append(is_under_way)
    order = rig.manager.submit(rig.order())
    rig.sweep(for_ms=1_000)
    rig.exchange.deliver_all()
    rig.sweep(for_ms=1_000)
    assert rig.stored(order).state is OrderState.OPEN
    assert rig.placements == 1


def test_a_lookup_that_gets_a_rate_limit_puts_the_account_on_hold() -> None:
    rig = Rig()
    rig.exchange.script.append(is_lost)
    rig.exchange.fail("lookup", retry_after_s=30)
    rig.manager.submit(rig.order())
    other = rig.manager.submit(rig.order(signal_id="signal-2"))
    assert other.state is OrderState.RECEIVED
    assert rig.placements == 1


def test_an_order_that_was_believed_dead_and_refused_is_never_sent() -> None:
    rig = Rig(attempts_max=1)
    rig.exchange.script.append(is_lost)
    rig.manager.submit(rig.order())
    rig.sweep()
    order = rig.stored(rig.order())
    assert order.state is OrderState.REFUSED
    assert rig.placements == 1


def test_a_quarantined_order_is_left_for_manual_intervention() -> None:
    rig = Rig()
    rig.exchange.script.append(is_lost)
    order = rig.manager.submit(rig.order())
    rig.journal.record(order, Quarantined("no way to ask"))
    rig.sweep()
    rig.manager.submit(rig.order())
    assert rig.stored(order).state is OrderState.QUARANTINED
    assert rig.placements == 1


def test_a_record_from_before_is_moved_on_when_its_signal_is_submitted_again() -> None:
    rig = Rig()
    order = rig.manager.receive(rig.order())
    assert replace(order, version=0, revision="") == rig.order()
    assert rig.worker().submit(rig.order()).state is OrderState.OPEN
    assert rig.placements == 1
