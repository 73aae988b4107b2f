"""The command line's entry point; see workers.cli.program."""

import sys
from typing import NoReturn

from workers.cli.interrupts import (
    code_when_interrupted,
    end_at_once_when_interrupted,
    exit_now,
    raise_when_interrupted,
)


def main() -> NoReturn:
    """Run the command of the arguments; end with its exit code."""
    code = code_when_interrupted(sys.argv[1:])
    # During the other imports an interrupt needs no cleanup, and prints nothing.
    end_at_once_when_interrupted(code)
    from workers.cli.program import run

    raise_when_interrupted(code)
    exit_now(run(code))
