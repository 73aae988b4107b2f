"""The wall clock and the steady clock."""

import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    def now_ms(self) -> int:
        """Our own wall clock, in ms since 1970, UTC."""

    def now(self) -> datetime: ...


class SystemClock:
    """The machine's wall clock."""

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000

    def now(self) -> datetime:
        return datetime.now(UTC)


def steady_ms() -> int:
    """The host's steady clock: shared by all its processes, and never set."""
    return time.monotonic_ns() // 1_000_000
