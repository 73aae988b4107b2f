"""The page of the report: one document, whole, safe, and true to the figures."""

import re
from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from html.parser import HTMLParser
from itertools import pairwise

import pytest
from report_kit import NOW, at, snapshot, traded

from execution.model.order import Order
from workers.reports import Report, build_report
from workers.reports.bars import result_bars
from workers.reports.charts import curve_of
from workers.reports.export import summary_rows
from workers.reports.html_page import html_page
from workers.reports.markup import element
from workers.reports.scales import (
    Scale,
    histogram,
    number_ticks,
    thinned,
    time_ticks,
)
from workers.reports.wording import FIGURES, MINUS, money, places_for, signed

VOID = {"meta", "br", "hr", "img", "link", "input"}
Page = list[tuple[str, dict[str, str | None], str]]


class Reader(HTMLParser):
    """Reads a page into (tag, attributes, text), and insists that every element is closed."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[int] = []
        self.found: Page = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), f"{tag} has an attribute twice"
        self.found.append((tag, dict(attrs), ""))
        if tag not in VOID:
            self.open.append(len(self.found) - 1)

    def handle_endtag(self, tag: str) -> None:
        assert self.found[self.open.pop()][0] == tag

    def handle_data(self, data: str) -> None:
        for place in self.open:
            name, attributes, text = self.found[place]
            self.found[place] = (name, attributes, text + data)


def read(page: str) -> Page:
    reader = Reader()
    reader.feed(page)
    reader.close()
    assert reader.open == []
    return reader.found


def texts(page: str, tag: str) -> list[str]:
    return [text for name, _, text in read(page) if name == tag]


def report_on(*orders: Order, since: datetime | None = None) -> Report:
    return build_report(orders, [], since=since, now=NOW, rates={"BNB/USDT": Decimal(600)})


def busy() -> Report:
    """Two quote assets, gains and losses, snapshots, and a fee that nobody can value."""
    orders = [
        traded(number, "sell" if number % 2 else "buy", ("1", str(1000 + number * 37 % 50)),
               fees=[("USDT", "0.5")], reference="1010", strategy="trend",
               symbol="ETH/USDT" if number % 3 else "BTC/USDT", minutes=number * 700)
        for number in range(40)
    ]  # fmt: skip
    other = traded(50, "buy", ("1", "0.05"), symbol="ETH/BTC", fees=[("XYZ", "3")])
    snapshots = [snapshot(day * 1440, "3", "-4") for day in range(5)]
    return build_report([*orders, other], snapshots, since=None, now=NOW)


@pytest.mark.parametrize(
    "report",
    [
        report_on(),
        report_on(traded(1, "buy", ("1", "100"))),
        report_on(traded(1, "buy", ("0", "100"), reference="100")),
        report_on(traded(1, "buy")),
        report_on(traded(1, "buy", ("1", "100")), since=at(100)),
        build_report([], [snapshot(1, "0", "0")], since=None, now=NOW),
        build_report([traded(1, "buy")], [snapshot(1, "0", "2")], since=None, now=NOW),
        busy(),
    ],
    ids=[
        "nothing",
        "one fill",
        "of nothing",
        "no fill",
        "before since",
        "snapshot",
        "equity",
        "busy",
    ],
)
def test_every_report_makes_a_whole_page(report: Report) -> None:
    page = html_page(report)
    assert page.startswith("<!DOCTYPE html>")
    assert Counter(tag for tag, _, _ in read(page))["main"] == 1
    assert not re.search(r"\b(nan|NaN|None|inf)\b", page.split("</style>")[1])


def test_the_page_fetches_nothing_and_runs_nothing() -> None:
    page = html_page(busy())
    assert "http" not in page
    assert "@import" not in page
    assert "url(" not in page
    tags = {tag for tag, _, _ in read(page)}
    assert not tags & {"script", "link", "img", "iframe", "object"}
    attributes = {name for _, given, _ in read(page) for name in given}
    assert not {name for name in attributes if name.startswith("on") or name in ("src", "href")}


def test_names_are_never_markup() -> None:
    evil = '<script>alert("1")</script>'
    page = html_page(report_on(
        traded(1, "buy", ("1", "100"), strategy=evil, account='"><img src=x>', symbol="<B>/USDT")
    ))  # fmt: skip
    assert {tag for tag, _, _ in read(page)}.isdisjoint({"script", "img", "b"})
    heads = texts(page, "th")
    assert {evil, '"><img src=x>', "<B>/USDT"} <= set(heads)


def test_an_empty_report_says_so() -> None:
    page = html_page(report_on())
    assert "There are no orders yet." in texts(page, "li")
    assert texts(page, "table") == texts(page, "svg") == []


def test_the_headline_says_what_the_tables_total_says() -> None:
    report = busy()
    page = html_page(report)
    stats = [(name, text) for name, _, text in read(page) if name in ("dt", "dd", "strong")]
    shown = [(label, value) for (kind, label), (_, value) in pairwise(stats) if kind == "dt"]
    leads = [text for name, text in stats if name == "strong"]
    for summary, row, lead in zip(report.totals, summary_rows(report.totals), leads,
                                  strict=True):  # fmt: skip
        wanted = {figure.label: row[figure.key].replace("-", MINUS) for figure in FIGURES}
        assert lead == wanted.pop("Net result")
        slippage_bps = wanted.pop("Slippage, bps")
        beside = {
            "Win rate": f"{summary.winning_orders} of {summary.closing_orders}",
            "Slippage": f"{slippage_bps} bps",
        }
        for label, text in wanted.items():
            value = text + beside.get(label, "") if text else "\N{EN DASH}"
            assert (label, value) in shown
    totals = [text for name, _, text in read(page) if name == "tfoot"]
    assert len(totals) == 8
    assert all(leads[number // 4] in text for number, text in enumerate(totals))


def test_fees_without_a_price_are_on_the_page() -> None:
    page = html_page(busy())
    assert any("3 XYZ" in text for text in texts(page, "dd"))
    assert any("Fees of 3 XYZ are in no figure" in text for text in texts(page, "li"))


def test_each_drawing_says_in_words_what_it_shows() -> None:
    drawings = [given for tag, given, _ in read(html_page(busy())) if tag == "svg"]
    spoken = [given.get("aria-label") or "" for given in drawings if given.get("role") == "img"]
    assert any(label.startswith("Net result over time, 1 Sep 2026") for label in spoken)
    assert any(label == "Slippage of 40 fills in basis points" for label in spoken)
    assert all(spoken)


def test_tooltips_tell_the_result_as_of_their_time() -> None:
    report = report_on(
        traded(1, "buy", ("1", "10000"), minutes=0),
        traded(2, "sell", ("1", "9900"), minutes=60),
        traded(3, "buy", ("1", "10000"), minutes=96),
    )
    titles = texts(html_page(report), "title")
    assert "1 Sep 2026, 12:59 UTC: net 0.00 USDT, drawdown 0.00" in titles
    assert f"1 Sep 2026, 13:00 UTC: net {MINUS}100.00 USDT, drawdown 100.00" in titles


def test_many_fills_stay_a_small_page() -> None:
    orders = [
        traded(number, "sell" if number % 2 else "buy", ("1", str(1000 + number * 7919 % 101)))
        for number in range(6_000)
    ]
    assert len(html_page(report_on(*orders))) < 200_000


def test_thinning_keeps_ends_peaks_and_troughs() -> None:
    start = datetime(2026, 9, 1, tzinfo=UTC)
    points = [(start + timedelta(seconds=n), Decimal(n * 7919 % 1009)) for n in range(10_000)]
    points[4321] = (points[4321][0], Decimal(5000))
    points[8765] = (points[8765][0], Decimal(-5000))
    kept = thinned(points, 400)
    assert len(kept) <= 400
    assert {points[0], points[4321], points[8765], points[-1]} <= set(kept)
    assert kept == sorted(kept, key=lambda point: point[0])
    assert thinned(points[:400], 400) == points[:400]


def test_thinning_bears_points_of_one_moment() -> None:
    now = datetime(2026, 9, 1, tzinfo=UTC)
    points = [(now, Decimal(n)) for n in range(100)]
    assert thinned(points, 40) == [points[0], points[-1]]


@pytest.mark.parametrize(
    ("low", "high", "labels"),
    [
        (0, 9, ["0", "2", "4", "6", "8", "10"]),
        (-1200, 900, [f"{MINUS}1,500", f"{MINUS}1,000", f"{MINUS}500", "0", "500", "1,000"]),
        (5, 7, ["0", "2", "4", "6", "8"]),
        (0, "0.03", ["0.00", "0.01", "0.02", "0.03"]),
        (0, 0, ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]),
    ],
)
def test_axes_are_round_and_include_zero(low: int, high: int, labels: list[str]) -> None:
    ticks = number_ticks(Decimal(low), Decimal(high), 5)
    assert [tick.label for tick in ticks] == labels


@pytest.mark.parametrize(
    ("hours", "labels"),
    [
        (1.5, ["12:00", "12:15", "12:30", "12:45", "13:00", "13:15", "13:30"]),
        (24, ["12:00", "15:00", "18:00", "21:00", "2 Sep", "03:00", "06:00", "09:00", "12:00"]),
        (24 * 6, ["2 Sep", "3 Sep", "4 Sep", "5 Sep", "6 Sep", "7 Sep"]),
        (24 * 30, ["7 Sep", "14 Sep", "21 Sep", "28 Sep"]),
        (24 * 200, ["Oct 2026", "Nov 2026", "Dec 2026", "Jan 2027", "Feb 2027", "Mar 2027"]),
        (24 * 3000, ["2027", "2028", "2029", "2030", "2031", "2032", "2033", "2034"]),
    ],
)
def test_time_axes_have_round_times(hours: float, labels: list[str]) -> None:
    start = at(0)
    ticks = time_ticks(start, start + timedelta(hours=hours), 10)
    assert [label for _, label in ticks] == labels


def test_a_histogram_counts_every_value_once_with_zero_between_two_bins() -> None:
    values = [Decimal(value) for value in ("-2.5", "-0.1", "0", "0.1", "1", "3", "3")]
    edges, counts = histogram(values, 6)
    assert edges == [-3, -2, -1, 0, 1, 2, 3, 4]
    assert counts == [1, 0, 1, 2, 1, 0, 2]
    assert histogram([], 6) == ([], [])


def test_a_histogram_puts_the_outermost_into_its_end_bins() -> None:
    values = [Decimal(number % 10) for number in range(1000)] + [Decimal(10_000), Decimal(-9_999)]
    edges, counts = histogram(values, 10)
    assert (edges[0], edges[-1]) == (0, 10)
    assert sum(counts) == 1002
    assert (counts[0], counts[-1]) == (101, 101)


def test_beyond_a_dozen_symbols_the_smallest_are_added_up() -> None:
    results = [(f"S{number}", Decimal(number)) for number in range(1, 21)]
    table = result_bars(results, 2)
    heads = [head.text for head in table.iter("th")]
    assert heads[:2] == ["S20", "S19"]
    assert heads[-1] == "9 others"
    assert [cell.text for cell in table.iter("td")][-1] == "+45.00"


def test_a_curve_starts_at_zero_when_the_report_begins() -> None:
    results = [(at(5), Decimal(3)), (at(6), Decimal(-5))]
    curve = curve_of("USDT", results, (), at(1), 2)
    assert curve.net == ((at(1), 0), (at(5), 3), (at(6), -2))
    assert curve.drawdown == ((at(1), 0), (at(5), 0), (at(6), -5))
    assert (curve.start, curve.end) == (at(1), at(6))


def test_a_scale_maps_both_ends() -> None:
    scale = Scale(-10, 10, 100, 0)
    assert (scale(Decimal(-10)), scale(0), scale(10)) == (100, 50, 0)


@pytest.mark.parametrize(
    ("amount", "places", "text"),
    [
        ("1234567.891", 2, "1,234,567.89"),
        ("-0.001", 2, "0.00"),
        ("-1234.5", 2, "-1,234.50"),
        ("0", 0, "0"),
        (
            "12345678901234567890123456789012345.125",
            2,
            "12,345,678,901,234,567,890,123,456,789,012,345.12",
        ),
    ],
)
def test_money_has_separators_and_no_negative_zero(amount: str, places: int, text: str) -> None:
    assert money(Decimal(amount), places) == text


def test_results_have_a_sign_unless_they_are_zero() -> None:
    assert [signed(Decimal(text), 2) for text in ("1", "-1", "0.001", "-0.001")] == [
        "+1.00", "-1.00", "0.00", "0.00",
    ]  # fmt: skip
    assert signed(None, 2) == ""


@pytest.mark.parametrize(
    ("turnover", "places"),
    [("0", 2), ("123456789", 2), ("10000", 2), ("9999", 3), ("11", 5), ("0.05", 8), ("0.00001", 8)],
)
def test_small_money_is_shown_with_more_places(turnover: str, places: int) -> None:
    assert places_for(Decimal(turnover)) == places


def test_an_element_takes_text_and_elements_in_turn() -> None:
    made = element("p", "a", element("b", "c"), None, "d", "e", class_="x", id_=None)
    assert (made.text, made[0].text, made[0].tail) == ("a", "c", "de")
    assert made.attrib == {"class": "x"}


def test_the_page_has_a_style_for_every_class_it_uses() -> None:
    page = html_page(busy())
    style = page.split("<style>")[1].split("</style>")[0]
    used = {name for _, given, _ in read(page) for name in (given.get("class") or "").split()}
    assert {"stats", "plot", "bars"} <= used
    assert {name for name in used if not re.search(rf"\.{name}\b", style)} == set()
