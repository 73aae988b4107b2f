"""In-memory set-ups whose store or ledger is lost, replaced or taken back to an earlier time."""

from dataclasses import replace
from decimal import Decimal

from execution.ledger.archive import Archive, Retention
from execution.ledger.memory import MemoryLedger
from execution.model.order import Attempt, Order, Side
from execution.store.memory.archive import MemoryArchive
from execution.store.memory.reconciliations import MemoryReconciliations
from execution.store.memory.tables import Tables
from tests.support.exchange import SYMBOL
from tests.support.fakes import ACCOUNT, Rig

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


def all_lost(rig: Rig) -> None:
    """The machine that the store was on is gone with everything on it."""
    rig.store.roll_back(Tables())
    rig.book = MemoryReconciliations()
