"""`python -m paper_exchange`: run a local exchange in the foreground."""

import asyncio
import importlib
import logging
import sys
from collections.abc import Callable

from paper_exchange.app import run
from paper_exchange.options import parse_options


def main() -> int:
    """Run until stopped; the exit status is 0, 1 if the port cannot be had, 2 for bad options."""
    options = parse_options(sys.argv[1:])
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING)
    try:
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            runner.run(run(options))
    except OSError as error:
        sys.stderr.write(
            f"paper_exchange: cannot listen on {options.host}:{options.port}: {error.strerror}\n"
        )
        return 1
    return 0


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop's loop where it is installed: the same server, somewhat faster."""
    try:
        uvloop = importlib.import_module("uvloop")
    except ImportError:
        return None
    factory: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return factory


if __name__ == "__main__":
    sys.exit(main())
