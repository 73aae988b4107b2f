"""Stops asking an account's exchange for a while when it does not answer at all.

Each request to an address that swallows it holds a thread for the whole timeout, so after the
first of them the others are refused at once; one is let through each second to find out whether
the exchange is back. An answer of any kind, an error too, to whichever request, shows that it is.
"""

import random
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from execution.model.clock import Clock, steady_ms
from execution.model.errors import ExchangeUnavailable
from execution.model.waiting import time_text

PAUSE_MS = 1_000
# A worker brings its waiting orders forward when the exchange is back (see outage_watch); this is
# for those that it cannot, because it has ended meanwhile.
WAIT_S = 60
# Where another worker may have more luck, the sweep soon finds it one.
WAIT_ELSEWHERE_MAX_S = 15
SECOND = timedelta(seconds=1)


@dataclass(slots=True)
class _Outage:
    """What is known of an exchange that does not answer."""

    since: datetime
    reason: str
    retry_at_ms: int = 0
    is_tried: bool = True


class Circuit:
    """One account's. Shared by the threads of a process.

    `is_reachable_elsewhere` says whether another process may be able to reach the exchange, as far
    as is known; orders that wait come back soon as long as that is so.
    """

    def __init__(
        self,
        account: str,
        probe_ms: int,
        clock: Clock,
        steady_ms: Callable[[], int] = steady_ms,
    ) -> None:
        self._account = account
        # A thread that was let through has this long to find out.
        self._probe_ms = probe_ms
        self._clock = clock
        self._steady_ms = steady_ms
        self._lock = threading.Lock()
        self._outage: _Outage | None = None
        self._watcher: int | None = None
        self.is_reachable_elsewhere = True

    @property
    def is_open(self) -> bool:
        """The exchange does not answer."""
        return self._outage is not None

    def watch_from_here(self) -> None:
        """Let only the calling thread through from now on while it is open: it finds out whether
        the exchange is back, and no thread that works on orders is held for that."""
        self._watcher = threading.get_ident()

    def admit(self) -> None:
        """Raise ExchangeUnavailable while nothing is to be asked; let one caller through when the
        pause is over."""
        if self._outage is None:
            return
        with self._lock:
            outage = self._outage
            if outage is None:
                return
            now_ms = self._steady_ms()
            may_try = self._watcher in (None, threading.get_ident())
            if may_try and now_ms >= outage.retry_at_ms:
                outage.retry_at_ms = now_ms + self._probe_ms
                outage.is_tried = True
                return
            raise ExchangeUnavailable(
                f"account {self._account} has not been reachable since "
                f"{time_text(outage.since)} ({outage.reason})",
                wait_s=self._wait_s(outage),
            )

    def _wait_s(self, outage: _Outage) -> int:
        """For how long an order is left alone. Many of them, each woken every second, would take
        the time of the accounts that can be reached."""
        if not self.is_reachable_elsewhere:
            return WAIT_S
        lasted_s = (self._clock.now() - outage.since) // SECOND
        return min(WAIT_ELSEWHERE_MAX_S, max(1, 2 * lasted_s))

    def answered(self) -> None:
        """The exchange has said something."""
        if self._outage is not None:
            with self._lock:
                self._outage = None

    def failed(self, reason: str) -> None:
        """A request got no answer."""
        with self._lock:
            if self._outage is None:
                self._outage = _Outage(self._clock.now(), reason)
            outage = self._outage
            outage.reason = reason
            if not outage.is_tried:
                return  # It was on its way when the pause began.
            outage.is_tried = False
            # Not all workers come back in the same moment.
            pause_ms = PAUSE_MS - random.randrange(PAUSE_MS // 4)  # noqa: S311  # No secret.
            outage.retry_at_ms = self._steady_ms() + pause_ms
