"""Every order that waits says why and since when, and saying it costs nothing at each retry."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from fakes import (
    ACCOUNT,
    Crash,
    Desk,
    FlakyStore,
    answers,
    dies_before_it_leaves,
    is_lost,
    is_under_way,
)

from execution.assembly import OrderRules, assemble_orders
from execution.exchanges.clocks import ExchangeClocks
from execution.exchanges.port import Exchange
from execution.model.errors import ExchangeUnavailable, UnknownAccount
from execution.model.order import Order, OrderState, Verdict
from execution.orders.manager import OrderManager

NOON = "2027-01-15T08:00:00Z"


class CountingStore(FlakyStore):
    """Counts the times at which orders are put off."""

    postponed = 0

    def postpone(self, order_id: str, due_ms: int) -> None:
        self.postponed += 1
        super().postpone(order_id, due_ms)


class Counting(Desk):
    """A desk that counts what it asks of its store."""

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


def reason_of(desk: Desk, order: Order) -> str:
    return desk.stored(order).reason or ""


def unreachable(desk: Desk, method: str = "market", times: int = 1) -> None:
    for _ in range(times):
        desk.exchange.fail(method)


def test_an_order_whose_exchange_cannot_be_reached_says_so_and_since_when() -> None:
    desk = Desk()
    unreachable(desk)
    order = desk.manager.submit(desk.order())
    assert order.state is OrderState.RECEIVED
    assert reason_of(desk, order) == f"exchange unreachable since {NOON}: market: no answer"


def test_how_long_it_cannot_be_reached_is_counted_from_the_first_time() -> None:
    desk = Counting()
    unreachable(desk, times=9)
    order = desk.manager.submit(desk.order())
    desk.sweep(for_ms=3_000)
    assert desk.exchange.calls.count("market") > 2
    assert reason_of(desk, order).startswith(f"exchange unreachable since {NOON}")


def test_a_reason_is_written_when_it_changes_and_not_at_each_retry() -> None:
    desk = Counting()
    unreachable(desk, times=3)
    # The record has to be made in any case, and carries the reason.
    assert desk.writes_of(lambda: desk.manager.submit(desk.order())) == (1, 0)

    def again() -> None:
        desk.manager.advance_by_id(desk.order().order_id)

    assert desk.writes_of(again) == (0, 1)
    assert desk.writes_of(again) == (0, 1)
    desk.store.hold(ACCOUNT, 60)
    writes = desk.writes_of(again)
    # The attempt that was not begun, and the new reason in place of a new due time.
    assert writes == (2, 0)
    assert reason_of(desk, desk.order()).startswith("account on hold, because the exchange asked")
    assert desk.writes_of(again) == (1, 1)


def test_an_exchange_that_asks_for_a_pause_is_quoted_with_its_end() -> None:
    desk = Desk()
    desk.exchange.fail("market", retry_after_s=30)
    order = desk.manager.submit(desk.order())
    assert reason_of(desk, order) == (
        f"account on hold, because the exchange asked for a pause, since {NOON}: "
        "until 2027-01-15T08:00:30Z, market: no answer"
    )


def test_an_order_that_is_not_held_up_costs_what_it_did() -> None:
    desk = Counting()
    assert desk.writes_of(lambda: desk.manager.submit(desk.order())) == (2, 0)
    assert desk.stored(desk.order()).reason is None


def test_the_reason_goes_when_the_order_goes_on() -> None:
    desk = Desk()
    unreachable(desk)
    order = desk.manager.submit(desk.order())
    desk.sweep(for_ms=3_000)
    assert (desk.stored(order).state, desk.stored(order).reason) == (OrderState.OPEN, None)


def test_an_unknown_outcome_says_since_when_and_until_when_nothing_is_proven() -> None:
    desk = Desk(recv_window_ms=2_000)
    desk.exchange.script.append(is_lost)
    order = desk.manager.submit(desk.order())
    assert reason_of(desk, order) == (
        f"outcome unknown since {NOON}: attempt 1, RequestTimeout: no answer; it is looked up, and "
        "not found proves nothing before 2027-01-15T08:00:13Z"
    )
    assert order.attempts[0].reason == "RequestTimeout: no answer"


def test_an_outcome_that_no_worker_recorded_says_so_once_it_is_looked_up() -> None:
    desk = Desk(recv_window_ms=2_000)
    desk.exchange.script.append(dies_before_it_leaves)
    with pytest.raises(Crash):
        desk.manager.submit(desk.order())
    desk.sweep(desk.worker(), for_ms=3_000)
    order = desk.stored(desk.order())
    assert "attempt 1, no answer to it was recorded; it is looked up" in (order.reason or "")
    assert order.attempts[0].verdict is Verdict.UNKNOWN
    version = order.version
    desk.sweep(desk.worker(), for_ms=3_000)
    assert desk.stored(order).version == version


def test_a_late_verdict_of_a_worker_is_taken_after_another_has_looked() -> None:
    desk = Desk(recv_window_ms=2_000)

    def another_worker_looks() -> None:
        desk.sweep(desk.worker(), for_ms=3_000)

    desk.exchange.script.append(
        lambda exchange, order, attempt: (
            another_worker_looks(),
            answers(Verdict.REJECTED, "no money")(exchange, order, attempt),
        )[1]
    )
    order = desk.manager.submit(desk.order())
    assert (order.state, order.reason) == (OrderState.REJECTED, "no money")


def test_an_unknown_outcome_that_cannot_be_looked_up_says_that_and_then_that_it_can() -> None:
    desk = Desk()
    desk.exchange.script.append(is_under_way)
    unreachable(desk, "lookup", times=2)
    order = desk.manager.submit(desk.order())
    assert reason_of(desk, order) == f"exchange unreachable since {NOON}: lookup: no answer"
    desk.sweep(for_ms=5_000)
    assert reason_of(desk, order).startswith("outcome unknown since ")
    desk.exchange.deliver()
    desk.sweep(for_ms=15_000)
    assert (desk.stored(order).state, desk.stored(order).reason) == (OrderState.OPEN, None)


def test_an_attempt_that_did_not_arrive_says_what_the_answer_was() -> None:
    desk = Desk(attempts_max=2)
    refusal = answers(Verdict.UNKNOWN, 'InvalidOrder: {"code": 4711, "msg": "Not today."}')
    desk.exchange.script.extend([refusal, refusal])
    desk.manager.submit(desk.order())
    desk.sweep(for_ms=120_000)
    order = desk.stored(desk.order())
    assert order.state is OrderState.REFUSED
    assert order.reason == (
        "not sent in 2 attempts, the last one because: it never arrived "
        '(InvalidOrder: {"code": 4711, "msg": "Not today."})'
    )


def test_an_order_on_an_account_that_this_worker_does_not_know_says_so() -> None:
    desk = Desk()
    desk.exchange.script.append(is_lost)
    order = desk.manager.submit(desk.order())

    def unknown(name: str) -> Exchange:
        raise UnknownAccount(f"{name!r} is not configured")

    stranger = _worker_without_accounts(desk, unknown)
    order = stranger.advance_by_id(order.order_id)
    assert order.state is OrderState.SUBMITTING
    assert reason_of(desk, order).startswith(
        f"account unknown to this worker since {NOON}: account: '{ACCOUNT}' is not configured"
    )
    desk.sweep(for_ms=20_000)
    assert desk.stored(order).state is OrderState.OPEN


def _worker_without_accounts(desk: Desk, exchange_of: Callable[[str], Exchange]) -> OrderManager:
    clocks = ExchangeClocks(desk.store, desk.clock, "there")
    rules = OrderRules(attempts_max=20)
    return assemble_orders(desk.store, exchange_of, desk.clock, clocks, desk.seen, rules).manager


def test_an_order_that_may_have_been_forgotten_says_what_it_waits_for() -> None:
    desk = Desk()
    desk.store.roll_back(desk.store.copied())
    order = desk.manager.submit(desk.order())
    assert reason_of(desk, order) == (
        f"looked for at the exchange, because the store restarted, since {NOON}"
    )


def test_a_cancel_that_waits_says_why_and_a_resting_order_says_nothing_afterwards() -> None:
    desk = Desk()
    order = desk.manager.submit(desk.order())
    unreachable(desk, "cancel")
    order = desk.manager.cancel(order.order_id)
    assert order.state is OrderState.OPEN
    assert reason_of(desk, order) == f"exchange unreachable since {NOON}: cancel: no answer"
    desk.sweep(for_ms=5_000)
    assert (desk.stored(order).state, desk.stored(order).reason) == (OrderState.CANCELED, None)


def test_fills_that_could_not_be_read_leave_no_reason_on_an_order_that_rests() -> None:
    desk = Desk(tells_fills=False)
    desk.exchange.fill_next.append([("99", "0.4")])
    unreachable(desk, "order_fills")
    order = desk.manager.submit(desk.order())
    assert reason_of(desk, order).startswith("exchange unreachable since ")
    desk.sweep(for_ms=5_000)
    assert (desk.stored(order).filled, desk.stored(order).reason) == (
        desk.exchange.standing[0].filled, None,
    )  # fmt: skip


def test_a_reason_is_not_written_over_what_another_worker_did_meanwhile() -> None:
    desk = Desk()
    order = desk.manager.receive(desk.order())

    def another_sends_it_and_then_nothing_answers() -> None:
        desk.worker().advance_by_id(order.order_id)
        desk.exchange.fail("market")

    desk.exchange.on("market", another_sends_it_and_then_nothing_answers)
    desk.exchange.on("market", lambda: None)
    after = desk.manager.advance(order)
    assert after.state is OrderState.OPEN
    assert after.reason is None
    assert desk.accepted == 1


def test_the_wait_is_over_when_the_signal_expires() -> None:
    desk = Desk()
    unreachable(desk)
    expires_at = desk.clock.now() + timedelta(milliseconds=300)
    order = desk.manager.submit(desk.order(expires_at=expires_at))
    desk.sweep(for_ms=5_000)
    assert desk.stored(order).state is OrderState.REFUSED
    assert reason_of(desk, order) == f"expires_at: {expires_at.isoformat()} has passed"


def out_of_reach(desk: Desk) -> None:
    """The exchange cannot be connected to any more."""

    def unreachable(_: str) -> Exchange:
        raise ExchangeUnavailable("no answer")

    desk.connect_with(unreachable)


def test_an_order_that_was_never_sent_is_canceled_though_its_exchange_cannot_be_reached() -> None:
    desk = Desk()
    out_of_reach(desk)
    order = desk.manager.submit(desk.order())
    canceled = desk.manager.cancel(order.order_id)
    assert canceled.state is OrderState.CANCELED
    assert canceled.reason == "canceled before it was sent"


def test_an_order_that_was_never_sent_expires_though_its_exchange_cannot_be_reached() -> None:
    desk = Desk()
    out_of_reach(desk)
    expires_at = desk.clock.now() + timedelta(seconds=30)
    order = desk.manager.submit(desk.order(expires_at=expires_at))
    desk.sweep(for_ms=29_000)
    assert desk.stored(order).state is OrderState.RECEIVED
    desk.sweep(for_ms=20_000)
    assert desk.stored(order).state is OrderState.REFUSED
    assert reason_of(desk, order) == f"expires_at: {expires_at.isoformat()} has passed"


def test_an_order_that_may_stand_waits_for_its_exchange_though_it_is_to_be_canceled() -> None:
    desk = Desk()
    desk.exchange.script.append(is_under_way)
    unknown = desk.manager.submit(desk.order())
    out_of_reach(desk)
    assert desk.manager.cancel(unknown.order_id).state is OrderState.SUBMITTING

    forgotten = Desk()
    order = forgotten.manager.receive(forgotten.order())
    forgotten.clock.advance(1)
    forgotten.store.begin_epoch()
    out_of_reach(forgotten)
    assert forgotten.manager.cancel(order.order_id).state is OrderState.RECEIVED


def test_an_order_on_a_held_account_comes_back_the_less_often_the_longer_it_has_waited() -> None:
    desk = Counting()
    order = desk.manager.receive(desk.order())
    desk.store.hold(ACCOUNT, 60)
    _, postponed = desk.writes_of(lambda: desk.sweep(for_ms=60_000))
    assert postponed < 15, "an hour of it would be thousands of messages for each order"
    assert desk.stored(order).state is OrderState.RECEIVED
    desk.sweep(for_ms=16_000)
    assert desk.stored(order).state is OrderState.OPEN
