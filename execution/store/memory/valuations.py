"""The twins in memory of what reconciliations and valuations keep."""

from collections.abc import Iterable, Mapping
from copy import deepcopy
from decimal import Decimal

from execution.ledger.port import Snapshot
from execution.positions.balance_sheet import BalanceSheet
from execution.positions.valuation import Mark, Totals
from execution.reconciliation.run import Reconciliation, Reread


class MemoryReconciliations:
    """See ReconciliationStore."""

    def __init__(self) -> None:
        self._cursors: dict[tuple[str, str], str] = {}
        self._sheets: dict[str, BalanceSheet] = {}
        self._runs: list[Reconciliation] = []
        self._rereads: dict[str, Reread] = {}

    def cursor(self, account: str, symbol: str) -> str | None:
        return self._cursors.get((account, symbol))

    def set_cursor(self, account: str, symbol: str, trade_id: str, sheet: BalanceSheet) -> None:
        self._cursors[account, symbol] = trade_id
        self._sheets[account] = sheet

    def symbols_read(self, account: str) -> list[str]:
        return sorted(symbol for owner, symbol in self._cursors if owner == account)

    def reread(self, account: str) -> Reread | None:
        return self._rereads.get(account)

    def set_reread(self, account: str, reread: Reread | None) -> None:
        self._rereads.pop(account, None)
        if reread is not None:
            self._rereads[account] = reread

    def sheet(self, account: str) -> BalanceSheet:
        return self._sheets.get(account, BalanceSheet())

    def set_sheet(self, account: str, sheet: BalanceSheet) -> None:
        self._sheets[account] = sheet

    def add_run(self, run: Reconciliation) -> None:
        self._runs.insert(0, deepcopy(run))

    def runs(self, count: int, account: str | None = None) -> list[Reconciliation]:
        return [run for run in self._runs if account in (None, run.account)][:count]


class MemoryValuations:
    """See ValuationStore."""

    def __init__(self) -> None:
        self._marks: dict[tuple[str, str], Mark] = {}
        self._totals: dict[tuple[str, str], Totals] = {}
        self._snapshots: list[Snapshot] = []
        self._archived = 0

    def mark(self, account: str, symbol: str) -> Mark | None:
        return self._marks.get((account, symbol))

    def marks(self, account: str) -> dict[str, Mark]:
        return {symbol: mark for (owner, symbol), mark in self._marks.items() if owner == account}

    def set_marks(self, account: str, prices: Mapping[str, Decimal], now_ms: int) -> None:
        for symbol, price in prices.items():
            self._marks[account, symbol] = Mark(price, now_ms)

    def totals(self, account: str | None = None) -> list[Totals]:
        found = [totals for _, totals in sorted(self._totals.items())]
        return [totals for totals in found if account in (None, totals.account)]

    def set_totals(self, totals: Iterable[Totals]) -> None:
        self._totals.update({(each.account, each.quote): each for each in totals})

    def add_snapshots(self, snapshots: Iterable[Snapshot]) -> None:
        self._snapshots += snapshots

    def unarchived_snapshots(self, limit: int) -> list[tuple[str, Snapshot]]:
        numbered = list(enumerate(self._snapshots, start=1))[self._archived :]
        return [(str(number), snapshot) for number, snapshot in numbered[:limit]]

    def mark_snapshots_archived(self, name: str) -> None:
        self._archived = int(name)
