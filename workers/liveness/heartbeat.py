"""A worker's sign of life: what it is and what it is able to take, for all others to see."""

import os
import socket
from collections.abc import Collection, Iterable
from dataclasses import replace
from threading import Event, Thread
from typing import Protocol

import structlog

from execution.model.clock import Clock
from execution.model.errors import StoreUnavailable
from execution.operations.live_workers import (
    BEAT_EVERY_S,
    LiveWorker,
    WorkerRegistry,
    reachable_by_others,
)
from oneorder import __version__
from oneorder.broker import SCHEMA_VERSION


def this_worker(name: str, accounts: Iterable[str], clock: Clock) -> LiveWorker:
    """This process as a worker of that node name."""
    now = clock.now()
    return LiveWorker(
        name=name,
        host=socket.gethostname(),
        pid=os.getpid(),
        started_at=now,
        beat_at=now,
        accounts=tuple(sorted(accounts)),
        reads_version=SCHEMA_VERSION,
        release=__version__,
    )


class Reach(Protocol):
    """Which exchanges answer this process; api.connections.Connections is one."""

    def unreachable(self) -> tuple[str, ...]: ...
    def note_reachable_elsewhere(self, names: Collection[str]) -> None: ...


class AllReached:
    """Where every exchange answers, or none is asked."""

    def unreachable(self) -> tuple[str, ...]:
        return ()

    def note_reachable_elsewhere(self, names: Collection[str]) -> None:
        del names


class Heartbeat:
    """Beats from `start` to `stop` in a thread of its own, however busy the worker is.

    Each beat says which exchanges do not answer this worker; while there are any, it also learns
    which of them answer another one.
    """

    def __init__(
        self,
        registry: WorkerRegistry,
        worker: LiveWorker,
        clock: Clock,
        every_s: int = BEAT_EVERY_S,
        reach: Reach | None = None,
    ) -> None:
        self._registry = registry
        self._worker = worker
        self._clock = clock
        self._every_s = every_s
        self._reach = reach or AllReached()
        self._stopped = Event()
        self._hurried = Event()
        self._thread = Thread(target=self._beat_on, name="heartbeat", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def hurry(self) -> None:
        """Beat at once: what is said of this worker has changed."""
        self._hurried.set()

    def beat(self) -> None:
        """Beat once. Raises StoreUnavailable."""
        unreachable = self._reach.unreachable()
        now = self._clock.now()
        self._registry.beat(replace(self._worker, beat_at=now, unreachable=unreachable))
        if unreachable:
            others = reachable_by_others(self._worker, self._registry.live())
            self._reach.note_reachable_elsewhere(others)

    def stop(self) -> None:
        """End the beat, and take the worker out of the registry."""
        self._stopped.set()
        self._hurried.set()
        # A beat that the store does not answer is not waited for.
        self._thread.join(BEAT_EVERY_S)
        try:
            self._registry.leave(self._worker)
        except StoreUnavailable as error:
            # Its last beat runs out by itself.
            structlog.get_logger("oneorder").warning("worker_not_taken_out", error=str(error))

    def _beat_on(self) -> None:
        is_heard = True
        while not self._stopped.is_set():
            self._hurried.clear()
            try:
                self.beat()
                is_heard = True
            except StoreUnavailable as error:
                if is_heard:
                    log = structlog.get_logger("oneorder")
                    log.warning("heartbeat_failed", error=str(error))
                is_heard = False
            if not self._stopped.is_set():
                self._hurried.wait(self._every_s)
