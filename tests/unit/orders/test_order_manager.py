"""Sending an order: the plain path, doubled signals, what we refuse, and what we wait for."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest

from execution.assembly import OrderRules, assemble_orders
from execution.exchanges.clocks import ExchangeClocks
from execution.exchanges.port import Exchange, Outcome
from execution.model.errors import ExchangeUnavailable, SignalReused, UnknownAccount, UnknownOrder
from execution.model.order import (
    Attempt,
    Order,
    OrderReport,
    OrderState,
    OrderType,
    Side,
    TimeInForce,
    Verdict,
)
from execution.orders.manager import OrderManager
from execution.orders.schedule import RetrySchedule
from tests.support.exchange import MARKET, SYMBOL, FakeExchange, Tells, answers, arrives, is_lost
from tests.support.fakes import ACCOUNT, Rig
from tests.support.whole_stores import order_stores


def with_exchange(rig: Rig, exchange_of: Any) -> OrderManager:
    """A manager on the set-up's store that gets its connections from somewhere else."""
    clocks = ExchangeClocks(rig.store, rig.clock, "here")
    rules = OrderRules(recv_window_ms=5_000, attempts_max=20)
    core = assemble_orders(order_stores(rig.store), exchange_of, rig.clock, clocks, rig.seen, rules)
    return core.manager


def test_an_order_that_rests_is_open_and_its_record_says_so() -> None:
    rig = Rig()
    order = rig.manager.submit(rig.order())
    assert order.state is OrderState.OPEN
    assert order == rig.stored(order)
    assert order.exchange_order_id == rig.exchange.standing[0].exchange_order_id
    assert [a.verdict for a in order.attempts] == [Verdict.ACCEPTED]
    assert rig.seen.events == [
        (OrderState.RECEIVED, "AttemptBegan", OrderState.SUBMITTING),
        (OrderState.SUBMITTING, "Reported", OrderState.OPEN),
    ]


def test_an_order_that_trades_at_once_is_filled_and_moves_the_position() -> None:
    rig = Rig()
    rig.exchange.fill_next.append([("99", "0.4"), ("100", "0.6")])
    order = rig.manager.submit(rig.order())
    assert order.state is OrderState.FILLED
    assert order.average == Decimal("99.6")
    position = rig.store.position(order.account, SYMBOL)
    assert (position.amount, position.cost) == (Decimal(1), Decimal("99.6"))


def test_fills_that_the_answer_does_not_tell_are_fetched() -> None:
    rig = Rig(tells=Tells.FILLED)
    rig.exchange.fill_next.append([("99", "0.4"), ("100", "0.6")])
    order = rig.manager.submit(rig.order())
    assert [f.amount for f in order.fills] == [Decimal("0.4"), Decimal("0.6")]
    assert "order_fills" in rig.exchange.calls
    assert rig.store.position(order.account, SYMBOL).amount == 1


def test_an_order_that_fills_in_parts_moves_the_position_by_each_part_once() -> None:
    rig = Rig()
    rig.exchange.fill_next.append([("99", "0.4")])
    order = rig.manager.submit(rig.order())
    assert rig.store.position(order.account, SYMBOL).amount == Decimal("0.4")
    rig.exchange.trade(order.client_order_id, "98", "0.6")
    order = rig.manager.cancel(order.order_id)
    assert order.state is OrderState.FILLED
    position = rig.store.position(order.account, SYMBOL)
    assert (position.amount, position.cost) == (Decimal(1), Decimal("98.4"))


def test_fills_that_cannot_be_fetched_now_are_fetched_by_the_sweep() -> None:
    rig = Rig(tells=Tells.FILLED)
    rig.exchange.fill_next.append([("99", "1")])
    rig.exchange.fail("order_fills")
    order = rig.manager.submit(rig.order())
    assert order.state is OrderState.FILLED
    assert order.fills_missing
    assert rig.store.position(order.account, SYMBOL).amount == 0
    rig.sweep(for_ms=2_000)
    assert not rig.stored(order).fills_missing
    assert rig.store.position(order.account, SYMBOL).amount == 1


