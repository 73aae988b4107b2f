"""The registry of live workers, with what each can process."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import combinations
from typing import Protocol

# The interval of a worker's heartbeat, and the time without one after which it counts as gone.
BEAT_EVERY_S = 2
BEAT_TTL_MS = 10_000
# How long the start of a lack is kept after it was last needed.
MISSING_TTL_MS = 600_000


@dataclass(frozen=True, slots=True)
class LiveWorker:
    """One worker process, as it describes itself.

    `name` is Celery's node name. `accounts` are its configured ones; `reads_version` is the newest
    schema version of signals that it reads; `release` is its version of oneorder. `unreachable` are
    its accounts whose exchange does not answer it. Times are by the clock of its host.
    """

    name: str
    host: str
    pid: int
    started_at: datetime
    beat_at: datetime
    accounts: tuple[str, ...]
    reads_version: int
    release: str
    unreachable: tuple[str, ...] = ()

    @property
    def identity(self) -> str:
        """Distinguishes it from every other process, also from one with the same name."""
        return f"{self.name} {self.host} {self.pid}"

    def takes(self, accounts: Iterable[str], version: int = 1) -> bool:
        """Whether it has all these accounts and reads signals of that version."""
        return version <= self.reads_version and set(accounts) <= set(self.accounts)


class WorkerRegistry(Protocol):
    """Every method raises StoreUnavailable when the server does not answer."""

    def beat(self, worker: LiveWorker) -> None:
        """Record that the worker is alive; it counts as gone BEAT_TTL_MS later. What it can process
        is not missing any more."""

    def leave(self, worker: LiveWorker) -> None:
        """Remove a worker that ends regularly."""

    def live(self) -> list[LiveWorker]:
        """Every live worker, sorted by name, host and process id."""

    def missing_since_ms(self, what: str, now_ms: int) -> int:
        """Since when no worker has `what`, an `account_need` or a `version_need`: `now_ms` on the
        first call, and that time on later calls, until a worker that has it beats."""


def reachable_by_others(worker: LiveWorker, live: Iterable[LiveWorker]) -> frozenset[str]:
    """The accounts that another live worker has, and whose exchange answers it as far as it
    knows."""
    return frozenset(
        account
        for other in live
        if other.identity != worker.identity
        for account in set(other.accounts) - set(other.unreachable)
    )


def account_need(*accounts: str) -> str:
    """The need of a worker that has the account, or all of the accounts."""
    return f"account {' '.join(sorted(accounts))}"


def version_need(version: int) -> str:
    """The need of a worker that reads signals of the schema version."""
    return f"version {version}"


def needs_met(worker: LiveWorker) -> list[str]:
    """All needs that the worker meets while it is alive. Every worker reads version 1."""
    pairs = combinations(worker.accounts, 2)
    versions = range(2, worker.reads_version + 1)
    return [
        *map(account_need, worker.accounts),
        *(account_need(*pair) for pair in pairs),
        *map(version_need, versions),
    ]
