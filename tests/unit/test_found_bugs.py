"""What attacks on reconciliation, repair and archive found: each test is one hole, or was one."""

from contextlib import suppress
from dataclasses import replace
from decimal import Decimal

import pytest
from fakes import ACCOUNT, SYMBOL, Crash, Desk, dies_after_it_arrived, is_lost

from execution.ledger.archive import Archive, Retention
from execution.ledger.memory import MemoryLedger
from execution.model.errors import ExchangeUnavailable, LedgerUnavailable
from execution.model.events import CancelRequested
from execution.model.order import Attempt, Order, OrderState, Side
from execution.orders.store import Change, Halt
from execution.reconciliation.run import DriftPolicy
from execution.repair.repairer import Repairer
from execution.store.memory.archive import MemoryArchive, MemoryRepair
from execution.store.memory.tables import Tables
from execution.store.memory.valuations import MemoryReconciliations

HOUR_MS = 3_600_000


def whole_desk(**exchange: object) -> Desk:
    """One that was looked over, and that knows its opening balances."""
    desk = Desk(**exchange)
    for _ in range(2):
        desk.reconcile()
        desk.clock.advance(1_000)
    return desk


def filled(desk: Desk, signal_id: str = "signal-1", price: str = "99", side: str = "buy") -> Order:
    desk.exchange.fill_next.append([(price, "1")])
    return desk.manager.submit(desk.order(signal_id=signal_id, side=Side(side)))


def amount(desk: Desk) -> Decimal:
    return desk.store.position(ACCOUNT, SYMBOL).amount


def with_ledger(desk: Desk, ledger: MemoryLedger) -> None:
    """Somebody puts another ledger in the place of the one that there was."""
    desk.ledger = ledger
    desk.archive = Archive(
        MemoryArchive(desk.store, desk.clock),
        desk.valuations,
        ledger,
        desk.clock,
        Retention(keep_s=3_600, remember_s=86_400),
    )
    desk.repairer = Repairer(
        desk.store, MemoryRepair(desk.store), ledger, desk.archive, desk.clock, 86_400
    )
    desk.manager = desk.worker()


def restarted(desk: Desk) -> None:
    """The server comes back as another run, and has lost nothing."""
    desk.store.roll_back(desk.store.copied())


def somebody_trades(desk: Desk, client_order_id: str = "by-hand") -> None:
    order = replace(desk.order(signal_id="by hand"), client_order_id=client_order_id)
    now_ms = desk.clock.now_ms()
    desk.exchange.arrive(order, Attempt(1, now_ms, now_ms + 5_000, now_ms + 6_000))
    desk.exchange.trade(client_order_id, "99", "1")


# --- Positions -----------------------------------------------------------------------------------


def test_a_new_ledger_does_not_take_what_the_position_holds() -> None:
    """The file is deleted, or every machine has one of its own, and Redis restarts: the ledger has
    only the last fills, and a position that lost nothing is folded from them."""
    desk = whole_desk()
    filled(desk)
    desk.reconcile()
    desk.archive.run()
    desk.clock.advance(HOUR_MS)
    assert desk.archive.run().evicted == 1
    with_ledger(desk, MemoryLedger())
    restarted(desk)
    desk.reconcile()
    assert amount(desk) == 1


def test_fills_that_the_ledger_never_got_come_back_after_a_repair() -> None:
    """An ended order's record and its position are deleted while the ledger is away. Its trades lie
    before the cursor, so that nobody reads them again."""
    desk = whole_desk()
    filled(desk, "signal-1")
    desk.archive.run()
    desk.ledger.away = True
    lost = filled(desk, "signal-2")
    desk.reconcile()
    del desk.store.tables.orders[lost.order_id]
    del desk.store.tables.positions[ACCOUNT, SYMBOL]
    desk.ledger.away = False
    for _ in range(3):
        desk.reconcile()
        desk.sweep(for_ms=5_000)
    assert amount(desk) == 2


def test_a_position_that_was_deleted_is_missed_although_a_fill_made_it_anew() -> None:
    desk = whole_desk()
    filled(desk)
    del desk.store.tables.positions[ACCOUNT, SYMBOL]
    filled(desk, "signal-2")
    assert amount(desk) == 1
    desk.reconcile()
    assert amount(desk) == 2


