"""How long each part of a scan takes: taking over books, ranking all pairs, sizing the best ones.

Three markets of the same size. In the quiet one prices differ by some basis points and hardly a
pair is profitable; in the lively one more are; in the wild one half of all pairs are, the most
possible.
"""

import random
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from itertools import cycle
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from execution.market_data.scanner import ArbitrageScanner, ScanLimits
from execution.market_data.snapshots import BookSnapshot
from execution.model.book import Book, Level
from execution.model.trading_rules import Market

NOW_MS = 1_800_000_000_000
MIN_PROFIT_BPS = Decimal(1)
MARKET = Market("", None, Decimal("0.0001"), None, None, Decimal("0.001"))
SIZED_MAX = 200
# The price differences between the venues of a market, as a share of the price.
WORLDS = {"quiet": 0.0006, "lively": 0.002, "wild": 0.5}


@dataclass(frozen=True)
class World:
    """Books of a number of venues and symbols, by place, with the given price differences."""

    venues: int
    symbols: int
    levels: int
    apart: float

    def snapshots(self, seed: int) -> list[BookSnapshot]:
        """A random one for each venue and symbol."""
        dice = random.Random(seed)  # noqa: S311  # Not a secret.
        return [
            BookSnapshot(f"venue-{venue}", symbol, self._book(dice, symbol), None, NOW_MS, seed)
            for venue in range(self.venues)
            for symbol in (f"S{number}/USDT" for number in range(self.symbols))
        ]

    def _book(self, dice: random.Random, symbol: str) -> Book:
        middle = 1_000 * (1 + dice.uniform(-self.apart, self.apart))
        return Book(symbol, self._side(dice, middle, -1), self._side(dice, middle, 1))

    def _side(self, dice: random.Random, price: float, direction: int) -> tuple[Level, ...]:
        levels = []
        for _ in range(self.levels):
            price += direction * dice.uniform(0.01, 0.1)
            levels.append((Decimal(f"{price:.2f}"), Decimal(f"{dice.uniform(0.01, 5):.4f}")))
        return tuple(levels)


def main(
    venues: Annotated[int, typer.Option(min=2)] = 5,
    symbols: Annotated[int, typer.Option(min=1)] = 500,
    levels: Annotated[int, typer.Option(min=1)] = 20,
    rounds: Annotated[int, typer.Option(min=2)] = 15,
) -> None:
    """Measure and print."""
    table = Table(
        title=f"{venues} venues, {symbols} symbols, {levels} levels; "
        f"ms, median (worst) of {rounds}",
        title_justify="left",
    )
    for column in ("", *WORLDS):
        table.add_column(column, justify="right" if column else "left")
    worlds = [World(venues, symbols, levels, apart) for apart in WORLDS.values()]
    figures = [_measure(world, rounds) for world in worlds]
    for name in figures[0]:
        table.add_row(name, *(column[name] for column in figures))
    Console(width=110).print(table)


def _measure(world: World, rounds: int) -> dict[str, str]:
    """How long each part takes in one market."""
    one, other = world.snapshots(seed=1), world.snapshots(seed=2)
    names = [(snapshot.account, snapshot.symbol) for snapshot in one]
    limits = ScanLimits(MIN_PROFIT_BPS, levels=world.levels, candidates_max=SIZED_MAX)
    scanner = ArbitrageScanner(dict.fromkeys(names, MARKET), limits)
    part = max(len(names) // 20, 1)
    changes = cycle([other[:part], one[:part]])
    # Equal numbers in new objects, as read from a store.
    again = world.snapshots(seed=1)
    turns = cycle([one, other])
    figures = {"update: every book new": _times(rounds, lambda: scanner.update(next(turns)))}
    scanner.update(one)
    figures["update: one in 20 new"] = _times(rounds, lambda: scanner.update(next(changes)))
    scanner.update(one)
    spreads = scanner.spreads(NOW_MS)
    paying = sum(spread.profit_bps >= MIN_PROFIT_BPS for spread in spreads)
    return figures | {
        "update: all read again, none new": _times(rounds, lambda: scanner.update(again)),
        "profitable pairs": f"{paying:,} of {len(spreads):,}",
        f"scan: all pairs ranked, {SIZED_MAX} sized": _times(
            rounds, lambda: scanner.opportunities(NOW_MS)
        ),
        "table of all pairs": _times(rounds, lambda: scanner.spreads(NOW_MS)),
    }


def _times(rounds: int, run: Callable[[], object]) -> str:
    """Median and worst time of `run`, after one round to warm up."""
    run()
    took_ms = []
    for _ in range(rounds):
        began = time.perf_counter()
        run()
        took_ms.append((time.perf_counter() - began) * 1_000)
    return f"{statistics.median(took_ms):.2f} ({max(took_ms):.2f})"


if __name__ == "__main__":
    typer.run(main)
