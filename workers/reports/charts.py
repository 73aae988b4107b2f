"""The charts, as SVG for a page that provides the font and colours.

Only here does money become a float, because pixels need no exact cents.
"""

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from io import StringIO
from itertools import accumulate, pairwise
from math import floor, log10
from xml.etree.ElementTree import Element, SubElement, fromstring, tostring

import pandas as pd
from matplotlib import rcdefaults, style
from matplotlib.axes import Axes
from matplotlib.dates import (
    DAILY,
    MICROSECONDLY,
    MINUTELY,
    SECONDLY,
    AutoDateLocator,
    ConciseDateFormatter,
    date2num,
)
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator
from matplotlib.transforms import blended_transform_factory

from execution.model.decimals import ZERO
from workers.reports.figures import moment, money, signed, typeset
from workers.reports.summary import drawdowns

# Written as CSS variables of these names, so that one drawing serves light and dark pages; the
# values are the defaults for a page without them.
LINE, LOSS, MARKED, QUIET = "#2a5db0", "#b5432a", "#8a8f98", "#686d75"
COLOURS = {LINE: "line", LOSS: "loss", MARKED: "marked", QUIET: "quiet", "#e4e4df": "rule"}
UNITS_PER_INCH = 72
BANDS = 96
BINS = 24
# A shorter time is drawn in the middle of this one, because a single moment has no width.
SPAN_MIN = timedelta(milliseconds=10)
MARGIN = timedelta(seconds=30)

Point = tuple[datetime, Decimal]

# Set once, because a style set for one drawing fails when two threads draw; and on top of the
# defaults, because the user may have a matplotlibrc. The name is that of charts.mplstyle.
rcdefaults()
style.use("workers.reports.charts")


@dataclass(frozen=True, slots=True)
class Curve:
    """The data of the time chart: the net result after each fill, and the equity of the snapshots.

    `places` are the decimal places of money.
    """

    quote: str
    net: tuple[Point, ...]
    equity: tuple[Point, ...]
    start: datetime
    end: datetime
    places: int

    @property
    def drawdown(self) -> tuple[Point, ...]:
        """The distance of each point below the highest so far, as numbers of at most zero."""
        steps = [after - before for (_, before), (_, after) in pairwise(self.net)]
        falls = drawdowns([self.net[0][1], *steps])
        return tuple((time, -fall) for (time, _), fall in zip(self.net, falls, strict=True))


def curve_of(
    quote: str,
    results: Sequence[Point],
    equity: Sequence[Point],
    since: datetime | None,
    places: int,
) -> Curve:
    """The running sum of the results, from zero at `since` or else at the first of them. One of
    `results` and `equity` must not be empty."""
    times = [time for time, _ in (*results[:1], *results[-1:], *equity[:1], *equity[-1:])]
    first, last = since or min(times), max(times)
    sums = accumulate((result for _, result in results), initial=ZERO)
    net = zip((first, *(time for time, _ in results)), sums, strict=True)
    margin = MARGIN if last - first < SPAN_MIN else timedelta(0)
    return Curve(quote, tuple(net), tuple(equity), first - margin, last + margin, places)


def time_chart(curve: Curve, width: int) -> str:
    """The running result, and its drawdown below. The drawing scales; at a `width` of that many
    pixels its text is 11 pixels high."""
    figure = Figure((width / UNITS_PER_INCH, 400 / UNITS_PER_INCH))
    upper, lower = figure.subplots(2, sharex=True, height_ratios=(3, 1))
    falls = curve.drawdown
    _draw_steps(upper, curve.net, curve.end, width, LINE, 0.09)
    _draw_steps(lower, falls, curve.end, width, LOSS, 0.16)
    times, values = _numbers(thinned(curve.equity, width))
    upper.plot(times, values, color=MARKED, dashes=(3, 3))
    _scale(upper, [value for _, value in (*curve.net, *curve.equity)], 5)
    _scale(lower, [value for _, value in falls], 3)
    lower.set_title("Drawdown")
    _time_axis(lower, curve.start, curve.end, width)
    label = (
        f"Net result over time, {moment(curve.start)} to {moment(curve.end)}: "
        f"it ended at {money(curve.net[-1][1], curve.places)} {curve.quote}, and its deepest "
        f"drawdown was {money(-min(value for _, value in falls), curve.places)}."
    )
    return _svg(figure, label, _add_bands(figure, lower, curve, falls))


