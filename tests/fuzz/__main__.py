"""`python -m tests.fuzz`: thousands of wrong inputs at every door; exit 0 if everything held."""

import argparse
import random
import sys
from pathlib import Path

from rich.console import Console

from tests.fuzz.run import run

INPUTS = 50_000


def main() -> int:
    """Read the command line and run; 1 if anything did not hold."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10, help="the longest that it may put in")
    parser.add_argument("--inputs", type=int, default=INPUTS, help="how many inputs, at all doors")
    parser.add_argument("--seed", type=int, default=None, help="the same seed, the same inputs")
    parser.add_argument("--logs", type=Path, default=None, help="a folder that keeps the logs")
    given = parser.parse_args()
    seed = random.randrange(10**6) if given.seed is None else given.seed
    return 0 if run(given.inputs, given.minutes * 60, seed, Console(), given.logs) else 1


if __name__ == "__main__":
    sys.exit(main())
