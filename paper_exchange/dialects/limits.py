"""Counting what somebody uses in windows of a fixed length; refusing is up to the dialect."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(slots=True)
class Usage:
    """What was used in a window, and how often more was asked for."""

    window: int = -1
    used: int = 0
    refused: int = 0


class Quota:
    """How much each name may use in every `window_ms`, which begin at multiples of it.

    A limit of 0 is no limit.
    """

    def __init__(self, limit: int, window_ms: int, now_ms: Callable[[], int]) -> None:
        self.limit = limit
        self._window_ms = window_ms
        self._now_ms = now_ms
        self._usages: dict[str, Usage] = {}

    def spend(self, name: str, amount: int = 1) -> bool:
        """Count an amount; False, with nothing counted, if that were too much."""
        usage = self._current(name)
        if self.limit and usage.used + amount > self.limit:
            usage.refused += 1
            return False
        usage.used += amount
        return True

    def refund(self, name: str, amount: int = 1) -> None:
        """Take back what turned out to cost nothing."""
        usage = self._current(name)
        usage.used = max(0, usage.used - amount)

    def used(self, name: str) -> int:
        """What a name has used in this window."""
        return self._current(name).used

    def refused(self, name: str) -> int:
        """How often a name was refused in this window."""
        return self._current(name).refused

    def left_ms(self) -> int:
        """How long this window still lasts."""
        return self._window_ms - self._now_ms() % self._window_ms

    def _current(self, name: str) -> Usage:
        usage = self._usages.setdefault(name, Usage())
        window = self._now_ms() // self._window_ms
        if window != usage.window:
            usage.window, usage.used, usage.refused = window, 0, 0
        return usage
