"""A store or a ledger that was replaced, or is from an earlier time, does not pass for the one that
it was."""

from dataclasses import replace
from decimal import Decimal

import pytest
from fakes import ACCOUNT, SYMBOL, Desk

from execution.ledger.archive import Archive, Retention
from execution.ledger.memory import MemoryLedger
from execution.model.errors import UntrustedLedger
from execution.model.order import Order, OrderState, Side
from execution.positions.valuation import Valuer
from execution.reconciliation.run import DriftPolicy
from execution.repair.repairer import Repairer
from execution.store.memory.archive import MemoryArchive, MemoryRepair

HOUR_MS = 3_600_000


def whole_desk() -> Desk:
    """One that was looked over, knows its opening balances, and has agreed with its ledger."""
    desk = Desk()
    for _ in range(3):
        desk.reconcile()
        desk.archive.run()
        desk.clock.advance(1_000)
    return desk


def filled(desk: Desk, number: int, price: str = "99", side: Side = Side.BUY) -> Order:
    desk.clock.advance(1_000)
    desk.exchange.fill_next.append([(price, "1")])
    return desk.manager.submit(desk.order(signal_id=f"signal-{number}", side=side))


def amount(desk: Desk) -> Decimal:
    return desk.store.position(ACCOUNT, SYMBOL).amount


def with_ledger(desk: Desk, ledger: MemoryLedger) -> MemoryLedger:
    """Somebody puts another ledger in the place of the one that there was."""
    before = desk.ledger
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
    return before


def copied(ledger: MemoryLedger) -> MemoryLedger:
    """A backup of a ledger, with its identity."""
    backup = MemoryLedger(ledger.identity())
    backup.write(list(ledger.orders()))
    checkpoint = ledger.checkpoint()
    if checkpoint is not None:
        backup.write_checkpoint(checkpoint)
    return backup


# The server comes back from an earlier time, in the same run.


def test_a_server_with_the_contents_of_an_earlier_time_is_noticed_by_the_next_commit() -> None:
    desk = whole_desk()
    filled(desk, 1)
    earlier = desk.store.copied()
    second = filled(desk, 2)
    epoch = desk.store.epoch()
    desk.store.take_back(earlier)
    # The signal comes once more, and is looked for before it is sent.
    again = desk.manager.submit(desk.order(signal_id="signal-2"))
    desk.sweep(for_ms=20_000)
    assert desk.store.epoch() != epoch
    assert desk.stored(again).state is OrderState.FILLED
    assert again.order_id == second.order_id
    assert desk.accepted == 2
    desk.reconcile()
    assert amount(desk) == 2


def test_a_server_with_the_contents_of_an_earlier_time_is_noticed_by_what_the_ledger_has() -> None:
    """By a process that has just begun, and knows of no commits."""
    desk = whole_desk()
    filled(desk, 1)
    desk.archive.run()
    earlier = desk.store.copied()
    filled(desk, 2, "98")
    desk.archive.run()
    desk.store.roll_back(earlier)
    desk.store.tables.mended_run = desk.store.epoch().run_id  # As if it were the same run.
    found = desk.reconcile()
    assert "what came last: the ledger knows of later changes than the store" in found.repaired
    assert amount(desk) == 2
    assert desk.reconcile().repaired == []


def test_an_archive_that_runs_before_the_repair_leaves_what_tells_of_the_loss() -> None:
    desk = whole_desk()
    earlier = desk.store.copied()
    filled(desk, 1)
    desk.archive.run()
    desk.store.roll_back(earlier)
    desk.store.tables.mended_run = desk.store.epoch().run_id
    for _ in range(3):
        desk.clock.advance(HOUR_MS)
        desk.archive.run()
    assert desk.reconcile().repaired
    assert amount(desk) == 1


def test_a_process_that_dies_between_both_sides_leaves_sides_that_agree() -> None:
    class Dies(MemoryLedger):
        dies = False

        def write_checkpoint(self, checkpoint: object) -> None:
            super().write_checkpoint(checkpoint)  # type: ignore[arg-type]
            if self.dies:
                raise KeyboardInterrupt

    desk = Desk()
    ledger = Dies()
    with_ledger(desk, ledger)
    for _ in range(2):
        desk.reconcile()
    filled(desk, 1)
    ledger.dies = True
    with pytest.raises(KeyboardInterrupt):
        desk.archive.run()
    ledger.dies = False
    assert desk.reconcile().repaired == []
    desk.archive.run()
    assert desk.reconcile().repaired == []


# Another ledger, or one from an earlier time.