def test_an_ended_order_with_all_its_fills_is_never_due_again() -> None:
    rig = Rig()
    rig.exchange.fill_next.append([("99", "1")])
    rig.manager.submit(rig.order())
    rig.clock.advance(10**9)
    assert rig.store.due(rig.clock.now_ms(), limit=10, lease_ms=1) == []


def test_the_write_ahead_is_stored_before_the_request_leaves() -> None:
    rig = Rig()
    order = rig.order()
    seen: list[Order] = []
    rig.exchange.on("place", lambda: seen.append(rig.stored(order)))
    rig.manager.submit(order)
    assert seen[0].state is OrderState.SUBMITTING
    assert seen[0].attempts[0].verdict is None


def test_the_request_carries_the_stamp_that_the_record_has() -> None:
    rig = Rig(offset_ms=1_234)
    order = rig.manager.submit(rig.order())
    sent, attempt = rig.exchange.requests[0]
    assert attempt.stamp_ms == rig.clock.now_ms() + 1_234
    assert attempt.valid_until_ms == attempt.stamp_ms + 5_000
    assert attempt == replace(order.attempts[0], verdict=None)
    assert sent.client_order_id == order.order_id


def test_a_signal_that_comes_twice_is_one_order() -> None:
    rig = Rig()
    first = rig.manager.submit(rig.order())
    rig.clock.advance(3_000)
    second = rig.manager.submit(rig.order())
    assert second == first
    assert (rig.placements, rig.accepted) == (1, 1)


def test_a_signal_that_two_workers_take_at_the_same_time_is_one_order() -> None:
    rig = Rig()
    other = rig.worker()

    def another_worker_is_faster() -> None:
        other.submit(rig.order())

    rig.exchange.on("measure_clock", another_worker_is_faster)
    first = rig.manager.submit(rig.order())
    assert first.state is OrderState.OPEN
    assert (rig.placements, rig.accepted) == (1, 1)


def test_a_signal_id_that_asks_for_something_else_is_refused_and_changes_nothing() -> None:
    rig = Rig()
    first = rig.manager.submit(rig.order())
    with pytest.raises(SignalReused, match="signal_id: 'signal-1' was used before"):
        rig.manager.submit(rig.order(amount=Decimal(2)))
    with pytest.raises(SignalReused):
        rig.manager.receive(rig.order(side=Side.SELL))
    assert rig.stored(first) == first
    assert rig.placements == 1


@pytest.mark.parametrize(
    "change",
    [
        {"account": "other"},
        {"symbol": "ETH/USDT"},
        {"side": Side.SELL},
        {"type": OrderType.MARKET, "price": None},
        {"time_in_force": TimeInForce.IOC},
        {"amount": Decimal(2)},
        {"price": Decimal(99)},
        {"strategy": "other"},
    ],
    ids=lambda change: "-".join(change),
)
def test_a_reused_signal_id_is_recognised_by_any_field_of_the_intent(
    change: dict[str, Any],
) -> None:
    rig = Rig()
    rig.manager.receive(rig.order())
    with pytest.raises(SignalReused):
        rig.manager.submit(rig.order(**change))


def test_the_same_amount_written_otherwise_is_the_same_intent() -> None:
    rig = Rig()
    rig.manager.receive(rig.order(amount=Decimal("1.0")))
    assert rig.manager.submit(rig.order(amount=Decimal("1.000"))).state is OrderState.OPEN


def test_an_order_is_received_without_being_sent_and_the_sweep_sends_it() -> None:
    rig = Rig()
    order = rig.manager.receive(rig.order())
    assert order.state is OrderState.RECEIVED
    assert rig.placements == 0
    rig.sweep(for_ms=500)
    assert rig.stored(order).state is OrderState.OPEN


def test_receiving_twice_keeps_the_first_record() -> None:
    rig = Rig()
    order = rig.manager.submit(rig.order())
    assert rig.manager.receive(rig.order()) == order


