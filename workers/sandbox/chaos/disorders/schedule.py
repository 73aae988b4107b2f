"""Repeats actions, about as often as is said of each, at moments that follow from a seed."""

import random
import time
from collections.abc import Callable

Action = Callable[[], None]


class Schedule:
    """Actions and when each is due. `run_due` is to be called every moment."""

    def __init__(self, dice: random.Random) -> None:
        self._dice = dice
        self._later: list[tuple[float, Action]] = []

    def every(self, seconds: float, action: Action) -> None:
        """Repeat the action, with about so many seconds in between."""

        def act_and_plan() -> None:
            action()
            self.after(seconds * self._dice.uniform(0.7, 1.3), act_and_plan)

        self.after(seconds * self._dice.uniform(0.3, 1.0), act_and_plan)

    def after(self, seconds: float, action: Action) -> None:
        """Do it once, so many seconds from now."""
        self._later.append((time.monotonic() + seconds, action))

    def run_due(self) -> None:
        """Do everything that is due by now."""
        now = time.monotonic()
        due = [action for at, action in self._later if at <= now]
        self._later = [(at, action) for at, action in self._later if at > now]
        for action in due:
            action()
