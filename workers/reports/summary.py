"""Summaries: the figures of a day, symbol, account, strategy or everything, per quote asset.

Amounts in different quote assets are never added, so each asset has its own summaries.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import accumulate
from typing import Any

import pandas as pd

from execution.model.decimals import ZERO, Money, total, total_by
from workers.reports.trades import bps

RATIO_GRID = Decimal("0.0001")
TOTAL = "total"


@dataclass(frozen=True, slots=True)
class Latency:
    """Nearest-rank percentiles of `count` latencies, in ms; None if there are none."""

    count: int
    p50_ms: int | None
    p95_ms: int | None
    p99_ms: int | None


@dataclass(frozen=True, slots=True)
class Summary:
    """The figures of one group, its money in `quote`. `figures.FIGURES` defines each.

    Fills count by their time, orders by their creation. Ratios are rounded to four places, and None
    if the divisor is zero.
    """

    quote: str
    name: str
    trades: int
    orders: int
    turnover: Money
    gross_pnl: Money
    fees: Money
    unvalued_fees: dict[str, Money]
    realised_pnl: Money
    net_pnl: Money
    closing_orders: int
    winning_orders: int
    win_rate: Decimal | None
    profit_factor: Decimal | None
    max_drawdown: Money
    slippage: Money | None
    slippage_bps: Decimal | None
    fill_ratio: Decimal | None
    sent: Latency
    filled: Latency


def summarise(trades: pd.DataFrame, orders: pd.DataFrame, by: str | None) -> tuple[Summary, ...]:
    """Summarise per quote asset and per value of the column `by`, sorted; None: all in one.

    The frames are those of `trades` and `orders`, the trades oldest first.
    """
    keys = ["quote"] if by is None else ["quote", by]
    traded = {_key(key): group for key, group in trades.groupby(keys)}
    ordered = {_key(key): group for key, group in orders.groupby(keys)}
    no_trades, no_orders = trades.iloc[:0], orders.iloc[:0]
    return tuple(
        _summary(*key, traded.get(key, no_trades), ordered.get(key, no_orders))
        for key in sorted({*traded, *ordered})
    )


def _key(key: Any) -> tuple[str, str]:
    return (key[0], key[1]) if len(key) > 1 else (key[0], TOTAL)


def _summary(quote: str, name: str, trades: pd.DataFrame, orders: pd.DataFrame) -> Summary:
    net = total(trades["net_pnl"])
    gross = total(trades["gross_pnl"])
    results = _closing_results(trades)
    wins = [result for result in results if result > 0]
    losses = [-result for result in results if result < 0]
    priced = trades[trades["slippage"].notna()]
    slippage = total(priced["slippage"]) if len(priced) else None
    shares = orders["filled_share"].dropna()
    return Summary(
        quote=quote,
        name=name,
        trades=len(trades),
        orders=len(orders),
        turnover=total(trades["notional"]),
        gross_pnl=gross,
        fees=gross - net,
        unvalued_fees=_by_asset(trades["unvalued_fees"]),
        realised_pnl=total(trades["realised_pnl"]),
        net_pnl=net,
        closing_orders=len(results),
        winning_orders=len(wins),
        win_rate=_ratio(Decimal(len(wins)), Decimal(len(results))),
        profit_factor=_ratio(total(wins), total(losses)),
        max_drawdown=max(drawdowns(trades["net_pnl"]), default=ZERO),
        slippage=slippage,
        # Each fill's basis points weighted by its notional at the reference price: with that
        # weight the mean agrees with the sum in quote.
        slippage_bps=bps(slippage, total(priced["reference_notional"])),
        fill_ratio=_ratio(total(shares), Decimal(len(shares))),
        sent=latency(orders["sent_ms"].dropna()),
        filled=latency(orders["filled_ms"].dropna()),
    )


def drawdowns(results: Iterable[Decimal]) -> list[Decimal]:
    """The distance of the running sum below its highest value so far, counting the 0 that it starts
    from; never negative, one for each result."""
    sums = list(accumulate(results))
    peaks = list(accumulate(sums, max, initial=ZERO))[1:]
    return [peak - sum_ for peak, sum_ in zip(peaks, sums, strict=True)]


def latency(latencies_ms: Iterable[int]) -> Latency:
    ranked = sorted(latencies_ms)
    return Latency(len(ranked), *(percentile(ranked, rank) for rank in (50, 95, 99)))


def percentile(ranked: Sequence[int], rank: int) -> int | None:
    """The nearest-rank percentile of ascending values: the smallest one that at least `rank`
    percent do not exceed."""
    return ranked[-(-rank * len(ranked) // 100) - 1] if ranked else None


def _closing_results(trades: pd.DataFrame) -> list[Decimal]:
    """The result of each order that closed a position; an order with ten fills counts once."""
    closing = trades[trades["closed_pnl"].notna()]
    return list(total_by(zip(closing["order_id"], closing["closed_pnl"], strict=True)).values())


def _by_asset(fees: Iterable[dict[str, Money]]) -> dict[str, Money]:
    return dict(sorted(total_by(item for paid in fees for item in paid.items()).items()))


def _ratio(part: Decimal, whole: Decimal) -> Decimal | None:
    return (part / whole).quantize(RATIO_GRID) if whole else None
