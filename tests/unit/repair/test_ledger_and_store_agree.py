"""A store or a ledger that was replaced, or is from an earlier time, does not pass for the one that
it was."""

from dataclasses import replace
from decimal import Decimal

import pytest

from execution.ledger.archive import Archive, Retention
from execution.ledger.memory import MemoryLedger
from execution.model.errors import UntrustedLedger
from execution.model.order import Order, OrderState, Side
from execution.positions.valuation import Valuer
from execution.reconciliation.run import DriftPolicy
from execution.store.memory.archive import MemoryArchive
from tests.support.exchange import SYMBOL
from tests.support.fakes import ACCOUNT, Rig

HOUR_MS = 3_600_000


def whole_rig() -> Rig:
    """One that was looked over, knows its opening balances, and has agreed with its ledger."""
    rig = Rig()
    for _ in range(3):
        rig.reconcile()
        rig.archive.run()
        rig.clock.advance(1_000)
    return rig


def filled(rig: Rig, number: int, price: str = "99", side: Side = Side.BUY) -> Order:
    rig.clock.advance(1_000)
    rig.exchange.fill_next.append([(price, "1")])
    return rig.manager.submit(rig.order(signal_id=f"signal-{number}", side=side))


def amount(rig: Rig) -> Decimal:
    return rig.store.position(ACCOUNT, SYMBOL).amount


def with_ledger(rig: Rig, ledger: MemoryLedger) -> MemoryLedger:
    """Somebody puts another ledger in the place of the one that there was."""
    before = rig.ledger
    rig.ledger = ledger
    rig.archive = Archive(
        MemoryArchive(rig.store),
        rig.valuations,
        ledger,
        rig.clock,
        Retention(keep_s=3_600, remember_s=86_400),
    )
    rig.assemble_repair(remember_s=86_400)
    rig.manager = rig.worker()
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
    rig = whole_rig()
    filled(rig, 1)
    earlier = rig.store.copied()
    second = filled(rig, 2)
    epoch = rig.store.epoch()
    rig.store.take_back(earlier)
    # The signal comes once more, and is looked for before it is sent.
    again = rig.manager.submit(rig.order(signal_id="signal-2"))
    rig.sweep(for_ms=20_000)
    assert rig.store.epoch() != epoch
    assert rig.stored(again).state is OrderState.FILLED
    assert again.order_id == second.order_id
    assert rig.accepted == 2
    rig.reconcile()
    assert amount(rig) == 2


def test_a_server_with_the_contents_of_an_earlier_time_is_noticed_by_what_the_ledger_has() -> None:
    """By a process that has just begun, and knows of no commits."""
    rig = whole_rig()
    filled(rig, 1)
    rig.archive.run()
    earlier = rig.store.copied()
    filled(rig, 2, "98")
    rig.archive.run()
    rig.store.roll_back(earlier)
    rig.store.tables.verified_epoch = rig.store.epoch().run_id  # As if it were the same run.
    found = rig.reconcile()
    assert "what came last: the ledger knows of later changes than the store" in found.repaired
    assert amount(rig) == 2
    assert rig.reconcile().repaired == []


def test_an_archive_that_runs_before_the_repair_leaves_what_tells_of_the_loss() -> None:
    rig = whole_rig()
    earlier = rig.store.copied()
    filled(rig, 1)
    rig.archive.run()
    rig.store.roll_back(earlier)
    rig.store.tables.verified_epoch = rig.store.epoch().run_id
    for _ in range(3):
        rig.clock.advance(HOUR_MS)
        rig.archive.run()
    assert rig.reconcile().repaired
    assert amount(rig) == 1


def test_a_process_that_dies_between_both_sides_leaves_sides_that_agree() -> None:
    class Dies(MemoryLedger):
        dies = False

        def write_checkpoint(self, checkpoint: object) -> None:
            super().write_checkpoint(checkpoint)  # type: ignore[arg-type]
            if self.dies:
                raise KeyboardInterrupt

    rig = Rig()
    ledger = Dies()
    with_ledger(rig, ledger)
    for _ in range(2):
        rig.reconcile()
    filled(rig, 1)
    ledger.dies = True
    with pytest.raises(KeyboardInterrupt):
        rig.archive.run()
    ledger.dies = False
    assert rig.reconcile().repaired == []
    rig.archive.run()
    assert rig.reconcile().repaired == []


# Another ledger, or one from an earlier time.


def test_another_ledger_is_named_in_every_run_and_alerted_once() -> None:
    rig = whole_rig()
    filled(rig, 1)
    rig.archive.run()
    with_ledger(rig, MemoryLedger())
    first, second = rig.reconcile(), rig.reconcile()
    sentence = "positions are not checked: the ledger is another one than before; "
    assert first.repaired[0].startswith(sentence)
    assert first.needs_attention
    assert second.repaired == []
    assert first.warnings[0].startswith(sentence)
    assert second.warnings == first.warnings
    assert amount(rig) == 1