def test_a_record_that_was_lost_after_its_last_copy_does_not_count_its_fills_twice() -> None:
    """The ledger has the order as open; its fill is on the position; its record is deleted."""
    desk = whole_desk()
    order = desk.manager.submit(desk.order())
    desk.archive.run()
    desk.exchange.trade(order.client_order_id, "99", "1")
    desk.reconcile()
    assert amount(desk) == 1
    del desk.store.tables.orders[order.order_id]
    desk.manager.submit(desk.order())
    desk.sweep(for_ms=5_000)
    for _ in range(2):
        desk.reconcile()
        desk.sweep(for_ms=5_000)
    assert desk.stored(order).filled == 1
    assert amount(desk) == 1


def test_a_record_that_the_ledger_never_got_does_not_count_its_fills_twice() -> None:
    desk = whole_desk()
    desk.ledger.away = True
    order = desk.manager.submit(desk.order())
    desk.exchange.trade(order.client_order_id, "99", "0.5")
    desk.reconcile()
    del desk.store.tables.orders[order.order_id]
    desk.exchange.trade(order.client_order_id, "99", "0.25")
    desk.ledger.away = False
    for _ in range(4):
        desk.reconcile()
        desk.sweep(for_ms=5_000)
    assert desk.stored(order).filled == Decimal("0.75")
    assert amount(desk) == Decimal("0.75")


def all_lost(desk: Desk) -> None:
    """The machine that the store was on is gone with everything on it."""
    desk.store.roll_back(Tables())
    desk.book = MemoryReconciliations()


def test_fills_of_the_last_seconds_are_found_although_the_store_was_away_for_minutes() -> None:
    """The ledger is some seconds behind when the store is lost. Without a cursor trades are read
    from a minute before the first run on, and nothing says that any lie before that."""
    desk = whole_desk()
    filled(desk, "signal-1")
    desk.reconcile()
    desk.archive.run()
    filled(desk, "signal-2")
    desk.clock.advance(5 * 60_000)
    all_lost(desk)
    for _ in range(4):
        desk.reconcile()
        desk.sweep(for_ms=5_000)
    assert amount(desk) == 2


def test_positions_that_come_back_late_are_no_drift() -> None:
    """The ledger answers only after two looks at the balances of a store that knows no position."""
    desk = whole_desk()
    filled(desk)
    desk.archive.run()
    all_lost(desk)
    desk.ledger.away = True
    for _ in range(3):
        desk.reconcile()
    desk.ledger.away = False
    for _ in range(3):
        found = desk.reconcile(DriftPolicy.HALT)
    assert amount(desk) == 1
    assert (found.drift, desk.store.halts()) == ({}, [])


def test_an_order_that_is_being_placed_is_not_adopted_as_a_strangers() -> None:
    """On Kraken an order's id there is not of our making to the eye. It is placed, and trades,
    after the run has read which orders are under way."""
    desk = whole_desk()
    desk.manager.submit(desk.order(signal_id="another"))
    ours = desk.order(exchange="kraken")

    def placed_meanwhile() -> None:
        desk.exchange.fill_next.append([("99", "1")])
        desk.exchange.script.append(dies_after_it_arrived)
        with pytest.raises(Crash):
            desk.manager.submit(ours)

    desk.exchange.on("fills_since", placed_meanwhile)
    desk.reconcile(DriftPolicy.ADOPT)
    desk.sweep(for_ms=20_000)
    desk.reconcile(DriftPolicy.ADOPT)
    assert desk.stored(ours).filled == 1
    assert amount(desk) == 1


