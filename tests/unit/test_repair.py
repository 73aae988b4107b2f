"""What is lost in the store is put back, by the ledger and by the exchange."""

from decimal import Decimal

import pytest
from fakes import ACCOUNT, SYMBOL, Desk

from execution.model.errors import LedgerUnavailable
from execution.model.order import Order, OrderState, Side

HOUR_MS = 3_600_000


def filled(desk: Desk, signal_id: str = "signal-1", price: str = "99", side: str = "buy") -> Order:
    desk.exchange.fill_next.append([(price, "1")])
    return desk.manager.submit(desk.order(signal_id=signal_id, side=Side(side)))


def whole_desk() -> Desk:
    """One that was looked over once, so that what is lost from now on shows."""
    desk = Desk()
    for _ in range(2):
        desk.reconcile()
    return desk


def test_a_store_in_which_nothing_is_lost_is_left_alone() -> None:
    desk = whole_desk()
    filled(desk)
    assert desk.reconcile().repaired == []


def test_a_deleted_position_is_folded_again_from_its_fills() -> None:
    desk = whole_desk()
    filled(desk, price="99")
    filled(desk, "signal-2", price="101", side="sell")
    filled(desk, "signal-3", price="98")
    before = desk.store.position(ACCOUNT, SYMBOL)
    del desk.store.tables.positions[ACCOUNT, SYMBOL]
    found = desk.reconcile()
    assert f"{ACCOUNT} {SYMBOL} is folded anew" in found.repaired
    after = desk.store.position(ACCOUNT, SYMBOL)
    assert (after.amount, after.cost, after.realised_pnl) == (Decimal(1), Decimal(98), Decimal(2))
    assert after.version >= before.version
    assert desk.reconcile().repaired == []


def test_a_lost_record_of_an_ended_order_is_put_back_and_its_signal_makes_no_second_order() -> None:
    desk = whole_desk()
    order = filled(desk)
    desk.archive.run()
    del desk.store.tables.orders[order.order_id]
    assert desk.manager.submit(desk.order()) == order
    assert desk.accepted == 1


def test_a_lost_record_that_the_ledger_never_got_is_found_at_the_exchange() -> None:
    desk = whole_desk()
    desk.ledger.away = True
    order = desk.manager.submit(desk.order())
    del desk.store.tables.orders[order.order_id]
    desk.store.tables.unarchived.clear()
    desk.ledger.away = False
    desk.exchange.trade(order.client_order_id, "99", "0.5")
    for _ in range(3):
        desk.reconcile()
    assert desk.stored(order).filled == Decimal("0.5")
    assert desk.store.position(ACCOUNT, SYMBOL).amount == Decimal("0.5")


