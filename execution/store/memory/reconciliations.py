"""The state of reconciliations in memory."""

from copy import deepcopy

from execution.positions.balance_sheet import BalanceSheet
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
