"""Ctrl-C and SIGTERM: a command ends within seconds, whatever it waits for.

It imports little: it is imported first, so that an interrupt during the other imports ends the
process without a traceback.
"""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from types import FrameType
from typing import NoReturn

# A shell's exit code of a command ended by Ctrl-C.
INTERRUPTED = 130
SIGNALS = (signal.SIGINT, signal.SIGTERM)
# The time for cleaning up, after which the process is ended anyway.
CLEANUP_S_MAX = 3.5
# These run until they are stopped, so that is their regular end.
SERVICES = ("redis", "paper", "collect")

_interrupted = threading.Event()


def code_when_interrupted(arguments: Sequence[str]) -> int:
    """The exit code of an interrupted command: 0 for a foreground service, else 130."""
    command = next((word for word in arguments if not word.startswith("-")), "")
    watches = command == "scan" and {"--watch", "--publish"} & set(arguments)
    return 0 if command in SERVICES or watches else INTERRUPTED


def end_at_once_when_interrupted(code: int) -> None:
    """While there is nothing to clean up: end the process silently."""
    _handle(lambda _number, _frame: os._exit(code))


def raise_when_interrupted(code: int) -> None:
    """From now on an interrupt raises KeyboardInterrupt in the main thread, once.

    The process ends with `code` at most CLEANUP_S_MAX later, even if the main thread is in a call
    that no exception interrupts (a locked database, a hanging name lookup) or another thread would
    keep the interpreter from ending. Child processes must end by themselves when this one does.
    """
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    # The interpreter writes the signal's number here on arrival, whatever the main thread does.
    signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    threading.Thread(target=_await_signal, args=(reading, code), daemon=True).start()
    _handle(_interrupt)


def end_soon(code: int) -> None:
    """End the process in CLEANUP_S_MAX at the latest, for a command with its own handlers."""
    _interrupted.set()
    threading.Thread(target=_end_after_cleanup, args=(code,), daemon=True).start()


def was_interrupted() -> bool:
    """Whether an interrupt has arrived since `raise_when_interrupted`."""
    return _interrupted.is_set()


def exit_now(code: int) -> NoReturn:
    """Flush the output and end without waiting for threads that may never end."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError, AttributeError):
            # The reader has gone, the disk is full, or the stream is closed: nothing more can be
            # done.
            continue
    os._exit(code)


def _handle(handler: Callable[[int, FrameType | None], object]) -> None:
    for number in SIGNALS:
        # A shell starts its background jobs with SIGINT ignored: Ctrl-C is not meant for them.
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, handler)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    # A second Ctrl-C must not interrupt the cleanup, which is limited anyway.
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    _interrupted.set()
    raise KeyboardInterrupt


def _await_signal(reading: int, code: int) -> None:
    while not set(os.read(reading, 64)) & set(SIGNALS):
        continue
    _end_after_cleanup(code)


def _end_after_cleanup(code: int) -> None:
    time.sleep(CLEANUP_S_MAX)
    os._exit(code)
