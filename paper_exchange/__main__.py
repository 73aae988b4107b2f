"""`python -m paper_exchange`: run a local exchange in the foreground."""

import os
import signal
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable


def main() -> int:
    """Run until stopped; the exit status is 0, 1 if the port is not available, 2 for wrong
    options."""
    _end_when_interrupted()
    import asyncio
    import logging

    from paper_exchange.app import run
    from paper_exchange.options import parse_options

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


def _end_when_interrupted() -> None:
    """A signal to stop is the regular end of a server, also during the remaining imports."""
    numbers = (signal.SIGINT, signal.SIGTERM)
    for number in numbers:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, lambda _number, _frame: os._exit(0))
    # `oneorder paper` blocks these signals until they have a handler here.
    signal.pthread_sigmask(signal.SIG_UNBLOCK, numbers)


def _loop_factory() -> "Callable[[], asyncio.AbstractEventLoop] | None":
    """uvloop's event loop if it is installed: the same behaviour, somewhat faster."""
    import importlib

    try:
        uvloop = importlib.import_module("uvloop")
    except ImportError:
        return None
    factory: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return factory


if __name__ == "__main__":
    sys.exit(main())
