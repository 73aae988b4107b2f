"""What reconciling makes of trades and balances that are not ours, by the policy for drift."""

from dataclasses import replace
from decimal import Decimal

import pytest

from execution.model.order import EXTERNAL, Attempt, OrderState, Side
from execution.reconciliation.run import DriftPolicy
from tests.support.exchange import SYMBOL
from tests.support.fakes import ACCOUNT, Rig

ADOPT, HALT = DriftPolicy.ADOPT, DriftPolicy.HALT


def a_desk_that_knows_its_balances() -> Rig:
    """Opening balances are believed once two looks agree on them."""
    rig = Rig()
    for _ in range(2):
        rig.reconcile()
        rig.clock.advance(1_000)
    return rig


def somebody_trades(rig: Rig, price: str = "99", amount: str = "1", side: Side = Side.BUY) -> str:
    """Another program places an order with the same key, and it trades."""
    number = len(rig.exchange.standing)
    order = rig.order(signal_id=f"by hand {number}", side=side, amount=Decimal(amount))
    order = replace(order, client_order_id=f"by-hand-{number}")
    rig.exchange.arrive(order, an_attempt(rig))
    rig.exchange.trade(order.client_order_id, price, amount)
    return rig.exchange.standing[-1].exchange_order_id


def an_attempt(rig: Rig) -> Attempt:
    now_ms = rig.clock.now_ms()
    return Attempt(1, now_ms, now_ms + 5_000, now_ms + 6_000)


def test_an_external_trade_in_a_symbol_never_traded_is_found_by_what_it_moved() -> None:
    rig = a_desk_that_knows_its_balances()
    exchange_id = somebody_trades(rig)
    found = rig.reconcile()
    assert found.symbols == [SYMBOL]
    assert found.external_orders == [f"{SYMBOL} {exchange_id}"]
    assert found.drift == {}
    assert rig.store.position(ACCOUNT, SYMBOL).amount == 0


def test_an_external_trade_explains_the_balances_from_then_on() -> None:
    rig = a_desk_that_knows_its_balances()
    somebody_trades(rig)
    rig.reconcile()
    again = rig.reconcile()
    assert (again.external_orders, again.drift, again.balances_checked) == ([], {}, True)


def test_with_adopt_an_external_trade_moves_the_position_once() -> None:
    rig = a_desk_that_knows_its_balances()
    somebody_trades(rig, "99", "1")
    found = rig.reconcile(ADOPT)
    assert (found.fills_applied, found.external_orders) == (1, [])
    assert rig.reconcile(ADOPT).fills_applied == 0
    position = rig.store.position(ACCOUNT, SYMBOL)
    assert (position.amount, position.entry_price) == (Decimal(1), Decimal(99))
    (adopted,) = rig.store.orders()
    assert (adopted.strategy, adopted.state) == (EXTERNAL, OrderState.FILLED)
    assert rig.reconcile(ADOPT).drift == {}


def test_with_halt_an_external_trade_stops_the_account_until_it_is_resumed() -> None:
    rig = a_desk_that_knows_its_balances()
    somebody_trades(rig)
    assert rig.reconcile(HALT).halted
    refused = rig.manager.submit(rig.order())
    assert refused.state is OrderState.REFUSED
    assert (refused.reason or "").startswith("halted: reconciliation found external orders: ")
    assert rig.store.resume(ACCOUNT)
    assert rig.manager.submit(rig.order(signal_id="signal-2")).state is OrderState.OPEN


def test_a_deposit_is_drift_which_the_second_run_confirms() -> None:
    rig = a_desk_that_knows_its_balances()
    rig.exchange.deposits["USDT"] += 500
    first, second = rig.reconcile(), rig.reconcile()
    assert first.drift == second.drift == {"USDT": Decimal(500)}
    assert (first.drift_confirmed, second.drift_confirmed) == (False, True)


def test_with_adopt_confirmed_drift_is_taken_as_given() -> None:
    rig = a_desk_that_knows_its_balances()
    rig.exchange.deposits["ETH"] -= 3
    assert rig.reconcile(ADOPT).drift == {"ETH": Decimal(-3)}
    assert rig.reconcile(ADOPT).drift_confirmed
    assert rig.reconcile(ADOPT).drift == {}