def test_a_store_from_an_hour_ago_catches_up_with_the_ledger_and_the_exchange() -> None:
    desk = whole_desk()
    first = filled(desk)
    resting = desk.manager.submit(desk.order(signal_id="signal-2"))
    an_hour_ago = desk.store.copied()
    desk.clock.advance(HOUR_MS // 2)
    third = filled(desk, "signal-3", price="98")
    desk.exchange.trade(resting.client_order_id, "99", "0.25")
    desk.reconcile()
    desk.archive.run()
    truth = desk.store.position(ACCOUNT, SYMBOL)
    desk.clock.advance(HOUR_MS // 2)
    desk.store.roll_back(an_hour_ago)
    found = desk.reconcile()
    assert any("was not looked over" in sentence for sentence in found.repaired)
    assert desk.stored(third).state is OrderState.FILLED
    assert desk.stored(resting).filled == Decimal("0.25")
    assert desk.stored(first) == first
    now = desk.store.position(ACCOUNT, SYMBOL)
    assert (now.amount, now.cost) == (truth.amount, truth.cost)
    assert (now.realised_pnl, now.turnover) == (truth.realised_pnl, truth.turnover)
    assert desk.reconcile().repaired == []


def test_a_store_from_an_hour_ago_is_healed_by_the_exchange_alone_where_the_ledger_is_new() -> None:
    desk = whole_desk()
    filled(desk)
    an_hour_ago = desk.store.copied()
    desk.ledger.away = True
    second = filled(desk, "signal-2", price="98")
    desk.store.roll_back(an_hour_ago)
    desk.ledger.away = False
    desk.reconcile()
    assert desk.stored(second).state is OrderState.FILLED
    assert desk.store.position(ACCOUNT, SYMBOL).amount == 2
    assert desk.manager.submit(desk.order(signal_id="signal-2")).filled == 1
    assert desk.accepted == 2


def test_while_the_ledger_is_away_reconciling_goes_on_and_says_so() -> None:
    desk = Desk()
    order = desk.manager.submit(desk.order())
    desk.exchange.trade(order.client_order_id, "99", "0.25")
    desk.ledger.away = True
    found = desk.reconcile()
    assert (found.error or "").startswith("the store was not looked over: ")


def test_nothing_is_lost_while_the_ledger_is_away() -> None:
    desk = Desk()
    desk.ledger.away = True
    order = filled(desk)
    with pytest.raises(LedgerUnavailable):
        desk.archive.run()
    desk.clock.advance(10 * HOUR_MS)
    with pytest.raises(LedgerUnavailable):
        desk.archive.run()
    assert desk.stored(order) == order
    desk.ledger.away = False
    assert desk.archive.run().written == 1
    assert desk.ledger.order(order.order_id) == order


def settled_and_gone(desk: Desk) -> Order:
    order = filled(desk)
    desk.archive.run()
    desk.clock.advance(HOUR_MS)
    assert desk.archive.run().evicted == 1
    assert desk.store.order(order.order_id) is None
    return order


def test_a_settled_order_leaves_and_is_not_missed() -> None:
    desk = whole_desk()
    settled_and_gone(desk)
    assert desk.store.orders() == []
    assert desk.reconcile().repaired == []
    assert desk.store.position(ACCOUNT, SYMBOL).amount == 1


def test_a_signal_that_comes_again_after_its_order_left_makes_no_second_order() -> None:
    desk = whole_desk()
    order = settled_and_gone(desk)
    assert desk.manager.submit(desk.order()) == order
    assert desk.accepted == 1


def test_a_late_fill_of_an_order_that_left_is_applied_once() -> None:
    desk = whole_desk()
    order = desk.manager.submit(desk.order())
    desk.exchange.standing[0].status = OrderState.CANCELED
    desk.reconcile()
    desk.archive.run()
    desk.clock.advance(HOUR_MS)
    desk.archive.run()
    assert desk.store.order(order.order_id) is None
    for _ in range(2):
        desk.reconcile()
    desk.exchange.trade(order.client_order_id, "99", "0.25")
    found = desk.reconcile()
    assert (found.orders_recalled, found.fills_applied) == ([order.order_id], 1)
    assert desk.reconcile().fills_applied == 0
    late = desk.stored(order)
    assert (late.state, late.filled) == (OrderState.CANCELED, Decimal("0.25"))
    assert desk.store.position(ACCOUNT, SYMBOL).amount == Decimal("0.25")


def test_an_order_that_changed_after_it_was_archived_stays() -> None:
    desk = whole_desk()
    order = desk.manager.submit(desk.order())
    desk.exchange.standing[0].status = OrderState.CANCELED
    desk.reconcile()
    desk.archive.run()
    desk.exchange.trade(order.client_order_id, "99", "0.25")
    desk.manager.submit(desk.order(signal_id="signal-2"))
    desk.clock.advance(HOUR_MS)
    desk.reconcile()
    assert desk.ledger.order(order.order_id) != desk.stored(order)
    desk.archive.run()
    assert desk.ledger.order(order.order_id) == desk.stored(order)


def test_live_and_quarantined_orders_never_leave() -> None:
    desk = whole_desk()
    order = desk.manager.submit(desk.order())
    desk.archive.run()
    desk.clock.advance(1_000 * HOUR_MS)
    assert desk.archive.run().evicted == 0
    assert desk.stored(order).state is OrderState.OPEN


def test_rebuilding_says_of_each_position_whether_it_equals_the_live_one() -> None:
    desk = whole_desk()
    filled(desk)
    (check,) = desk.repairer.check_positions()
    assert check.agrees
    position = desk.store.tables.positions[ACCOUNT, SYMBOL]
    object.__setattr__(position, "amount", Decimal(7))
    (check,) = desk.repairer.rebuild()
    assert (check.agrees, check.live.amount, check.rebuilt.amount) == (False, 7, 1)
    assert desk.store.position(ACCOUNT, SYMBOL).amount == 1