@pytest.mark.parametrize("how", ["submit", "receive"])
def test_the_intent_is_settled_with_the_record_also_when_it_comes_twice(how: str) -> None:
    rig = Rig()
    for _ in range(2):
        entry_id = rig.store.add_intent("orders.execute", "{}")
        getattr(rig.manager, how)(rig.order(entry_id=entry_id))
        assert rig.store.take_intents(10, 0) == []


def test_an_intent_that_reuses_a_signal_id_is_left_for_its_refusal() -> None:
    rig = Rig()
    rig.manager.submit(rig.order())
    entry_id = rig.store.add_intent("orders.execute", "{}")
    with pytest.raises(SignalReused):
        rig.manager.submit(rig.order(amount=Decimal(2), entry_id=entry_id))
    assert [i.entry_id for i in rig.store.take_intents(10, 0)] == [entry_id]


def test_an_account_that_is_not_configured_is_refused() -> None:
    rig = Rig()

    def no_such_account(name: str) -> Exchange:
        raise UnknownAccount(f"{name!r} is not configured")

    order = with_exchange(rig, no_such_account).submit(rig.order(account="nobody"))
    assert order.state is OrderState.REFUSED
    assert order.reason == "account: 'nobody' is not configured"
    assert rig.placements == 0


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"symbol": "NOPE/USDT"}, "symbol: 'NOPE/USDT' is not traded on account binance-main"),
        ({"amount": Decimal("0.0005")}, "amount: 0.0005 is not a multiple of the step 0.001"),
        ({"price": Decimal("100.001")}, "price: 100.001 is not a multiple of the tick 0.01"),
        ({"amount": Decimal("0.04")}, "amount: the notional 4 is below the minimum 5"),
    ],
    ids=["symbol", "step", "tick", "notional"],
)
def test_an_order_against_the_symbols_rules_is_refused_and_not_sent(
    change: dict[str, Any], reason: str
) -> None:
    rig = Rig()
    order = rig.manager.submit(rig.order(**change))
    assert (order.state, order.reason) == (OrderState.REFUSED, reason)
    assert rig.placements == 0


def test_a_rejected_order_says_why_and_is_never_sent_again() -> None:
    rig = Rig()
    rig.exchange.script.append(answers(Verdict.REJECTED, "insufficient balance"))
    order = rig.manager.submit(rig.order())
    assert (order.state, order.reason) == (OrderState.REJECTED, "insufficient balance")
    rig.sweep()
    assert rig.manager.submit(rig.order()).state is OrderState.REJECTED
    assert rig.placements == 1


def test_an_order_past_its_expiry_is_refused() -> None:
    rig = Rig()
    order = rig.order(expires_at=rig.clock.now())
    order = rig.manager.submit(order)
    assert order.state is OrderState.REFUSED
    assert order.reason is not None
    assert order.reason.startswith("expires_at: 2027-01-15T08:00:00+00:00 has passed")
    assert rig.placements == 0


def test_an_order_whose_next_attempt_would_come_after_its_expiry_is_refused() -> None:
    rig = Rig()
    rig.exchange.script.append(answers(Verdict.NOT_SENT, "too many orders"))
    order = rig.manager.submit(rig.order(expires_at=rig.clock.now() + timedelta(seconds=1)))
    assert order.state is OrderState.RECEIVED
    rig.sweep(for_ms=3_000)
    assert rig.stored(order).state is OrderState.REFUSED
    assert rig.placements == 1


def test_the_exchange_will_not_accept_an_attempt_after_the_signal_has_expired() -> None:
    rig = Rig()
    order = rig.manager.submit(rig.order(expires_at=rig.clock.now() + timedelta(seconds=2)))
    attempt = order.attempts[0]
    assert attempt.valid_until_ms - attempt.stamp_ms == 2_000


def test_the_window_is_the_settings_where_the_signal_does_not_expire_sooner() -> None:
    rig = Rig(recv_window_ms=3_000)
    order = rig.manager.submit(rig.order(expires_at=rig.clock.now() + timedelta(hours=2)))
    assert order.attempts[0].valid_until_ms - order.attempts[0].stamp_ms == 3_000


def test_the_window_is_never_longer_than_the_exchange_allows() -> None:
    rig = Rig(recv_window_ms=600_000)
    order = rig.manager.submit(rig.order())
    assert order.attempts[0].valid_until_ms - order.attempts[0].stamp_ms == 60_000


