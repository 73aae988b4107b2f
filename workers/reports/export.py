"""The report as rows for tables, as JSON, and as files: one page, CSV and Parquet."""

import json
from collections.abc import Collection
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from execution.model.decimals import total_by
from workers.reports.figures import BY_KEY, FIGURES, milliseconds, places_for
from workers.reports.report import Report
from workers.reports.summary import Summary
from workers.reports.trades import COLUMNS, MAPS, NUMBERS
from workers.views.plain_text import names
from workers.views.plain_values import Json, fields_of, plain_value, time_text

# Exact and understood by every engine: up to 20 digits before the point and 18 after it.
_NARROW = pa.decimal128(38, 18)
_WIDE_DIGITS = 76

SUMMARY_COLUMNS = names(
    "quote name trades orders turnover gross_pnl fees net_pnl max_drawdown win_rate profit_factor "
    "slippage_bps fill_ratio"
)
LATENCY_COLUMNS = ("quote", "from the signal to", "orders", "p50_ms", "p95_ms", "p99_ms")
# The columns above that hold numbers, which are right-aligned.
NUMBER_COLUMNS = {"trades", "orders", "p50_ms", "p95_ms", "p99_ms"} | set(BY_KEY)


# The first characters that make a spreadsheet run a cell; full-width characters count as well.
FORMULA_STARTS = (
    "=+-@\t\r\n\N{FULLWIDTH EQUALS SIGN}\N{FULLWIDTH PLUS SIGN}"
    "\N{FULLWIDTH HYPHEN-MINUS}\N{FULLWIDTH COMMERCIAL AT}"
)


def headline_rows(report: Report) -> list[dict[str, str]]:
    """One row a figure, one column a quote asset: {"figure": "Net result", "USDT": "+12.50"}."""
    return [
        {
            "figure": figure.label,
            **{
                summary.quote: figure.text(summary, places_for(summary.turnover))
                for summary in report.totals
            },
        }
        for figure in FIGURES
        if report.totals
    ]


def summary_rows(summaries: Collection[Summary]) -> list[dict[str, str]]:
    """One row a summary with SUMMARY_COLUMNS, rounded: all of one quote asset to the same places,
    by the size of their total turnover."""
    turnover = total_by((summary.quote, summary.turnover) for summary in summaries)
    return [
        {
            "quote": summary.quote,
            "name": summary.name,
            **{
                figure.key: figure.text(summary, places_for(turnover[summary.quote]))
                for figure in FIGURES
            },
        }
        for summary in summaries
    ]


def latency_rows(report: Report) -> list[dict[str, str]]:
    """Two rows a quote asset with LATENCY_COLUMNS."""
    return [
        {
            "quote": summary.quote,
            "from the signal to": name,
            "orders": f"{latency.count:,}",
            "p50_ms": milliseconds(latency.p50_ms),
            "p95_ms": milliseconds(latency.p95_ms),
            "p99_ms": milliseconds(latency.p99_ms),
        }
        for summary in report.totals
        for name, latency in (("first attempt", summary.sent), ("first fill", summary.filled))
    ]


def write_files(
    report: Report,
    *,
    html: Path | None = None,
    csv: Path | None = None,
    parquet: Path | None = None,
) -> list[Path]:
    """Write the report in each form that has a path; return the paths. Raises OSError."""
    if html is not None:
        # The drawing library is slow to import, and the other forms do not need it.
        from workers.reports.page import html_page

        html.write_text(html_page(report), encoding="utf-8")
    if csv is not None:
        write_csv(report, csv)
    if parquet is not None:
        write_parquet(report, parquet)
    return [path.resolve() for path in (html, csv, parquet) if path is not None]


def write_csv(report: Report, path: Path) -> None:
    """Write the trades table with a header line: numbers as decimal strings, times in ISO 8601,
    fees as JSON objects, and an empty cell for no value. Names and ids are unchanged, except those
    that a spreadsheet would run as a formula: they get a leading apostrophe, which makes them text.
    Raises OSError."""
    frame = report.trades[list(COLUMNS)].copy()
    frame["time"] = [time_text(time) for time in frame["time"]]
    for name in NUMBERS:
        frame[name] = [plain_value(number) for number in frame[name]]
    for name in MAPS:
        frame[name] = [json.dumps(plain_value(fees)) if fees else None for fees in frame[name]]
    for name in set(COLUMNS) - set(NUMBERS) - set(MAPS):
        frame[name] = [_inert(text) for text in frame[name]]
    frame.to_csv(path, index=False, lineterminator="\n")


def _inert(text: str | None) -> str | None:
    """A cell's text that no spreadsheet runs as a formula; a single dash is safe."""
    if not isinstance(text, str) or text == "-":
        return text
    begins = text.lstrip(" ")[:1]
    text = f"'{text}" if begins and begins in FORMULA_STARTS else text
    # A carriage return is not quoted, and would start another row.
    return text.replace("\r", "\\r")


def write_parquet(report: Report, path: Path) -> None:
    """Write the trades table: decimals as decimals, `time` as microseconds in UTC, fees as maps.

    Decimals, not text, so that a query can add and compare them exactly. A column is decimal128(38,
    18), the same in every file, unless one of its values would not fit exactly; it is then
    decimal256 with as many places as it needs. Raises OSError, and ValueError for a column that 76
    digits cannot hold.
    """
    columns = {name: _arrow(name, report.trades[name].tolist()) for name in COLUMNS}
    table = pa.table(columns)
    # When a write fails, pyarrow removes the file of the given name, whatever it was.
    with path.open("wb") as file:
        pq.write_table(table, file)


def _arrow(name: str, values: list[Any]) -> pa.Array:
    if name == "time":
        return pa.array(values, pa.timestamp("us", "UTC"))
    if name in NUMBERS:
        return pa.array(values, _decimal_type(name, [value for value in values if value]))
    if name in MAPS:
        kind = _decimal_type(name, [fee for fees in values for fee in fees.values()])
        return pa.array([list(fees.items()) for fees in values], pa.map_(pa.string(), kind))
    return pa.array(values, pa.string())


def _decimal_type(name: str, numbers: list[Decimal]) -> pa.DataType:
    """The narrow decimal if it holds all numbers exactly, else the wide one with their places."""
    before = max((number.adjusted() + 1 for number in numbers), default=0)
    after = max((_places(number) for number in numbers), default=0)
    if before <= _NARROW.precision - _NARROW.scale and after <= _NARROW.scale:
        return _NARROW
    if before + after > _WIDE_DIGITS:
        raise ValueError(f"{name}: {before} digits before and {after} after the point are too many")
    return pa.decimal256(_WIDE_DIGITS, after)


def _places(number: Decimal) -> int:
    exponent = number.as_tuple().exponent
    return -exponent if isinstance(exponent, int) else 0


def report_view(report: Report) -> Json:
    """The whole report as plain values: decimal strings, times in ISO 8601 UTC."""
    return {
        **fields_of(report, ("generated_at", "since", "notes", "states")),
        **fields_of(report, ("totals", "by_day", "by_symbol", "by_account", "by_strategy")),
        "equity": plain_value(report.equity),
        "trades": [
            fields_of(trade, COLUMNS) for trade in report.trades[list(COLUMNS)].itertuples()
        ],
    }
