"""Positions are whole again after the store, the ledger or one record was lost."""

from decimal import Decimal

from execution.ledger.memory import MemoryLedger
from execution.reconciliation.run import DriftPolicy
from tests.support.exchange import SYMBOL
from tests.support.fakes import ACCOUNT
from tests.support.lost_stores import (
    HOUR_MS,
    all_lost,
    amount,
    filled,
    restarted,
    whole_rig,
    with_ledger,
)


def test_a_new_ledger_does_not_take_what_the_position_holds() -> None:
    """The file is deleted, or every machine has one of its own, and Redis restarts: the ledger has
    only the last fills, and a position that lost nothing is folded from them."""
    rig = whole_rig()
    filled(rig)
    rig.reconcile()
    rig.archive.run()
    rig.clock.advance(HOUR_MS)
    assert rig.archive.run().evicted == 1
    with_ledger(rig, MemoryLedger())
    restarted(rig)
    rig.reconcile()
    assert amount(rig) == 1


def test_fills_that_the_ledger_never_got_come_back_after_a_repair() -> None:
    """An ended order's record and its position are deleted while the ledger is away. Its trades lie
    before the cursor, so that nobody reads them again."""
    rig = whole_rig()
    filled(rig, "signal-1")
    rig.archive.run()
    rig.ledger.away = True
    lost = filled(rig, "signal-2")
    rig.reconcile()
    del rig.store.tables.orders[lost.order_id]
    del rig.store.tables.positions[ACCOUNT, SYMBOL]
    rig.ledger.away = False
    for _ in range(3):
        rig.reconcile()
        rig.sweep(for_ms=5_000)
    assert amount(rig) == 2


def test_a_position_that_was_deleted_is_missed_although_a_fill_created_it_again() -> None:
    rig = whole_rig()
    filled(rig)
    del rig.store.tables.positions[ACCOUNT, SYMBOL]
    filled(rig, "signal-2")
    assert amount(rig) == 1
    rig.reconcile()
    assert amount(rig) == 2


def test_a_record_that_was_lost_after_its_last_copy_does_not_count_its_fills_twice() -> None:
    """The ledger has the order as open; its fill is on the position; its record is deleted."""
    rig = whole_rig()
    order = rig.manager.submit(rig.order())
    rig.archive.run()
    rig.exchange.trade(order.client_order_id, "99", "1")
    rig.reconcile()
    assert amount(rig) == 1
    del rig.store.tables.orders[order.order_id]
    rig.manager.submit(rig.order())
    rig.sweep(for_ms=5_000)
    for _ in range(2):
        rig.reconcile()
        rig.sweep(for_ms=5_000)
    assert rig.stored(order).filled == 1
    assert amount(rig) == 1


def test_a_record_that_the_ledger_never_got_does_not_count_its_fills_twice() -> None:
    rig = whole_rig()
    rig.ledger.away = True
    order = rig.manager.submit(rig.order())
    rig.exchange.trade(order.client_order_id, "99", "0.5")
    rig.reconcile()
    del rig.store.tables.orders[order.order_id]
    rig.exchange.trade(order.client_order_id, "99", "0.25")
    rig.ledger.away = False
    for _ in range(4):
        rig.reconcile()
        rig.sweep(for_ms=5_000)
    assert rig.stored(order).filled == Decimal("0.75")
    assert amount(rig) == Decimal("0.75")


def test_fills_of_the_last_seconds_are_found_although_the_store_was_away_for_minutes() -> None:
    """The ledger is some seconds behind when the store is lost. Without a cursor trades are read
    from a minute before the first run on, and nothing says that any lie before that."""
    rig = whole_rig()
    filled(rig, "signal-1")
    rig.reconcile()
    rig.archive.run()
    filled(rig, "signal-2")
    rig.clock.advance(5 * 60_000)
    all_lost(rig)
    for _ in range(4):
        rig.reconcile()
        rig.sweep(for_ms=5_000)
    assert amount(rig) == 2


def test_positions_that_come_back_late_are_no_drift() -> None:
    """The ledger answers only after two looks at the balances of a store that knows no position."""
    rig = whole_rig()
    filled(rig)
    rig.archive.run()
    all_lost(rig)
    rig.ledger.away = True
    for _ in range(3):
        rig.reconcile()
    rig.ledger.away = False
    for _ in range(3):
        found = rig.reconcile(DriftPolicy.HALT)
    assert amount(rig) == 1
    assert (found.drift, rig.store.halts()) == ({}, [])
