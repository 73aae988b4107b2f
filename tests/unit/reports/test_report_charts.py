"""The charts: what they show, and that their axes are round whatever the range is."""

import re
import warnings
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from xml.etree.ElementTree import Element, fromstring

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.support.report_kit import at
from workers.reports.charts import Curve, curve_of, slippage_chart, thinned, time_chart
from workers.reports.figures import MINUS

WIDE, NARROW = 920, 380


def drawn(chart: str) -> Element:
    return fromstring(chart)  # noqa: S314  # Our own drawing.


def labels(chart: str, anchor: str) -> list[str]:
    """The texts of an axis: those of the numbers end at their anchor, those below are around it."""
    return [
        text.text or ""
        for text in drawn(chart).iter("text")
        if f"text-anchor: {anchor}" in text.attrib["style"]
    ]


def titles(chart: str) -> list[str]:
    return [title.text or "" for title in drawn(chart).iter("title")]


def rising(hours: float, low: Decimal = Decimal(1), high: Decimal = Decimal(2)) -> Curve:
    """The results go to `low` at once and to `high` after so many hours."""
    results = [(at(0), low), (at(hours * 60), high - low)]
    return curve_of("USDT", results, (), None, 2)


def test_tooltips_tell_the_result_as_of_their_time() -> None:
    results = [(at(0), Decimal(0)), (at(60), Decimal(-100)), (at(96), Decimal(0))]
    shown = titles(time_chart(curve_of("USDT", results, (), None, 2), WIDE))
    assert len(shown) == 96
    assert "1 Sep 2026, 12:59 UTC: net 0.00 USDT, drawdown 0.00" in shown
    assert f"1 Sep 2026, 13:00 UTC: net {MINUS}100.00 USDT, drawdown 100.00" in shown


def test_a_chart_says_in_words_what_it_shows() -> None:
    results = [(at(0), Decimal(5)), (at(60), Decimal(-7))]
    about = drawn(time_chart(curve_of("USDT", results, (), None, 2), WIDE)).attrib
    assert about["role"] == "img"
    assert about["aria-label"] == (
        "Net result over time, 1 Sep 2026, 12:00 UTC to 1 Sep 2026, 13:00 UTC: it ended at -2.00 "
        "USDT, and its deepest drawdown was 7.00."
    )


def test_a_name_is_shown_as_it_is_and_never_markup() -> None:
    chart = time_chart(curve_of("<B>$x^2$", [(at(0), Decimal(1))], (), None, 2), NARROW)
    assert titles(chart)[-1].endswith("net +1.00 <B>$x^2$, drawdown 0.00")
    assert "<B>" not in chart


def test_a_chart_has_nothing_that_another_on_the_page_could_clash_with() -> None:
    chart = time_chart(rising(5), WIDE)
    names = {name for part in drawn(chart).iter() for name in part.attrib}
    assert names == {"viewBox", "role", "aria-label", "d", "x", "y", "style", "class"}
    assert "font-family" not in chart


def test_a_chart_takes_every_colour_from_its_page() -> None:
    for chart in (time_chart(rising(5), WIDE), slippage_chart([Decimal(3)], NARROW)):
        assert "var(--line, #2a5db0)" in chart
        assert "#" not in re.sub(r"var\(--[a-z]+, #[0-9a-f]{6}\)", "", chart)


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
    ("low", "high", "expected"),
    [
        (0, 9, ["0", "2", "4", "6", "8", "10"]),
        (-1200, 900, [f"{MINUS}1,500", f"{MINUS}1,000", f"{MINUS}500", "0", "500", "1,000"]),
        (5, 7, ["0", "2", "4", "6", "8"]),
        (0, "0.03", ["0.00", "0.01", "0.02", "0.03"]),
        (0, 0, ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]),
    ],
)
def test_axes_are_round_and_include_zero(low: int, high: int, expected: list[str]) -> None:
    chart = time_chart(rising(1, Decimal(low), Decimal(high)), WIDE)
    assert labels(chart, "end")[: len(expected)] == expected


