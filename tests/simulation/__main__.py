"""python -m tests.simulation: play many histories, tell how fast, what was met, what went wrong."""

import argparse
import sys
import time
from collections import Counter

import structlog

from tests.support.exchange import Tally

from .baton import Crew
from .histories import History, shrunk, simulate
from .removals import REMOVALS, miss

QUIET = 50


def main() -> int:
    """Return 1 if a history went wrong, as a process's exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--histories", type=int, default=10_000, help="how many to play")
    parser.add_argument("--seed", type=int, default=0, help="the first one's seed")
    parser.add_argument("--removals", action="store_true", help="take out each safeguard instead")
    parser.add_argument("--show", action="store_true", help="print each history")
    asked = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(QUIET))
    crew = Crew()
    if asked.removals:
        return tell_removals(asked.seed, crew)
    tally: Tally = Counter()
    failed: list[History] = []
    began_s = time.perf_counter()
    for seed in range(asked.seed, asked.seed + asked.histories):
        history = simulate(seed, crew)
        tally += history.tally
        if history.violation is not None:
            failed.append(history)
        if asked.show:
            say(history.told() + "\n")
    took_s = time.perf_counter() - began_s
    say(covered(tally))
    say(
        f"{asked.histories} histories in {took_s:.1f} s, "
        f"{asked.histories / took_s * 60:.0f} a minute; {len(failed)} went wrong"
    )
    if failed:
        say("\nThe first of them, cut down:\n" + shrunk(failed[0], crew).told())
    crew.close()
    return 1 if failed else 0


def tell_removals(first_seed: int, crew: Crew) -> int:
    """Say after how many histories each safeguard is missed, and in which way."""
    unmissed = 0
    for removal in REMOVALS:
        missed = miss(removal, crew, first_seed)
        unmissed += missed is None
        after = f"missed after {missed.histories}" if missed else f"not in {removal.within}"
        say(f"{removal.name}: {after}; {missed.history.violation if missed else 'nothing wrong'}")
    return 1 if unmissed else 0


def covered(tally: Tally) -> str:
    """The tally as lines, one for each sort, the most frequent detail first."""
    sorts: dict[str, list[str]] = {}
    for (sort, detail), times in sorted(tally.items(), key=lambda item: (-item[1], item[0])):
        sorts.setdefault(sort, []).append(f"{times} {detail}")
    totals = {sort: sum(tally[key] for key in tally if key[0] == sort) for sort in sorts}
    return "\n".join(f"{totals[sort]} {sort}: {', '.join(sorts[sort])}" for sort in sorted(sorts))


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")


if __name__ == "__main__":
    raise SystemExit(main())
