"""The data of valuations in memory."""

from collections.abc import Iterable, Mapping
from decimal import Decimal

from execution.ledger.port import Snapshot
from execution.positions.valuation import Mark, Totals


class MemoryValuations:
    """See ValuationStore."""

    def __init__(self) -> None:
        self._marks: dict[tuple[str, str], Mark] = {}
        self._totals: dict[tuple[str, str], Totals] = {}
        self._snapshots: list[Snapshot] = []
        self._archived = 0

    def marks(self, account: str) -> dict[str, Mark]:
        return {symbol: mark for (owner, symbol), mark in self._marks.items() if owner == account}

    def set_marks(self, account: str, prices: Mapping[str, Decimal], now_ms: int) -> None:
        for symbol, price in prices.items():
            self._marks[account, symbol] = Mark(price, now_ms)

    def totals(self, account: str | None = None) -> list[Totals]:
        known = [totals for _, totals in sorted(self._totals.items())]
        return [totals for totals in known if account in (None, totals.account)]

    def set_totals(self, totals: Iterable[Totals]) -> None:
        self._totals.update({(each.account, each.quote): each for each in totals})

    def add_snapshots(self, snapshots: Iterable[Snapshot]) -> None:
        self._snapshots += snapshots

    def unarchived_snapshots(self, limit: int) -> list[tuple[str, Snapshot]]:
        numbered = list(enumerate(self._snapshots, start=1))[self._archived :]
        return [(str(number), snapshot) for number, snapshot in numbered[:limit]]

    def mark_snapshots_archived(self, name: str) -> None:
        self._archived = int(name)
