"""What the state machine does beyond the state itself: attempts, fills, averages, versions."""

from dataclasses import replace
from decimal import Decimal

import pytest

from execution.model.errors import IllegalTransition
from execution.model.events import (
    AttemptBegan,
    AttemptDied,
    AttemptUnknown,
    CancelRequested,
    Event,
    Refused,
    Rejected,
    Reported,
    Withdrawn,
)
from execution.model.order import Attempt, Fill, Order, OrderReport, OrderState, Verdict
from execution.model.transitions import transition
from tests.support.clock import START_MS
from tests.support.fakes import Rig, fill


def began(number: int) -> AttemptBegan:
    stamp_ms = START_MS + number * 10_000
    return AttemptBegan(Attempt(number, stamp_ms, stamp_ms + 5_000, stamp_ms + 7_000))


def after(*events: Event, order: Order | None = None) -> Order:
    order = order or Rig().order()
    for event in events:
        order = transition(order, event)
    return order


def told(
    status: str = "open",
    filled: str | None = None,
    fills: tuple[Fill, ...] = (),
    exchange_order_id: str = "77",
    average: str | None = None,
) -> Reported:
    return Reported(
        OrderReport(
            exchange_order_id,
            None,
            "BTC/USDT",
            OrderState(status),
            None if filled is None else Decimal(filled),
            None if average is None else Decimal(average),
            fills,
        )
    )


SECOND_ATTEMPT = (began(1), AttemptDied(1, "it never arrived"), began(2))


@pytest.mark.parametrize(
    "late", [AttemptUnknown(1, "late"), AttemptDied(1, "late"), Rejected(1, "late")]
)
def test_a_late_verdict_on_an_older_attempt_changes_nothing(late: Event) -> None:
    second = after(*SECOND_ATTEMPT)
    assert transition(second, late) is second


@pytest.mark.parametrize(
    "early", [AttemptUnknown(2, "early"), AttemptDied(2, "early"), Rejected(2, "early")]
)
def test_a_verdict_on_an_attempt_that_was_not_begun_changes_nothing(early: Event) -> None:
    first = after(began(1))
    assert transition(first, early) is first


def test_a_verdict_is_written_on_its_own_attempt_alone() -> None:
    order = after(*SECOND_ATTEMPT, Rejected(2, "no money"))
    assert [a.verdict for a in order.attempts] == [Verdict.NOT_SENT, Verdict.REJECTED]
    assert [a.reason for a in order.attempts] == ["it never arrived", "no money"]
    assert order.reason == "no money"


def test_an_unknown_attempt_keeps_the_order_submitting_with_the_reason_on_the_attempt() -> None:
    order = after(began(1), AttemptUnknown(1, "no answer"))
    assert order.state is OrderState.SUBMITTING
    assert order.attempts[0].verdict is Verdict.UNKNOWN
    assert order.reason is None


def test_a_new_attempt_forgets_why_the_last_one_died() -> None:
    assert after(began(1), AttemptDied(1, "too late")).reason == "too late"
    assert after(*SECOND_ATTEMPT).reason is None


@pytest.mark.parametrize("number", [0, 2, 3])
def test_attempts_are_begun_in_their_order(number: int) -> None:
    with pytest.raises(IllegalTransition, match="where 1 is next"):
        after(began(number))


def test_a_report_under_another_exchange_id_is_illegal() -> None:
    order = after(began(1), told(exchange_order_id="77"))
    with pytest.raises(IllegalTransition, match="77 at the exchange, and now also 78"):
        transition(order, told(exchange_order_id="78"))


def test_a_report_is_proof_that_the_attempt_was_accepted() -> None:
    order = after(began(1), AttemptUnknown(1, "no answer"), told())
    assert order.attempts[0].verdict is Verdict.ACCEPTED
    assert order.attempts[0].reason is None
    assert order.exchange_order_id == "77"


def test_an_order_that_was_believed_dead_and_is_found_is_open_all_the_same() -> None:
    order = after(began(1), AttemptDied(1, "it never arrived"), told())
    assert order.state is OrderState.OPEN
    assert order.reason is None
    assert order.attempts[0].verdict is Verdict.ACCEPTED


def test_a_cancel_request_stays_on_an_order_whose_attempt_died() -> None:
    order = after(began(1), CancelRequested(), AttemptDied(1, "it never arrived"))
    assert order.state is OrderState.RECEIVED
    assert order.cancel_requested
    order = transition(order, Withdrawn("canceled before it was sent"))
    assert (order.state, order.reason) == (OrderState.CANCELED, "canceled before it was sent")
    assert order.attempts[0].verdict is Verdict.NOT_SENT


@pytest.mark.parametrize("kind", [AttemptUnknown, AttemptDied, Rejected])
def test_a_verdict_on_an_attempt_of_that_number_with_another_stamp_changes_nothing(
    kind: type[AttemptUnknown | AttemptDied | Rejected],
) -> None:
    """A store that came back from before an attempt gives its number to another one."""
    first = after(began(1))
    stamp_ms = first.attempts[0].stamp_ms
    assert transition(first, kind(1, "of the lost one", stamp_ms - 1)) is first
    assert transition(first, kind(1, "of this one", stamp_ms)) is not first


