"""What attacks on reconciliation, repair and archive found: each test is one hole, or was one."""

from contextlib import suppress
from dataclasses import replace
from decimal import Decimal

import pytest
from fakes import ACCOUNT, SYMBOL, Crash, Rig, dies_after_it_arrived, is_lost

from execution.ledger.archive import Archive, Retention
from execution.ledger.memory import MemoryLedger
from execution.model.errors import ExchangeUnavailable, LedgerUnavailable
from execution.model.events import CancelRequested
from execution.model.order import Attempt, Order, OrderState, Side
from execution.orders.store import Change, Halt
from execution.reconciliation.run import DriftPolicy
from execution.store.memory.archive import MemoryArchive
from execution.store.memory.reconciliations import MemoryReconciliations
from execution.store.memory.tables import Tables

HOUR_MS = 3_600_000


def whole_rig(**exchange: object) -> Rig:
    """One that was looked over, and that knows its opening balances."""
    rig = Rig(**exchange)
    for _ in range(2):
        rig.reconcile()
        rig.clock.advance(1_000)
    return rig


def filled(rig: Rig, signal_id: str = "signal-1", price: str = "99", side: str = "buy") -> Order:
    rig.exchange.fill_next.append([(price, "1")])
    return rig.manager.submit(rig.order(signal_id=signal_id, side=Side(side)))


def amount(rig: Rig) -> Decimal:
    return rig.store.position(ACCOUNT, SYMBOL).amount


def with_ledger(rig: Rig, ledger: MemoryLedger) -> None:
    """Somebody puts another ledger in the place of the one that there was."""
    rig.ledger = ledger
    rig.archive = Archive(
        MemoryArchive(rig.store, rig.clock),
        rig.valuations,
        ledger,
        rig.clock,
        Retention(keep_s=3_600, remember_s=86_400),
    )
    rig.assemble_repair(remember_s=86_400)
    rig.manager = rig.worker()


def restarted(rig: Rig) -> None:
    """The server comes back as another run, and has lost nothing."""
    rig.store.roll_back(rig.store.copied())


def somebody_trades(rig: Rig, client_order_id: str = "by-hand") -> None:
    order = replace(rig.order(signal_id="by hand"), client_order_id=client_order_id)
    now_ms = rig.clock.now_ms()
    rig.exchange.arrive(order, Attempt(1, now_ms, now_ms + 5_000, now_ms + 6_000))
    rig.exchange.trade(client_order_id, "99", "1")


# --- Positions -----------------------------------------------------------------------------------


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


def test_a_position_that_was_deleted_is_missed_although_a_fill_made_it_anew() -> None:
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


def all_lost(rig: Rig) -> None:
    """The machine that the store was on is gone with everything on it."""
    rig.store.roll_back(Tables())
    rig.book = MemoryReconciliations()


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


def test_an_order_that_is_being_placed_is_not_adopted_as_a_strangers() -> None:
    """On Kraken an order's id there is not of our making to the eye. It is placed, and trades,
    after the run has read which orders are under way."""
    rig = whole_rig()
    rig.manager.submit(rig.order(signal_id="another"))
    ours = rig.order(exchange="kraken")

    def placed_meanwhile() -> None:
        rig.exchange.fill_next.append([("99", "1")])
        rig.exchange.script.append(dies_after_it_arrived)
        with pytest.raises(Crash):
            rig.manager.submit(ours)

    rig.exchange.on("fills_since", placed_meanwhile)
    rig.reconcile(DriftPolicy.ADOPT)
    rig.sweep(for_ms=20_000)
    rig.reconcile(DriftPolicy.ADOPT)
    assert rig.stored(ours).filled == 1
    assert amount(rig) == 1


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


# --- Orders --------------------------------------------------------------------------------------


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


def test_a_wish_to_cancel_is_not_forgotten_with_the_last_hour() -> None:
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


# --- Reconciling ---------------------------------------------------------------------------------


