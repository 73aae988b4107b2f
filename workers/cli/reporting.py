"""The command that reports."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from execution.model.clock import SystemClock
from workers.cli.app import AsJson, CommandError, cli, lay_out, print_json, services
from workers.cli.filters import moment_of
from workers.views import tables

if TYPE_CHECKING:
    # Pandas is slow to import, and no other command needs it.
    from workers.reports.report import Report

OfFile = Path | None
# Nothing was traded before; earlier times cannot be represented everywhere.
SINCE_MIN = datetime(1970, 1, 1, tzinfo=UTC)


@cli.command()
def report(
    since: Annotated[
        str | None, typer.Option(help="Only trades since this date, as 2030-01-31 or with a time.")
    ] = None,
    html: Annotated[OfFile, typer.Option(help="Write one page with charts.")] = None,
    csv: Annotated[OfFile, typer.Option(help="Write every fill as CSV.")] = None,
    parquet: Annotated[OfFile, typer.Option(help="Write every fill as Parquet.")] = None,
    as_json: AsJson = False,
) -> None:
    """Report profit, costs and quality of execution, from the ledger."""
    start = None if since is None else max(moment_of(since), SINCE_MIN)
    from workers.reports.export import NUMBER_COLUMNS, report_view, write_files
    from workers.reports.report import build_report

    # The newest changes belong into the report too.
    parts = services()
    parts.archive.run()
    marks = {name: parts.stores.valuations.marks(name) for name in parts.accounts}
    rates = {symbol: mark.price for known in marks.values() for symbol, mark in known.items()}
    sizes = {(p.account, p.symbol): p.contract_size for p in parts.stores.positions.positions()}
    result = build_report(
        parts.ledger.orders(),
        parts.ledger.snapshots(),
        since=start,
        now=SystemClock().now(),
        rates=rates,
        contract_sizes=sizes,
    )
    try:
        written = write_files(result, html=html, csv=csv, parquet=parquet)
    except OSError as error:
        raise CommandError(f"the report cannot be written: {error}") from None
    if as_json:
        print_json(report_view(result))
        return
    if result.is_empty:
        lay_out(*result.notes)
        return
    quotes = {summary.quote for summary in result.totals}
    lay_out(
        *(tables.table(*each, NUMBER_COLUMNS | quotes) for each in _tables(result)),
        *result.notes,
        *(f"written: {path}" for path in written),
    )


def _tables(result: "Report") -> Iterator[tuple[str, Iterable[Mapping[str, Any]], Sequence[str]]]:
    """Each table of the report: its title, rows and columns."""
    from workers.reports import export

    headline = export.headline_rows(result)
    yield "Report", headline, list(headline[0]) if headline else ("figure",)
    for title, summaries in (
        ("By day", result.by_day),
        ("By symbol", result.by_symbol),
        ("By account", result.by_account),
        ("By strategy", result.by_strategy),
    ):
        yield title, export.summary_rows(summaries), export.SUMMARY_COLUMNS
    yield "Latency", export.latency_rows(result), export.LATENCY_COLUMNS
