"""Pauses requests to an account's exchange when it does not answer at all.

Each request without an answer blocks a thread for the whole timeout, so after the first of them the
others are refused at once; one a second is let through to test whether the exchange answers again.
Any answer to any request, including an error, shows that it does.
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
# A worker makes its waiting orders due when the exchange answers again (see outage_watch); this is
# for orders of a worker that has ended meanwhile.
WAIT_S = 60
# If another worker may reach the exchange, the sweep soon wakes one.
WAIT_ELSEWHERE_MAX_S = 15
SECOND = timedelta(seconds=1)


@dataclass(slots=True)
class _Outage:
    """The state of an exchange that does not answer."""

    since: datetime
    reason: str
    retry_at_ms: int = 0
    is_tried: bool = True


class Circuit:
    """The circuit breaker of one account, shared by the threads of a process.

    `is_reachable_elsewhere` says whether another process may be able to reach the exchange, as far
    as is known; while so, waiting orders are retried soon.
    """

    def __init__(
        self,
        account: str,
        probe_ms: int,
        clock: Clock,
        steady_ms: Callable[[], int] = steady_ms,
    ) -> None:
        self._account = account
        # The time that a thread which was let through has for its test.
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
        """From now on let only the calling thread through while the circuit is open: it tests
        whether the exchange answers again, and no thread that works on orders is blocked by
        that."""
        self._watcher = threading.get_ident()

    def admit(self) -> None:
        """Raise ExchangeUnavailable during the pause; let one caller through when it is over."""
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
        """How long an order is postponed. Many orders, each woken every second, would take the
        worker's time from the reachable accounts."""
        if not self.is_reachable_elsewhere:
            return WAIT_S
        lasted_s = (self._clock.now() - outage.since) // SECOND
        return min(WAIT_ELSEWHERE_MAX_S, max(1, 2 * lasted_s))

    def answered(self) -> None:
        """The exchange has answered."""
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
                return  # It was in flight when the pause began.
            outage.is_tried = False
            # Jitter, so that the workers do not all retry at the same time.
            pause_ms = PAUSE_MS - random.randrange(PAUSE_MS // 4)  # noqa: S311  # No secret.
            outage.retry_at_ms = self._steady_ms() + pause_ms
