"""Kills, pauses and restarts processes on a schedule that follows from a seed."""

import random
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from signal import SIGCONT, SIGKILL, SIGSTOP
from typing import Any

from workers.sandbox.chaos.faults import Routes
from workers.sandbox.local_stack import LocalStack

TICK_S = 0.1
# So many of the workers that have not come up yet are killed all the same.
KILLED_EARLY = 0.2
# Something to do again and again: about how often, in seconds, and what.
Habit = tuple[float, Callable[[], None]]
Draw = Callable[[random.Random, Routes], Sequence[Mapping[str, Any]]]


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How often what happens, in seconds between two of the same sort.

    With arbitrages Valkey is killed every `redis_kill_s`; with orders two things happen to the
    store every `store_s`, and the last three are done besides.
    """

    worker_kill_s: float = 5
    beat_kill_s: float = 20
    pause_s: float = 15
    faults_s: float = 2
    redis_kill_s: float = 22
    store_s: float = 30
    poison_s: float = 1
    black_hole_s: float = 10
    clock_step_s: float = 40


class Disorder:
    """Brings disorder into a running stack for a while, then puts everything right again.

    `routes` say what can go wrong at the exchange of each account, and `draw` draws from that.
    `habits` are done besides.
    `pause_for_s` must be longer than the fence with its margin, or a pause proves nothing.
    """

    def __init__(
        self,
        stack: LocalStack,
        workers: list[str],
        dice: random.Random,
        rhythm: Rhythm,
        routes: Mapping[str, Routes],
        *,
        draw: Draw,
        pause_for_s: float,
        habits: Sequence[Habit] = (),
    ) -> None:
        self.counts: Counter[str] = Counter()
        self._stack = stack
        self._workers = workers
        self._dice = dice
        self._rhythm = rhythm
        self._routes = routes
        self._habits = habits
        self._pause_for_s = pause_for_s
        self._draw = draw
        self._later: list[tuple[float, Callable[[], None]]] = []
        self._paused: set[str] = set()

    def reign(self, is_over: Callable[[], bool]) -> None:
        """Disturb until it is over; then let everything run, undisturbed."""
        self._every(self._rhythm.worker_kill_s, self._kill_worker)
        self._every(self._rhythm.beat_kill_s, self._kill_beat)
        self._every(self._rhythm.pause_s, self._pause_worker)
        self._every(self._rhythm.faults_s, self._change_faults)
        for seconds, act in self._habits:
            self._every(seconds, act)
        while not is_over():
            self._do_what_is_due(time.monotonic())
            self._supervise()
            time.sleep(TICK_S)
        self._restore()

    def _supervise(self) -> None:
        """Start again what ended without our doing, as any service manager does."""
        for name in self._stack.restart_ended():
            self.counts[f"{name.partition('-')[0]} ended and was restarted"] += 1

    def _every(self, seconds: float, act: Callable[[], None]) -> None:
        """Do it again and again, about so often."""

        def act_and_plan() -> None:
            act()
            self._in(seconds * self._dice.uniform(0.7, 1.3), act_and_plan)

        self._in(seconds * self._dice.uniform(0.3, 1.0), act_and_plan)

    def _in(self, seconds: float, act: Callable[[], None]) -> None:
        self._later.append((time.monotonic() + seconds, act))

    def _do_what_is_due(self, now: float) -> None:
        due = [act for at, act in self._later if at <= now]
        self._later = [(at, act) for at, act in self._later if at > now]
        for act in due:
            act()

    def _kill_worker(self) -> None:
        name = self._dice.choice(self._workers)
        # On a slow machine they would be killed before they come up, again and again.
        may_die = self._dice.random() < KILLED_EARLY or self._stack.is_ready(name)
        if may_die and name not in self._paused and self._is_alive(name):
            self._stack.kill(name, SIGKILL)
            self.counts["workers killed"] += 1
            self._in(self._dice.uniform(0.1, 1.5), lambda: self._stack.start_worker(name))

    def _kill_beat(self) -> None:
        if self._is_alive("beat"):
            self._stack.kill("beat", SIGKILL)
            self.counts["beat killed"] += 1
            self._in(self._dice.uniform(0.1, 1.0), self._stack.start_beat)

    def _pause_worker(self) -> None:
        name = self._dice.choice(self._workers)
        if name not in self._paused and self._is_alive(name):
            self._stack.kill(name, SIGSTOP)
            self._paused.add(name)
            self.counts["workers paused beyond the fence"] += 1
            self._in(self._pause_for_s, lambda: self._go_on(name))

    def _go_on(self, name: str) -> None:
        self._stack.kill(name, SIGCONT)
        self._paused.discard(name)

    def _change_faults(self) -> None:
        self._clear_faults()
        for account, routes in self._routes.items():
            for fault in self._draw(self._dice, routes):
                self._stack.paper("POST", "/paper/faults", fault, account=account)

    def _clear_faults(self) -> None:
        for account in self._routes:
            self._stack.paper("DELETE", "/paper/faults", account=account)

    def _is_alive(self, name: str) -> bool:
        return self._stack.processes[name].poll() is None

    def _restore(self) -> None:
        """No more faults; who was paused goes on, and who is dead is started again."""
        self._clear_faults()
        self._later = []
        for name in sorted(self._paused):
            self._go_on(name)
        for name in self._workers:
            if not self._is_alive(name):
                self._stack.start_worker(name)
        if not self._is_alive("beat"):
            self._stack.start_beat()
