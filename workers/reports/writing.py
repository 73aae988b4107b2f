"""From the ledger to a report, and from a report to files."""

from datetime import datetime
from pathlib import Path

from execution.ledger.port import Ledger
from workers.reports.export import write_csv
from workers.reports.fees import Rates
from workers.reports.html_page import html_page
from workers.reports.parquet import write_parquet
from workers.reports.report import Report, build_report
from workers.reports.trades import ContractSizes


def ledger_report(
    ledger: Ledger,
    since: datetime | None,
    now: datetime,
    rates: Rates | None = None,
    contract_sizes: ContractSizes | None = None,
) -> Report:
    """Report what the ledger has; profit is folded from the whole of it.

    `rates` are prices of assets that fees were paid in, by symbol; `contract_sizes` are by account
    and symbol. Raises LedgerUnavailable.
    """
    return build_report(
        ledger.orders(),
        ledger.snapshots(),
        since=since,
        now=now,
        rates=rates,
        contract_sizes=contract_sizes,
    )


def write_files(
    report: Report,
    *,
    html: Path | None = None,
    csv: Path | None = None,
    parquet: Path | None = None,
) -> list[Path]:
    """Write the report in each form that has a path; return the paths. Raises OSError."""
    if html is not None:
        html.write_text(html_page(report), encoding="utf-8")
    if csv is not None:
        write_csv(report, csv)
    if parquet is not None:
        write_parquet(report, parquet)
    return [path.resolve() for path in (html, csv, parquet) if path is not None]