def test_an_attempt_that_was_not_sent_is_followed_by_another() -> None:
    rig = Rig()
    rig.exchange.script.append(answers(Verdict.NOT_SENT, "connection refused"))
    order = rig.manager.submit(rig.order())
    assert (order.state, order.reason) == (OrderState.RECEIVED, "connection refused")
    rig.sweep(for_ms=2_000)
    order = rig.stored(order)
    assert order.state is OrderState.OPEN
    assert [a.verdict for a in order.attempts] == [Verdict.NOT_SENT, Verdict.ACCEPTED]
    assert [a.number for _, a in rig.exchange.requests] == [1, 2]


def test_attempts_end_with_the_reason_of_the_last() -> None:
    rig = Rig(attempts_max=3)
    for number in range(5):
        rig.exchange.script.append(answers(Verdict.NOT_SENT, f"no {number}"))
    order = rig.manager.submit(rig.order())
    rig.sweep()
    order = rig.stored(order)
    assert order.state is OrderState.REFUSED
    assert order.reason == "not sent in 3 attempts, the last one because: no 2"
    assert rig.placements == 3


def test_pauses_between_attempts_grow() -> None:
    rig = Rig()
    rig.exchange.script.extend([answers(Verdict.NOT_SENT)] * 4)
    rig.manager.submit(rig.order())
    rig.sweep()
    stamps = [attempt.stamp_ms for _, attempt in rig.exchange.requests]
    pauses = [later - earlier for earlier, later in pairwise(stamps)]
    assert pauses == [1_000, 2_000, 4_000, 8_000]


def test_patience_doubles_up_to_its_maximum() -> None:
    patience = RetrySchedule()
    waits = [patience.backoff_after(attempts) for attempts in (0, 1, 2, 5, 6, 7, 1_000_000)]
    assert waits == [500, 1_000, 2_000, 16_000, 30_000, 30_000, 30_000]


def test_an_exchange_that_asks_to_be_left_alone_gets_nothing_until_then() -> None:
    rig = Rig()
    rig.exchange.script.append(answers(Verdict.NOT_SENT, "too many requests", retry_after_s=20))
    order = rig.manager.submit(rig.order())
    second = rig.manager.submit(rig.order(signal_id="signal-2"))
    assert second.state is OrderState.RECEIVED
    rig.sweep(for_ms=19_000)
    assert rig.placements == 1
    rig.sweep(for_ms=30_000)
    assert rig.stored(order).state is OrderState.OPEN
    assert rig.stored(second).state is OrderState.OPEN
    assert rig.accepted == 2


def test_one_account_on_hold_does_not_hold_another() -> None:
    rig = Rig()
    rig.store.hold("binance-other", 100)
    assert rig.manager.submit(rig.order()).state is OrderState.OPEN


@pytest.mark.parametrize("question", ["market", "measure_clock"])
def test_an_exchange_out_of_reach_before_the_first_attempt_keeps_the_order_received(
    question: str,
) -> None:
    rig = Rig()
    rig.exchange.fail(question)
    order = rig.manager.submit(rig.order())
    assert order.state is OrderState.RECEIVED
    assert order.attempts == ()
    assert rig.stored(order) == order
    assert rig.placements == 0
    rig.sweep(for_ms=2_000)
    assert rig.stored(order).state is OrderState.OPEN


def test_an_exchange_whose_markets_cannot_be_loaded_keeps_the_order_received() -> None:
    rig = Rig()

    def unreachable(_: str) -> Exchange:
        raise ExchangeUnavailable("no answer", retry_after_s=5)

    order = with_exchange(rig, unreachable).submit(rig.order())
    assert order.state is OrderState.RECEIVED
    held = rig.manager.submit(rig.order(signal_id="signal-2"))
    assert held.state is OrderState.RECEIVED, "the account should be on hold"
    assert rig.placements == 0


