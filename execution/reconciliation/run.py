"""The record of one reconciliation, and the stores of reconciliations."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from execution.model.decimals import Money
from execution.model.order import Order
from execution.positions.balance_sheet import BalanceSheet


class DriftPolicy(StrEnum):
    """What is done about external trades, and about unexplained balances."""

    REPORT = "report"  # Recorded and alerted; positions stay what our fills make them.
    ADOPT = "adopt"  # Trades move positions; confirmed drift is accepted.
    HALT = "halt"  # As `report`, and the account is halted until `resume`.


@dataclass(slots=True)
class Reconciliation:
    """One run on one account.

    `calls` counts the requests to the exchange by kind. `external_orders` are exchange ids, with
    their symbols, of external orders that traded since the last run; `external_open_orders` of
    those that are open now, and of ours that are open although they have ended on record. `drift`
    is the unexplained balance by asset; it is `drift_confirmed` once two runs saw the same.
    `repaired` names what the store had lost. `symbols_failed` has the reason for each symbol that
    could not be read; `pairs_unasked` is how many pairs are yet to be read for trades before drift
    is confirmed; `warnings` are sentences on what was not checked, and on such orders.
    """

    account: str
    started_at: datetime
    took_ms: int = 0
    symbols: list[str] = field(default_factory=list)
    calls: dict[str, int] = field(default_factory=dict)
    trades_read: int = 0
    fills_applied: int = 0
    orders_settled: list[str] = field(default_factory=list)
    orders_adopted: list[str] = field(default_factory=list)
    orders_recalled: list[str] = field(default_factory=list)
    external_orders: list[str] = field(default_factory=list)
    external_open_orders: list[str] = field(default_factory=list)
    balances_checked: bool = False
    drift: dict[str, Money] = field(default_factory=dict)
    drift_confirmed: bool = False
    repaired: list[str] = field(default_factory=list)
    halted: bool = False
    symbols_failed: dict[str, str] = field(default_factory=dict)
    pairs_unasked: int = 0
    warnings: list[str] = field(default_factory=list)
    error: str | None = None

    @property
    def needs_attention(self) -> bool:
        """Whether its findings need manual intervention."""
        return bool(self.external_orders or self.drift_confirmed or self.repaired)


@dataclass(frozen=True, slots=True)
class Reread:
    """Trades to be read again after a loss in the store: of these symbols, from that time on."""

    symbols: tuple[str, ...]
    since: datetime


class KnownOrders(Protocol):
    """The orders on record. Every method raises StoreUnavailable when the server does not
    answer."""

    def order(self, order_id: str) -> Order | None: ...
    def live_orders(self, account: str) -> list[Order]: ...
    def order_ids_by_exchange_id(
        self, account: str, symbol: str, exchange_order_ids: Iterable[str]
    ) -> dict[str, str]: ...


class ReconciliationStore(Protocol):
    """The state that runs keep for the next ones. Every method raises StoreUnavailable when the
    server does not answer."""

    def cursor(self, account: str, symbol: str) -> str | None:
        """The id of the last trade that was read."""

    def set_cursor(self, account: str, symbol: str, trade_id: str, sheet: BalanceSheet) -> None:
        """Move the cursor and store the balance sheet of the trades up to it, atomically."""

    def symbols_read(self, account: str) -> list[str]:
        """Every symbol that has a cursor."""

    def reread(self, account: str) -> Reread | None: ...
    def set_reread(self, account: str, reread: Reread | None) -> None: ...
    def sheet(self, account: str) -> BalanceSheet: ...
    def set_sheet(self, account: str, sheet: BalanceSheet) -> None: ...
    def add_run(self, run: Reconciliation) -> None: ...
    def runs(self, count: int, account: str | None = None) -> list[Reconciliation]:
        """The latest runs, newest first."""
