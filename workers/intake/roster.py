"""What this worker can process, and which live workers can process the rest."""

import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from threading import Lock

from execution.exchanges.account import Account
from execution.model.clock import Clock
from execution.operations.live_workers import LiveWorker, WorkerRegistry, account_need, version_need
from oneorder.broker import SCHEMA_VERSION

# How long an answer of the registry is cached, so that not every message reads it.
LIVE_AGE_MAX_S = 1


@dataclass(frozen=True, slots=True)
class Need:
    """What a worker needs to process a signal or an order."""

    accounts: tuple[str, ...] = ()
    version: int = 1


class NotOurs(Exception):
    """This worker lacks something that is needed; the message is a sentence about it. `anywhere` is
    the sentence for the case that no live worker has it."""

    def __init__(self, need: Need, lack: str, anywhere: str) -> None:
        super().__init__(lack)
        self.need = need
        self.anywhere = anywhere


@dataclass(slots=True, eq=False)
class Roster:
    """Compares needs with this worker and with the registry of live workers."""

    registry: WorkerRegistry
    clock: Clock
    accounts: Mapping[str, Account]
    reads_version: int = SCHEMA_VERSION
    _lock: Lock = field(default_factory=Lock, init=False)
    _live: list[LiveWorker] = field(default_factory=list, init=False)
    _asked_at: int | None = field(default=None, init=False)

    def check(self, need: Need) -> None:
        """Raise NotOurs unless this worker has what is needed."""
        if need.version > self.reads_version:
            newer = f"v: {need.version} is newer than"
            lack = f"{newer} {self.reads_version}, which this worker reads"
            raise NotOurs(need, lack, f"{newer} what any live worker reads")
        unknown = self.unknown(need.accounts)
        if unknown:
            lack = f"account: {' and '.join(map(repr, unknown))} is not configured on"
            raise NotOurs(need, f"{lack} this worker", self._lacked_by_all(need, lack))

    def _lacked_by_all(self, need: Need, lack: str) -> str:
        """Different workers may each have one of an arbitrage's accounts."""
        if len(need.accounts) == 1:
            return f"{lack} any live worker"
        return (
            f"accounts: {' and '.join(map(repr, need.accounts))} are not together on a live worker"
        )

    def unknown(self, accounts: Collection[str]) -> list[str]:
        """Those of the accounts that this worker does not have."""
        return [name for name in accounts if name not in self.accounts]

    def others(self, need: Need) -> list[str]:
        """The names of live workers that have what is needed."""
        return [w.name for w in self._live_workers() if w.takes(need.accounts, need.version)]

    def missing_since_ms(self, need: Need) -> int:
        """Since when no live worker has what is needed; now, if this is the first time that it is
        missed."""
        what = [account_need(*need.accounts)] if need.accounts else []
        if need.version > 1:
            what.append(version_need(need.version))
        now_ms = self.clock.now_ms()
        return max(self.registry.missing_since_ms(each, now_ms) for each in what)

    def _live_workers(self) -> list[LiveWorker]:
        with self._lock:
            now = time.monotonic_ns()
            if self._asked_at is None or now - self._asked_at > LIVE_AGE_MAX_S * 1_000_000_000:
                self._live = self.registry.live()
                self._asked_at = now
            return self._live
