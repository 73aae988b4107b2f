"""The performance figures are those of a library of such figures, on the same results."""

from decimal import Decimal

import empyrical
import numpy as np
import pytest
from empyrical.stats import drawdown_series
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.support.report_kit import NOW, traded
from workers.reports import build_report
from workers.reports.summary import Summary

# So much was there at first: the library knows drawdowns as shares of what there is.
CAPITAL = 10_000
# Half of the fourth place, and what floats may add to it.
ROUNDED_BY_MAX = 0.000_050_001
RESULTS = st.lists(st.integers(-90, 90), min_size=2, max_size=30)


def summary_of(results: list[int]) -> Summary:
    """The report on trades in turn that are opened at 100 and closed with these results."""
    orders = [
        order
        for number, result in enumerate(results)
        for order in (
            traded(2 * number, "buy", ("1", "100")),
            traded(2 * number + 1, "sell", ("1", str(100 + result))),
        )
    ]
    (summary,) = build_report(orders, [], since=None, now=NOW).totals
    return summary


def same(figure: Decimal | None, expected: float) -> bool:
    """Whether a ratio, which is rounded to four places, is the one that is expected."""
    return (figure is None) == bool(np.isnan(expected)) and (
        figure is None or float(figure) == pytest.approx(expected, abs=ROUNDED_BY_MAX)
    )


@given(RESULTS)
@settings(max_examples=50, deadline=None)
def test_the_drawdown_is_the_librarys_as_money(results: list[int]) -> None:
    values = CAPITAL + np.cumsum([0, *results])
    returns = np.diff(values) / values[:-1]
    falls = drawdown_series(returns) * np.maximum.accumulate(values)[1:]
    assert float(summary_of(results).max_drawdown) == pytest.approx(-falls.min(), abs=1e-6)


@given(RESULTS)
@settings(max_examples=50, deadline=None)
def test_the_win_rate_is_the_librarys_batting_average_against_zero(results: list[int]) -> None:
    returns = np.array(results, dtype=float)
    expected = empyrical.batting_average(returns, np.zeros(len(returns)))["batting average"]
    assert same(summary_of(results).win_rate, expected)


@given(RESULTS)
@example([2, -64])  # It lies in the middle between two ratios of four places.
@settings(max_examples=50, deadline=None)
def test_the_profit_factor_is_the_librarys_omega_ratio_at_zero(results: list[int]) -> None:
    returns = np.array(results, dtype=float)
    expected = empyrical.omega_ratio(returns, annualization=1)
    assert same(summary_of(results).profit_factor, expected)
