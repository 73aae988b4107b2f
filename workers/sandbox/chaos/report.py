"""Shows what chaos did and what it found."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from rich.console import Console

from workers.sandbox.audit import Check
from workers.sandbox.chaos.arbitrage_run import ArbitrageOutcome
from workers.sandbox.chaos.outcome import Outcome
from workers.views import tables
from workers.views.plain_text import plain

SHOWN_MAX = 20


def outcome_view(outcome: Outcome | ArbitrageOutcome) -> dict[str, Any]:
    return {**asdict(outcome), "is_clean": outcome.is_clean}


def show_outcome(outcome: Outcome | ArbitrageOutcome, console: Console) -> None:
    """Print what was done to it, and what was found."""
    if isinstance(outcome, Outcome):
        show_orders(outcome, console)
    else:
        show_arbitrages(outcome, console)


def show_orders(outcome: Outcome, console: Console) -> None:
    """Print the tables of what was done and what was found, and every difference."""
    found: dict[str, int | str] = {
        "signals": outcome.signals,
        **{f"orders {state}": n for state, n in sorted(outcome.states.items())},
        "doubled": len(outcome.doubled),
        "lost": len(outcome.lost),
        "that no signal asked for": len(outcome.strays),
        "left unknown": len(outcome.unknown),
        "differences from the ledgers": len(outcome.differences),
        **{f"orders at the first exchange {when}": n for when, n in outcome.beside.items()},
    }
    _show_tables(outcome.seed, outcome.disturbances, found, console)
    for name in ("doubled", "lost", "strays", "unknown"):
        _show_subjects(name, getattr(outcome, name), console)
    _show_differences(outcome.differences, console)


def show_arbitrages(outcome: ArbitrageOutcome, console: Console) -> None:
    """Print the same for arbitrages, and every one that is left imbalanced."""
    found: dict[str, int | str] = {
        "signals": outcome.signals,
        **{f"arbitrages {state}": n for state, n in sorted(outcome.states.items())},
        **{f"refused for {reason}": n for reason, n in sorted(outcome.reasons.items())},
        "traded": outcome.traded,
        "took more than two orders": outcome.fixed,
        "orders at both exchanges": outcome.orders,
        "net profit, in quote": outcome.net_profit,
        "doubled": len(outcome.doubled),
        "lost": len(outcome.lost),
        "left unfinished": len(outcome.unfinished),
        "differences from the ledgers": len(outcome.differences),
    }
    _show_tables(outcome.seed, outcome.disturbances, found, console)
    for left in outcome.imbalanced[:SHOWN_MAX]:
        text = (
            f"imbalanced: {left.arbitrage_id} in {left.symbol} by {left.imbalance}: {left.reason}"
        )
        console.print(plain(text), style="yellow", markup=False)
    for name in ("doubled", "lost", "unfinished"):
        _show_subjects(name, getattr(outcome, name), console)
    _show_differences(outcome.differences, console)


def _show_tables(
    seed: int, disturbances: Mapping[str, int], found: Mapping[str, int | str], console: Console
) -> None:
    done = dict(sorted(disturbances.items()))
    for title, counts in ((f"Done to it, seed {seed}", done), ("Found", found)):
        rows = [{"what": what, "times": times} for what, times in counts.items()]
        console.print(tables.table(title, rows, ("what", "times")))


def _show_subjects(name: str, subjects: Iterable[str], console: Console) -> None:
    for subject in list(subjects)[:SHOWN_MAX]:
        console.print(plain(f"{name}: {subject}"), style="red", markup=False)


def _show_differences(differences: list[Check], console: Console) -> None:
    for check in differences[:SHOWN_MAX]:
        text = f"{check.what} {check.subject}: {check.ours}, not {check.theirs}"
        console.print(plain(text), style="red", markup=False)