def test_a_cancel_request_on_an_order_under_way_survives_that_the_order_is_found() -> None:
    order = after(began(1), CancelRequested(), told())
    assert order.state is OrderState.OPEN
    assert order.cancel_requested


def test_a_late_fill_after_canceled_is_counted_and_the_order_stays_canceled() -> None:
    order = after(began(1), told("canceled", "0"))
    order = transition(order, told("canceled", "0.4", (fill("1", "buy", "0.4", "99"),)))
    assert order.state is OrderState.CANCELED
    assert order.filled == Decimal("0.4")


@pytest.mark.parametrize("ended", ["canceled", "expired"])
def test_a_late_fill_that_completes_an_ended_order_makes_it_filled(ended: str) -> None:
    order = after(began(1), told(ended, "0.4", (fill("1", "buy", "0.4", "99"),)))
    order = transition(order, told(ended, "1", (fill("2", "buy", "0.6", "98"),)))
    assert order.state is OrderState.FILLED
    assert order.filled == Decimal(1)


def test_fills_that_add_up_to_the_amount_fill_the_order_whatever_the_status_says() -> None:
    halves = (fill("1", "buy", "0.5", "99"), fill("2", "buy", "0.5", "98"))
    assert after(began(1), told("open", None, halves)).state is OrderState.FILLED


def test_a_fill_reported_twice_counts_once() -> None:
    half = fill("1", "buy", "0.5", "99")
    order = after(began(1), told("open", "0.5", (half,)))
    assert transition(order, told("open", "0.5", (half, half))) is order
    order = transition(order, told("open", None, (half, fill("2", "buy", "0.25", "98"))))
    assert [f.trade_id for f in order.fills] == ["1", "2"]
    assert order.filled == Decimal("0.75")


def test_one_report_with_a_fill_twice_counts_it_once() -> None:
    half = fill("1", "buy", "0.5", "99")
    assert after(began(1), told("open", "0.5", (half, half))).fills == (half,)


def test_known_fills_come_first_and_keep_their_order() -> None:
    order = after(began(1), told("open", None, (fill("9", "buy", "0.1", "99"),)))
    order = transition(order, told("open", None, (fill("3", "buy", "0.1", "98"),)))
    assert [f.trade_id for f in order.fills] == ["9", "3"]


def test_an_older_answer_never_takes_a_filled_amount_back() -> None:
    order = after(began(1), told("open", "0.5"))
    assert transition(order, told("open", "0.2")) is order
    assert transition(order, told("open", None)) is order


def test_an_order_filled_further_than_its_known_fills_misses_some() -> None:
    order = after(began(1), told("open", "0.5"))
    assert order.fills_missing
    order = transition(order, told("open", "0.5", (fill("1", "buy", "0.5", "99"),)))
    assert not order.fills_missing


def test_the_average_comes_exactly_from_the_fills_once_they_are_all_known() -> None:
    fills = (fill("1", "buy", "0.001", "100.01"), fill("2", "buy", "0.002", "100.04"))
    order = after(began(1), told("open", "0.003", fills, average="100"))
    assert order.average == Decimal("100.03")


def test_the_average_is_the_exchanges_own_while_fills_are_missing() -> None:
    order = after(began(1), told("open", "0.5", average="99.5"))
    assert order.average == Decimal("99.5")
    assert transition(order, told("open", "0.6")).average == Decimal("99.5")


def test_an_order_without_fills_has_no_average() -> None:
    assert after(began(1), told("open", "0", average="0")).average is None


def test_fees_are_added_up_by_asset() -> None:
    fills = (
        fill("1", "buy", "0.4", "99", [("BNB", "0.1"), ("USDT", "0.02")]),
        fill("2", "buy", "0.4", "99", [("BNB", "0.2")]),
    )
    fees = after(began(1), told("open", None, fills)).fees
    assert fees == {"BNB": Decimal("0.3"), "USDT": Decimal("0.02")}


FINAL = [OrderState.FILLED, OrderState.CANCELED, OrderState.EXPIRED, OrderState.REJECTED]


@pytest.mark.parametrize("state", FINAL)
@pytest.mark.parametrize("status", ["open", "canceled", "expired", "rejected"])
def test_no_report_reopens_an_order_that_has_ended(state: OrderState, status: str) -> None:
    ended = replace(after(began(1), told()), state=state, filled=Decimal(0))
    assert transition(ended, told(status, "0")).state is state


def test_a_report_without_news_keeps_the_reason_of_an_ended_order() -> None:
    order = after(Withdrawn("canceled before it was sent"))
    found = transition(order, told("canceled"))
    assert found.reason == "canceled before it was sent"


def test_each_change_counts_one_version_and_no_change_returns_the_same_order() -> None:
    order = Rig().order()
    versions = []
    for event in (began(1), AttemptUnknown(1, "?"), AttemptUnknown(1, "?"), told(), told()):
        order = transition(order, event)
        versions.append(order.version)
    assert versions == [1, 2, 2, 3, 3]


def test_what_is_illegal_leaves_the_order_as_it_was() -> None:
    order = after(began(1), told())
    kept = replace(order)
    with pytest.raises(IllegalTransition, match="Refused cannot happen to an order that is open"):
        transition(order, Refused("too late"))
    assert order == kept


def test_a_transition_never_touches_the_time_it_is_not_its_business() -> None:
    order = after(began(1), told())
    assert order.updated_at == Rig().order().updated_at