def test_with_halt_unconfirmed_drift_stops_nothing() -> None:
    rig = a_desk_that_knows_its_balances()
    rig.exchange.deposits["ETH"] -= 3
    assert not rig.reconcile(HALT).halted
    assert rig.reconcile(HALT).halted
    assert [halt.account for halt in rig.store.halts()] == [ACCOUNT]


def test_our_own_fills_are_no_drift() -> None:
    rig = Rig(fee_asset="BTC", taker_fee=Decimal("0.001"))
    for _ in range(2):
        rig.reconcile()
    rig.exchange.fill_next.append([("99", "0.4"), ("99.5", "0.6")])
    rig.manager.submit(rig.order())
    found = rig.reconcile()
    assert (found.balances_checked, found.drift) == (True, {})


def test_fills_that_come_between_the_requests_are_no_drift() -> None:
    rig = a_desk_that_knows_its_balances()
    order = rig.manager.submit(rig.order())
    rig.exchange.trade(order.client_order_id, "99", "0.25")
    rig.exchange.on("fills_since", lambda: rig.exchange.trade(order.client_order_id, "98", "0.25"))
    found = rig.reconcile()
    assert (found.fills_applied, found.drift) == (2, {})


@pytest.mark.parametrize("blank", [{}, {"USDT": Decimal(0), "BTC": Decimal(0)}])
def test_an_account_that_is_reported_empty_is_no_evidence(blank: dict[str, Decimal]) -> None:
    rig = a_desk_that_knows_its_balances()
    rig.exchange.deposits = blank
    found = rig.reconcile(HALT)
    assert (found.balances_checked, found.drift, found.halted) == (False, {}, False)


def test_a_trade_whose_order_is_not_shown_yet_is_read_again() -> None:
    rig = a_desk_that_knows_its_balances()
    rig.manager.submit(rig.order())
    somebody_trades(rig)
    hidden = rig.exchange.standing[-1]
    rig.exchange.on("fetch", lambda: rig.exchange.standing.remove(hidden))
    assert rig.reconcile().external_orders == []
    rig.exchange.standing.append(hidden)
    assert len(rig.reconcile().external_orders) == 1


def test_an_external_open_order_is_named_while_it_stands() -> None:
    rig = a_desk_that_knows_its_balances()
    rig.manager.submit(rig.order())
    order = rig.order(signal_id="x")
    rig.exchange.arrive(replace(order, client_order_id="by-hand"), an_attempt(rig))
    found = rig.reconcile()
    exchange_id = rig.exchange.standing[-1].exchange_order_id
    assert found.external_open_orders == [f"{SYMBOL} {exchange_id}"]
    assert found.external_orders == []


def test_an_order_of_ours_without_a_record_is_adopted_and_its_signal_is_known() -> None:
    rig = a_desk_that_knows_its_balances()
    order = rig.order()
    rig.exchange.fill_next.append([("99", "0.5")])
    rig.exchange.arrive(order, an_attempt(rig))
    found = rig.reconcile()
    assert (found.orders_adopted, found.fills_applied) == ([order.order_id], 1)
    assert rig.stored(order).state is OrderState.OPEN
    assert rig.manager.submit(order).filled == Decimal("0.5")
    assert rig.accepted == 1


def test_an_open_order_of_ours_without_trades_is_adopted_too() -> None:
    rig = a_desk_that_knows_its_balances()
    rig.manager.submit(rig.order())
    forgotten = rig.order(signal_id="signal-2")
    rig.exchange.arrive(forgotten, an_attempt(rig))
    assert rig.reconcile().orders_adopted == [forgotten.order_id]
    assert rig.stored(forgotten).state is OrderState.OPEN


def test_every_run_is_on_record_also_one_that_failed() -> None:
    rig = Rig()
    rig.reconcile()
    rig.exchange.fail("balances")
    with pytest.raises(Exception, match="balances: no answer"):
        rig.reconcile()
    last, first = rig.book.runs(10)
    assert (first.error, first.calls) == (None, {"balances": 1})
    assert last.error == "balances: no answer"
    assert [run.account for run in rig.announced] == [ACCOUNT, ACCOUNT]


def test_what_a_run_asks_does_not_grow_with_history() -> None:
    rig = a_desk_that_knows_its_balances()
    calls = []
    for number in range(5):
        rig.exchange.fill_next.append([("99", "1")])
        rig.manager.submit(rig.order(signal_id=f"signal-{number}"))
        rig.exchange.calls.clear()
        rig.reconcile()
        calls.append(len(rig.exchange.calls))
    assert len(set(calls[1:])) == 1
