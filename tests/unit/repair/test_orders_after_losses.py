"""No order is doubled, forgotten or sent late after the store or the ledger was lost."""

from dataclasses import replace

from execution.model.events import CancelRequested
from execution.model.order import OrderState
from execution.orders.store import Change, Halt
from execution.reconciliation.run import DriftPolicy
from execution.store.memory.tables import Tables
from tests.support.exchange import is_lost
from tests.support.fakes import Rig
from tests.support.lost_stores import HOUR_MS, amount, filled, whole_rig


def test_an_order_with_an_id_that_is_not_of_our_making_to_the_eye_is_not_doubled() -> None:
    """On Kraken again: the store forgot it, the ledger never had it, and its trade is adopted as a
    stranger's before its signal comes once more."""
    rig = whole_rig()
    filled(rig, "another")
    rig.archive.run()
    an_hour_ago = rig.store.copied()
    rig.clock.advance(HOUR_MS // 2)
    rig.ledger.away = True
    rig.exchange.fill_next.append([("99", "1")])
    ours = rig.manager.submit(rig.order(exchange="kraken"))
    rig.ledger.away = False
    rig.store.roll_back(an_hour_ago)
    rig.reconcile(DriftPolicy.ADOPT)
    rig.manager.submit(rig.order(exchange="kraken"))
    rig.sweep(for_ms=20_000)
    rig.reconcile(DriftPolicy.ADOPT)
    assert rig.stored(ours).filled == 1
    assert rig.accepted == 2
    assert amount(rig) == 2


def an_hour_later(rig: Rig) -> None:
    """What came after the copy was archived, and an hour has gone by since."""
    rig.archive.run()
    rig.clock.advance(HOUR_MS // 2)


def test_an_order_that_was_withdrawn_is_not_sent_after_the_store_came_back() -> None:
    """The ledger knows that it was canceled before it was sent; the store knows it as received."""
    rig = whole_rig()
    order = rig.manager.receive(rig.order())
    before = rig.store.copied()
    rig.clock.advance(HOUR_MS // 2)
    rig.manager.cancel(order.order_id)
    rig.sweep(for_ms=5_000)
    assert rig.stored(order).state is OrderState.CANCELED
    an_hour_later(rig)
    rig.store.roll_back(before)
    rig.reconcile()
    rig.sweep(for_ms=60_000)
    assert rig.accepted == 0


def test_an_order_that_was_refused_is_not_sent_after_the_store_came_back() -> None:
    """A person had stopped the account, and resumed it after the order was refused."""
    rig = whole_rig()
    order = rig.manager.receive(rig.order())
    before = rig.store.copied()
    rig.store.halt(Halt(None, "a person", rig.clock.now()))
    rig.manager.advance_by_id(order.order_id)
    assert rig.stored(order).state is OrderState.REFUSED
    an_hour_later(rig)
    rig.store.roll_back(before)
    rig.reconcile()
    rig.sweep(for_ms=60_000)
    assert rig.accepted == 0


def test_a_cancel_request_is_not_forgotten_with_the_last_hour() -> None:
    """The exchange was away when it was asked to cancel, and the store came back from before."""
    rig = whole_rig()
    order = rig.manager.submit(rig.order())
    rig.archive.run()
    before = rig.store.copied()
    rig.journal.record(rig.stored(order), CancelRequested())
    an_hour_later(rig)
    rig.store.roll_back(before)
    rig.reconcile()
    rig.sweep(for_ms=60_000)
    assert rig.stored(order).state is OrderState.CANCELED


def test_an_account_that_was_halted_stays_so_when_the_store_comes_back_from_before() -> None:
    rig = whole_rig()
    filled(rig)
    before = rig.store.copied()
    rig.clock.advance(HOUR_MS // 2)
    rig.store.halt(Halt(None, "a person", rig.clock.now()))
    rig.archive.run()
    rig.store.roll_back(before)
    rig.reconcile()
    assert rig.store.halts() != []


def test_without_the_ledger_a_store_of_an_hour_ago_does_not_double_orders() -> None:
    """For ten minutes every signal is looked for at the exchange first; then it is not, although
    nobody could look the store over yet."""
    rig = whole_rig()
    before = rig.store.copied()
    rig.clock.advance(HOUR_MS)
    filled(rig)
    rig.archive.run()
    rig.store.roll_back(before)
    rig.ledger.away = True
    rig.clock.advance(11 * 60_000)
    rig.manager.submit(rig.order())
    rig.sweep()
    assert rig.accepted == 1


def test_an_order_that_rests_for_longer_than_orders_are_remembered_is_put_back() -> None:
    rig = whole_rig()
    order = rig.manager.submit(rig.order())
    rig.archive.run()
    rig.clock.advance(25 * HOUR_MS)
    rig.reconcile()
    rig.store.roll_back(Rig().store.copied())
    rig.reconcile()
    assert rig.store.order(order.order_id) is not None


def test_a_signal_whose_record_was_lost_before_it_was_sent_still_becomes_an_order() -> None:
    """Neither the ledger nor the exchange has it, so that it never was."""
    rig = whole_rig()
    rig.ledger.away = True
    rig.exchange.script.append(is_lost)
    order = rig.manager.submit(rig.order())
    del rig.store.tables.orders[order.order_id]
    rig.ledger.away = False
    rig.clock.advance(60_000)
    rig.reconcile()
    rig.manager.submit(rig.order())
    rig.sweep()
    assert rig.accepted == 1


def test_an_order_that_was_refused_here_and_stands_there_does_not_end_all_repairs() -> None:
    """Its signal came again after the store came back, and had expired; the ledger knows better."""
    rig = whole_rig()
    order = filled(rig)
    rig.archive.run()
    rig.store.roll_back(Tables())
    refused = replace(rig.order(), state=OrderState.REFUSED, version=1, revision="r")
    rig.store.commit(Change(rig.order(), refused, None))
    for _ in range(2):
        rig.reconcile()
    assert rig.store.tables.verified_epoch == rig.store.epoch().run_id
    assert rig.ledger.order(order.order_id) is not None
