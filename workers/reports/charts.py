"""The drawings over time: the running result, and below it how far it was under its peak.

A drawing stretches to the width that it is given; its labels lie over it as text, so that they
stay legible on a phone.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import accumulate, pairwise
from xml.etree.ElementTree import Element

from execution.model.decimals import ZERO
from workers.reports.markup import element
from workers.reports.scales import Point, Scale, Tick, number_ticks, thinned, time_ticks
from workers.reports.summary import drawdowns
from workers.reports.wording import moment, money, signed, typeset

WIDTH = 1_000
HEIGHT = 260
HEIGHT_BELOW = 90
BANDS = 96
TIMES_MAX = 10
_MARGIN = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class Curve:
    """What is drawn over time: the net result after each fill, and the equity of the snapshots.

    `places` are those that money is shown with.
    """

    quote: str
    net: tuple[Point, ...]
    equity: tuple[Point, ...]
    start: datetime
    end: datetime
    places: int

    @property
    def drawdown(self) -> tuple[Point, ...]:
        """How far each point is below the highest so far, as numbers below zero."""
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
    """Add the results up, from zero at `since` or else at the first of them. One of `results` and
    `equity` must not be empty."""
    times = [time for time, _ in (*results[:1], *results[-1:], *equity[:1], *equity[-1:])]
    first, last = since or min(times), max(times)
    sums = accumulate((result for _, result in results), initial=ZERO)
    net = zip((first, *(time for time, _ in results)), sums, strict=True)
    # One moment has no width to be drawn in.
    margin = timedelta(0) if first < last else _MARGIN
    return Curve(quote, tuple(net), tuple(equity), first - margin, last + margin, places)


def time_charts(curve: Curve) -> list[Element]:
    """The two drawings, which share the axis of time."""
    values = [value for _, value in (*curve.net, *curve.equity)]
    above = number_ticks(min(values), max(values), 5)
    falls = curve.drawdown
    below = number_ticks(min(value for _, value in falls), ZERO, 3)
    gutter = max(len(tick.label) for tick in (*above, *below))
    x = Scale(curve.start.timestamp(), curve.end.timestamp(), 0, WIDTH)
    times = time_ticks(curve.start, curve.end, TIMES_MAX)
    told = _tooltips(curve, falls, x)
    return [
        plot(
            _upper(curve, above, x),
            label=_spoken(curve, falls),
            height=HEIGHT,
            gutter=gutter,
            ticks=above,
            times=[(x(time.timestamp()), "") for time, _ in times],
            bands=_bands(told, HEIGHT),
        ),
        element("p", "Drawdown", class_="between"),
        plot(
            _lower(falls, below, x),
            label="Drawdown over the same time",
            height=HEIGHT_BELOW,
            gutter=gutter,
            ticks=below,
            times=[(x(time.timestamp()), label) for time, label in times],
            bands=_bands(told, HEIGHT_BELOW),
        ),
    ]


def plot(
    lines: Sequence[Element],
    *,
    label: str,
    height: int,
    gutter: int,
    ticks: Sequence[Tick],
    times: Sequence[tuple[float, str]],
    bands: Sequence[Element],
) -> Element:
    """Lay `lines` over a grid at `ticks` (upwards) and `times` (across, in drawing units)."""
    y = Scale(ticks[0].value, ticks[-1].value, height, 0)
    grid = [
        element(
            "path", class_="zero" if tick.value == 0 else "grid", d=f"M0 {y(tick.value)}H{WIDTH}"
        )
        for tick in ticks
    ]
    grid += [element("path", class_="grid", d=f"M{across} 0V{height}") for across, _ in times]
    drawing = element(
        "svg", *grid, *lines, *bands,
        viewBox=f"0 0 {WIDTH} {height}", preserveAspectRatio="none", role="img", aria_label=label,
    )  # fmt: skip
    across = [(place, text) for place, text in times if text]
    labels = [
        *(_label("y", f"top:{y(tick.value) / height:.2%}", tick.label) for tick in ticks),
        *(
            _label("x" if number % 2 == 0 else "x odd", f"left:{place / WIDTH:.2%}", text)
            for number, (place, text) in enumerate(across)
        ),
    ]
    style = f"--gutter:{gutter}ch;height:{height}px"
    return element("div", drawing, *labels, class_="plot timed" if across else "plot", style=style)


def _label(kind: str, style: str, text: str) -> Element:
    return element("span", text, class_=kind, style=style, aria_hidden="true")


def _upper(curve: Curve, ticks: Sequence[Tick], x: Scale) -> list[Element]:
    y = Scale(ticks[0].value, ticks[-1].value, HEIGHT, 0)
    net = _steps(thinned(curve.net), x, y)
    lines = [
        element("path", class_="area", d=_closed(net, x, y, curve.net[0][0])),
        element("path", class_="line", d=net),
    ]
    if curve.equity:
        points = " ".join(
            f"{x(time.timestamp())},{y(value)}" for time, value in thinned(curve.equity)
        )
        lines.append(element("polyline", class_="marked", points=points))
    return lines


def _lower(falls: Sequence[Point], ticks: Sequence[Tick], x: Scale) -> list[Element]:
    y = Scale(ticks[0].value, ticks[-1].value, HEIGHT_BELOW, 0)
    steps = _steps(thinned(falls), x, y)
    return [
        element("path", class_="fall", d=_closed(steps, x, y, falls[0][0])),
        element("path", class_="fall-line", d=steps),
    ]


def _steps(points: Sequence[Point], x: Scale, y: Scale) -> str:
    """A result stays as it is until the next fill, so its line goes across and then up or down."""
    (first, value), *rest = points
    path = [f"M{x(first.timestamp())} {y(value)}"]
    path += [f"H{x(time.timestamp())}V{y(value)}" for time, value in rest]
    return "".join([*path, f"H{WIDTH}"])


def _closed(path: str, x: Scale, y: Scale, start: datetime) -> str:
    return f"{path}V{y(0)}H{x(start.timestamp())}Z"


def _tooltips(curve: Curve, falls: Sequence[Point], x: Scale) -> list[tuple[float, float, str]]:
    """Slices of the time, from where to where across, each with what the result was at its end."""
    times = [time for time, _ in curve.net]
    width = (curve.end - curve.start) / BANDS
    told = []
    for number in range(BANDS):
        begin = curve.start + width * number
        place = bisect_right(times, begin + width) - 1
        if place >= 0:
            net = typeset(signed(curve.net[place][1], curve.places))
            fall = money(-falls[place][1], curve.places)
            text = f"{moment(begin + width)}: net {net} {curve.quote}, drawdown {fall}"
            told.append((x(begin.timestamp()), WIDTH / BANDS, text))
    return told


def _bands(told: Sequence[tuple[float, float, str]], height: int) -> list[Element]:
    """What shows a tooltip: clear rectangles over the whole height."""
    return [
        element("rect", element("title", text), class_="band", x=f"{left}", y="0",
                width=f"{width:.2f}", height=f"{height}")
        for left, width, text in told
    ]  # fmt: skip


def _spoken(curve: Curve, falls: Sequence[Point]) -> str:
    """What the drawing shows, for who cannot see it."""
    last, deepest = curve.net[-1][1], min(value for _, value in falls)
    return (
        f"Net result over time, {moment(curve.start)} to {moment(curve.end)}: "
        f"it ended at {money(last, curve.places)} {curve.quote}, and its deepest drawdown was "
        f"{money(-deepest, curve.places)}."
    )
