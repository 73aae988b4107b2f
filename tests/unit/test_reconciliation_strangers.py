"""What reconciling makes of trades and balances that are not ours, by the policy for drift."""

from dataclasses import replace
from decimal import Decimal

import pytest
from fakes import ACCOUNT, SYMBOL, Desk

from execution.model.order import EXTERNAL, Attempt, OrderState, Side
from execution.reconciliation.run import DriftPolicy

ADOPT, HALT = DriftPolicy.ADOPT, DriftPolicy.HALT


def a_desk_that_knows_its_balances() -> Desk:
    """Opening balances are believed once two looks agree on them."""
    desk = Desk()
    for _ in range(2):
        desk.reconcile()
        desk.clock.advance(1_000)
    return desk


def somebody_trades(desk: Desk, price: str = "99", amount: str = "1", side: Side = Side.BUY) -> str:
    """Another program places an order with the same key, and it trades."""
    number = len(desk.exchange.standing)
    order = desk.order(signal_id=f"by hand {number}", side=side, amount=Decimal(amount))
    order = replace(order, client_order_id=f"by-hand-{number}")
    desk.exchange.arrive(order, an_attempt(desk))
    desk.exchange.trade(order.client_order_id, price, amount)
    return desk.exchange.standing[-1].exchange_order_id


def an_attempt(desk: Desk) -> Attempt:
    now_ms = desk.clock.now_ms()
    return Attempt(1, now_ms, now_ms + 5_000, now_ms + 6_000)


def test_a_strangers_trade_in_a_symbol_never_traded_is_found_by_what_it_moved() -> None:
    desk = a_desk_that_knows_its_balances()
    exchange_id = somebody_trades(desk)
    found = desk.reconcile()
    assert found.symbols == [SYMBOL]
    assert found.external_orders == [f"{SYMBOL} {exchange_id}"]
    assert found.drift == {}
    assert desk.store.position(ACCOUNT, SYMBOL).amount == 0


def test_a_strangers_trade_explains_the_balances_from_then_on() -> None:
    desk = a_desk_that_knows_its_balances()
    somebody_trades(desk)
    desk.reconcile()
    again = desk.reconcile()
    assert (again.external_orders, again.drift, again.balances_checked) == ([], {}, True)


def test_with_adopt_a_strangers_trade_moves_the_position_once() -> None:
    desk = a_desk_that_knows_its_balances()
    somebody_trades(desk, "99", "1")
    found = desk.reconcile(ADOPT)
    assert (found.fills_applied, found.external_orders) == (1, [])
    assert desk.reconcile(ADOPT).fills_applied == 0
    position = desk.store.position(ACCOUNT, SYMBOL)
    assert (position.amount, position.entry_price) == (Decimal(1), Decimal(99))
    (adopted,) = desk.store.orders()
    assert (adopted.strategy, adopted.state) == (EXTERNAL, OrderState.FILLED)
    assert desk.reconcile(ADOPT).drift == {}


def test_with_halt_a_strangers_trade_stops_the_account_until_a_person_resumes_it() -> None:
    desk = a_desk_that_knows_its_balances()
    somebody_trades(desk)
    assert desk.reconcile(HALT).halted
    refused = desk.manager.submit(desk.order())
    assert refused.state is OrderState.REFUSED
    assert (refused.reason or "").startswith("halted: reconciliation found orders that are not our")
    assert desk.store.resume(ACCOUNT)
    assert desk.manager.submit(desk.order(signal_id="signal-2")).state is OrderState.OPEN


def test_a_deposit_is_drift_which_the_second_look_confirms() -> None:
    desk = a_desk_that_knows_its_balances()
    desk.exchange.deposits["USDT"] += 500
    first, second = desk.reconcile(), desk.reconcile()
    assert first.drift == second.drift == {"USDT": Decimal(500)}
    assert (first.drift_confirmed, second.drift_confirmed) == (False, True)


def test_with_adopt_confirmed_drift_is_taken_as_given() -> None:
    desk = a_desk_that_knows_its_balances()
    desk.exchange.deposits["ETH"] -= 3
    assert desk.reconcile(ADOPT).drift == {"ETH": Decimal(-3)}
    assert desk.reconcile(ADOPT).drift_confirmed
    assert desk.reconcile(ADOPT).drift == {}


