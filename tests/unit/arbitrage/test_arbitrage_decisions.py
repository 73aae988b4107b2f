"""What happens to an arbitrage next: every case as a row of a table."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from execution.arbitrage.decisions import (
    Limits,
    Move,
    ended,
    first_legs,
    kept_waiting,
    looked_again,
    not_sent,
    possible_hedges,
    settled,
)
from execution.arbitrage.model import Arbitrage, ArbitrageState, Leg, LegRole, Result
from execution.model.order import Order, OrderState, OrderType, Side
from execution.orders.factory import new_order
from oneorder.identifiers import order_id_of
from tests.support.clock import EPOCH, START_MS
from tests.support.exchange import SYMBOL

NOW = EPOCH + timedelta(milliseconds=START_MS)
LIMITS = Limits()
BOTH = (Leg(LegRole.BUY, "here", "oo1"), Leg(LegRole.SELL, "there", "oo2"))
EVEN = Result(bought=Decimal(1), sold=Decimal(1))
UNEVEN = Result(bought=Decimal(1), sold=Decimal("0.4"))
LONG = timedelta(milliseconds=LIMITS.patience_ms + 1)


def arbitrage(state: ArbitrageState, **changes: Any) -> Arbitrage:
    made = Arbitrage(
        arbitrage_id="oa1",
        signal_id="signal-1",
        symbol=SYMBOL,
        buy_account="here",
        sell_account="there",
        amount=Decimal(1),
        min_profit_bps=Decimal(10),
        max_loss_bps=Decimal(50),
        created_at=NOW,
        updated_at=NOW,
        state=state,
        version=1,
        legs=() if state is ArbitrageState.RECEIVED else BOTH,
    )
    return replace(made, **changes)


RECEIVED = arbitrage(ArbitrageState.RECEIVED)
OPEN = arbitrage(ArbitrageState.OPEN)
BALANCING = arbitrage(ArbitrageState.BALANCING, result=UNEVEN)
CLOSED = arbitrage(ArbitrageState.CLOSED, result=EVEN)
IMBALANCED = arbitrage(ArbitrageState.IMBALANCED, result=UNEVEN)


def legs_as(*states: OrderState) -> dict[str, Order]:
    leg = new_order(
        signal_id="signal-1:buy",
        account="here",
        symbol=SYMBOL,
        side=Side.BUY,
        type=OrderType.LIMIT,
        amount=Decimal(1),
        price=Decimal(100),
        now=NOW,
    )
    pairs = zip(BOTH, states, strict=True)
    return {one.order_id: replace(leg, order_id=one.order_id, state=state) for one, state in pairs}


@pytest.mark.parametrize(
    ("states", "result", "expected"),
    [
        ((OrderState.FILLED, OrderState.SUBMITTING), UNEVEN, None),
        ((OrderState.FILLED, OrderState.OPEN), UNEVEN, None),
        (
            (OrderState.FILLED, OrderState.QUARANTINED),
            replace(UNEVEN, unknown=("oo2",)),
            ArbitrageState.IMBALANCED,
        ),
        ((OrderState.FILLED, OrderState.FILLED), EVEN, ArbitrageState.CLOSED),
        ((OrderState.EXPIRED, OrderState.EXPIRED), Result(), ArbitrageState.CLOSED),
    ],
)
def test_legs_are_waited_for_and_then_make_the_end(
    states: tuple[OrderState, ...], result: Result, expected: ArbitrageState | None
) -> None:
    move = settled(OPEN, legs_as(*states), result, LIMITS)
    assert move is not None
    assert (move.after is OPEN) is (expected is None)
    assert expected in (None, move.after.state)


def test_legs_that_differ_are_to_be_worked_off() -> None:
    assert settled(OPEN, legs_as(OrderState.FILLED, OrderState.EXPIRED), UNEVEN, LIMITS) is None


@pytest.mark.parametrize(
    ("before", "waited", "state"),
    [
        (RECEIVED, timedelta(), ArbitrageState.REFUSED),
        (OPEN, LONG, ArbitrageState.BALANCING),
        (BALANCING, timedelta(), ArbitrageState.BALANCING),
        (BALANCING, LONG, ArbitrageState.IMBALANCED),
    ],
)
def test_what_cannot_be_sent_is_refused_at_first_and_waited_for_later(
    before: Arbitrage, waited: timedelta, state: ArbitrageState
) -> None:
    assert not_sent(before, "why", UNEVEN, NOW + waited, LIMITS).after.state is state


def test_waiting_is_written_once() -> None:
    first = kept_waiting(OPEN, UNEVEN, LIMITS)
    assert (first.after.state, first.after.result) == (ArbitrageState.BALANCING, UNEVEN)
    assert kept_waiting(first.after, UNEVEN, LIMITS).after is first.after


@pytest.mark.parametrize(
    ("state", "before", "wait_ms"),
    [
        (ArbitrageState.REFUSED, RECEIVED, None),
        (ArbitrageState.CLOSED, OPEN, LIMITS.audit_ms),
        (ArbitrageState.IMBALANCED, BALANCING, LIMITS.recheck_ms),
    ],
)
def test_what_has_ended_is_looked_at_again_if_orders_of_it_may_still_trade(
    state: ArbitrageState, before: Arbitrage, wait_ms: int | None
) -> None:
    assert ended(before, state, "why", UNEVEN, LIMITS).wait_ms == wait_ms


AUDITED = timedelta(milliseconds=LIMITS.audit_ms)
ANNOUNCED = replace(IMBALANCED, is_announced=True)


@pytest.mark.parametrize(
    ("before", "result", "age", "move"),
    [
        (CLOSED, EVEN, timedelta(), None),
        (CLOSED, EVEN, AUDITED, Move(CLOSED, None)),
        (
            CLOSED,
            UNEVEN,
            AUDITED,
            Move(replace(CLOSED, state=ArbitrageState.BALANCING), LIMITS.recheck_ms),
        ),
        (IMBALANCED, UNEVEN, timedelta(), Move(ANNOUNCED, LIMITS.audit_ms)),
        (ANNOUNCED, UNEVEN, AUDITED, Move(ANNOUNCED, LIMITS.audit_ms)),
    ],
)
def test_an_end_is_looked_at_again(
    before: Arbitrage, result: Result, age: timedelta, move: Move | None
) -> None:
    assert looked_again(before, result, NOW + age, LIMITS) == move


def test_every_order_that_an_arbitrage_may_send_has_an_id_of_its_own() -> None:
    hedges = possible_hedges(OPEN, UNEVEN, LIMITS)
    ids = {order_id_of(one.signal_id(OPEN)) for one in (*first_legs(OPEN), *hedges)}
    assert len(ids) == 2 + 2 * LIMITS.hedges_max
    sent = Leg(hedges[0].role, hedges[0].account, order_id_of(hedges[0].signal_id(OPEN)))
    assert possible_hedges(replace(OPEN, legs=(*BOTH, sent)), UNEVEN, LIMITS) == hedges[1:]
