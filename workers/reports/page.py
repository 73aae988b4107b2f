"""The report as one self-contained HTML page."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, localcontext
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from execution.model.decimals import EXACT, ZERO, Money, total
from workers.reports import figures
from workers.reports.charts import curve_of, slippage_chart, time_chart
from workers.reports.report import Report
from workers.reports.summary import Summary

BARS_MAX = 12
# The widths for which a chart's labels are laid out, in pixels: screen, half a screen, phone.
WIDE, HALF, NARROW = 920, 420, 380


@dataclass(frozen=True, slots=True)
class Bar:
    """A result on the common scale of a bar chart. `left` and `width` of the bar and the place of
    `zero` are in percent of the scale."""

    name: str
    result: Money
    left: float
    width: float
    zero: float


def html_page(report: Report) -> str:
    """Write the page. It loads nothing and runs no script."""
    pages = Environment(
        loader=PackageLoader("workers.reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    with localcontext(EXACT):
        return pages.get_template("report.html").render(
            report=report,
            begun=_begun(report),
            parts=[_part(report, total) for total in report.totals],
            figures=figures,
        )


def _begun(report: Report) -> datetime | None:
    if report.since is None and len(report.trades):
        begun: datetime = report.trades["time"].iloc[0].to_pydatetime()
        return begun
    return report.since


def _part(report: Report, total: Summary) -> dict[str, Any]:
    """The section of one quote asset."""

    def of_quote(summaries: Iterable[Summary]) -> list[Summary]:
        return [summary for summary in summaries if summary.quote == total.quote]

    trades = report.trades[report.trades["quote"] == total.quote]
    places = figures.places_for(total.turnover)
    results = list(zip(trades["time"], trades["net_pnl"], strict=True))
    points = [point for point in report.equity if point.quote == total.quote]
    equity = [(point.time, point.equity) for point in points]
    curve = None
    if results or equity:
        curve = curve_of(total.quote, results, equity, report.since, places)
    slippage_bps = trades["slippage_bps"].dropna().tolist()
    by_symbol = [
        (summary.name, summary.net_pnl) for summary in of_quote(report.by_symbol) if summary.trades
    ]
    return {
        "total": total,
        "places": places,
        "held": points[-1] if points else None,
        "over_time": {
            "wide": time_chart(curve, WIDE),
            "narrow": time_chart(curve, NARROW),
        }
        if curve
        else {},
        "by_symbol": bars_of(by_symbol) if by_symbol else [],
        "slippage": slippage_chart(slippage_bps, HALF) if slippage_bps else None,
        "tables": {
            "Day": of_quote(report.by_day),
            "Symbol": of_quote(report.by_symbol),
            "Account": of_quote(report.by_account),
            "Strategy": of_quote(report.by_strategy),
        },
        "latencies": {"first attempt": total.sent, "first fill": total.filled},
    }


def bars_of(results: Sequence[tuple[str, Money]]) -> list[Bar]:
    """One bar a name, the best first; beyond BARS_MAX the names with the smallest results are
    combined. There must be one."""
    ranked = sorted(results, key=lambda named: abs(named[1]), reverse=True)
    shown = ranked if len(ranked) <= BARS_MAX else ranked[: BARS_MAX - 1]
    rest = ranked[len(shown) :]
    shown = sorted(shown, key=lambda named: named[1], reverse=True)
    if rest:
        shown.append((f"{len(rest)} others", total(result for _, result in rest)))
    low = min(ZERO, *(result for _, result in shown))
    span = max(ZERO, *(result for _, result in shown)) - low or Decimal(1)
    lefts = [(min(result, ZERO) - low) / span for _, result in shown]
    return [
        Bar(
            name,
            result,
            float(left * 100),
            float(abs(result) / span * 100),
            float(-low / span * 100),
        )
        for (name, result), left in zip(shown, lefts, strict=True)
    ]
