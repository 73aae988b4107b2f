"""What is lost in the store is put back, by the ledger and by the exchange."""

from decimal import Decimal

import pytest

from execution.model.errors import LedgerUnavailable
from execution.model.order import Order, OrderState, Side
from tests.support.exchange import SYMBOL
from tests.support.fakes import ACCOUNT, Rig

HOUR_MS = 3_600_000


def filled(rig: Rig, signal_id: str = "signal-1", price: str = "99", side: str = "buy") -> Order:
    rig.exchange.fill_next.append([(price, "1")])
    return rig.manager.submit(rig.order(signal_id=signal_id, side=Side(side)))


def whole_rig() -> Rig:
    """One that was looked over once, so that what is lost from now on shows."""
    rig = Rig()
    for _ in range(2):
        rig.reconcile()
    return rig


def test_a_store_in_which_nothing_is_lost_is_left_alone() -> None:
    rig = whole_rig()
    filled(rig)
    assert rig.reconcile().repaired == []


def test_a_deleted_position_is_folded_again_from_its_fills() -> None:
    rig = whole_rig()
    filled(rig, price="99")
    filled(rig, "signal-2", price="101", side="sell")
    filled(rig, "signal-3", price="98")
    before = rig.store.position(ACCOUNT, SYMBOL)
    del rig.store.tables.positions[ACCOUNT, SYMBOL]
    found = rig.reconcile()
    assert f"{ACCOUNT} {SYMBOL} is recomputed" in found.repaired
    after = rig.store.position(ACCOUNT, SYMBOL)
    assert (after.amount, after.cost, after.realised_pnl) == (Decimal(1), Decimal(98), Decimal(2))
    assert after.version >= before.version
    assert rig.reconcile().repaired == []


def test_a_lost_record_of_an_ended_order_is_put_back_and_its_signal_makes_no_second_order() -> None:
    rig = whole_rig()
    order = filled(rig)
    rig.archive.run()
    del rig.store.tables.orders[order.order_id]
    assert rig.manager.submit(rig.order()) == order
    assert rig.accepted == 1


def test_a_lost_record_that_the_ledger_never_got_is_found_at_the_exchange() -> None:
    rig = whole_rig()
    rig.ledger.away = True
    order = rig.manager.submit(rig.order())
    del rig.store.tables.orders[order.order_id]
    rig.store.tables.unarchived.clear()
    rig.ledger.away = False
    rig.exchange.trade(order.client_order_id, "99", "0.5")
    for _ in range(3):
        rig.reconcile()
    assert rig.stored(order).filled == Decimal("0.5")
    assert rig.store.position(ACCOUNT, SYMBOL).amount == Decimal("0.5")


