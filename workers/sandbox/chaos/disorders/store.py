"""Disturbances of Redis: it is killed, its replica takes over, keys are lost."""

import random
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from itertools import permutations

from execution.model.errors import StoreUnavailable
from workers.sandbox.chaos.disorders.lost_keys import LostKeys
from workers.sandbox.chaos.disorders.replication import RedisPair

PAUSE_S = (0.1, 1.0)
Act = Callable[[], None]


class StoreDisorder:
    """Each time two of the three, in quick succession.

    After each the workers wait for a full fence before they send earlier signals: with the two
    further apart, hardly an order would be in flight during the other disturbances.
    """

    def __init__(self, servers: RedisPair, lost: LostKeys, dice: random.Random) -> None:
        self.counts: Counter[str] = Counter()
        self._servers = servers
        self._lost = lost
        self._dice = dice
        self._pairs: list[tuple[Act, Act]] = []

    def disturb(self) -> None:
        """Run two of the three, unless Redis is unreachable anyway; the pairs take turns."""
        if not self._pairs:
            acts = (self._kill, self._fail_over, self._lose)
            self._pairs = self._dice.sample(list(permutations(acts, 2)), 6)
        for act in self._pairs.pop():
            with suppress(StoreUnavailable):
                act()

    def _kill(self) -> None:
        self._servers.restart_master(self._dice.uniform(*PAUSE_S))
        self.counts["Valkey killed"] += 1

    def _fail_over(self) -> None:
        has_changed = self._servers.fail_over()
        self.counts["failovers" if has_changed else "failovers put off"] += 1

    def _lose(self) -> None:
        self.counts["keys deleted"] += self._lost.lose()
        self.counts["sets of keys deleted"] += 1
