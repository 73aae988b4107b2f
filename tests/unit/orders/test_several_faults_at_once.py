"""Where several faults meet: trades read again, orders settled by hand that come back, answers that
cannot be right and are put right, and symbols that are not listed for a moment."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from execution.model.errors import IllegalTransition, RequestRefused
from execution.model.events import Reported
from execution.model.order import Attempt, Order, OrderReport, OrderState, Side, Verdict
from execution.model.transitions import transition
from execution.reconciliation.run import DriftPolicy, Reread
from execution.store.memory.reconciliations import MemoryReconciliations
from tests.support.exchange import SYMBOL, FakeExchange, loses_its_answer
from tests.support.fakes import ACCOUNT, Rig, fill

STRANGERS = 250  # More than the names that a balance sheet keeps.


def a_desk_that_knows_its_balances(policy: DriftPolicy = DriftPolicy.REPORT) -> Rig:
    rig = Rig()
    for _ in range(2):
        rig.reconcile(policy)
        rig.clock.advance(1_000)
    return rig


def others_trade(rig: Rig, count: int) -> None:
    """So many orders of somebody else on the account, each of which trades."""
    for _ in range(count):
        number, now_ms = len(rig.exchange.standing), rig.clock.now_ms()
        order = replace(rig.order(), client_order_id=f"by-hand-{number}")
        rig.exchange.arrive(order, Attempt(1, now_ms, now_ms + 5_000, now_ms + 6_000))
        rig.exchange.trade(order.client_order_id, "99", "0.01")


def read_all_again(rig: Rig) -> None:
    """As a repair asks for, after the store has lost something."""
    since = rig.clock.now() - timedelta(minutes=10)
    rig.book.set_reread(ACCOUNT, Reread((SYMBOL,), since))


# Trades of others that are told again.


@pytest.mark.parametrize("cause", ["a repair", "a lost cursor"])
def test_trades_of_others_that_are_read_again_are_counted_once(cause: str) -> None:
    rig = a_desk_that_knows_its_balances()
    others_trade(rig, STRANGERS)
    assert rig.reconcile().drift == {}
    if cause == "a repair":
        read_all_again(rig)
    else:
        sheet = rig.book.sheet(ACCOUNT)
        rig.book = MemoryReconciliations()
        rig.book.set_sheet(ACCOUNT, sheet)
        rig.manager.submit(rig.order())
    again = rig.reconcile()
    assert again.trades_read == STRANGERS
    assert (again.drift, again.external_orders, again.needs_attention) == ({}, [], False)
    others_trade(rig, 1)
    last = rig.reconcile()
    assert (len(last.external_orders), last.drift, last.trades_read) == (1, {}, 1)


def test_trades_of_others_that_are_read_again_do_not_halt_the_account_again() -> None:
    rig = a_desk_that_knows_its_balances()
    others_trade(rig, 1)
    assert rig.reconcile(DriftPolicy.HALT).halted
    assert rig.store.resume(ACCOUNT)
    read_all_again(rig)
    assert not rig.reconcile(DriftPolicy.HALT).halted
    assert rig.store.halts() == []


# A claim that is more than the order.


class Overclaiming(FakeExchange):
    """Says of every order that more of it has filled than was asked for, while `is_wrong`."""

    is_wrong = True

    def report_of(self, standing: Any, *as_of: Any, **how: Any) -> OrderReport:
        report = super().report_of(standing, *as_of, **how)
        return replace(report, filled=Decimal(2)) if self.is_wrong else report


class OverclaimedDesk(Rig):
    exchange: Overclaiming

    def __init__(self) -> None:
        super().__init__()
        self.exchange = Overclaiming(self.clock)
        self.manager = self.worker()


def test_an_order_that_is_said_to_stand_and_to_have_filled_too_much_can_be_canceled() -> None:
    rig = OverclaimedDesk()
    order = rig.manager.submit(rig.order())
    assert (order.state, order.filled) == (OrderState.OPEN, 0)
    assert order.reason == "exchange fault: filled 2 is more than the amount 1"
    rig.exchange.is_wrong = False
    rig.exchange.trade(order.client_order_id, "99", "0.25")
    rig.manager.cancel(order.order_id)
    rig.sweep(for_ms=5_000)
    after = rig.stored(order)
    assert (after.state, after.filled) == (OrderState.CANCELED, Decimal("0.25"))
    assert after.reason == "exchange fault: filled 2 is more than the amount 1"
    assert rig.exchange.standing[0].status is OrderState.CANCELED
    assert rig.store.position(ACCOUNT, SYMBOL).amount == Decimal("0.25")


def test_a_claim_that_is_put_right_leaves_what_the_trades_add_up_to() -> None:
    rig = OverclaimedDesk()
    order = rig.manager.submit(rig.order())
    rig.exchange.trade(order.client_order_id, "99", "0.25")
    rig.exchange.end(rig.exchange.standing[0], OrderState.CANCELED)
    rig.reconcile()
    claimed = rig.stored(order)
    assert (claimed.state, claimed.filled, claimed.fills_missing) == (OrderState.FILLED, 1, True)
    rig.sweep(for_ms=3_000)
    assert rig.stored(order).fills_missing
    rig.exchange.is_wrong = False
    rig.sweep(for_ms=3_000)
    after = rig.stored(order)
    assert (after.state, after.filled) == (OrderState.CANCELED, Decimal("0.25"))
    assert after.reason == "exchange fault: filled 2 is more than the amount 1"
    assert rig.reconcile().balances_checked


# A symbol that is not listed for a moment.


@pytest.mark.parametrize("policy", [DriftPolicy.ADOPT, DriftPolicy.HALT])
def test_drift_that_an_order_in_an_unlisted_symbol_may_explain_is_not_confirmed(
    policy: DriftPolicy,
) -> None:
    rig = a_desk_that_knows_its_balances(policy)
    order = rig.manager.submit(rig.order())
    rig.reconcile(policy)
    opening = rig.book.sheet(ACCOUNT).opening
    rig.exchange.trade(order.client_order_id, "99", "0.25")
    rig.exchange.delisted.add(SYMBOL)
    for _ in range(3):
        found = rig.reconcile(policy)
    assert found.drift == {"BTC": Decimal("0.25"), "USDT": Decimal("-24.75")}
    assert (found.drift_confirmed, found.halted) == (False, False)
    rig.exchange.delisted.clear()
    assert rig.reconcile(policy).drift == {}
    assert rig.book.sheet(ACCOUNT).opening == opening
    assert rig.store.position(ACCOUNT, SYMBOL).amount == Decimal("0.25")


def test_drift_by_fees_of_a_symbol_that_was_not_read_is_not_confirmed() -> None:
    rig = Rig(fee_asset="BNB", taker_fee=Decimal("0.001"))
    rig.exchange.deposits["BNB"] = Decimal(50)
    buy = rig.manager.submit(rig.order())
    sell = rig.manager.submit(rig.order(signal_id="signal-2", side=Side.SELL))
    for order in (buy, sell):
        rig.exchange.trade(order.client_order_id, "100", "0.25")
    for _ in range(2):
        rig.reconcile()
    # Bought and sold at one price: only the fees are left of it.
    for order in (buy, sell):
        rig.exchange.trade(order.client_order_id, "100", "0.25")

    def garbled() -> None:
        raise RequestRefused("ValueError: no order id")

    for _ in range(3):
        rig.exchange.on("fills_since", garbled)
        rig.exchange.on("open_orders", garbled)
        found = rig.reconcile(DriftPolicy.ADOPT)
        assert (found.drift, found.drift_confirmed) == ({"BNB": Decimal("-0.0005")}, False)
    assert rig.reconcile(DriftPolicy.ADOPT).drift == {}


# Settled by hand, and there all the same.


def settled_and_back(rig: Rig) -> Order:
    """An order that a person gave up while its symbol could not be asked about; then it can."""
    order = rig.manager.submit(rig.order())
    rig.exchange.delisted.add(SYMBOL)
    settled = rig.manager.settle(order.order_id, None)
    rig.exchange.delisted.clear()
    return settled


@pytest.mark.parametrize("policy", [DriftPolicy.REPORT, DriftPolicy.ADOPT])
def test_trades_of_an_order_given_up_while_its_outcome_was_unknown_move_the_position(
    policy: DriftPolicy,
) -> None:
    rig = a_desk_that_knows_its_balances(policy)
    rig.exchange.script.append(loses_its_answer)
    rig.exchange.fail("lookup")
    order = settled_and_back(rig)
    assert order.state is OrderState.REFUSED
    for done, state in (("0.4", OrderState.REFUSED), ("1", OrderState.FILLED)):
        left = Decimal(done) - rig.stored(order).filled
        rig.exchange.trade(order.client_order_id, "99", str(left))
        for _ in range(2):
            found = rig.reconcile(policy)
        after = rig.stored(order)
        assert (after.state, after.filled) == (state, Decimal(done))
        assert rig.store.position(ACCOUNT, SYMBOL).amount == Decimal(done)
        assert (found.drift, found.external_orders) == ({}, [])


def test_an_order_that_was_given_up_and_stands_is_named_until_it_is_gone() -> None:
    rig = a_desk_that_knows_its_balances()
    order = settled_and_back(rig)
    assert order.state is OrderState.CANCELED
    # Another one keeps the symbol among those that are read.
    rig.manager.submit(rig.order(signal_id="signal-2"))
    assert rig.reconcile().warnings == []
    rig.clock.advance(600_000)
    found = rig.reconcile()
    assert found.external_open_orders == [f"{SYMBOL} 7000"]
    (warning,) = found.warnings
    assert warning == (
        f"order {order.order_id} is canceled on record and open at the exchange, as 7000 in "
        f"{SYMBOL}; cancel it there"
    )
    rig.exchange.end(rig.exchange.standing[0], OrderState.CANCELED)
    assert rig.reconcile().warnings == []


def test_a_refused_order_counts_what_the_exchange_says_only_if_it_was_ever_sent() -> None:
    order = replace(Rig().order(), state=OrderState.REFUSED, reason="too late", version=3)
    traded = Reported(
        OrderReport("77", None, SYMBOL, OrderState.OPEN, fills=(fill("9", "buy", "0.4", "100"),))
    )
    with pytest.raises(IllegalTransition):
        transition(order, traded)
    sent = replace(order, attempts=(Attempt(1, 1, 2, 3, Verdict.NOT_SENT),))
    after = transition(sent, traded)
    assert (after.state, after.reason) == (OrderState.REFUSED, "too late")
    assert after.filled == Decimal("0.4")
