"""A worker's heartbeat: its identity and capabilities, readable by every process."""

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
    """This process as a worker with that node name."""
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
    """Tells which exchanges answer this process; api.connections.Connections implements it."""

    def unreachable(self) -> tuple[str, ...]: ...
    def note_reachable_elsewhere(self, names: Collection[str]) -> None: ...


class Heartbeat:
    """Beats from `start` to `stop` in a separate thread, so also while the worker is busy.

    Each beat reports which exchanges do not answer this worker. While there are any, it also reads
    which of them answer another worker.
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
        self._reach = reach
        self._stopped = Event()
        self._hurried = Event()
        self._thread = Thread(target=self._beat_on, name="heartbeat", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def hurry(self) -> None:
        """Beat at once: the worker's data has changed."""
        self._hurried.set()

    def beat(self) -> None:
        """Beat once. Raises StoreUnavailable."""
        unreachable = () if self._reach is None else self._reach.unreachable()
        now = self._clock.now()
        self._registry.beat(replace(self._worker, beat_at=now, unreachable=unreachable))
        if self._reach is not None and unreachable:
            others = reachable_by_others(self._worker, self._registry.live())
            self._reach.note_reachable_elsewhere(others)

    def stop(self) -> None:
        """Stop beating, and remove the worker from the registry."""
        self._stopped.set()
        self._hurried.set()
        # A beat to a store that does not answer is not waited for.
        self._thread.join(BEAT_EVERY_S)
        try:
            self._registry.leave(self._worker)
        except StoreUnavailable as error:
            # Its last beat expires by itself.
            structlog.get_logger("oneorder").warning("worker_not_deregistered", error=str(error))

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
