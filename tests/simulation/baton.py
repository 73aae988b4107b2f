"""Threads of which exactly one runs at a time: whoever holds the baton.

A job runs on a hand until it stops itself with `pause` or ends; only then does `begin` or `resume`
return. So a history depends on its steps alone, never on the machine's scheduler.
"""

import threading
from collections.abc import Callable


class Hand:
    """One thread that carries one job at a time."""

    def __init__(self) -> None:
        self._go = threading.Lock()
        self._back = threading.Lock()
        self._go.acquire()
        self._back.acquire()
        self._job: Callable[[], object] | None = None
        threading.Thread(target=self._carry, name="simulated worker", daemon=True).start()

    def begin(self, job: Callable[[], object]) -> None:
        """Run `job`, which handles every exception of its own, until it pauses or ends."""
        self._job = job
        self.resume()

    def resume(self) -> None:
        """Let the job go on until it pauses again or ends."""
        self._go.release()
        self._back.acquire()

    def pause(self) -> None:
        """Called by the job itself: give the baton back and wait for it."""
        self._back.release()
        self._go.acquire()

    def _carry(self) -> None:
        while True:
            self._go.acquire()
            if self._job is None:
                return
            self._job()
            self._back.release()

    def leave(self) -> None:
        """End the thread of a hand that carries nothing."""
        self._job = None
        self._go.release()


class Crew:
    """Hands that are used again, because a thread costs more than a history."""

    def __init__(self) -> None:
        self._free: list[Hand] = []

    def hire(self) -> Hand:
        return self._free.pop() if self._free else Hand()

    def give_back(self, hand: Hand) -> None:
        """Take back a hand whose job has ended."""
        self._free.append(hand)

    def close(self) -> None:
        while self._free:
            self._free.pop().leave()
