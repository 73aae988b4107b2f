"""Repeats actions at random times, determined by a seed, with a mean interval for each."""

import random
import time
from collections.abc import Callable

Action = Callable[[], None]


class Schedule:
    """Actions and their due times. `run_due` must be called at short intervals."""

    def __init__(self, dice: random.Random) -> None:
        self._dice = dice
        self._later: list[tuple[float, Action]] = []

    def every(self, seconds: float, action: Action) -> None:
        """Repeat the action, about every so many seconds."""

        def act_and_plan() -> None:
            action()
            self.after(seconds * self._dice.uniform(0.7, 1.3), act_and_plan)

        self.after(seconds * self._dice.uniform(0.3, 1.0), act_and_plan)

    def after(self, seconds: float, action: Action) -> None:
        """Run the action once, so many seconds from now."""
        self._later.append((time.monotonic() + seconds, action))

    def run_due(self) -> None:
        """Run everything that is due."""
        now = time.monotonic()
        due = [action for at, action in self._later if at <= now]
        self._later = [(at, action) for at, action in self._later if at > now]
        for action in due:
            action()