def test_an_unknown_order_cannot_be_moved_on() -> None:
    rig = Rig()
    with pytest.raises(UnknownOrder, match="'oo-nothing' is not known"):
        rig.manager.advance_by_id("oo-nothing")
    with pytest.raises(UnknownOrder):
        rig.manager.cancel("oo-nothing")


def test_an_accepted_verdict_without_a_report_is_looked_up() -> None:
    rig = Rig()

    def says_yes_and_no_more(exchange: FakeExchange, *sent: Any) -> Outcome:
        arrives(exchange, *sent)
        return Outcome(Verdict.ACCEPTED)

    rig.exchange.script.append(says_yes_and_no_more)
    assert rig.manager.submit(rig.order()).state is OrderState.OPEN
    assert rig.exchange.calls[-1] == "lookup"


def test_every_change_moves_the_time_of_the_record() -> None:
    rig = Rig()
    rig.exchange.script.append(is_lost)
    rig.exchange.on("lookup", lambda: rig.clock.advance(700))
    order = rig.manager.submit(rig.order())
    assert order.updated_at == order.created_at
    rig.sweep()
    assert rig.stored(order).updated_at > order.created_at + timedelta(seconds=5)


def test_an_order_that_expires_while_the_clock_is_measured_is_not_sent() -> None:
    rig = Rig()
    rig.exchange.on("measure_clock", lambda: rig.clock.advance(3_000))
    order = rig.manager.submit(rig.order(expires_at=rig.clock.now() + timedelta(seconds=2)))
    assert rig.placements == 0
    assert order.state is OrderState.REFUSED


def test_a_shorter_wait_does_not_end_a_longer_one() -> None:
    rig = Rig()
    rig.store.hold(ACCOUNT, 120)
    rig.store.hold(ACCOUNT, 1)
    order = rig.manager.receive(rig.order())
    rig.sweep(for_ms=60_000)
    assert rig.placements == 0
    assert rig.stored(order).state is OrderState.RECEIVED


def test_amounts_of_more_than_28_digits_add_up_exactly() -> None:
    amount = "12345678901.000000000000000001"
    rig = Rig()
    free = replace(MARKET, amount_step=None, price_tick=None)
    rig.exchange.markets[SYMBOL] = free
    rig.exchange.fill_next.append([("1", amount), ("1", amount)])
    order = rig.manager.submit(rig.order(amount=Decimal("24691357802.000000000000000002")))
    assert order.filled == Decimal("24691357802.000000000000000002")
    assert order.state is OrderState.FILLED


def only_acknowledges(exchange: FakeExchange, order: Order, attempt: Attempt) -> Outcome:
    """The exchange says that it has the order, and nothing of what became of it."""
    told = exchange.arrive(order, attempt).report
    assert told is not None
    report = OrderReport(told.exchange_order_id, told.client_order_id, told.symbol, OrderState.OPEN)
    return Outcome(Verdict.ACCEPTED, report)


@pytest.mark.parametrize(
    "terms",
    [
        {"time_in_force": TimeInForce.IOC},
        {"time_in_force": TimeInForce.FOK},
        {"type": OrderType.MARKET, "price": None},
    ],
)
def test_what_became_of_an_order_that_never_rests_is_asked_at_once(terms: dict[str, Any]) -> None:
    rig = Rig()
    rig.exchange.script.append(only_acknowledges)
    rig.exchange.fill_next.append([("99", "1")])
    order = rig.manager.submit(rig.order(**terms))
    assert (order.state, order.filled, order.fills_missing) == (OrderState.FILLED, 1, False)


def test_an_order_that_never_rests_and_is_not_shown_yet_is_asked_after_again() -> None:
    rig = Rig(read_lag_ms=1_500)
    rig.exchange.script.append(only_acknowledges)
    order = rig.manager.submit(rig.order(time_in_force=TimeInForce.IOC))
    assert order.state is OrderState.OPEN
    rig.sweep(for_ms=5_000)
    assert rig.stored(order).state is OrderState.EXPIRED


def test_an_order_that_may_rest_is_not_asked_after_for_nothing() -> None:
    rig = Rig()
    rig.manager.submit(rig.order())
    rig.sweep(for_ms=5_000)
    assert "lookup" not in rig.exchange.calls
