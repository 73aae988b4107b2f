"""The report as one page of HTML that needs nothing but itself."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import localcontext
from importlib.resources import files
from xml.etree.ElementTree import Element

import pandas as pd

from execution.model.decimals import EXACT
from workers.reports.bars import result_bars, slippage_bars
from workers.reports.charts import curve_of, time_charts
from workers.reports.html_tables import NOTHING, figure_text, latency_table, summary_table
from workers.reports.markup import element, page
from workers.reports.report import Report
from workers.reports.summary import Summary
from workers.reports.wording import (
    BY_KEY,
    FIGURES,
    LATENCY_DEFINITION,
    Figure,
    moment,
    money,
    places_for,
    signed,
    tone,
    typeset,
)

TITLE = "Trading report"
_HEADLINE = ("gross_pnl", "fees", "turnover", "max_drawdown", "win_rate", "profit_factor",
             "slippage", "fill_ratio", "trades", "orders")  # fmt: skip


def html_page(report: Report) -> str:
    """Write the page: nothing in it is fetched, and it runs no script."""
    style = files("workers.reports").joinpath("page.css").read_text(encoding="utf-8")
    title = f"{TITLE}, {moment(report.generated_at)}"
    with localcontext(EXACT):
        return page(title, style, _main(report))


def _main(report: Report) -> Element:
    parts = [_Part.of(report, summary) for summary in report.totals]
    return element(
        "main",
        _header(report),
        _notes(report.notes),
        *(section for part in parts for section in part.sections(alone=len(parts) == 1)),
        _definitions() if parts else None,
    )


def _header(report: Report) -> Element:
    begun = report.since
    if begun is None and len(report.trades):
        begun = report.trades["time"].iloc[0].to_pydatetime()
    until = moment(report.generated_at)
    states = " \N{MIDDLE DOT} ".join(f"{count:,} {state}" for state, count in report.states.items())
    return element(
        "header",
        element("p", "oneorder", class_="mark"),
        element("h1", TITLE),
        element("p", until if begun is None else f"{moment(begun)} \N{EN DASH} {until}"),
        element("p", f"Orders: {states}", class_="quiet") if states else None,
    )


def _notes(notes: Sequence[str]) -> Element | None:
    if not notes:
        return None
    return element(
        "aside", element("ul", *(element("li", note) for note in notes)), aria_label="Notes"
    )


def _definitions() -> Element:
    entries = [*((figure.label, figure.definition) for figure in FIGURES),
               ("Latency", LATENCY_DEFINITION)]  # fmt: skip
    terms = [
        part for label, text in entries for part in (element("dt", label), element("dd", text))
    ]
    return element("details", element("summary", "What the figures mean"), element("dl", *terms))


@dataclass(frozen=True, slots=True)
class _Part:
    """What the page says of one quote asset."""

    report: Report
    total: Summary
    trades: pd.DataFrame
    places: int

    @classmethod
    def of(cls, report: Report, total: Summary) -> "_Part":
        trades = report.trades[report.trades["quote"] == total.quote]
        return cls(report, total, trades, places_for(total.turnover))

    def sections(self, *, alone: bool) -> list[Element | None]:
        """`alone` where there is no other quote asset to tell it from."""
        return [
            None if alone else element("h2", self.total.quote, class_="quote"),
            self._headline(),
            self._over_time(),
            element("div", self._by_symbol(), self._slippage(), class_="pair"),
            *self._tables(),
        ]

    def _headline(self) -> Element:
        figure = BY_KEY["net_pnl"]
        lead = element(
            "p",
            element("span", figure.label, class_="label"),
            element("strong", self._text(figure), class_=tone(self.total.net_pnl)),
            element("span", self.total.quote, class_="unit"),
            class_="lead",
            title=figure.definition,
        )
        stats = [self._stat(BY_KEY[key]) for key in _HEADLINE]
        return element("section", lead, element("dl", *stats, *self._held(), class_="stats"),
                       class_="headline", aria_label="Headline figures")  # fmt: skip

    def _stat(self, figure: Figure) -> Element:
        beside = {
            "win_rate": f"{self.total.winning_orders:,} of {self.total.closing_orders:,}",
            "slippage": f"{self._text(BY_KEY['slippage_bps'])} bps",
        }.get(figure.key)
        text = self._text(figure)
        return _stat(figure.label, text, beside if text else None, figure.definition)

    def _held(self) -> list[Element]:
        """What the latest snapshot says of the positions that are still open."""
        points = [point for point in self.report.equity if point.quote == self.total.quote]
        if not points:
            return []
        unrealised = typeset(signed(points[-1].unrealised_pnl, self.places))
        as_of = moment(points[-1].time)
        exposure = money(points[-1].exposure, self.places)
        return [
            _stat("Unrealised", unrealised, as_of, "What closing what is held would have added."),
            _stat("Exposure", exposure, as_of, "What is held is worth, whichever way it points."),
        ]

    def _over_time(self) -> Element | None:
        results = list(zip(self.trades["time"], self.trades["net_pnl"], strict=True))
        equity = [(point.time, point.equity) for point in self.report.equity
                  if point.quote == self.total.quote]  # fmt: skip
        if not results and not equity:
            return None
        quote, since = self.total.quote, self.report.since
        key = element(
            "p",
            element("span", "realised, after fees"),
            element("span", "with open positions, from snapshots", class_="key-marked"),
            class_="key",
        )
        return element(
            "figure",
            element("figcaption", "Net result over time ", element("small", quote)),
            key if equity else None,
            *time_charts(curve_of(quote, results, equity, since, self.places)),
        )

    def _by_symbol(self) -> Element | None:
        results = [(summary.name, summary.net_pnl) for summary in self._of(self.report.by_symbol)
                   if summary.trades]  # fmt: skip
        if not results:
            return None
        caption = element("figcaption", "Net result by symbol ", element("small", self.total.quote))
        return element("figure", caption, result_bars(results, self.places))

    def _slippage(self) -> Element | None:
        slippage_bps = self.trades["slippage_bps"].dropna().tolist()
        if not slippage_bps:
            return None
        unit = element("small", "fills by basis points; right of zero they cost more")
        return element(
            "figure",
            element("figcaption", "Slippage ", unit),
            slippage_bars(slippage_bps),
            element("p", "The outermost bars hold what lies beyond, too.", class_="quiet"),
        )

    def _tables(self) -> list[Element | None]:
        report = self.report
        groups = (("Day", report.by_day), ("Symbol", report.by_symbol),
                  ("Account", report.by_account), ("Strategy", report.by_strategy))  # fmt: skip
        return [
            *(summary_table(name, self._of(found), self.total) for name, found in groups),
            latency_table(self.total),
        ]

    def _text(self, figure: Figure) -> str:
        return figure_text(figure, self.total, self.places)

    def _of(self, summaries: Iterable[Summary]) -> list[Summary]:
        return [summary for summary in summaries if summary.quote == self.total.quote]


def _stat(label: str, text: str, beside: str | None, title: str) -> Element:
    value = element("dd", text or NOTHING, element("small", beside) if beside else None)
    return element("div", element("dt", label), value, title=title)
