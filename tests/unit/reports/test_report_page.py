"""The page of the report: one document, whole, safe, and true to the figures."""

import re
from collections import Counter
from datetime import datetime
from decimal import Decimal
from html.parser import HTMLParser
from itertools import pairwise

import pytest

from execution.model.order import Order
from tests.support.report_kit import NOW, at, snapshot, traded
from workers.reports import Report, build_report
from workers.reports.export import summary_rows
from workers.reports.figures import FIGURES, MINUS, money, places_for, signed
from workers.reports.page import bars_of, html_page

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
    """Two quote assets, gains and losses, snapshots, and a fee without a known price."""
    orders = [
        traded(
            number,
            "sell" if number % 2 else "buy",
            ("1", str(1000 + number * 37 % 50)),
            fees=[("USDT", "0.5")],
            reference="1010",
            strategy="trend",
            symbol="ETH/USDT" if number % 3 else "BTC/USDT",
            minutes=number * 700,
        )
        for number in range(40)
    ]
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
    page = html_page(
        report_on(
            traded(
                1, "buy", ("1", "100"), strategy=evil, account='"><img src=x>', symbol="<B>/USDT"
            )
        )
    )
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
    for summary, row, lead in zip(report.totals, summary_rows(report.totals), leads, strict=True):
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


def test_many_fills_stay_a_small_page() -> None:
    orders = [
        traded(number, "sell" if number % 2 else "buy", ("1", str(1000 + number * 7919 % 101)))
        for number in range(6_000)
    ]
    assert len(html_page(report_on(*orders))) < 200_000


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
        "+1.00",
        "-1.00",
        "0.00",
        "0.00",
    ]
    assert signed(None, 2) == ""


@pytest.mark.parametrize(
    ("turnover", "places"),
    [("0", 2), ("123456789", 2), ("10000", 2), ("9999", 3), ("11", 5), ("0.05", 8), ("0.00001", 8)],
)
def test_small_money_is_shown_with_more_places(turnover: str, places: int) -> None:
    assert places_for(Decimal(turnover)) == places


def test_beyond_a_dozen_symbols_the_smallest_are_added_up() -> None:
    bars = bars_of([(f"S{number}", Decimal(number)) for number in range(1, 21)])
    names = [bar.name for bar in bars]
    assert names[:2] == ["S20", "S19"]
    assert names[-1] == "9 others"
    assert len(names) == 12
    assert bars[-1].result == 45


def test_bars_share_one_scale_with_zero_inside() -> None:
    bars = bars_of([("loss", Decimal(-10)), ("even", Decimal(0)), ("gain", Decimal(30))])
    assert [(bar.name, bar.left, bar.width, bar.zero) for bar in bars] == [
        ("gain", 25, 75, 25),
        ("even", 25, 0, 25),
        ("loss", 0, 25, 25),
    ]


def test_the_page_has_a_chart_for_a_screen_and_one_for_a_phone() -> None:
    page = html_page(report_on(traded(1, "buy", ("1", "100"))))
    classes = [given.get("class") for tag, given, _ in read(page) if tag == "div"]
    assert [name for name in classes if name and name.startswith("chart ")] == [
        "chart wide",
        "chart narrow",
    ]


def test_every_colour_of_the_page_has_a_value_for_the_dark() -> None:
    page = html_page(busy())
    style, body = page.split("</style>")
    light, dark = (part.partition("}")[0] for part in style.split(":root {")[1:3])
    used = set(re.findall(r"var\(--([a-z]+)", page))
    assert {"line", "loss", "gain", "quiet", "rule", "marked"} <= used
    for name in used:
        assert f"--{name}: #" in light
        assert f"--{name}: #" in dark
    assert not re.search(r"(fill|stroke|color): *#", body)


def test_the_page_has_a_style_for_every_class_it_uses() -> None:
    page = html_page(busy())
    style = page.split("<style>")[1].split("</style>")[0]
    used = {name for _, given, _ in read(page) for name in (given.get("class") or "").split()}
    assert {"stats", "chart", "bars", "band"} <= used
    assert {name for name in used if not re.search(rf"\.{name}\b", style)} == set()