@pytest.mark.parametrize(
    ("hours", "wide", "narrow"),
    [
        (
            0,
            "11:59:30 11:59:40 11:59:50 12:00:00 12:00:10 12:00:20 12:00:30",
            "11:59:30 11:59:45 12:00:00 12:00:15 12:00:30",
        ),
        (
            0.06 / 3600,
            "12:00:00.00 12:00:00.01 12:00:00.02 12:00:00.03 12:00:00.04 12:00:00.05 12:00:00.06",
            "12:00:00.00 12:00:00.02 12:00:00.04 12:00:00.06",
        ),
        (
            8 / 3600,
            "12:00:00 12:00:01 12:00:02 12:00:03 12:00:04 12:00:05 12:00:06 12:00:07 12:00:08",
            "12:00:00 12:00:02 12:00:04 12:00:06 12:00:08",
        ),
        (
            30 / 3600,
            "12:00:00 12:00:05 12:00:10 12:00:15 12:00:20 12:00:25 12:00:30",
            "12:00:00 12:00:10 12:00:20 12:00:30",
        ),
        (
            1.5,
            "12:00 12:10 12:20 12:30 12:40 12:50 13:00 13:10 13:20 13:30",
            "12:00 12:30 13:00 13:30",
        ),
        (
            24,
            "12:00 15:00 18:00 21:00 2Sep 03:00 06:00 09:00 12:00",
            "12:00 18:00 2Sep 06:00 12:00",
        ),
        (24 * 6, "2Sep 3Sep 4Sep 5Sep 6Sep 7Sep", "3Sep 5Sep 7Sep"),
        (24 * 80, "15Sep 1Oct 15Oct 1Nov 15Nov", "Oct2026 Nov2026"),
        (24 * 200, "Oct2026 Nov2026 Dec2026 Jan2027 Feb2027 Mar2027", "Nov2026 Jan2027 Mar2027"),
        (24 * 3000, "2027 2028 2029 2030 2031 2032 2033 2034", "2028 2030 2032 2034"),
    ],
)
def test_time_axes_have_round_times_at_either_width(hours: float, wide: str, narrow: str) -> None:
    for width, expected in ((WIDE, wide), (NARROW, narrow)):
        shown = labels(time_chart(rising(hours), width), "middle")
        assert [label.replace(" ", "") for label in shown] == expected.split()


SPANS = st.one_of(
    st.timedeltas(timedelta(0), timedelta(seconds=1)),
    st.timedeltas(timedelta(0), timedelta(hours=5)),
    st.timedeltas(timedelta(0), timedelta(days=20_000)),
)


@given(SPANS, st.sampled_from([WIDE, NARROW]))
@example(timedelta(days=29), NARROW)
@settings(max_examples=25, deadline=None)
def test_every_span_has_a_time_axis_whose_labels_have_room(span: timedelta, width: int) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        shown = labels(time_chart(rising(span / timedelta(hours=1)), width), "middle")
    assert len(shown) >= 2
    # A digit is 0.6 times as wide as its height of 11 pixels.
    assert sum(len(label) + 1 for label in shown) * 6.6 < width


def bars(*values: str) -> dict[str, int]:
    """The tooltips of the bars that hold a fill: {"0 to 0.5 bps": 2}."""
    shown = [
        title.partition(": ") for title in titles(slippage_chart([*map(Decimal, values)], 420))
    ]
    counts = {span: int(count.split()[0].replace(",", "")) for span, _, count in shown}
    return {span: count for span, count in counts.items() if count}


def test_a_histogram_counts_every_value_once_with_zero_between_two_bars() -> None:
    assert bars("-2.5", "-0.1", "0", "0.1", "1", "3", "3") == {
        f"below {MINUS}2 bps": 1,
        f"{MINUS}0.5 to 0 bps": 1,
        "0 to 0.5 bps": 2,
        "1 to 1.5 bps": 1,
        "2.5 bps or more": 2,
    }


def test_a_histogram_puts_the_outermost_into_its_end_bars() -> None:
    values = [str(number % 10) for number in range(1000)]
    shown = bars(*values, "10000", "-9999")
    assert sum(shown.values()) == 1002
    assert (shown["below 0.5 bps"], shown["8.5 bps or more"]) == (101, 101)


def test_a_histogram_puts_an_edge_into_the_bar_above_it() -> None:
    values = [f"0.{number}" for number in range(1, 8)]
    assert bars(*values)["0.3 to 0.35 bps"] == 1


def test_a_curve_starts_at_zero_when_the_report_begins() -> None:
    results = [(at(5), Decimal(3)), (at(6), Decimal(-5))]
    curve = curve_of("USDT", results, (), at(1), 2)
    assert curve.net == ((at(1), 0), (at(5), 3), (at(6), -2))
    assert curve.drawdown == ((at(1), 0), (at(5), 0), (at(6), -5))
    assert (curve.start, curve.end) == (at(1), at(6))
