"""Prints the disturbances and the outcome of a chaos run."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from rich.console import Console

from workers.sandbox.chaos.outcome import Outcome
from workers.views import tables
from workers.views.plain_text import plain

SHOWN_MAX = 20


def outcome_view(outcome: Outcome) -> dict[str, Any]:
    """The outcome as --json prints it."""
    return {**asdict(outcome), "is_clean": outcome.is_clean}


def show_outcome(outcome: Outcome, console: Console) -> None:
    """Print one table of disturbances and outcome, and every imbalance and fault."""
    rows = [
        {"part": part, "what": what, "times": times}
        for part, counts in (("done", _sorted(outcome.disturbances)), ("result", _results(outcome)))
        for what, times in counts.items()
    ]
    title = f"Chaos with seed {outcome.seed}"
    console.print(tables.table(title, rows, ("part", "what", "times"), {"times"}))
    _show(
        (
            f"imbalanced: {left.arbitrage_id} in {left.symbol} by {left.imbalance}: {left.reason}"
            for left in outcome.imbalanced
        ),
        "yellow",
        console,
    )
    for name in ("doubled", "lost", "strays", "unfinished"):
        _show((f"{name}: {subject}" for subject in getattr(outcome, name)), "red", console)
    _show(map(str, outcome.differences), "red", console)


def _results(outcome: Outcome) -> dict[str, int | str]:
    return {
        "order signals": outcome.orders,
        "arbitrage signals": outcome.arbitrages,
        **_sorted(outcome.order_states, "orders "),
        **_sorted(outcome.arbitrage_states, "arbitrages "),
        **_sorted(outcome.refusals, "arbitrages refused for "),
        "arbitrages that traded": outcome.traded,
        "arbitrages that were hedged": outcome.hedged,
        "net profit of arbitrages, in quote": outcome.net_profit,
        "orders at both exchanges": outcome.placed,
        **_sorted(outcome.beside, "orders at the first exchange "),
        "doubled": len(outcome.doubled),
        "lost": len(outcome.lost),
        "without a signal": len(outcome.strays),
        "left unfinished": len(outcome.unfinished),
        "differences from the ledgers": len(outcome.differences),
    }


def _sorted(counts: Mapping[str, int] | Mapping[str, str], prefix: str = "") -> dict[str, Any]:
    return {f"{prefix}{what}": times for what, times in sorted(counts.items())}


def _show(sentences: Iterable[str], style: str, console: Console) -> None:
    for sentence in list(sentences)[:SHOWN_MAX]:
        console.print(plain(sentence), style=style, markup=False)