def test_a_store_from_an_hour_ago_catches_up_with_the_ledger_and_the_exchange() -> None:
    rig = whole_rig()
    first = filled(rig)
    resting = rig.manager.submit(rig.order(signal_id="signal-2"))
    an_hour_ago = rig.store.copied()
    rig.clock.advance(HOUR_MS // 2)
    third = filled(rig, "signal-3", price="98")
    rig.exchange.trade(resting.client_order_id, "99", "0.25")
    rig.reconcile()
    rig.archive.run()
    truth = rig.store.position(ACCOUNT, SYMBOL)
    rig.clock.advance(HOUR_MS // 2)
    rig.store.roll_back(an_hour_ago)
    found = rig.reconcile()
    assert any("has not been checked" in sentence for sentence in found.repaired)
    assert rig.stored(third).state is OrderState.FILLED
    assert rig.stored(resting).filled == Decimal("0.25")
    assert rig.stored(first) == first
    now = rig.store.position(ACCOUNT, SYMBOL)
    assert (now.amount, now.cost) == (truth.amount, truth.cost)
    assert (now.realised_pnl, now.turnover) == (truth.realised_pnl, truth.turnover)
    assert rig.reconcile().repaired == []


def test_a_store_from_an_hour_ago_is_healed_by_the_exchange_alone_where_the_ledger_is_new() -> None:
    rig = whole_rig()
    filled(rig)
    an_hour_ago = rig.store.copied()
    rig.ledger.away = True
    second = filled(rig, "signal-2", price="98")
    rig.store.roll_back(an_hour_ago)
    rig.ledger.away = False
    rig.reconcile()
    assert rig.stored(second).state is OrderState.FILLED
    assert rig.store.position(ACCOUNT, SYMBOL).amount == 2
    assert rig.manager.submit(rig.order(signal_id="signal-2")).filled == 1
    assert rig.accepted == 2


def test_while_the_ledger_is_away_reconciling_goes_on_and_says_so() -> None:
    rig = Rig()
    order = rig.manager.submit(rig.order())
    rig.exchange.trade(order.client_order_id, "99", "0.25")
    rig.ledger.away = True
    found = rig.reconcile()
    assert (found.error or "").startswith("the store was not checked: ")


def test_nothing_is_lost_while_the_ledger_is_away() -> None:
    rig = Rig()
    rig.ledger.away = True
    order = filled(rig)
    with pytest.raises(LedgerUnavailable):
        rig.archive.run()
    rig.clock.advance(10 * HOUR_MS)
    with pytest.raises(LedgerUnavailable):
        rig.archive.run()
    assert rig.stored(order) == order
    rig.ledger.away = False
    assert rig.archive.run().written == 1
    assert rig.ledger.order(order.order_id) == order


def settled_and_gone(rig: Rig) -> Order:
    order = filled(rig)
    rig.archive.run()
    rig.clock.advance(HOUR_MS)
    assert rig.archive.run().evicted == 1
    assert rig.store.order(order.order_id) is None
    return order


def test_a_settled_order_leaves_and_is_not_missed() -> None:
    rig = whole_rig()
    settled_and_gone(rig)
    assert rig.store.orders() == []
    assert rig.reconcile().repaired == []
    assert rig.store.position(ACCOUNT, SYMBOL).amount == 1


def test_a_signal_that_comes_again_after_its_order_left_makes_no_second_order() -> None:
    rig = whole_rig()
    order = settled_and_gone(rig)
    assert rig.manager.submit(rig.order()) == order
    assert rig.accepted == 1


def test_a_late_fill_of_an_order_that_left_is_applied_once() -> None:
    rig = whole_rig()
    order = rig.manager.submit(rig.order())
    rig.exchange.end(rig.exchange.standing[0], OrderState.CANCELED)
    rig.reconcile()
    rig.archive.run()
    rig.clock.advance(HOUR_MS)
    rig.archive.run()
    assert rig.store.order(order.order_id) is None
    for _ in range(2):
        rig.reconcile()
    rig.exchange.trade(order.client_order_id, "99", "0.25")
    found = rig.reconcile()
    assert (found.orders_recalled, found.fills_applied) == ([order.order_id], 1)
    assert rig.reconcile().fills_applied == 0
    late = rig.stored(order)
    assert (late.state, late.filled) == (OrderState.CANCELED, Decimal("0.25"))
    assert rig.store.position(ACCOUNT, SYMBOL).amount == Decimal("0.25")


def test_an_order_that_changed_after_it_was_archived_stays() -> None:
    rig = whole_rig()
    order = rig.manager.submit(rig.order())
    rig.exchange.end(rig.exchange.standing[0], OrderState.CANCELED)
    rig.reconcile()
    rig.archive.run()
    rig.exchange.trade(order.client_order_id, "99", "0.25")
    rig.manager.submit(rig.order(signal_id="signal-2"))
    rig.clock.advance(HOUR_MS)
    rig.reconcile()
    assert rig.ledger.order(order.order_id) != rig.stored(order)
    rig.archive.run()
    assert rig.ledger.order(order.order_id) == rig.stored(order)


def test_live_and_quarantined_orders_never_leave() -> None:
    rig = whole_rig()
    order = rig.manager.submit(rig.order())
    rig.archive.run()
    rig.clock.advance(1_000 * HOUR_MS)
    assert rig.archive.run().evicted == 0
    assert rig.stored(order).state is OrderState.OPEN


def test_rebuilding_says_of_each_position_whether_it_equals_the_live_one() -> None:
    rig = whole_rig()
    filled(rig)
    (check,) = rig.rebuilder.checks.all()
    assert check.agrees
    position = rig.store.tables.positions[ACCOUNT, SYMBOL]
    object.__setattr__(position, "amount", Decimal(7))
    (check,) = rig.rebuilder.rebuild()
    assert (check.agrees, check.live.amount, check.rebuilt.amount) == (False, 7, 1)
    assert rig.store.position(ACCOUNT, SYMBOL).amount == 1
