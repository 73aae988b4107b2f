"""The drawings of shares: the result by symbol, and how the slippage is spread."""

from collections.abc import Sequence
from decimal import Decimal
from xml.etree.ElementTree import Element

from execution.model.decimals import ZERO, Money, total
from workers.reports.charts import WIDTH, plot
from workers.reports.markup import element
from workers.reports.scales import Scale, histogram, number_ticks
from workers.reports.wording import signed, tone, typeset

SHOWN_MAX = 12
BINS = 24
HEIGHT = 180
_BAR_HEIGHT = 18


def result_bars(results: Sequence[tuple[str, Money]], places: int) -> Element:
    """One bar a name on one scale with a common zero, the best first; beyond SHOWN_MAX the names
    with the smallest results are added up."""
    shown = _largest(results)
    lowest, highest = min(ZERO, *(r for _, r in shown)), max(ZERO, *(r for _, r in shown))
    x = Scale(float(lowest), float(highest) if highest > lowest else 1.0, 0, WIDTH)
    rows = [
        element(
            "tr",
            element("th", name, scope="row", title=name),
            element("td", _bar(result, x), class_="bar", aria_hidden="true"),
            element("td", typeset(signed(result, places)), class_=tone(result)),
        )
        for name, result in shown
    ]
    return element("table", element("tbody", *rows), class_="bars")


def _largest(results: Sequence[tuple[str, Money]]) -> list[tuple[str, Money]]:
    ranked = sorted(results, key=lambda one: abs(one[1]), reverse=True)
    shown = ranked if len(ranked) <= SHOWN_MAX else ranked[: SHOWN_MAX - 1]
    rest = ranked[len(shown) :]
    best_first = sorted(shown, key=lambda one: one[1], reverse=True)
    if rest:
        best_first.append((f"{len(rest)} others", total(result for _, result in rest)))
    return best_first


def _bar(result: Money, x: Scale) -> Element:
    left, right = sorted((x(ZERO), x(result)))
    return element(
        "svg",
        element("rect", class_=tone(result), x=f"{left}", y="3", width=f"{right - left:.2f}",
                height=f"{_BAR_HEIGHT - 6}"),
        element("path", class_="zero", d=f"M{x(ZERO)} 0V{_BAR_HEIGHT}"),
        viewBox=f"0 0 {WIDTH} {_BAR_HEIGHT}", preserveAspectRatio="none",
    )  # fmt: skip


def slippage_bars(slippage_bps: Sequence[Decimal]) -> Element:
    """How many fills had how much slippage; there must be one."""
    edges, counts = histogram(slippage_bps, BINS)
    ticks = number_ticks(0, max(counts), 4, least=1.0)
    x = Scale(edges[0], edges[-1], 0, WIDTH)
    y = Scale(ticks[0].value, ticks[-1].value, HEIGHT, 0)
    bars = [
        element(
            "rect",
            element("title", _bin_title(edges, number, count)),
            class_="share",
            x=f"{x(edges[number]) + 1:.2f}",
            y=f"{y(count)}",
            width=f"{max(x(edges[number + 1]) - x(edges[number]) - 2, 1):.2f}",
            height=f"{HEIGHT - y(count):.2f}",
        )
        for number, count in enumerate(counts)
    ]
    bars.append(element("path", class_="zero", d=f"M{x(0.0)} 0V{HEIGHT}"))
    marks = [tick for tick in number_ticks(edges[0], edges[-1], 6)
             if edges[0] <= tick.value <= edges[-1]]  # fmt: skip
    return plot(
        bars,
        label=f"Slippage of {sum(counts):,} fills in basis points",
        height=HEIGHT,
        gutter=max(len(tick.label) for tick in ticks),
        ticks=ticks,
        times=[(x(mark.value), mark.label) for mark in marks],
        bands=[],
    )


def _bin_title(edges: Sequence[float], number: int, count: int) -> str:
    low, high = (typeset(f"{edge:.6g}") for edge in edges[number : number + 2])
    span = f"{low} to {high} bps"
    if number == 0:
        span = f"below {high} bps"
    elif number == len(edges) - 2:
        span = f"{low} bps or more"
    return f"{span}: {count:,} fill{'' if count == 1 else 's'}"
