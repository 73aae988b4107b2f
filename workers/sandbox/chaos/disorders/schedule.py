"""Repeats actions at random times, determined by a seed, with a mean interval for each."""

import random
from collections.abc import Callable
from sched import scheduler

Action = Callable[[], None]


class Schedule:
    """Actions and their due times. `run_due` must be called at short intervals."""

    def __init__(self, dice: random.Random) -> None:
        self._dice = dice
        self._scheduler = scheduler()

    def every(self, seconds: float, action: Action) -> None:
        """Repeat the action with this mean interval."""

        def act_and_plan() -> None:
            action()
            self.after(seconds * self._dice.uniform(0.7, 1.3), act_and_plan)

        self.after(seconds * self._dice.uniform(0.3, 1.0), act_and_plan)

    def after(self, seconds: float, action: Action) -> None:
        """Run the action once, after this time."""
        self._scheduler.enter(seconds, 0, action)

    def run_due(self) -> None:
        """Run everything that is due."""
        self._scheduler.run(blocking=False)
