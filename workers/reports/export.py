"""The report for machines and terminals: rows for tables, CSV and JSON."""

import json
from collections.abc import Collection
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from execution.model.decimals import ZERO, Money, to_text
from workers.reports.equity import COLUMNS as EQUITY_COLUMNS
from workers.reports.report import Report
from workers.reports.summary import Latency, Summary
from workers.reports.trades import COLUMNS, MAPS, NUMBERS
from workers.reports.wording import BY_KEY, FIGURES, milliseconds, places_for

Json = dict[str, Any]

SUMMARY_COLUMNS = ("quote", "name", "trades", "orders", "turnover", "gross_pnl", "fees", "net_pnl",
                   "max_drawdown", "win_rate", "profit_factor", "slippage_bps",
                   "fill_ratio")  # fmt: skip
LATENCY_COLUMNS = ("quote", "from the signal to", "orders", "p50_ms", "p95_ms", "p99_ms")
# The columns above that hold numbers, for whoever lays them out.
NUMBER_COLUMNS = {"trades", "orders", "p50_ms", "p95_ms", "p99_ms"} | set(BY_KEY)


# What makes a spreadsheet run a cell; it takes the wide letters for the narrow ones.
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
    """One row a summary with SUMMARY_COLUMNS, rounded for the eye: all of one quote asset to the
    same places, those of their turnover together."""
    turnover: dict[str, Money] = {}
    for summary in summaries:
        turnover[summary.quote] = turnover.get(summary.quote, ZERO) + summary.turnover
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
            "orders": f"{found.count:,}",
            "p50_ms": milliseconds(found.p50_ms),
            "p95_ms": milliseconds(found.p95_ms),
            "p99_ms": milliseconds(found.p99_ms),
        }
        for summary in report.totals
        for name, found in (("first attempt", summary.sent), ("first fill", summary.filled))
    ]


def write_csv(report: Report, path: Path) -> None:
    """Write the trades table with a header line: numbers as decimal strings, times in ISO 8601,
    fees as JSON objects, and nothing where there is no value. Names and ids are as they came, but
    for those that a spreadsheet would run as a formula: they begin with an apostrophe, by which it
    takes them as text. Raises OSError."""
    frame = report.trades[list(COLUMNS)].copy()
    frame["time"] = [_time(time) for time in frame["time"]]
    for name in NUMBERS:
        frame[name] = [_number(number) for number in frame[name]]
    for name in MAPS:
        frame[name] = [json.dumps(_texts(fees)) if fees else None for fees in frame[name]]
    for name in set(COLUMNS) - set(NUMBERS) - set(MAPS):
        frame[name] = [_inert(text) for text in frame[name]]
    frame.to_csv(path, index=False, lineterminator="\n")


def _inert(text: str | None) -> str | None:
    """A cell's text that no spreadsheet takes for a formula; a dash alone is none."""
    if not isinstance(text, str) or text == "-":
        return text
    begins = text.lstrip(" ")[:1]
    text = f"'{text}" if begins and begins in FORMULA_STARTS else text
    # A carriage return is not quoted, and would begin another row.
    return text.replace("\r", "\\r")


def report_view(report: Report) -> Json:
    """The whole report as plain values: decimal strings, times in ISO 8601 UTC."""
    return {
        "generated_at": _time(report.generated_at),
        "since": None if report.since is None else _time(report.since),
        "notes": list(report.notes),
        "states": report.states,
        "totals": [_summary_view(summary) for summary in report.totals],
        "by_day": [_summary_view(summary) for summary in report.by_day],
        "by_symbol": [_summary_view(summary) for summary in report.by_symbol],
        "by_account": [_summary_view(summary) for summary in report.by_account],
        "by_strategy": [_summary_view(summary) for summary in report.by_strategy],
        "equity": [
            {name: _plain(getattr(point, name)) for name in EQUITY_COLUMNS}
            for point in report.equity
        ],
        "trades": [
            {name: _plain(value) for name, value in zip(COLUMNS, row, strict=True)}
            for row in zip(*(report.trades[name] for name in COLUMNS), strict=True)
        ],
    }


def _summary_view(summary: Summary) -> Json:
    names = summary.__dataclass_fields__
    return {name: _plain(getattr(summary, name)) for name in names}


def _plain(value: object) -> object:
    if isinstance(value, Decimal):
        return to_text(value)
    if isinstance(value, datetime):
        return _time(value)
    if isinstance(value, dict):
        return _texts(value)
    if isinstance(value, Latency):
        return {name: getattr(value, name) for name in value.__dataclass_fields__}
    return value


def _texts(fees: dict[str, Money]) -> dict[str, str]:
    return {asset: to_text(fee) for asset, fee in fees.items()}


def _number(number: Decimal | None) -> str | None:
    return None if number is None else to_text(number)


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
