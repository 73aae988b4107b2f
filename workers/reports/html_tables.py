"""The tables of the page: figures by day, symbol and so on, and latencies."""

from collections.abc import Sequence
from xml.etree.ElementTree import Element

from workers.reports.markup import element
from workers.reports.summary import Latency, Summary
from workers.reports.wording import BY_KEY, Figure, milliseconds, places_for, tone, typeset

NOTHING = "\N{EN DASH}"
_FIGURES = tuple(
    BY_KEY[key]
    for key in ("net_pnl", "gross_pnl", "fees", "turnover", "max_drawdown", "win_rate",
                "profit_factor", "slippage_bps", "fill_ratio", "trades", "orders")
)  # fmt: skip


def summary_table(name: str, summaries: Sequence[Summary], total: Summary) -> Element:
    """One row a summary, and `total` below; it scrolls by itself where the page is too small."""
    places = places_for(total.turnover)
    heads = [
        element("th", figure.label, scope="col", title=figure.definition) for figure in _FIGURES
    ]
    return element(
        "div",
        element(
            "table",
            element("caption", f"By {name.lower()} ", element("small", total.quote)),
            element("thead", element("tr", element("th", name, scope="col"), *heads)),
            element("tbody", *(_row(summary, summary.name, places) for summary in summaries)),
            element("tfoot", _row(total, "Total", places)),
        ),
        class_="scroll",
        tabindex="0",
        role="region",
        aria_label=f"Table by {name.lower()}, {total.quote}",
    )


def _row(summary: Summary, name: str, places: int) -> Element:
    cells = [
        element("td", figure_text(figure, summary, places) or NOTHING,
                class_=tone(summary.net_pnl) if figure.key == "net_pnl" else None)
        for figure in _FIGURES
    ]  # fmt: skip
    return element("tr", element("th", name, scope="row", title=name), *cells)


def figure_text(figure: Figure, summary: Summary, places: int) -> str:
    """The figure as the page shows it, empty where there is none."""
    return typeset(figure.text(summary, places))


def latency_table(total: Summary) -> Element | None:
    """The percentiles of what was measured, None where nothing was."""
    found = (("first attempt", total.sent), ("first fill", total.filled))
    rows = [_latency_row(name, latency) for name, latency in found if latency.count]
    if not rows:
        return None
    heads = [element("th", head, scope="col")
             for head in ("From the signal to", "p50", "p95", "p99", "Orders")]  # fmt: skip
    return element(
        "div",
        element(
            "table",
            element("caption", "Latency ", element("small", "ms")),
            element("thead", element("tr", *heads)),
            element("tbody", *rows),
            class_="narrow",
        ),
        class_="scroll",
    )


def _latency_row(name: str, found: Latency) -> Element:
    cells = [*(milliseconds(ms) for ms in (found.p50_ms, found.p95_ms, found.p99_ms)),
             f"{found.count:,}"]  # fmt: skip
    return element(
        "tr", element("th", name, scope="row"), *(element("td", typeset(c)) for c in cells)
    )
