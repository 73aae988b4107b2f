"""Prevents one slow account from taking all threads of a worker."""

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from execution.model.clock import steady_ms
from execution.model.errors import Crowded

# Work on an order takes a fraction of this while its exchange answers.
SLOW_MS = 500
WAIT_S = 5
_CHECK_MS = 50


class Bulkhead:
    """At most `limit` threads work on orders of one account at a time.

    Another thread waits for a place, so that a busy account takes turns, unless one of them has
    been inside for SLOW_MS, which is the sign of an exchange that does not answer.
    """

    def __init__(self, limit: int = sys.maxsize, steady_ms: Callable[[], int] = steady_ms) -> None:
        self._limit = limit
        self._steady_ms = steady_ms
        self._changed = threading.Condition()
        self._inside: dict[str, dict[int, int]] = {}

    @contextmanager
    def place(self, account: str) -> Iterator[None]:
        """Take a place while the block runs; a thread that already has one uses it.

        Raises Crowded if none becomes free.
        """
        thread = threading.get_ident()
        inside = self._inside.setdefault(account, {})
        if thread in inside:
            yield
            return
        with self._changed:
            while len(inside) >= self._limit:
                stuck_ms = self._steady_ms() - min(inside.values())
                if stuck_ms > SLOW_MS:
                    raise Crowded(
                        f"account {account} is slow to answer: "
                        f"{len(inside)} of its orders are being worked on already",
                        # Each try takes time from the reachable accounts.
                        wait_s=WAIT_S + stuck_ms // 1_000,
                    )
                self._changed.wait(_CHECK_MS / 1_000)
            inside[thread] = self._steady_ms()
        try:
            yield
        finally:
            with self._changed:
                del inside[thread]
                self._changed.notify_all()


def bulkhead_of(threads: int, accounts: int) -> Bulkhead:
    """Half of the threads for each account if there are several, and all of them for a single
    one."""
    return Bulkhead(threads if accounts < 2 else max(1, threads // 2))