def test_every_record_that_is_left_is_written_to_another_ledger() -> None:
    rig = whole_rig()
    gone = filled(rig, 1)
    rig.archive.run()
    rig.clock.advance(2 * HOUR_MS)
    rig.archive.run()
    kept, resting = filled(rig, 2), rig.manager.submit(rig.order(signal_id="resting"))
    rig.valuations.set_marks(ACCOUNT, {SYMBOL: Decimal(100)}, rig.clock.now_ms())
    valuer = Valuer(rig.store, rig.valuations, rig.clock)
    valuer.take_snapshots(valuer.value([ACCOUNT]))
    rig.archive.run()
    ledger = MemoryLedger()
    with_ledger(rig, ledger)
    rig.reconcile()
    assert [order.order_id for order in ledger.orders()] == [kept.order_id, resting.order_id]
    assert len(list(ledger.snapshots())) == 1
    assert ledger.order(gone.order_id) is None


def test_rebuilding_from_another_ledger_changes_nothing_unless_it_is_forced() -> None:
    rig = whole_rig()
    filled(rig, 1)
    rig.archive.run()
    rig.clock.advance(2 * HOUR_MS)
    rig.archive.run()
    filled(rig, 2, "98")
    with_ledger(rig, MemoryLedger())
    with pytest.raises(UntrustedLedger, match="another one than before; put the old ledger back"):
        rig.rebuilder.rebuild()
    rig.reconcile()
    with pytest.raises(UntrustedLedger):
        rig.rebuilder.rebuild()
    assert amount(rig) == 2
    rig.rebuilder.rebuild(force=True)
    assert amount(rig) == 1
    assert rig.rebuilder.complaint() is None
    assert rig.reconcile().warnings == []


def test_the_old_ledger_put_back_is_trusted_as_before() -> None:
    rig = whole_rig()
    filled(rig, 1)
    rig.archive.run()
    old = with_ledger(rig, MemoryLedger())
    rig.reconcile()
    filled(rig, 2)
    rig.archive.run()
    with_ledger(rig, old)
    found = rig.reconcile()
    assert (found.warnings, amount(rig)) == ([], 2)
    assert rig.rebuilder.rebuild()[0].agrees


def test_another_ledger_does_not_pass_for_the_first_one_where_its_name_was_lost() -> None:
    rig = whole_rig()
    filled(rig, 1)
    rig.archive.run()
    rig.clock.advance(2 * HOUR_MS)
    rig.archive.run()
    with_ledger(rig, MemoryLedger())
    for name in ("ledger_identity", "agreed", "verified_epoch"):
        rig.store.tables.drop(name)
    found = rig.reconcile()
    assert amount(rig) == 1
    assert "the ledger does not explain what is held" in found.warnings[0]
    with pytest.raises(UntrustedLedger):
        rig.rebuilder.rebuild()


def test_a_ledger_out_of_a_backup_gets_what_it_lacks_and_is_trusted_again() -> None:
    rig = whole_rig()
    filled(rig, 1)
    rig.archive.run()
    backup = copied(rig.ledger)
    filled(rig, 2, "98")
    rig.archive.run()
    with_ledger(rig, backup)
    found = rig.reconcile()
    assert "the store has written more to the ledger than is there" in found.repaired[0]
    assert (amount(rig), found.warnings) == (2, [])
    assert len(list(backup.orders())) == 2
    assert rig.reconcile().repaired == []


def test_a_backup_of_a_moment_ago_is_noticed_whichever_part_wrote_what_it_lacks() -> None:
    rig = whole_rig()
    backup = copied(rig.ledger)
    filled(rig, 1)
    # A reconciliation or a rebuild writes what it needs before the archive has its turn.
    rig.archive.flush()
    with_ledger(rig, backup)
    found = rig.reconcile()
    assert "the store has written more to the ledger than is there" in found.repaired[0]
    assert len(list(backup.orders())) == 1


def test_a_ledger_out_of_a_backup_that_lacks_fills_for_good_moves_no_position() -> None:
    rig = whole_rig()
    rig.archive.run()
    backup = copied(rig.ledger)
    filled(rig, 1)
    rig.archive.run()
    rig.clock.advance(2 * HOUR_MS)
    rig.archive.run()
    with_ledger(rig, backup)
    for _ in range(2):
        assert "more to the ledger than is there" in rig.reconcile().warnings[0]
    assert amount(rig) == 1
    with pytest.raises(UntrustedLedger):
        rig.rebuilder.rebuild()


# What the ledger makes of the fills is held against what is kept, whatever else says all is well.


def test_a_position_that_is_wrong_without_any_other_sign_is_put_right() -> None:
    rig = whole_rig()
    filled(rig, 1)
    key = (ACCOUNT, SYMBOL)
    position = rig.store.tables.positions[key]
    rig.store.tables.positions[key] = replace(position, amount=Decimal(7))
    found = rig.reconcile()
    assert f"position {ACCOUNT} {SYMBOL}, which its fills do not explain" in found.repaired
    assert amount(rig) == 1


