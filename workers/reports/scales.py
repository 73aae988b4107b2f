"""Where values lie on a drawing, and which of them are worth a label.

Together with the drawings themselves, this is the one place where money becomes a float, because
a pixel needs no exact cents.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import groupby
from math import ceil, floor, log10

POINTS_MAX = 2_000
# Values that are all alike have no span of their own.
SPAN_MIN = 1.0
_STEPS_S = (1, 2, 5, 15, 30, 60, 120, 300, 900, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200)
_DAY_S = 86_400
_STEPS_DAYS = (1, 2, 7, 14)
_STEPS_MONTHS = (1, 2, 3, 6, 12, 24, 60, 120)

Point = tuple[datetime, Decimal]


@dataclass(frozen=True, slots=True)
class Scale:
    """Maps `low` to `from_` and `high` to `to`, in the drawing's own units."""

    low: float
    high: float
    from_: float
    to: float

    def __call__(self, value: Decimal | float) -> float:
        share = (float(value) - self.low) / (self.high - self.low)
        return round(self.from_ + share * (self.to - self.from_), 2)


@dataclass(frozen=True, slots=True)
class Tick:
    value: float
    label: str


def number_ticks(
    low: Decimal | float, high: Decimal | float, about: int, *, least: float = 0.0
) -> list[Tick]:
    """Round values, `about` so many, that enclose `low` to `high` and, as they must, zero; they are
    not closer than `least`."""
    bottom, top = min(float(low), 0.0), max(float(high), 0.0)
    if bottom == top:
        top = 1.0
    step = _round_step(max((top - bottom) / about, least))
    places = max(0, -floor(log10(step)))
    return [
        Tick(number * step, _number_label(number * step, places))
        for number in range(floor(bottom / step + 1e-9), ceil(top / step - 1e-9) + 1)
    ]


def _round_step(least: float) -> float:
    magnitude = 10.0 ** floor(log10(least))
    return next(step * magnitude for step in (1, 2, 5, 10) if step * magnitude >= least * 0.999)


def _number_label(value: float, places: int) -> str:
    text = f"{abs(value):,.{places}f}"
    return f"\N{MINUS SIGN}{text}" if value < 0 and text.strip("0.,") else text


def time_ticks(start: datetime, end: datetime, at_most: int) -> list[tuple[datetime, str]]:
    """Round UTC times from `start` to `end` with labels: 14:05, 3 Sep, Sep 2026, 2026."""
    span_s = (end - start).total_seconds()
    for step_s in _STEPS_S:
        if span_s / step_s <= at_most:
            return [(time, _clock_label(time, step_s)) for time in _every(start, end, step_s)]
    for days in _STEPS_DAYS:
        if span_s / (days * _DAY_S) <= at_most:
            return [(time, f"{time.day} {time:%b}") for time in _every(start, end, days * _DAY_S)]
    months = next(
        (months for months in _STEPS_MONTHS if span_s / (months * 30 * _DAY_S) <= at_most),
        _STEPS_MONTHS[-1],
    )
    return [
        (time, f"{time:%Y}" if months >= 12 else f"{time:%b %Y}")
        for time in _every_months(start, end, months)
    ]


def _every(start: datetime, end: datetime, step_s: int) -> list[datetime]:
    # Counted from a Monday, so that steps of weeks begin with one.
    origin = datetime(2001, 1, 1, tzinfo=UTC)
    step = timedelta(seconds=step_s)
    first = -((origin - start) // step)
    return [origin + number * step for number in range(first, (end - origin) // step + 1)]


def _every_months(start: datetime, end: datetime, months: int) -> list[datetime]:
    first = -(-(start.year * 12 + start.month - 1) // months) * months
    last = end.year * 12 + end.month - 1
    times = [
        datetime(number // 12, number % 12 + 1, 1, tzinfo=UTC)
        for number in range(first, last + 1, months)
    ]
    return [time for time in times if start <= time <= end]


def _clock_label(time: datetime, step_s: int) -> str:
    if step_s < 60:
        return f"{time:%H:%M:%S}"
    return f"{time.day} {time:%b}" if (time.hour, time.minute) == (0, 0) else f"{time:%H:%M}"


def thinned(points: Sequence[Point], at_most: int = POINTS_MAX) -> list[Point]:
    """At most so many of the points, in their order: of each stretch of time the first, lowest,
    highest and last, so that no peak or trough is lost and the line looks the same."""
    if len(points) <= at_most:
        return list(points)
    start = points[0][0]
    stretch = (points[-1][0] - start) / (at_most // 4) or timedelta(microseconds=1)

    def stretch_of(place: int) -> int:
        return min((points[place][0] - start) // stretch, at_most // 4 - 1)

    kept: list[Point] = []
    for _, group in groupby(range(len(points)), key=stretch_of):
        places = list(group)
        lowest = min(places, key=lambda place: points[place][1])
        highest = max(places, key=lambda place: points[place][1])
        kept += [points[place] for place in sorted({places[0], lowest, highest, places[-1]})]
    return kept


def histogram(values: Iterable[Decimal], bins: int) -> tuple[list[float], list[int]]:
    """Bin edges at round values, and how many values lie between each two.

    An edge belongs to the bin above it, and zero is an edge. The bins span all but the outermost
    percent of the values; the first and the last bin hold what is beyond them, too. No values give
    no bins.
    """
    ranked = sorted(float(value) for value in values)
    if not ranked:
        return [], []
    rest = len(ranked) // 200
    low, high = min(ranked[rest], 0.0), max(ranked[-1 - rest], 0.0)
    step = _round_step(max(high - low, SPAN_MIN) / bins)
    first, last = floor(low / step + 1e-9), floor(high / step + 1e-9) + 1
    counts = [0] * (last - first)
    for value in ranked:
        counts[min(max(floor(value / step + 1e-9) - first, 0), last - first - 1)] += 1
    return [number * step for number in range(first, last + 1)], counts
