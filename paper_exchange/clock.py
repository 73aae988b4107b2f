"""The exchange's own clock."""

import time
from collections.abc import Callable


def system_ms() -> int:
    """This machine's time, in milliseconds since the epoch."""
    return time.time_ns() // 1_000_000


class ExchangeClock:
    """A clock that can be set wrong: `skew_ms` (while a fault is in force) and `stepped_ms` (from a
    step on) are added to the true time."""

    __slots__ = ("_true_ms", "skew_ms", "stepped_ms")

    def __init__(self, true_ms: Callable[[], int] = system_ms) -> None:
        self._true_ms = true_ms
        self.skew_ms = 0
        self.stepped_ms = 0

    def now_ms(self) -> int:
        """The exchange's time."""
        return self._true_ms() + self.skew_ms + self.stepped_ms