def test_with_halt_an_external_trade_stops_the_account_though_the_run_did_not_end() -> None:
    """The cursor has moved past the trade when a later question fails; nobody sees it again."""
    rig = whole_rig()
    rig.manager.submit(rig.order())
    somebody_trades(rig)
    rig.exchange.fail("open_orders")
    with pytest.raises(ExchangeUnavailable):
        rig.reconcile(DriftPolicy.HALT)
    rig.reconcile(DriftPolicy.HALT)
    assert [halt.account for halt in rig.store.halts()] == [ACCOUNT]


def test_a_trade_whose_order_is_never_shown_does_not_hide_those_after_it() -> None:
    """The exchange has no such order, today or ever; our own late fill comes after it."""
    rig = whole_rig()
    order = rig.manager.submit(rig.order())
    rig.exchange.standing[0].status = OrderState.CANCELED
    rig.reconcile()
    resting = rig.manager.submit(rig.order(signal_id="signal-2"))
    somebody_trades(rig)
    rig.exchange.trade(order.client_order_id, "99", "0.25")
    hidden = rig.exchange.standing[-1]
    fetch = rig.exchange.fetch

    def never_shown(symbol: str, exchange_id: str) -> object:
        return None if exchange_id == hidden.exchange_order_id else fetch(symbol, exchange_id)

    rig.exchange.fetch = never_shown
    for _ in range(20):
        rig.clock.advance(HOUR_MS)
        rig.reconcile()
    assert rig.stored(resting).state is OrderState.OPEN
    assert amount(rig) == Decimal("0.25")


def test_a_trade_of_an_order_that_left_and_that_the_ledger_lost_does_not_end_all_runs() -> None:
    rig = whole_rig()
    order = rig.manager.submit(rig.order())
    rig.exchange.standing[0].status = OrderState.CANCELED
    rig.reconcile()
    rig.archive.run()
    rig.clock.advance(HOUR_MS)
    rig.archive.run()
    with_ledger(rig, MemoryLedger())
    rig.manager.submit(rig.order(signal_id="signal-2"))
    rig.exchange.trade(order.client_order_id, "99", "0.25")
    found = rig.reconcile()
    # What of it was counted before, nobody can say any more: a person must look.
    assert found.external_orders == [f"{SYMBOL} {order.exchange_order_id}"]
    assert rig.reconcile().external_orders == []
    assert amount(rig) == 0


def test_an_order_of_ours_that_ended_here_and_stands_there_is_not_passed_over() -> None:
    """The record says that it was refused; the exchange lists it as open."""
    rig = whole_rig()
    rig.manager.submit(rig.order(signal_id="another"))
    order = rig.order()
    rig.store.halt(Halt(None, "a person", rig.clock.now()))
    refused = rig.manager.submit(order)
    assert refused.state is OrderState.REFUSED
    now_ms = rig.clock.now_ms()
    rig.exchange.arrive(order, Attempt(1, now_ms, now_ms + 5_000, now_ms + 6_000))
    found = rig.reconcile()
    assert found.external_open_orders or found.external_orders or found.repaired


def test_an_external_trade_does_not_end_all_runs_while_the_ledger_is_away() -> None:
    """Whose it is can be asked later; our own fills after it cannot wait that long."""
    rig = whole_rig()
    ours = rig.manager.submit(rig.order())
    somebody_trades(rig)
    rig.exchange.trade(ours.client_order_id, "99", "0.25")
    rig.ledger.away = True
    with suppress(LedgerUnavailable):
        rig.reconcile()
    rig.sweep(for_ms=5_000)
    assert amount(rig) == Decimal("0.25")


class ChangedMeanwhile(MemoryArchive):
    """Every order changes between the list of those that leave and its own turn."""

    def leaving(self, now_ms: int, limit: int) -> list[str]:
        ripe = super().leaving(now_ms, limit)
        self._server.tables.unarchived.update(dict.fromkeys(ripe))
        return ripe


def test_an_archive_run_counts_only_orders_that_left() -> None:
    rig = whole_rig()
    order = filled(rig)
    store = ChangedMeanwhile(rig.store, rig.clock)
    archive = Archive(store, rig.valuations, rig.ledger, rig.clock, Retention(keep_s=0))
    assert archive.run().evicted == 0
    assert rig.stored(order) == order