def _draw_steps(
    axes: Axes, points: Sequence[Point], end: datetime, width: int, colour: str, area: float
) -> None:
    """A result is constant until the next fill, so its line is a step function."""
    times, values = _numbers(thinned(points, width))
    across = [time for time in (*times, date2num(end)) for _ in range(2)][1:-1]
    up = [value for value in values for _ in range(2)]
    closed = ([across[0], *across, across[-1]], [0, *up, 0])
    axes.fill(*closed, color=colour, alpha=area)
    axes.plot(across, up, color=colour)


def _numbers(points: Sequence[Point]) -> tuple[list[float], list[float]]:
    return [date2num(time) for time, _ in points], [float(value) for _, value in points]


def thinned(points: Sequence[Point], at_most: int) -> list[Point]:
    """At most this many of the points, in order: of each stretch of time the first, lowest, highest
    and last, so that no peak or trough is lost and the line looks the same."""
    if len(points) <= at_most:
        return list(points)
    start, stretches = points[0][0], at_most // 4
    stretch = (points[-1][0] - start) / stretches or SPAN_MIN
    places = [min((time - start) // stretch, stretches - 1) for time, _ in points]
    groups = pd.Series([float(value) for _, value in points]).groupby(places)
    ends = {*groups.head(1).index, *groups.tail(1).index}
    return [points[place] for place in sorted({*ends, *groups.idxmin(), *groups.idxmax()})]


def _scale(axes: Axes, values: Sequence[Decimal] | Sequence[float], ticks: int) -> None:
    """Give the axis about this many round ticks, which enclose the values and zero."""
    low, high = min(0.0, *map(float, values)), max(0.0, *map(float, values))
    marks = MaxNLocator(ticks, steps=[1, 2, 5, 10]).tick_values(low, high if high > low else 1.0)
    places = max(0, -floor(log10(marks[1] - marks[0]) + 1e-6))
    axes.set_ylim(marks[0], marks[-1])
    axes.set_yticks(marks, [typeset(f"{mark:z,.{places}f}") for mark in marks])
    axes.axhline(0, color=QUIET, linewidth=1, zorder=1)


def _time_axis(axes: Axes, start: datetime, end: datetime, width: int) -> None:
    """Label round times in UTC: 12:00:05, 14:05, 3 Sep, Sep 2026 or 2026."""
    # With this many ticks at least and at most, every span has a round step and at least two
    # labels.
    wide = width > 600
    locator = AutoDateLocator(UTC, *((5, 11) if wide else (2, 5)))
    locator.intervald[MINUTELY] = locator.intervald[SECONDLY] = [1, 2, 5, 10, 15, 30]
    locator.maxticks[DAILY] = 11 if wide else 6
    # Fractions of a second have longer labels, although trailing zeros are not written.
    locator.maxticks[MICROSECONDLY] = 7 if wide else 4
    formats = ["%Y", "%b %Y", "%-d %b", "%H:%M", "%H:%M", "%H:%M:%S.%f"]
    zeros = [*formats[:3], "%-d %b", *formats[4:]]
    labels = ConciseDateFormatter(
        locator, UTC, formats=formats, zero_formats=zeros, show_offset=False
    )
    axes.set_xlim(date2num(start), date2num(end))
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(labels)


def _add_bands(figure: Figure, axes: Axes, curve: Curve, falls: Sequence[Point]) -> dict[str, str]:
    """Add invisible slices of the whole height with a tooltip: the result at their end."""
    over_all = blended_transform_factory(axes.transData, figure.transFigure)
    times = [time for time, _ in curve.net]
    width = (curve.end - curve.start) / BANDS
    titles = {}
    for number in range(BANDS):
        start, end = curve.start + width * number, curve.start + width * (number + 1)
        place = bisect_right(times, end) - 1
        if place >= 0:
            name = f"band-{number}"
            left, right = date2num(start), date2num(end)
            band = Rectangle((left, 0), right - left, 1, fc="none", gid=name, transform=over_all)
            band.set_in_layout(False)
            figure.add_artist(band)
            net = typeset(signed(curve.net[place][1], curve.places))
            fall = money(-falls[place][1], curve.places)
            titles[name] = f"{moment(end)}: net {net} {curve.quote}, drawdown {fall}"
    return titles


def slippage_chart(slippage_bps: Sequence[Decimal], width: int) -> str:
    """A histogram of the fills' slippage; there must be a fill. `width` is as for `time_chart`.

    The bars have round edges, one of them zero, and span all but the outermost percent of the
    fills; the first and the last bar include what is beyond them.
    """
    figure = Figure((width / UNITS_PER_INCH, 200 / UNITS_PER_INCH))
    axes = figure.subplots()
    ranked = sorted(map(float, slippage_bps))
    rest = len(ranked) // 200
    low, high = min(ranked[rest], 0.0), max(ranked[-1 - rest], 0.0)
    locator = MaxNLocator(BINS, steps=[1, 2, 5, 10])
    edges = [round(float(edge), 9) for edge in locator.tick_values(low, max(high, low + 1))]
    last = len(edges) - 2
    places = Counter(min(max(bisect_right(edges, value) - 1, 0), last) for value in ranked)
    counts = [places[place] for place in range(last + 1)]
    gap = (edges[1] - edges[0]) * 0.03
    bars = axes.bar(
        [edge + gap for edge in edges[:-1]],
        counts,
        edges[1] - edges[0] - 2 * gap,
        align="edge",
        color=LINE,
        alpha=0.65,
    )
    _scale(axes, counts, 4)
    axes.axvline(0, color=QUIET, linewidth=1)
    titles = {}
    for place, bar in enumerate(bars):
        bar.set_gid(f"bar-{place}")
        low_text, high_text = (typeset(f"{edge:.6g}") for edge in edges[place : place + 2])
        span = f"{low_text} to {high_text} bps"
        if place in (0, last):
            span = f"{low_text} bps or more" if place else f"below {high_text} bps"
        titles[f"bar-{place}"] = f"{span}: {counts[place]:,} fill{'s' * (counts[place] != 1)}"
    return _svg(figure, f"Slippage of {len(ranked):,} fills in basis points", titles)


def _svg(figure: Figure, label: str, titles: Mapping[str, str]) -> str:
    """The drawing as an HTML element. `label` describes it to a screen reader; `titles` are
    tooltips by the id of their part; the class of the part is the first word of the id."""
    file = StringIO()
    figure.savefig(file, format="svg")
    drawing = fromstring(file.getvalue())  # noqa: S314  # Just written by matplotlib.
    (content,) = [child for child in drawing if child.tag.endswith("}g")]
    for part in list(content.iter()):
        name = part.attrib.get("id", "")
        part.tag = part.tag.rpartition("}")[2]
        part.text, part.tail = (part.text or "").strip(), None
        part.attrib = {
            key: shorten(part.attrib[key]) for key, shorten in KEPT.items() if key in part.attrib
        }
        if name in titles:
            part.attrib["class"] = name.partition("-")[0]
            SubElement(part, "title").text = titles[name]
    about = {"viewBox": drawing.attrib["viewBox"], "role": "img", "aria-label": label}
    made = Element("svg", about)
    made.append(content)
    return tostring(made, encoding="unicode")


def _numbers_short(text: str) -> str:
    """A tenth of a pixel is precise enough, and a path's point without a letter ends a line."""
    return " ".join(re.sub(r"(\.\d)\d+|L", r"\1", text).split())


def _style_of_page(text: str) -> str:
    for colour, name in COLOURS.items():
        text = text.replace(colour, f"var(--{name}, {colour})")
    return re.sub("font-family: [^;]*; ", "", text)


# The attributes that a part of a drawing keeps, and their format.
KEPT = {"d": _numbers_short, "x": _numbers_short, "y": _numbers_short, "style": _style_of_page}
