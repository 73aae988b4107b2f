"""Kills and pauses workers and beat, and restarts what has ended."""

import random
from collections import Counter
from collections.abc import Sequence
from signal import SIGCONT, SIGKILL, SIGSTOP

from workers.sandbox.chaos.disorders.schedule import Schedule
from workers.sandbox.local_stack import LocalStack

# The share of workers that are killed although they have not come up yet.
KILLED_EARLY = 0.2


class ProcessDisorder:
    """Disturbs the workers and beat of a stack.

    `pause_for_s` must be longer than the fence with its margin, or a pause proves nothing.
    """

    def __init__(
        self,
        stack: LocalStack,
        workers: Sequence[str],
        dice: random.Random,
        schedule: Schedule,
        *,
        pause_for_s: float,
    ) -> None:
        self.counts: Counter[str] = Counter()
        self._stack = stack
        self._workers = workers
        self._dice = dice
        self._schedule = schedule
        self._pause_for_s = pause_for_s
        self._paused: set[str] = set()

    def kill_worker(self) -> None:
        """Kill a worker; it is restarted shortly after."""
        name = self._dice.choice(self._workers)
        # On a slow machine they would always be killed before they come up.
        may_die = self._dice.random() < KILLED_EARLY or self._stack.is_ready(name)
        if may_die and name not in self._paused and self._is_alive(name):
            self._stack.kill(name, SIGKILL)
            self.counts["workers killed"] += 1
            again_s = self._dice.uniform(0.1, 1.5)
            self._schedule.after(again_s, lambda: self._stack.start_worker(name))

    def kill_beat(self) -> None:
        """Kill beat; it is restarted shortly after."""
        if self._is_alive("beat"):
            self._stack.kill("beat", SIGKILL)
            self.counts["beat killed"] += 1
            self._schedule.after(self._dice.uniform(0.1, 1.0), self._stack.start_beat)

    def pause_worker(self) -> None:
        """Stop a worker for longer than a fence."""
        name = self._dice.choice(self._workers)
        if name not in self._paused and self._is_alive(name):
            self._stack.kill(name, SIGSTOP)
            self._paused.add(name)
            self.counts["workers paused beyond the fence"] += 1
            self._schedule.after(self._pause_for_s, lambda: self._continue(name))

    def restart_ended(self) -> None:
        """Restart what ended by itself, as a supervisor does."""
        for name in self._stack.restart_ended():
            self.counts[f"{name.partition('-')[0]} ended and was restarted"] += 1

    def restore(self) -> None:
        """Let every process run: paused ones continue, ended ones are restarted."""
        for name in sorted(self._paused):
            self._continue(name)
        for name in self._workers:
            if not self._is_alive(name):
                self._stack.start_worker(name)
        if not self._is_alive("beat"):
            self._stack.start_beat()

    def _continue(self, name: str) -> None:
        self._stack.kill(name, SIGCONT)
        self._paused.discard(name)

    def _is_alive(self, name: str) -> bool:
        return self._stack.processes[name].poll() is None
