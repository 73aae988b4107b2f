"""Fills a second that the fold applies to a position, on one core, by kind of instrument.

The same seeded fills go through every kind, in turns within one run, beside a baseline: the same
loop that only sums amount and turnover, the least that an exact fold has to do. Quote the ratios.
"""

import random
import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal, localcontext
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from execution.model.decimals import EXACT, ZERO
from execution.model.order import Fee, Fill, Side
from execution.model.position import Position, fold

ACCOUNT = "benchmark"
KINDS = {"spot": "BTC/USDT", "linear": "BTC/USDT:USDT", "inverse": "BTC/USD:BTC"}
SIZES = {"spot": Decimal(1), "linear": Decimal("0.001"), "inverse": Decimal(100)}
YARDSTICK = "adding up alone"
Run = Callable[[list[Fill]], object]


def main(
    rounds: Annotated[int, typer.Option(min=1)] = 9,
    fills: Annotated[int, typer.Option(min=100, help="Fills in each round.")] = 20_000,
    seed: int = 1,
) -> None:
    """Measure and print."""
    trades = random_fills(fills, seed)
    contenders: dict[str, Run] = {YARDSTICK: _added_up}
    contenders |= {kind: _folder(kind) for kind in KINDS}
    rates: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, run in contenders.items():
            began_s = time.perf_counter()
            run(trades)
            rates[name].append(fills / (time.perf_counter() - began_s))
    Console(width=100).print(_table(rates, rounds, fills))


def random_fills(count: int, seed: int) -> list[Fill]:
    """Fills on both sides around a random walk, so that the position opens, grows, shrinks and
    flips; every fill has a fee, in quote, in base or in a third asset."""
    dice = random.Random(seed)  # noqa: S311 - randomness for a benchmark, not for a secret.
    began = datetime(2030, 1, 1, tzinfo=UTC)
    price = Decimal(50_000)
    fills = []
    for number in range(count):
        price = max(price + Decimal(dice.randrange(-500, 501)).scaleb(-2), Decimal(1_000))
        amount = Decimal(dice.randrange(1, 100_000)).scaleb(-4)
        asset = dice.choice(["USDT", "BTC", "BNB"])
        fee = Decimal(dice.randrange(1, 10_000)).scaleb(-8)
        side = dice.choice([Side.BUY, Side.SELL])
        when = began + timedelta(milliseconds=number)
        fills.append(Fill(str(number), side, price, amount, (Fee(asset, fee),), when))
    return fills


def _folder(kind: str) -> Run:
    flat = Position(ACCOUNT, KINDS[kind], contract_size=SIZES[kind])
    return lambda fills: fold(flat, fills)


def _added_up(fills: list[Fill]) -> tuple[Decimal, Decimal]:
    amount, turnover = ZERO, ZERO
    with localcontext(EXACT):
        for fill in fills:
            amount += fill.amount if fill.side is Side.BUY else -fill.amount
            turnover += fill.amount * fill.price
    return amount, turnover


def _table(rates: dict[str, list[float]], rounds: int, fills: int) -> Table:
    table = Table(
        title=f"Fills a second on one core: {rounds} rounds of {fills:,} fills, one fee each",
        title_justify="left",
    )
    for column in ("", "best", "median", "µs a fill", "time / yardstick"):
        table.add_column(column, justify="left" if not column else "right")
    yardstick = statistics.median(rates[YARDSTICK])
    for name, seen in rates.items():
        median = statistics.median(seen)
        numbers = (f"{max(seen):,.0f}", f"{median:,.0f}", f"{1e6 / median:.1f}")
        table.add_row(name, *numbers, f"{yardstick / median:.2f}")
    return table


if __name__ == "__main__":
    typer.run(main)