def test_every_position_has_its_turn() -> None:
    rig = whole_rig()
    for number in range(10):
        symbol = f"C{number}/USDT"
        rig.exchange.markets[symbol] = replace(rig.exchange.markets[SYMBOL], symbol=symbol)
        rig.exchange.fill_next.append([("99", "1")])
        rig.manager.submit(rig.order(signal_id=symbol, symbol=symbol))
    rig.reconcile()
    for number in range(10):
        key = (ACCOUNT, f"C{number}/USDT")
        wrong = replace(rig.store.tables.positions[key], cost=Decimal(1))
        rig.store.tables.positions[key] = wrong
    for _ in range(10):
        rig.reconcile()
    assert {p.cost for p in rig.store.positions()} == {Decimal(99)}


def test_a_fill_in_the_middle_of_a_check_is_no_loss() -> None:
    class Interrupted(MemoryLedger):
        rig: Rig | None = None
        times = 0

        def fills(self, account: str, symbol: str):  # type: ignore[no-untyped-def]
            if self.rig is not None and self.times:
                self.times -= 1
                filled(self.rig, 100 + self.times)
                self.rig.archive.flush()
            return super().fills(account, symbol)

    rig, ledger = whole_rig(), Interrupted()
    with_ledger(rig, ledger)
    rig.store.tables.drop("agreed")
    rig.store.tables.drop("ledger_identity")
    rig.reconcile()
    filled(rig, 1)
    ledger.rig, ledger.times = rig, 4
    assert rig.repairer.run([ACCOUNT]) is None
    assert ledger.times < 4
    ledger.times = 0
    assert rig.reconcile().repaired == []
    assert amount(rig) == rig.exchange.standing[-1].filled * rig.accepted


def test_while_the_ledger_is_away_drift_is_reported_and_not_taken_for_a_deposit() -> None:
    rig = whole_rig()
    opening = rig.book.sheet(ACCOUNT).opening
    rig.exchange.deposits["USDT"] += 500
    rig.ledger.away = True
    for _ in range(3):
        found = rig.reconcile(DriftPolicy.ADOPT)
    assert found.drift_confirmed
    assert found.warnings[0].startswith("positions are not checked: the ledger in memory")
    assert rig.book.sheet(ACCOUNT).opening == opening
    rig.ledger.away = False
    rig.reconcile(DriftPolicy.ADOPT)
    assert rig.reconcile(DriftPolicy.ADOPT).drift == {}


def test_an_index_that_is_lost_while_a_repair_is_at_work_is_repaired_in_the_next_run() -> None:
    rig = whole_rig()
    filled(rig, 1)
    resting = rig.manager.submit(rig.order(signal_id="resting"))
    rig.store.tables.drop("leaving")

    class Loses(MemoryLedger):
        def unsettled(self):  # type: ignore[no-untyped-def]
            rig.store.tables.drop("live")
            return super().unsettled()

    identity = rig.ledger.identity()
    loses = Loses(identity)
    loses.write(list(rig.ledger.orders()))
    checkpoint = rig.ledger.checkpoint()
    assert checkpoint is not None
    loses.write_checkpoint(checkpoint)
    old = with_ledger(rig, loses)
    rig.reconcile()
    with_ledger(rig, copied(loses))
    assert old.identity() == identity
    rig.reconcile()
    assert rig.store.live_orders(ACCOUNT) == [rig.stored(resting)]
    assert rig.reconcile().repaired == []


def test_trades_are_read_again_from_when_the_ledger_had_everything() -> None:
    """The ledger was away for long; what was lost meanwhile is older than what it heard of last."""
    rig = whole_rig()
    rig.ledger.away = True
    lost = filled(rig, 1)
    rig.clock.advance(HOUR_MS)
    filled(rig, 2, "98")
    rig.ledger.away = False
    del rig.store.tables.orders[lost.order_id]
    for name in ("unarchived", "known", "positions", "position_versions", "exchange_ids"):
        rig.store.tables.drop(name)
    rig.archive.run()
    for _ in range(3):
        rig.clock.advance(5_000)
        rig.reconcile()
    assert amount(rig) == 2
    assert rig.stored(lost).state is OrderState.FILLED


@pytest.mark.parametrize("force", [False, True])
def test_rebuilding_positions_does_not_hide_that_orders_are_lost(force: bool) -> None:
    rig = whole_rig()
    earlier = rig.store.copied()
    order = filled(rig, 1)
    rig.archive.run()
    rig.store.roll_back(earlier)
    rig.store.tables.verified_epoch = rig.store.epoch().run_id
    rig.rebuilder.rebuild(force=force)
    assert amount(rig) == 1
    assert rig.store.order(order.order_id) is None
    rig.reconcile()
    assert rig.stored(order) == order
    assert rig.reconcile().repaired == []
