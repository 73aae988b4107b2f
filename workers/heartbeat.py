"""A worker's sign of life: what it is and what it is able to take, for all others to see."""

import os
import socket
from collections.abc import Iterable
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from threading import Event, Thread

import structlog

from execution.errors import StoreUnavailable
from execution.live_workers import BEAT_EVERY_S, LiveWorker, WorkerRegistry
from execution.ports import Clock
from signals.broker import SCHEMA_VERSION


def release() -> str:
    """The version of oneorder that is running."""
    try:
        return version("oneorder")
    except PackageNotFoundError:
        # It runs from a folder and was never installed.
        return "unknown"


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
        release=release(),
    )


class Heartbeat:
    """Beats from `start` to `stop` in a thread of its own, however busy the worker is."""

    def __init__(
        self,
        registry: WorkerRegistry,
        worker: LiveWorker,
        clock: Clock,
        every_s: int = BEAT_EVERY_S,
    ) -> None:
        self._registry = registry
        self._worker = worker
        self._clock = clock
        self._every_s = every_s
        self._stopped = Event()
        self._thread = Thread(target=self._beat_on, name="heartbeat", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """End the beat, and take the worker out of the registry."""
        self._stopped.set()
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
            try:
                self._registry.beat(replace(self._worker, beat_at=self._clock.now()))
                is_heard = True
            except StoreUnavailable as error:
                if is_heard:
                    log = structlog.get_logger("oneorder")
                    log.warning("heartbeat_failed", error=str(error))
                is_heard = False
            self._stopped.wait(self._every_s)