def test_another_ledger_is_named_in_every_run_and_alerted_once() -> None:
    desk = whole_desk()
    filled(desk, 1)
    desk.archive.run()
    with_ledger(desk, MemoryLedger())
    first, second = desk.reconcile(), desk.reconcile()
    sentence = "positions are not checked: the ledger is another one than before; "
    assert first.repaired[0].startswith(sentence)
    assert first.needs_attention
    assert second.repaired == []
    assert first.warnings[0].startswith(sentence)
    assert second.warnings == first.warnings
    assert amount(desk) == 1


def test_every_record_that_is_left_is_written_to_another_ledger() -> None:
    desk = whole_desk()
    gone = filled(desk, 1)
    desk.archive.run()
    desk.clock.advance(2 * HOUR_MS)
    desk.archive.run()
    kept, resting = filled(desk, 2), desk.manager.submit(desk.order(signal_id="resting"))
    desk.valuations.set_marks(ACCOUNT, {SYMBOL: Decimal(100)}, desk.clock.now_ms())
    valuer = Valuer(desk.store, desk.valuations, desk.clock)
    valuer.take_snapshots(valuer.value([ACCOUNT]))
    desk.archive.run()
    ledger = MemoryLedger()
    with_ledger(desk, ledger)
    desk.reconcile()
    assert [order.order_id for order in ledger.orders()] == [kept.order_id, resting.order_id]
    assert len(list(ledger.snapshots())) == 1
    assert ledger.order(gone.order_id) is None


def test_rebuilding_from_another_ledger_changes_nothing_unless_it_is_forced() -> None:
    desk = whole_desk()
    filled(desk, 1)
    desk.archive.run()
    desk.clock.advance(2 * HOUR_MS)
    desk.archive.run()
    filled(desk, 2, "98")
    with_ledger(desk, MemoryLedger())
    with pytest.raises(UntrustedLedger, match="another one than before; put the old ledger back"):
        desk.repairer.rebuild()
    desk.reconcile()
    with pytest.raises(UntrustedLedger):
        desk.repairer.rebuild()
    assert amount(desk) == 2
    desk.repairer.rebuild(force=True)
    assert amount(desk) == 1
    assert desk.repairer.complaint() is None
    assert desk.reconcile().warnings == []


def test_the_old_ledger_put_back_is_trusted_as_before() -> None:
    desk = whole_desk()
    filled(desk, 1)
    desk.archive.run()
    old = with_ledger(desk, MemoryLedger())
    desk.reconcile()
    filled(desk, 2)
    desk.archive.run()
    with_ledger(desk, old)
    found = desk.reconcile()
    assert (found.warnings, amount(desk)) == ([], 2)
    assert desk.repairer.rebuild()[0].agrees


def test_another_ledger_does_not_pass_for_the_first_one_where_its_name_was_lost() -> None:
    desk = whole_desk()
    filled(desk, 1)
    desk.archive.run()
    desk.clock.advance(2 * HOUR_MS)
    desk.archive.run()
    with_ledger(desk, MemoryLedger())
    for name in ("ledger_identity", "agreed", "mended_run"):
        desk.store.tables.drop(name)
    found = desk.reconcile()
    assert amount(desk) == 1
    assert "the ledger does not explain what is held" in found.warnings[0]
    with pytest.raises(UntrustedLedger):
        desk.repairer.rebuild()


def test_a_ledger_out_of_a_backup_gets_what_it_lacks_and_is_trusted_again() -> None:
    desk = whole_desk()
    filled(desk, 1)
    desk.archive.run()
    backup = copied(desk.ledger)
    filled(desk, 2, "98")
    desk.archive.run()
    with_ledger(desk, backup)
    found = desk.reconcile()
    assert "the store has written more to the ledger than is there" in found.repaired[0]
    assert (amount(desk), found.warnings) == (2, [])
    assert len(list(backup.orders())) == 2
    assert desk.reconcile().repaired == []


def test_a_ledger_out_of_a_backup_that_lacks_fills_for_good_moves_no_position() -> None:
    desk = whole_desk()
    desk.archive.run()
    backup = copied(desk.ledger)
    filled(desk, 1)
    desk.archive.run()
    desk.clock.advance(2 * HOUR_MS)
    desk.archive.run()
    with_ledger(desk, backup)
    for _ in range(2):
        assert "more to the ledger than is there" in desk.reconcile().warnings[0]
    assert amount(desk) == 1
    with pytest.raises(UntrustedLedger):
        desk.repairer.rebuild()


# What the ledger makes of the fills is held against what is kept, whatever else says all is well.


def test_a_position_that_is_wrong_without_any_other_sign_is_put_right() -> None:
    desk = whole_desk()
    filled(desk, 1)
    key = (ACCOUNT, SYMBOL)
    position = desk.store.tables.positions[key]
    desk.store.tables.positions[key] = replace(position, amount=Decimal(7))
    found = desk.reconcile()
    assert f"position {ACCOUNT} {SYMBOL}, which its fills do not explain" in found.repaired
    assert amount(desk) == 1


