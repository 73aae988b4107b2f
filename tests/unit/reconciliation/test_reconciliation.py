"""Reconciling: what the exchange says happened is applied once, and what is unclear is left."""

from decimal import Decimal

import pytest

from execution.model.errors import AlreadyRunning, ExchangeUnavailable
from execution.model.order import Order, OrderState, Side
from execution.reconciliation.reconciler import LEASE_MS
from execution.reconciliation.run import Reconciliation
from tests.support.exchange import SYMBOL, Crash, dies_after_it_arrived
from tests.support.fakes import ACCOUNT, Rig


def reconcile(rig: Rig) -> Reconciliation:
    return rig.reconcile()


def resting(rig: Rig, signal_id: str = "signal-1") -> Order:
    order = rig.manager.submit(rig.order(signal_id=signal_id))
    assert order.state is OrderState.OPEN
    return order


def test_an_account_without_orders_and_holdings_is_asked_for_its_balances_only() -> None:
    rig = Rig()
    found = reconcile(rig)
    assert (found.symbols, found.fills_applied) == ([], 0)
    assert rig.exchange.calls == ["balances"]


def test_trades_that_happened_meanwhile_are_applied_once() -> None:
    rig = Rig()
    order = resting(rig)
    rig.exchange.trade(order.client_order_id, "99", "0.25")
    rig.exchange.trade(order.client_order_id, "98", "0.25")
    assert reconcile(rig).fills_applied == 2
    assert reconcile(rig).fills_applied == 0
    order = rig.stored(order)
    assert (order.state, order.filled) == (OrderState.OPEN, Decimal("0.5"))
    position = rig.store.position(ACCOUNT, SYMBOL)
    assert (position.amount, position.cost) == (Decimal("0.5"), Decimal("49.25"))


def test_trades_are_asked_for_after_the_last_one_that_was_seen() -> None:
    rig = Rig()
    order = resting(rig)
    rig.exchange.trade(order.client_order_id, "99", "0.25")
    reconcile(rig)
    last = rig.stored(order).fills[-1].trade_id
    assert rig.book.cursor(ACCOUNT, SYMBOL) == last
    reconcile(rig)
    assert rig.book.cursor(ACCOUNT, SYMBOL) == last


def test_an_order_that_filled_meanwhile_ends_with_all_its_fills() -> None:
    rig = Rig()
    order = resting(rig)
    rig.exchange.trade(order.client_order_id, "99", "1")
    found = reconcile(rig)
    assert found.fills_applied == 1
    assert rig.stored(order).state is OrderState.FILLED
    assert not rig.stored(order).fills_missing


def test_an_order_that_was_canceled_elsewhere_is_settled() -> None:
    rig = Rig()
    order = resting(rig)
    rig.exchange.end(rig.exchange.standing[0], OrderState.CANCELED)
    assert reconcile(rig).orders_settled == [order.order_id]
    assert rig.stored(order).state is OrderState.CANCELED
    assert reconcile(rig).orders_settled == []


def test_an_order_that_still_stands_is_left_alone() -> None:
    rig = Rig()
    order = resting(rig)
    assert reconcile(rig).orders_settled == []
    assert rig.stored(order) == order
    assert "lookup" not in rig.exchange.calls


def test_an_order_that_the_exchange_does_not_show_yet_is_asked_after_again() -> None:
    rig = Rig()
    order = resting(rig)
    standing = rig.exchange.standing.pop()
    assert reconcile(rig).orders_settled == []
    assert rig.stored(order).state is OrderState.OPEN
    rig.exchange.standing.append(standing)
    rig.exchange.end(standing, OrderState.EXPIRED)
    assert reconcile(rig).orders_settled == [order.order_id]


def test_trades_of_an_order_under_way_are_its_own() -> None:
    rig = Rig()
    resting(rig, "another")
    rig.exchange.fill_next.append([("99", "1")])
    rig.exchange.script.append(dies_after_it_arrived)
    with pytest.raises(Crash):
        rig.manager.submit(rig.order())
    found = reconcile(rig)
    assert (found.external_orders, found.fills_applied) == ([], 1)
    rig.manager.advance_by_id(rig.order().order_id)
    assert rig.store.position(ACCOUNT, SYMBOL).amount == 1


def test_a_symbol_that_is_held_is_looked_at_without_any_order() -> None:
    rig = Rig()
    rig.exchange.fill_next.append([("99", "1")])
    rig.manager.submit(rig.order())
    rig.exchange.calls.clear()
    assert reconcile(rig).symbols == [SYMBOL]
    assert rig.exchange.calls == ["balances", "fills_since", "open_orders"]


@pytest.mark.parametrize("question", ["balances", "fills_since", "open_orders"])
def test_a_request_without_an_answer_ends_the_run_and_the_next_continues(question: str) -> None:
    rig = Rig()
    order = resting(rig)
    rig.exchange.trade(order.client_order_id, "99", "0.25")
    rig.exchange.fail(question)
    with pytest.raises(ExchangeUnavailable):
        reconcile(rig)
    reconcile(rig)
    assert rig.stored(order).filled == Decimal("0.25")
    assert rig.store.position(ACCOUNT, SYMBOL).amount == Decimal("0.25")


def test_a_request_without_an_answer_does_not_move_the_cursor() -> None:
    rig = Rig()
    order = resting(rig)
    rig.exchange.trade(order.client_order_id, "99", "0.25")
    rig.exchange.fail("fills_since")
    with pytest.raises(ExchangeUnavailable):
        reconcile(rig)
    assert rig.book.cursor(ACCOUNT, SYMBOL) is None


def test_two_runs_on_one_account_never_overlap() -> None:
    rig = Rig()
    resting(rig)

    def another_run() -> None:
        with pytest.raises(AlreadyRunning, match=f"reconciliation of '{ACCOUNT}' is running"):
            reconcile(rig)
        seen.append("refused")

    seen: list[str] = []
    rig.exchange.on("fills_since", another_run)
    reconcile(rig)
    assert seen == ["refused"]
    reconcile(rig)


def test_a_run_whose_worker_died_does_not_block_others_for_ever() -> None:
    rig = Rig()
    resting(rig)
    assert rig.store.lease(f"reconcile:{ACCOUNT}", "a dead worker", LEASE_MS)
    with pytest.raises(AlreadyRunning):
        reconcile(rig)
    rig.clock.advance(LEASE_MS)
    assert reconcile(rig).symbols == [SYMBOL]


def test_a_run_says_how_long_it_took() -> None:
    rig = Rig()
    resting(rig)
    rig.exchange.on("open_orders", lambda: rig.clock.advance(321))
    assert reconcile(rig).took_ms == 321


def test_trades_of_several_orders_move_the_position_in_the_order_they_happened() -> None:
    rig = Rig()
    bought = rig.manager.submit(rig.order(amount=Decimal(20), price=Decimal(110)))
    asked = rig.order(signal_id="signal-2", side=Side.SELL, amount=Decimal(10))
    sold = rig.manager.submit(asked)
    rig.exchange.trade(bought.client_order_id, "100", "10")
    rig.exchange.trade(sold.client_order_id, "120", "10")
    rig.exchange.trade(bought.client_order_id, "110", "10")
    assert reconcile(rig).fills_applied == 3
    position = rig.store.position(ACCOUNT, SYMBOL)
    assert (position.realised_pnl, position.entry_price) == (Decimal(200), Decimal(110))
