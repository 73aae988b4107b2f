"""The context of a reconciliation, and one run on one account."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from execution.exchanges.guarantees import ExchangeGuarantees
from execution.exchanges.port import AccountFill
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


class ReconciledExchange(Protocol):
    """The requests of a reconciliation to one account's exchange. Every method raises
    ExchangeUnavailable unless the answer is a well-formed one."""

    @property
    def guarantees(self) -> ExchangeGuarantees: ...
    def symbols(self) -> list[str]:
        """Every spot symbol that is traded there."""

    def balances(self) -> dict[str, Decimal]:
        """Total balance (free and held) by asset."""

    def fills_since(self, symbol: str, cursor: str | None, since_ms: int) -> list[AccountFill]:
        """Trades after trade id `cursor`, oldest first; without a cursor, from `since_ms` on."""

    def open_orders(self, symbol: str) -> list[OrderReport]: ...
    def lookup(self, order: Order) -> OrderReport | None:
        """Find the order by its client order id; None only when the exchange says it has none."""

    def fetch(self, symbol: str, exchange_order_id: str) -> OrderReport | None:
        """Find an order by the exchange's own id, whoever placed it; None if there is no such
        order."""


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


class AccountRun:
    """One run on one account: its findings so far, and the balance sheet.

    `keep_lease` is called before each symbol.
    """

    def __init__(
        self,
        context: ReconciliationContext,
        exchange: ReconciledExchange,
        policy: DriftPolicy,
        record: Reconciliation,
        keep_lease: Callable[[], None],
    ) -> None:
        self.context = context
        self.account = record.account
        self.policy = policy
        self.record = record
        self.keep_lease = keep_lease
        self.sheet: BalanceSheet = context.runs.sheet(record.account)
        self.failures = SymbolFailures(record.symbols_failed)
        self._exchange = exchange

    @property
    def exchange_name(self) -> str:
        return self._exchange.guarantees.exchange

    def listed(self) -> list[str]:
        """Every symbol that is traded at the exchange."""
        return self._exchange.symbols()

    def asked(self, kind: str) -> ReconciledExchange:
        """The exchange; counts the request by kind."""
        self.record.calls[kind] = self.record.calls.get(kind, 0) + 1
        return self._exchange

    def live_orders(self) -> list[Order]:
        return self.context.orders.live_orders(self.account)

    def halt(self, what: str) -> None:
        """Halt the account, unless it is halted already."""
        halts = self.context.halts
        if not any(halt.account == self.account for halt in halts.halts()):
            reason = f"reconciliation found {what}"
            halts.halt(Halt(self.account, reason, self.context.clock.now()))
            self.record.halted = True
