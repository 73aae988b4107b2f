"""Reconciling: what the exchange says happened is applied once, and what is unclear is left."""

from decimal import Decimal

import pytest
from fakes import ACCOUNT, SYMBOL, Crash, Desk, dies_after_it_arrived

from execution.model.errors import AlreadyRunning, ExchangeUnavailable
from execution.model.order import Order, OrderState, Side
from execution.reconciliation.reconciler import LEASE_MS
from execution.reconciliation.run import Reconciliation


def reconcile(desk: Desk) -> Reconciliation:
    return desk.reconcile()


def resting(desk: Desk, signal_id: str = "signal-1") -> Order:
    order = desk.manager.submit(desk.order(signal_id=signal_id))
    assert order.state is OrderState.OPEN
    return order


def test_an_account_without_orders_and_holdings_is_asked_for_its_balances_only() -> None:
    desk = Desk()
    found = reconcile(desk)
    assert (found.symbols, found.fills_applied) == ([], 0)
    assert desk.exchange.calls == ["balances"]


def test_trades_that_happened_meanwhile_are_applied_once() -> None:
    desk = Desk()
    order = resting(desk)
    desk.exchange.trade(order.client_order_id, "99", "0.25")
    desk.exchange.trade(order.client_order_id, "98", "0.25")
    assert reconcile(desk).fills_applied == 2
    assert reconcile(desk).fills_applied == 0
    order = desk.stored(order)
    assert (order.state, order.filled) == (OrderState.OPEN, Decimal("0.5"))
    position = desk.store.position(ACCOUNT, SYMBOL)
    assert (position.amount, position.cost) == (Decimal("0.5"), Decimal("49.25"))


def test_trades_are_asked_for_after_the_last_one_that_was_seen() -> None:
    desk = Desk()
    order = resting(desk)
    desk.exchange.trade(order.client_order_id, "99", "0.25")
    reconcile(desk)
    last = desk.stored(order).fills[-1].trade_id
    assert desk.book.cursor(ACCOUNT, SYMBOL) == last
    reconcile(desk)
    assert desk.book.cursor(ACCOUNT, SYMBOL) == last


def test_an_order_that_filled_meanwhile_ends_with_all_its_fills() -> None:
    desk = Desk()
    order = resting(desk)
    desk.exchange.trade(order.client_order_id, "99", "1")
    found = reconcile(desk)
    assert found.fills_applied == 1
    assert desk.stored(order).state is OrderState.FILLED
    assert not desk.stored(order).fills_missing


def test_an_order_that_was_canceled_elsewhere_is_settled() -> None:
    desk = Desk()
    order = resting(desk)
    desk.exchange.standing[0].status = OrderState.CANCELED
    assert reconcile(desk).orders_settled == [order.order_id]
    assert desk.stored(order).state is OrderState.CANCELED
    assert reconcile(desk).orders_settled == []


def test_an_order_that_still_stands_is_left_alone() -> None:
    desk = Desk()
    order = resting(desk)
    assert reconcile(desk).orders_settled == []
    assert desk.stored(order) == order
    assert "lookup" not in desk.exchange.calls


def test_an_order_that_the_exchange_does_not_show_yet_is_asked_after_again() -> None:
    desk = Desk()
    order = resting(desk)
    standing = desk.exchange.standing.pop()
    assert reconcile(desk).orders_settled == []
    assert desk.stored(order).state is OrderState.OPEN
    desk.exchange.standing.append(standing)
    standing.status = OrderState.EXPIRED
    assert reconcile(desk).orders_settled == [order.order_id]


def test_trades_of_an_order_under_way_are_its_own() -> None:
    desk = Desk()
    resting(desk, "another")
    desk.exchange.fill_next.append([("99", "1")])
    desk.exchange.script.append(dies_after_it_arrived)
    with pytest.raises(Crash):
        desk.manager.submit(desk.order())
    found = reconcile(desk)
    assert (found.external_orders, found.fills_applied) == ([], 1)
    desk.manager.advance_by_id(desk.order().order_id)
    assert desk.store.position(ACCOUNT, SYMBOL).amount == 1


def test_a_symbol_that_is_held_is_looked_at_without_any_order() -> None:
    desk = Desk()
    desk.exchange.fill_next.append([("99", "1")])
    desk.manager.submit(desk.order())
    desk.exchange.calls.clear()
    assert reconcile(desk).symbols == [SYMBOL]
    assert desk.exchange.calls == ["balances", "fills_since", "open_orders"]


@pytest.mark.parametrize("question", ["balances", "fills_since", "open_orders"])
def test_a_question_without_an_answer_ends_the_run_and_the_next_goes_on(question: str) -> None:
    desk = Desk()
    order = resting(desk)
    desk.exchange.trade(order.client_order_id, "99", "0.25")
    desk.exchange.fail(question)
    with pytest.raises(ExchangeUnavailable):
        reconcile(desk)
    reconcile(desk)
    assert desk.stored(order).filled == Decimal("0.25")
    assert desk.store.position(ACCOUNT, SYMBOL).amount == Decimal("0.25")


def test_a_question_without_an_answer_does_not_move_the_cursor() -> None:
    desk = Desk()
    order = resting(desk)
    desk.exchange.trade(order.client_order_id, "99", "0.25")
    desk.exchange.fail("fills_since")
    with pytest.raises(ExchangeUnavailable):
        reconcile(desk)
    assert desk.book.cursor(ACCOUNT, SYMBOL) is None


def test_two_runs_on_one_account_never_overlap() -> None:
    desk = Desk()
    resting(desk)

    def another_run() -> None:
        with pytest.raises(AlreadyRunning, match=f"reconciliation of '{ACCOUNT}' is under way"):
            reconcile(desk)
        seen.append("refused")

    seen: list[str] = []
    desk.exchange.on("fills_since", another_run)
    reconcile(desk)
    assert seen == ["refused"]
    reconcile(desk)


def test_a_run_whose_worker_died_is_in_nobodys_way_for_ever() -> None:
    desk = Desk()
    resting(desk)
    assert desk.store.lease(f"reconcile:{ACCOUNT}", "a dead worker", LEASE_MS)
    with pytest.raises(AlreadyRunning):
        reconcile(desk)
    desk.clock.advance(LEASE_MS)
    assert reconcile(desk).symbols == [SYMBOL]


def test_a_run_says_how_long_it_took() -> None:
    desk = Desk()
    resting(desk)
    desk.exchange.on("open_orders", lambda: desk.clock.advance(321))
    assert reconcile(desk).took_ms == 321


def test_trades_of_several_orders_move_the_position_in_the_order_they_happened() -> None:
    desk = Desk()
    bought = desk.manager.submit(desk.order(amount=Decimal(20), price=Decimal(110)))
    asked = desk.order(signal_id="signal-2", side=Side.SELL, amount=Decimal(10))
    sold = desk.manager.submit(asked)
    desk.exchange.trade(bought.client_order_id, "100", "10")
    desk.exchange.trade(sold.client_order_id, "120", "10")
    desk.exchange.trade(bought.client_order_id, "110", "10")
    assert reconcile(desk).fills_applied == 3
    position = desk.store.position(ACCOUNT, SYMBOL)
    assert (position.realised_pnl, position.entry_price) == (Decimal(200), Decimal(110))
