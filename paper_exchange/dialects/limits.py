"""Counts usage in windows of a fixed length; the dialect makes the refusals."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(slots=True)
class Usage:
    """The usage in a window, and the number of refusals."""

    window: int = -1
    used: int = 0
    refused: int = 0


class Quota:
    """The limit for each name in each window of `window_ms`; windows begin at multiples of it.

    A limit of 0 is no limit.
    """

    def __init__(self, limit: int, window_ms: int, now_ms: Callable[[], int]) -> None:
        self.limit = limit
        self._window_ms = window_ms
        self._now_ms = now_ms
        self._usages: dict[str, Usage] = {}

    def spend(self, name: str, amount: int = 1) -> bool:
        """Count an amount; returns False and counts nothing if it exceeds the limit."""
        usage = self._current(name)
        if self.limit and usage.used + amount > self.limit:
            usage.refused += 1
            return False
        usage.used += amount
        return True

    def refund(self, name: str, amount: int = 1) -> None:
        """Subtract an amount that was counted and cost nothing."""
        usage = self._current(name)
        usage.used = max(0, usage.used - amount)

    def used(self, name: str) -> int:
        """The usage of a name in this window."""
        return self._current(name).used

    def refused(self, name: str) -> int:
        """The number of refusals of a name in this window."""
        return self._current(name).refused

    def left_ms(self) -> int:
        """The time until this window ends."""
        return self._window_ms - self._now_ms() % self._window_ms

    def _current(self, name: str) -> Usage:
        usage = self._usages.setdefault(name, Usage())
        window = self._now_ms() // self._window_ms
        if window != usage.window:
            usage.window, usage.used, usage.refused = window, 0, 0
        return usage