def test_with_halt_unconfirmed_drift_stops_nothing() -> None:
    desk = a_desk_that_knows_its_balances()
    desk.exchange.deposits["ETH"] -= 3
    assert not desk.reconcile(HALT).halted
    assert desk.reconcile(HALT).halted
    assert [halt.account for halt in desk.store.halts()] == [ACCOUNT]


def test_our_own_fills_are_no_drift() -> None:
    desk = Desk(fee_asset="BTC", taker_fee=Decimal("0.001"))
    for _ in range(2):
        desk.reconcile()
    desk.exchange.fill_next.append([("99", "0.4"), ("99.5", "0.6")])
    desk.manager.submit(desk.order())
    found = desk.reconcile()
    assert (found.balances_checked, found.drift) == (True, {})


def test_fills_that_come_between_the_questions_are_no_drift() -> None:
    desk = a_desk_that_knows_its_balances()
    order = desk.manager.submit(desk.order())
    desk.exchange.trade(order.client_order_id, "99", "0.25")
    desk.exchange.on(
        "fills_since", lambda: desk.exchange.trade(order.client_order_id, "98", "0.25")
    )
    found = desk.reconcile()
    assert (found.fills_applied, found.drift) == (2, {})


@pytest.mark.parametrize("blank", [{}, {"USDT": Decimal(0), "BTC": Decimal(0)}])
def test_an_account_that_is_told_to_be_empty_is_no_evidence(blank: dict[str, Decimal]) -> None:
    desk = a_desk_that_knows_its_balances()
    desk.exchange.deposits = blank
    found = desk.reconcile(HALT)
    assert (found.balances_checked, found.drift, found.halted) == (False, {}, False)


def test_a_trade_whose_order_is_not_shown_yet_is_read_again() -> None:
    desk = a_desk_that_knows_its_balances()
    desk.manager.submit(desk.order())
    somebody_trades(desk)
    hidden = desk.exchange.standing[-1]
    desk.exchange.on("fetch", lambda: desk.exchange.standing.remove(hidden))
    assert desk.reconcile().external_orders == []
    desk.exchange.standing.append(hidden)
    assert len(desk.reconcile().external_orders) == 1


def test_a_strangers_open_order_is_named_while_it_stands() -> None:
    desk = a_desk_that_knows_its_balances()
    desk.manager.submit(desk.order())
    order = desk.order(signal_id="x")
    desk.exchange.arrive(replace(order, client_order_id="by-hand"), an_attempt(desk))
    found = desk.reconcile()
    exchange_id = desk.exchange.standing[-1].exchange_order_id
    assert found.external_open_orders == [f"{SYMBOL} {exchange_id}"]
    assert found.external_orders == []


def test_an_order_of_ours_that_nobody_remembers_is_adopted_and_its_signal_is_known() -> None:
    desk = a_desk_that_knows_its_balances()
    order = desk.order()
    desk.exchange.fill_next.append([("99", "0.5")])
    desk.exchange.arrive(order, an_attempt(desk))
    found = desk.reconcile()
    assert (found.orders_adopted, found.fills_applied) == ([order.order_id], 1)
    assert desk.stored(order).state is OrderState.OPEN
    assert desk.manager.submit(order).filled == Decimal("0.5")
    assert desk.accepted == 1


def test_an_open_order_of_ours_without_trades_is_adopted_too() -> None:
    desk = a_desk_that_knows_its_balances()
    desk.manager.submit(desk.order())
    forgotten = desk.order(signal_id="signal-2")
    desk.exchange.arrive(forgotten, an_attempt(desk))
    assert desk.reconcile().orders_adopted == [forgotten.order_id]
    assert desk.stored(forgotten).state is OrderState.OPEN


def test_every_run_is_on_record_also_one_that_failed() -> None:
    desk = Desk()
    desk.reconcile()
    desk.exchange.fail("balances")
    with pytest.raises(Exception, match="balances: no answer"):
        desk.reconcile()
    last, first = desk.book.runs(10)
    assert (first.error, first.calls) == (None, {"balances": 1})
    assert last.error == "balances: no answer"
    assert [run.account for run in desk.announced] == [ACCOUNT, ACCOUNT]


def test_what_a_run_asks_does_not_grow_with_history() -> None:
    desk = a_desk_that_knows_its_balances()
    calls = []
    for number in range(5):
        desk.exchange.fill_next.append([("99", "1")])
        desk.manager.submit(desk.order(signal_id=f"signal-{number}"))
        desk.exchange.calls.clear()
        desk.reconcile()
        calls.append(len(desk.exchange.calls))
    assert len(set(calls[1:])) == 1
