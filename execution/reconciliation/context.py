"""The context of a reconciliation, and one run on one account."""

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Protocol

from execution.exchanges.port import AccountFill, OrderSource
from execution.model.clock import Clock
from execution.model.order import Order, OrderReport
from execution.orders.journal import Journal
from execution.orders.store import EpochStore, Halt, HaltStore, LeaseStore, PositionStore
from execution.positions.balance_sheet import BalanceSheet
from execution.reconciliation.run import (
    DriftPolicy,
    KnownOrders,
    Reconciliation,
    ReconciliationStore,
)
from execution.reconciliation.symbol_failures import SymbolFailures


class History(Protocol):
    """The part of the archive that a reconciliation uses."""

    def recall_by_exchange_id(
        self, account: str, symbol: str, exchange_order_id: str
    ) -> Order | None:
        """Restore an order that has left the store; None if there never was one."""


class ReconciledExchange(OrderSource, Protocol):
    """One account at one exchange, as a reconciliation reads it. Every method raises
    ExchangeUnavailable unless the answer is a well-formed one."""

    def symbols(self) -> list[str]:
        """Every spot symbol that is traded there."""

    def balances(self) -> dict[str, Decimal]:
        """Total balance (free and held) by asset."""

    def fills_since(self, symbol: str, cursor: str | None, since_ms: int) -> list[AccountFill]:
        """Trades after trade id `cursor`, oldest first; without a cursor, from `since_ms` on."""

    def open_orders(self, symbol: str) -> list[OrderReport]: ...


@dataclass(frozen=True, slots=True)
class ReconciliationContext:
    """The parts that every run uses."""

    orders: KnownOrders
    positions: PositionStore
    epochs: EpochStore
    halts: HaltStore
    leases: LeaseStore
    runs: ReconciliationStore
    journal: Journal
    clock: Clock
    history: History


@dataclass(slots=True, eq=False)
class AccountRun:
    """One run on one account: its findings so far, and the balance sheet.

    `keep_lease` is called before each symbol.
    """

    context: ReconciliationContext
    exchange: ReconciledExchange
    policy: DriftPolicy
    record: Reconciliation
    keep_lease: Callable[[], None]
    sheet: BalanceSheet = field(init=False)
    failures: SymbolFailures = field(init=False)

    def __post_init__(self) -> None:
        self.sheet = self.context.runs.sheet(self.account)
        self.failures = SymbolFailures(self.record.symbols_failed)

    @property
    def account(self) -> str:
        return self.record.account

    def asked(self, kind: str) -> ReconciledExchange:
        """The exchange, after noting what it is asked for."""
        self.record.calls[kind] = self.record.calls.get(kind, 0) + 1
        return self.exchange

    def live_orders(self) -> list[Order]:
        return self.context.orders.live_orders(self.account)

    def halt(self, what: str) -> None:
        """Halt the account, unless it is halted already."""
        halts = self.context.halts
        if not any(halt.account == self.account for halt in halts.halts()):
            reason = f"reconciliation found {what}"
            halts.halt(Halt(self.account, reason, self.context.clock.now()))
            self.record.halted = True