def test_an_order_with_an_id_that_is_not_of_our_making_to_the_eye_is_not_doubled() -> None:
    """On Kraken again: the store forgot it, the ledger never had it, and its trade is adopted as a
    stranger's before its signal comes once more."""
    desk = whole_desk()
    filled(desk, "another")
    desk.archive.run()
    an_hour_ago = desk.store.copied()
    desk.clock.advance(HOUR_MS // 2)
    desk.ledger.away = True
    desk.exchange.fill_next.append([("99", "1")])
    ours = desk.manager.submit(desk.order(exchange="kraken"))
    desk.ledger.away = False
    desk.store.roll_back(an_hour_ago)
    desk.reconcile(DriftPolicy.ADOPT)
    desk.manager.submit(desk.order(exchange="kraken"))
    desk.sweep(for_ms=20_000)
    desk.reconcile(DriftPolicy.ADOPT)
    assert desk.stored(ours).filled == 1
    assert desk.accepted == 2
    assert amount(desk) == 2


# --- Orders --------------------------------------------------------------------------------------


def an_hour_later(desk: Desk) -> None:
    """What came after the copy was archived, and an hour has gone by since."""
    desk.archive.run()
    desk.clock.advance(HOUR_MS // 2)


def test_an_order_that_was_withdrawn_is_not_sent_after_the_store_came_back() -> None:
    """The ledger knows that it was canceled before it was sent; the store knows it as received."""
    desk = whole_desk()
    order = desk.manager.receive(desk.order())
    before = desk.store.copied()
    desk.clock.advance(HOUR_MS // 2)
    desk.manager.cancel(order.order_id)
    desk.sweep(for_ms=5_000)
    assert desk.stored(order).state is OrderState.CANCELED
    an_hour_later(desk)
    desk.store.roll_back(before)
    desk.reconcile()
    desk.sweep(for_ms=60_000)
    assert desk.accepted == 0


def test_an_order_that_was_refused_is_not_sent_after_the_store_came_back() -> None:
    """A person had stopped the account, and resumed it after the order was refused."""
    desk = whole_desk()
    order = desk.manager.receive(desk.order())
    before = desk.store.copied()
    desk.store.halt(Halt(None, "a person", desk.clock.now()))
    desk.manager.advance_by_id(order.order_id)
    assert desk.stored(order).state is OrderState.REFUSED
    an_hour_later(desk)
    desk.store.roll_back(before)
    desk.reconcile()
    desk.sweep(for_ms=60_000)
    assert desk.accepted == 0


def test_a_wish_to_cancel_is_not_forgotten_with_the_last_hour() -> None:
    """The exchange was away when it was asked to cancel, and the store came back from before."""
    desk = whole_desk()
    order = desk.manager.submit(desk.order())
    desk.archive.run()
    before = desk.store.copied()
    desk.journal.record(desk.stored(order), CancelRequested())
    an_hour_later(desk)
    desk.store.roll_back(before)
    desk.reconcile()
    desk.sweep(for_ms=60_000)
    assert desk.stored(order).state is OrderState.CANCELED


def test_an_account_that_was_halted_stays_so_when_the_store_comes_back_from_before() -> None:
    desk = whole_desk()
    filled(desk)
    before = desk.store.copied()
    desk.clock.advance(HOUR_MS // 2)
    desk.store.halt(Halt(None, "a person", desk.clock.now()))
    desk.archive.run()
    desk.store.roll_back(before)
    desk.reconcile()
    assert desk.store.halts() != []


def test_without_the_ledger_a_store_of_an_hour_ago_does_not_double_orders() -> None:
    """For ten minutes every signal is looked for at the exchange first; then it is not, although
    nobody could look the store over yet."""
    desk = whole_desk()
    before = desk.store.copied()
    desk.clock.advance(HOUR_MS)
    filled(desk)
    desk.archive.run()
    desk.store.roll_back(before)
    desk.ledger.away = True
    desk.clock.advance(11 * 60_000)
    desk.manager.submit(desk.order())
    desk.sweep()
    assert desk.accepted == 1


def test_an_order_that_rests_for_longer_than_orders_are_remembered_is_put_back() -> None:
    desk = whole_desk()
    order = desk.manager.submit(desk.order())
    desk.archive.run()
    desk.clock.advance(25 * HOUR_MS)
    desk.reconcile()
    desk.store.roll_back(Desk().store.copied())
    desk.reconcile()
    assert desk.store.order(order.order_id) is not None


def test_a_signal_whose_record_was_lost_before_it_was_sent_still_becomes_an_order() -> None:
    """Neither the ledger nor the exchange has it, so that it never was."""
    desk = whole_desk()
    desk.ledger.away = True
    desk.exchange.script.append(is_lost)
    order = desk.manager.submit(desk.order())
    del desk.store.tables.orders[order.order_id]
    desk.ledger.away = False
    desk.clock.advance(60_000)
    desk.reconcile()
    desk.manager.submit(desk.order())
    desk.sweep()
    assert desk.accepted == 1


def test_an_order_that_was_refused_here_and_stands_there_does_not_end_all_repairs() -> None:
    """Its signal came again after the store came back, and had expired; the ledger knows better."""
    desk = whole_desk()
    order = filled(desk)
    desk.archive.run()
    desk.store.roll_back(Tables())
    refused = replace(desk.order(), state=OrderState.REFUSED, version=1, revision="r")
    desk.store.commit(Change(desk.order(), refused, None))
    for _ in range(2):
        desk.reconcile()
    assert desk.store.tables.mended_run == desk.store.epoch().run_id
    assert desk.ledger.order(order.order_id) is not None


# --- Reconciling ---------------------------------------------------------------------------------


def test_with_halt_a_strangers_trade_stops_the_account_though_the_run_did_not_end() -> None:
    """The cursor has moved past the trade when a later question fails; nobody sees it again."""
    desk = whole_desk()
    desk.manager.submit(desk.order())
    somebody_trades(desk)
    desk.exchange.fail("open_orders")
    with pytest.raises(ExchangeUnavailable):
        desk.reconcile(DriftPolicy.HALT)
    desk.reconcile(DriftPolicy.HALT)
    assert [halt.account for halt in desk.store.halts()] == [ACCOUNT]


def test_a_trade_whose_order_is_never_shown_does_not_hide_those_after_it() -> None:
    """The exchange has no such order, today or ever; our own late fill comes after it."""
    desk = whole_desk()
    order = desk.manager.submit(desk.order())
    desk.exchange.standing[0].status = OrderState.CANCELED
    desk.reconcile()
    resting = desk.manager.submit(desk.order(signal_id="signal-2"))
    somebody_trades(desk)
    desk.exchange.trade(order.client_order_id, "99", "0.25")
    hidden = desk.exchange.standing[-1]
    fetch = desk.exchange.fetch

    def never_shown(symbol: str, exchange_id: str) -> object:
        return None if exchange_id == hidden.exchange_order_id else fetch(symbol, exchange_id)

    desk.exchange.fetch = never_shown
    for _ in range(20):
        desk.clock.advance(HOUR_MS)
        desk.reconcile()
    assert desk.stored(resting).state is OrderState.OPEN
    assert amount(desk) == Decimal("0.25")


def test_a_trade_of_an_order_that_left_and_that_the_ledger_lost_does_not_end_all_runs() -> None:
    desk = whole_desk()
    order = desk.manager.submit(desk.order())
    desk.exchange.standing[0].status = OrderState.CANCELED
    desk.reconcile()
    desk.archive.run()
    desk.clock.advance(HOUR_MS)
    desk.archive.run()
    with_ledger(desk, MemoryLedger())
    desk.manager.submit(desk.order(signal_id="signal-2"))
    desk.exchange.trade(order.client_order_id, "99", "0.25")
    found = desk.reconcile()
    # What of it was counted before, nobody can say any more: a person must look.
    assert found.external_orders == [f"{SYMBOL} {order.exchange_order_id}"]
    assert desk.reconcile().external_orders == []
    assert amount(desk) == 0


def test_an_order_of_ours_that_ended_here_and_stands_there_is_not_passed_over() -> None:
    """The record says that it was refused; the exchange lists it as open."""
    desk = whole_desk()
    desk.manager.submit(desk.order(signal_id="another"))
    order = desk.order()
    desk.store.halt(Halt(None, "a person", desk.clock.now()))
    refused = desk.manager.submit(order)
    assert refused.state is OrderState.REFUSED
    now_ms = desk.clock.now_ms()
    desk.exchange.arrive(order, Attempt(1, now_ms, now_ms + 5_000, now_ms + 6_000))
    found = desk.reconcile()
    assert found.external_open_orders or found.external_orders or found.repaired


def test_a_strangers_trade_does_not_end_all_runs_while_the_ledger_is_away() -> None:
    """Whose it is can be asked later; our own fills after it cannot wait that long."""
    desk = whole_desk()
    ours = desk.manager.submit(desk.order())
    somebody_trades(desk)
    desk.exchange.trade(ours.client_order_id, "99", "0.25")
    desk.ledger.away = True
    with suppress(LedgerUnavailable):
        desk.reconcile()
    desk.sweep(for_ms=5_000)
    assert amount(desk) == Decimal("0.25")


class ChangedMeanwhile(MemoryArchive):
    """Every order changes between the list of those that leave and its own turn."""

    def leaving(self, now_ms: int, limit: int) -> list[str]:
        ripe = super().leaving(now_ms, limit)
        self._store.tables.unarchived.update(dict.fromkeys(ripe))
        return ripe


def test_an_archive_run_counts_only_orders_that_left() -> None:
    desk = whole_desk()
    order = filled(desk)
    store = ChangedMeanwhile(desk.store, desk.clock)
    archive = Archive(store, desk.valuations, desk.ledger, desk.clock, Retention(keep_s=0))
    assert archive.run().evicted == 0
    assert desk.stored(order) == order
