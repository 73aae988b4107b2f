"""Stops asking an account's exchange for a while when it does not answer at all.

Each request to an address that swallows it holds a thread for the whole timeout, so after the
first of them the others are refused at once; one is let through now and then to find out whether
the exchange is back. An answer of any kind, an error too, to whichever request, shows that it is.
"""

import random
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from execution.clock import steady_ms
from execution.errors import ExchangeUnavailable
from execution.ports import Clock
from execution.waiting import time_text

PAUSE_MS = 1_000
PAUSE_MAX_MS = 10_000
SECOND = timedelta(seconds=1)


@dataclass(slots=True)
class _Outage:
    """What is known of an exchange that does not answer."""

    since: datetime
    reason: str
    pauses: int = 0
    retry_at_ms: int = 0
    is_tried: bool = False


class Circuit:
    """One account's. Shared by the threads of a process."""

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
            if now_ms >= outage.retry_at_ms:
                outage.retry_at_ms = now_ms + self._probe_ms
                outage.is_tried = True
                return
            # Orders that wait come back the less often the longer it has lasted: many of them, each
            # woken every second, would take the time of the accounts that can be reached.
            raise ExchangeUnavailable(
                f"account {self._account} has not been reachable since "
                f"{time_text(outage.since)} ({outage.reason})",
                wait_s=max(1, 2 * (self._clock.now() - outage.since) // SECOND),
            )

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
            if outage.pauses and not outage.is_tried:
                return  # It was on its way when the pause began.
            pause_ms = min(PAUSE_MAX_MS, PAUSE_MS << outage.pauses)
            outage.pauses = min(outage.pauses + 1, 16)
            outage.is_tried = False
            # Not all workers come back in the same moment.
            pause_ms -= random.randrange(pause_ms // 4)  # noqa: S311  # No secret depends on it.
            outage.retry_at_ms = self._steady_ms() + pause_ms
