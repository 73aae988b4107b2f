"""Every order that waits says why and since when, and saying it costs nothing at each retry."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from execution.assembly import OrderRules, assemble_orders
from execution.exchanges.clocks import ExchangeClocks
from execution.exchanges.port import Exchange
from execution.model.errors import ExchangeUnavailable, UnknownAccount
from execution.model.order import Order, OrderState, Verdict
from execution.orders.manager import OrderManager
from tests.support.exchange import (
    Crash,
    Tells,
    answers,
    dies_before_it_leaves,
    is_lost,
    is_under_way,
)
from tests.support.fakes import ACCOUNT, FlakyStore, Rig
from tests.support.whole_stores import order_stores

NOON = "2027-01-15T08:00:00Z"


class CountingStore(FlakyStore):
    """Counts the times at which orders are put off."""

    postponed = 0

    def postpone(self, order_id: str, due_ms: int) -> None:
        self.postponed += 1
        super().postpone(order_id, due_ms)


class Counting(Rig):
    """A set-up that counts what it asks of its store."""

    store: CountingStore

    def __init__(self) -> None:
        super().__init__()
        self.store = CountingStore(self.clock)
        self.manager = self.worker()

    def writes_of(self, action: Callable[[], object]) -> tuple[int, int]:
        """How many commits and how many other changes an action makes."""
        commits, postponed = self.store.commits, self.store.postponed
        action()
        return self.store.commits - commits, self.store.postponed - postponed


def reason_of(rig: Rig, order: Order) -> str:
    return rig.stored(order).reason or ""


def unreachable(rig: Rig, method: str = "market", times: int = 1) -> None:
    for _ in range(times):
        rig.exchange.fail(method)


def test_an_order_whose_exchange_cannot_be_reached_says_so_and_since_when() -> None:
    rig = Rig()
    unreachable(rig)
    order = rig.manager.submit(rig.order())
    assert order.state is OrderState.RECEIVED
    assert reason_of(rig, order) == f"exchange unreachable since {NOON}: market: no answer"


def test_how_long_it_cannot_be_reached_is_counted_from_the_first_time() -> None:
    rig = Counting()
    unreachable(rig, times=9)
    order = rig.manager.submit(rig.order())
    rig.sweep(for_ms=3_000)
    assert rig.exchange.calls.count("market") > 2
    assert reason_of(rig, order).startswith(f"exchange unreachable since {NOON}")


def test_a_reason_is_written_when_it_changes_and_not_at_each_retry() -> None:
    rig = Counting()
    unreachable(rig, times=3)
    # The record has to be made in any case, and carries the reason.
    assert rig.writes_of(lambda: rig.manager.submit(rig.order())) == (1, 0)

    def again() -> None:
        rig.manager.advance_by_id(rig.order().order_id)

    assert rig.writes_of(again) == (0, 1)
    assert rig.writes_of(again) == (0, 1)
    rig.store.hold(ACCOUNT, 60)
    writes = rig.writes_of(again)
    # The attempt that was not begun, and the new reason in place of a new due time.
    assert writes == (2, 0)
    assert reason_of(rig, rig.order()).startswith("account on hold, because the exchange asked")
    assert rig.writes_of(again) == (1, 1)


def test_an_exchange_that_asks_for_a_pause_is_quoted_with_its_end() -> None:
    rig = Rig()
    rig.exchange.fail("market", retry_after_s=30)
    order = rig.manager.submit(rig.order())
    assert reason_of(rig, order) == (
        f"account on hold, because the exchange asked for a pause, since {NOON}: "
        "until 2027-01-15T08:00:30Z, market: no answer"
    )


def test_an_order_that_is_not_held_up_costs_what_it_did() -> None:
    rig = Counting()
    assert rig.writes_of(lambda: rig.manager.submit(rig.order())) == (2, 0)
    assert rig.stored(rig.order()).reason is None


def test_the_reason_goes_when_the_order_goes_on() -> None:
    rig = Rig()
    unreachable(rig)
    order = rig.manager.submit(rig.order())
    rig.sweep(for_ms=3_000)
    assert (rig.stored(order).state, rig.stored(order).reason) == (OrderState.OPEN, None)


def test_an_unknown_outcome_says_since_when_and_until_when_nothing_is_proven() -> None:
    rig = Rig(recv_window_ms=2_000)
    rig.exchange.script.append(is_lost)
    order = rig.manager.submit(rig.order())
    assert reason_of(rig, order) == (
        f"outcome unknown since {NOON}: attempt 1, RequestTimeout: no answer; it is looked up, and "
        "not found proves nothing before 2027-01-15T08:00:13Z"
    )
    assert order.attempts[0].reason == "RequestTimeout: no answer"


def test_an_outcome_that_no_worker_recorded_says_so_once_it_is_looked_up() -> None:
    rig = Rig(recv_window_ms=2_000)
    rig.exchange.script.append(dies_before_it_leaves)
    with pytest.raises(Crash):
        rig.manager.submit(rig.order())
    rig.sweep(rig.worker(), for_ms=3_000)
    order = rig.stored(rig.order())
    assert "attempt 1, no answer to it was recorded; it is looked up" in (order.reason or "")
    assert order.attempts[0].verdict is Verdict.UNKNOWN
    version = order.version
    rig.sweep(rig.worker(), for_ms=3_000)
    assert rig.stored(order).version == version


def test_a_late_verdict_of_a_worker_is_taken_after_another_has_looked() -> None:
    rig = Rig(recv_window_ms=2_000)

    def another_worker_looks() -> None:
        rig.sweep(rig.worker(), for_ms=3_000)

    rig.exchange.script.append(
        lambda exchange, order, attempt: (
            another_worker_looks(),
            answers(Verdict.REJECTED, "no money")(exchange, order, attempt),
        )[1]
    )
    order = rig.manager.submit(rig.order())
    assert (order.state, order.reason) == (OrderState.REJECTED, "no money")


def test_an_unknown_outcome_that_cannot_be_looked_up_says_that_and_then_that_it_can() -> None:
    rig = Rig()
    rig.exchange.script.append(is_under_way)
    unreachable(rig, "lookup", times=2)
    order = rig.manager.submit(rig.order())
    assert reason_of(rig, order) == f"exchange unreachable since {NOON}: lookup: no answer"
    rig.sweep(for_ms=5_000)
    assert reason_of(rig, order).startswith("outcome unknown since ")
    rig.exchange.deliver_all()
    rig.sweep(for_ms=15_000)
    assert (rig.stored(order).state, rig.stored(order).reason) == (OrderState.OPEN, None)


def test_an_attempt_that_did_not_arrive_says_what_the_answer_was() -> None:
    rig = Rig(attempts_max=2)
    refusal = answers(Verdict.UNKNOWN, 'InvalidOrder: {"code": 4711, "msg": "Not today."}')
    rig.exchange.script.extend([refusal, refusal])
    rig.manager.submit(rig.order())
    rig.sweep(for_ms=120_000)
    order = rig.stored(rig.order())
    assert order.state is OrderState.REFUSED
    assert order.reason == (
        "not sent in 2 attempts, the last one because: it never arrived "
        '(InvalidOrder: {"code": 4711, "msg": "Not today."})'
    )


def test_an_order_on_an_account_that_this_worker_does_not_know_says_so() -> None:
    rig = Rig()
    rig.exchange.script.append(is_lost)
    order = rig.manager.submit(rig.order())

    def unknown(name: str) -> Exchange:
        raise UnknownAccount(f"{name!r} is not configured")

    stranger = _worker_without_accounts(rig, unknown)
    order = stranger.advance_by_id(order.order_id)
    assert order.state is OrderState.SUBMITTING
    assert reason_of(rig, order).startswith(
        f"account unknown to this worker since {NOON}: account: '{ACCOUNT}' is not configured"
    )
    rig.sweep(for_ms=20_000)
    assert rig.stored(order).state is OrderState.OPEN


def _worker_without_accounts(rig: Rig, exchange_of: Callable[[str], Exchange]) -> OrderManager:
    clocks = ExchangeClocks(rig.store, rig.clock, "there")
    rules = OrderRules(attempts_max=20)
    return assemble_orders(
        order_stores(rig.store), exchange_of, rig.clock, clocks, rig.seen, rules
    ).manager


def test_an_order_that_may_have_been_forgotten_says_what_it_waits_for() -> None:
    rig = Rig()
    rig.store.roll_back(rig.store.copied())
    order = rig.manager.submit(rig.order())
    assert reason_of(rig, order) == (
        f"looked for at the exchange, because the store restarted, since {NOON}"
    )


def test_a_cancel_that_waits_says_why_and_a_resting_order_says_nothing_afterwards() -> None:
    rig = Rig()
    order = rig.manager.submit(rig.order())
    unreachable(rig, "cancel")
    order = rig.manager.cancel(order.order_id)
    assert order.state is OrderState.OPEN
    assert reason_of(rig, order) == f"exchange unreachable since {NOON}: cancel: no answer"
    rig.sweep(for_ms=5_000)
    assert (rig.stored(order).state, rig.stored(order).reason) == (OrderState.CANCELED, None)


def test_fills_that_could_not_be_read_leave_no_reason_on_an_order_that_rests() -> None:
    rig = Rig(tells=Tells.FILLED)
    rig.exchange.fill_next.append([("99", "0.4")])
    unreachable(rig, "order_fills")
    order = rig.manager.submit(rig.order())
    assert reason_of(rig, order).startswith("exchange unreachable since ")
    rig.sweep(for_ms=5_000)
    assert (rig.stored(order).filled, rig.stored(order).reason) == (
        rig.exchange.standing[0].filled, None,
    )  # fmt: skip


def test_a_reason_is_not_written_over_what_another_worker_did_meanwhile() -> None:
    rig = Rig()
    order = rig.manager.receive(rig.order())

    def another_sends_it_and_then_nothing_answers() -> None:
        rig.worker().advance_by_id(order.order_id)
        rig.exchange.fail("market")

    rig.exchange.on("market", another_sends_it_and_then_nothing_answers)
    rig.exchange.on("market", lambda: None)
    after = rig.manager.advance(order)
    assert after.state is OrderState.OPEN
    assert after.reason is None
    assert rig.accepted == 1


def test_the_wait_is_over_when_the_signal_expires() -> None:
    rig = Rig()
    unreachable(rig)
    expires_at = rig.clock.now() + timedelta(milliseconds=300)
    order = rig.manager.submit(rig.order(expires_at=expires_at))
    rig.sweep(for_ms=5_000)
    assert rig.stored(order).state is OrderState.REFUSED
    assert reason_of(rig, order) == f"expires_at: {expires_at.isoformat()} has passed"


def out_of_reach(rig: Rig) -> None:
    """The exchange cannot be connected to any more."""

    def unreachable(_: str) -> Exchange:
        raise ExchangeUnavailable("no answer")

    rig.connect_with(unreachable)


def test_an_order_that_was_never_sent_is_canceled_though_its_exchange_cannot_be_reached() -> None:
    rig = Rig()
    out_of_reach(rig)
    order = rig.manager.submit(rig.order())
    canceled = rig.manager.cancel(order.order_id)
    assert canceled.state is OrderState.CANCELED
    assert canceled.reason == "canceled before it was sent"


def test_an_order_that_was_never_sent_expires_though_its_exchange_cannot_be_reached() -> None:
    rig = Rig()
    out_of_reach(rig)
    expires_at = rig.clock.now() + timedelta(seconds=30)
    order = rig.manager.submit(rig.order(expires_at=expires_at))
    rig.sweep(for_ms=29_000)
    assert rig.stored(order).state is OrderState.RECEIVED
    rig.sweep(for_ms=20_000)
    assert rig.stored(order).state is OrderState.REFUSED
    assert reason_of(rig, order) == f"expires_at: {expires_at.isoformat()} has passed"


def test_an_order_that_may_stand_waits_for_its_exchange_though_it_is_to_be_canceled() -> None:
    rig = Rig()
    rig.exchange.script.append(is_under_way)
    unknown = rig.manager.submit(rig.order())
    out_of_reach(rig)
    assert rig.manager.cancel(unknown.order_id).state is OrderState.SUBMITTING

    forgotten = Rig()
    order = forgotten.manager.receive(forgotten.order())
    forgotten.clock.advance(1)
    forgotten.store.begin_epoch()
    out_of_reach(forgotten)
    assert forgotten.manager.cancel(order.order_id).state is OrderState.RECEIVED


def test_an_order_on_a_held_account_comes_back_the_less_often_the_longer_it_has_waited() -> None:
    rig = Counting()
    order = rig.manager.receive(rig.order())
    rig.store.hold(ACCOUNT, 60)
    _, postponed = rig.writes_of(lambda: rig.sweep(for_ms=60_000))
    assert postponed < 15, "an hour of it would be thousands of messages for each order"
    assert rig.stored(order).state is OrderState.RECEIVED
    rig.sweep(for_ms=16_000)
    assert rig.stored(order).state is OrderState.OPEN