def test_every_position_has_its_turn() -> None:
    desk = whole_desk()
    for number in range(10):
        symbol = f"C{number}/USDT"
        desk.exchange.markets[symbol] = replace(desk.exchange.markets[SYMBOL], symbol=symbol)
        desk.exchange.fill_next.append([("99", "1")])
        desk.manager.submit(desk.order(signal_id=symbol, symbol=symbol))
    desk.reconcile()
    for number in range(10):
        key = (ACCOUNT, f"C{number}/USDT")
        wrong = replace(desk.store.tables.positions[key], cost=Decimal(1))
        desk.store.tables.positions[key] = wrong
    for _ in range(10):
        desk.reconcile()
    assert {p.cost for p in desk.store.positions()} == {Decimal(99)}


def test_a_fill_in_the_midst_of_a_check_is_no_loss() -> None:
    class Interrupted(MemoryLedger):
        desk: Desk | None = None
        times = 0

        def fills(self, account: str, symbol: str):  # type: ignore[no-untyped-def]
            if self.desk is not None and self.times:
                self.times -= 1
                filled(self.desk, 100 + self.times)
                self.desk.archive.flush()
            return super().fills(account, symbol)

    desk, ledger = whole_desk(), Interrupted()
    with_ledger(desk, ledger)
    desk.store.tables.drop("agreed")
    desk.store.tables.drop("ledger_identity")
    desk.reconcile()
    filled(desk, 1)
    ledger.desk, ledger.times = desk, 4
    assert desk.repairer.run([ACCOUNT]) is None
    assert ledger.times < 4
    ledger.times = 0
    assert desk.reconcile().repaired == []
    assert amount(desk) == desk.exchange.standing[-1].filled * desk.accepted


def test_while_the_ledger_is_away_drift_is_reported_and_not_taken_for_a_deposit() -> None:
    desk = whole_desk()
    opening = desk.book.sheet(ACCOUNT).opening
    desk.exchange.deposits["USDT"] += 500
    desk.ledger.away = True
    for _ in range(3):
        found = desk.reconcile(DriftPolicy.ADOPT)
    assert found.drift_confirmed
    assert found.warnings[0].startswith("positions are not checked: the ledger in memory")
    assert desk.book.sheet(ACCOUNT).opening == opening
    desk.ledger.away = False
    desk.reconcile(DriftPolicy.ADOPT)
    assert desk.reconcile(DriftPolicy.ADOPT).drift == {}


def test_an_index_that_is_lost_while_a_repair_is_at_work_is_repaired_in_the_next_run() -> None:
    desk = whole_desk()
    filled(desk, 1)
    resting = desk.manager.submit(desk.order(signal_id="resting"))
    desk.store.tables.drop("leaving")

    class Loses(MemoryLedger):
        def unsettled(self):  # type: ignore[no-untyped-def]
            desk.store.tables.drop("live")
            return super().unsettled()

    identity = desk.ledger.identity()
    loses = Loses(identity)
    loses.write(list(desk.ledger.orders()))
    checkpoint = desk.ledger.checkpoint()
    assert checkpoint is not None
    loses.write_checkpoint(checkpoint)
    old = with_ledger(desk, loses)
    desk.reconcile()
    with_ledger(desk, copied(loses))
    assert old.identity() == identity
    desk.reconcile()
    assert desk.store.live_orders(ACCOUNT) == [desk.stored(resting)]
    assert desk.reconcile().repaired == []


def test_trades_are_read_again_from_when_the_ledger_had_everything() -> None:
    """The ledger was away for long; what was lost meanwhile is older than what it heard of last."""
    desk = whole_desk()
    desk.ledger.away = True
    lost = filled(desk, 1)
    desk.clock.advance(HOUR_MS)
    filled(desk, 2, "98")
    desk.ledger.away = False
    del desk.store.tables.orders[lost.order_id]
    for name in ("unarchived", "known", "positions", "position_versions", "exchange_ids"):
        desk.store.tables.drop(name)
    desk.archive.run()
    for _ in range(3):
        desk.clock.advance(5_000)
        desk.reconcile()
    assert amount(desk) == 2
    assert desk.stored(lost).state is OrderState.FILLED


@pytest.mark.parametrize("force", [False, True])
def test_rebuilding_positions_does_not_hide_that_orders_are_lost(force: bool) -> None:
    desk = whole_desk()
    earlier = desk.store.copied()
    order = filled(desk, 1)
    desk.archive.run()
    desk.store.roll_back(earlier)
    desk.store.tables.mended_run = desk.store.epoch().run_id
    desk.repairer.rebuild(force=force)
    assert amount(desk) == 1
    assert desk.store.order(order.order_id) is None
    desk.reconcile()
    assert desk.stored(order) == order
    assert desk.reconcile().repaired == []
