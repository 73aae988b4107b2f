"""Shows what chaos did and what it found."""

from dataclasses import asdict
from typing import Any

from rich.console import Console

from workers import tables
from workers.chaos.run import Outcome

SHOWN_MAX = 20


def outcome_view(outcome: Outcome) -> dict[str, Any]:
    return {**asdict(outcome), "is_clean": outcome.is_clean}


def show(outcome: Outcome, console: Console) -> None:
    """Print the tables of what was done and what was found, and every difference."""
    done = [{"what": what, "times": times} for what, times in sorted(outcome.disturbances.items())]
    console.print(tables.table(f"Done to it, seed {outcome.seed}", done, ("what", "times")))
    found = [
        {"what": "signals", "times": outcome.signals},
        *({"what": f"orders {state}", "times": n} for state, n in sorted(outcome.states.items())),
        {"what": "doubled", "times": len(outcome.doubled)},
        {"what": "lost", "times": len(outcome.lost)},
        {"what": "left unknown", "times": len(outcome.unknown)},
        {"what": "differences from the ledger", "times": len(outcome.differences)},
    ]
    console.print(tables.table("Found", found, ("what", "times")))
    for name in ("doubled", "lost", "unknown"):
        for subject in getattr(outcome, name)[:SHOWN_MAX]:
            console.print(f"[red]{name}: {subject}[/]")
    for check in outcome.differences[:SHOWN_MAX]:
        console.print(f"[red]{check.what} {check.subject}: {check.ours}, not {check.theirs}[/]")
