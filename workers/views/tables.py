"""Tables for the terminal: the same values as --json prints.

No text is interpreted as markup or as a control sequence. Ids and numbers are never cut or folded:
if a table does not fit, each row is shown with one field a line.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text

from execution.text.redaction import PROSE, redact
from workers.views.plain_text import names, plain

_NUMBERS = names(
    "amount price filled average entry_price mark_price mark_age_s realised_pnl "
    "unrealised_pnl stamp_ms valid_until_ms number equity exposure net_exposure turnover "
    "rebuilt_amount rebuilt_entry_price rebuilt_realised_pnl bought sold imbalance "
    "expected_profit net_profit skew_ms ask bid profit_bps age_ms buy_price sell_price total "
    "free arbitrages traded open imbalanced fills trades_read fills_applied took_ms"
)
PLACES_SHOWN = 8
# Prose may be folded between its words, but into no narrower a column than this; only a word that
# is longer than any id is folded itself.
_PROSE = names(
    "reason detail error body repaired drift external_orders unmarked orders_settled "
    "orders_adopted value help symbols hint"
)
PROSE_WIDTH_MIN = 24
WORD_WIDTH_MAX = 64
# In addition to the columns whose names end in _at.
_TIMES = {"time", "since", "waiting_since"}
_MOMENT = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.\d+)?(?:Z|\+00:00)")
_NUMBER = re.compile(r"-?\d+\.\d+")
_STATE_STYLES = {
    "filled": "green",
    "open": "cyan",
    "OK": "green",
    "WARN": "yellow",
    "FAIL": "bold red",
    "rejected": "red",
    "refused": "yellow",
    "quarantined": "bold red",
}
ORDER_COLUMNS = names(
    "created_at order_id signal_id account symbol side type amount price state filled average "
    "reason"
)
POSITION_COLUMNS = names(
    "account symbol amount entry_price mark_price mark_age_s realised_pnl unrealised_pnl fees "
    "updated_at"
)
TOTALS_COLUMNS = names(
    "account quote realised_pnl unrealised_pnl equity exposure net_exposure turnover fees "
    "mark_age_s unmarked"
)
RECONCILIATION_COLUMNS = names(
    "account symbols trades_read fills_applied orders_settled orders_adopted external_orders "
    "drift repaired symbols_failed warnings took_ms error"
)
REBUILD_COLUMNS = names(
    "account symbol agrees amount rebuilt_amount entry_price rebuilt_entry_price realised_pnl "
    "rebuilt_realised_pnl fills"
)
ARBITRAGE_COLUMNS = names(
    "created_at arbitrage_id signal_id symbol buy_account sell_account state bought sold "
    "imbalance expected_profit net_profit skew_ms reason"
)
ARBITRAGE_TOTAL_COLUMNS = names(
    "symbol arbitrages traded open imbalanced expected_profit net_profit imbalance"
)
OPPORTUNITY_COLUMNS = names(
    "symbol buy_account sell_account amount buy_price sell_price expected_profit profit_bps "
    "limited_by age_ms"
)
SPREAD_COLUMNS = names("symbol buy_account sell_account ask bid profit_bps age_ms")
HOLDING_COLUMNS = names("asset account total free")
MOVE_COLUMNS = names("asset from_account to_account amount")
ATTEMPT_COLUMNS = names("number stamp_ms valid_until_ms verdict reason")
FILL_COLUMNS = names("trade_id price amount fee fee_asset time")


def table(
    title: str,
    rows: Iterable[Mapping[str, Any]],
    columns: Sequence[str],
    numbers: Collection[str] = (),
) -> "Listed":
    """A table of rows with the named columns, numbers right-aligned: the known ones, and
    `numbers`."""
    return Listed(title, rows, columns, numbers)


def fields(title: str, row: Mapping[str, Any]) -> "Listed":
    """One row with a line for each field."""
    return Listed(title, [row], list(row), is_table=False)


class Listed:
    """Rows that are shown as a table if it fits, else with one field a line."""

    def __init__(
        self,
        title: str,
        rows: Iterable[Mapping[str, Any]],
        columns: Sequence[str],
        numbers: Collection[str] = (),
        *,
        is_table: bool = True,
    ) -> None:
        self._is_table = is_table
        self._title = title
        self._columns = list(columns)
        self._numbers = {*_NUMBERS, *numbers}
        self._rows = [
            [_cell(column, row.get(column), self._numbers) for column in columns] for row in rows
        ]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        widths = self._widths(options.max_width) if self._is_table else None
        if widths is None:
            yield self._as_fields()
        else:
            yield self._as_table(widths)

    def _widths(self, room: int) -> list[int] | None:
        """The width of each column; None if not all of them fit."""
        rows = [[_head(column) for column in self._columns], *self._rows]
        cells = list(zip(*rows, strict=True))
        widths = [max(map(cell_len, column)) for column in cells]
        # Between two columns stands a line with a space on either side of it.
        excess = sum(widths) + 3 * len(widths) + 1 - room
        prose = [i for i, column in enumerate(self._columns) if column in _PROSE]
        # The widest column is narrowed first.
        for i in sorted(prose, key=lambda i: -widths[i]):
            given = min(excess, max(0, widths[i] - _narrowest(cells[i])))
            if given > 0:
                widths[i] -= given
                excess -= given
        return None if excess > 0 else widths

    def _as_table(self, widths: Sequence[int]) -> Table:
        title = Text(plain(self._title), style="italic")
        laid = Table(title=title, title_justify="left", header_style="bold")
        for column, width in zip(self._columns, widths, strict=True):
            laid.add_column(
                Text(_head(column)),
                justify="right" if column in self._numbers else "left",
                overflow="fold",
                width=width,
            )
        for row in self._rows:
            laid.add_row(*map(_styled, self._columns, row))
        return laid

    def _as_fields(self) -> Text:
        """One field a line, an empty line between two rows; empty fields are left out."""
        lines = Text(no_wrap=True, overflow="ignore")
        lines.append(f"{plain(self._title)}\n", style="italic")
        width = max(map(len, map(_head, self._columns)))
        for i, row in enumerate(self._rows):
            lines.append("\n" if i else "")
            for column, cell in zip(self._columns, row, strict=True):
                if cell:
                    lines.append(f"{_head(column):<{width}}  ", style="bold")
                    lines.append_text(_styled(column, cell))
                    lines.append("\n")
        lines.rstrip()
        return lines


def _narrowest(cells: Iterable[str]) -> int:
    """The least width of a column of prose, so that no id in it is folded."""
    words = (cell_len(word) for cell in cells for word in cell.split(" "))
    return max((n for n in words if PROSE_WIDTH_MIN < n <= WORD_WIDTH_MAX), default=PROSE_WIDTH_MIN)


def _head(column: str) -> str:
    return plain(column.replace("_", " "))


def _styled(column: str, cell: str) -> Text:
    style = _STATE_STYLES.get(cell, "") if column in ("state", "result") else ""
    return Text(cell, style=style)


def _shortened(column: str, text: str, numbers: Collection[str]) -> str:
    """Long numbers are rounded, and times are cut to the second; --json has them in full."""
    is_time = column in _TIMES or column.endswith("_at")
    moment = _MOMENT.fullmatch(text) if is_time else None
    if moment is not None:
        return f"{moment.group(1)}Z"
    is_long = column in numbers and len(text.partition(".")[2]) > PLACES_SHOWN
    if is_long and _NUMBER.fullmatch(text):
        return f"{Decimal(text):.{PLACES_SHOWN}f}"
    return text


def _cell(column: str, value: object, numbers: Collection[str]) -> str:
    if value is None:
        return ""
    if isinstance(value, Mapping):
        text = ", ".join(f"{amount} {asset}" for asset, amount in value.items())
    elif isinstance(value, (list, tuple)):
        text = ", ".join(str(item) for item in value)
    else:
        text = _shortened(column, str(value), numbers)
    return plain(redact(text) if column in PROSE else text)
