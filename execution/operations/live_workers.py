"""Which workers are alive, and what each of them is able to take."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import combinations
from typing import Protocol

# A worker that is alive says so this often; one that has not for so long counts as gone.
BEAT_EVERY_S = 2
BEAT_TTL_MS = 10_000
# How long it is remembered since when something is missing, after it was last asked for.
MISSING_TTL_MS = 600_000


@dataclass(frozen=True, slots=True)
class LiveWorker:
    """One worker process, as it says of itself.

    `name` is Celery's node name. `accounts` are those that it is configured with; `reads_version`
    is the newest schema version of signals that it reads; `release` is its version of oneorder.
    `unreachable` are those of its accounts whose exchange does not answer it. Times are by the
    clock of its host.
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
        """What tells it from every other process, also from one of the same name."""
        return f"{self.name} {self.host} {self.pid}"

    def takes(self, accounts: Iterable[str], version: int = 1) -> bool:
        """Say whether it knows all these accounts and reads signals of that version."""
        return version <= self.reads_version and set(accounts) <= set(self.accounts)


class WorkerRegistry(Protocol):
    """Every method raises StoreUnavailable when the server does not answer."""

    def beat(self, worker: LiveWorker) -> None:
        """Note that the worker is alive; it counts as gone BEAT_TTL_MS later. What it is able to
        take is not missing any more."""

    def leave(self, worker: LiveWorker) -> None:
        """Take out a worker that ends by itself."""

    def live(self) -> list[LiveWorker]:
        """Every worker that is alive, by name, host and process id."""

    def missing_since_ms(self, what: str, now_ms: int) -> int:
        """Since when no worker takes `what`, an `account_need` or a `version_need`: `now_ms` if it
        was not missed before, and from then on the first such time, until a worker that takes it
        beats."""


def reachable_by_others(worker: LiveWorker, live: Iterable[LiveWorker]) -> frozenset[str]:
    """The accounts that another live worker knows, and whose exchange answers it as far as it has
    asked."""
    return frozenset(
        account
        for other in live
        if other.identity != worker.identity
        for account in set(other.accounts) - set(other.unreachable)
    )


def account_need(*accounts: str) -> str:
    """What is missing while no live worker knows the account, or all of the accounts."""
    return f"account {' '.join(sorted(accounts))}"


def version_need(version: int) -> str:
    """What is missing while no live worker reads signals of the schema version."""
    return f"version {version}"


def needs_met(worker: LiveWorker) -> list[str]:
    """All that is not missing while the worker is alive. Version 1 is read by everyone."""
    pairs = combinations(worker.accounts, 2)
    versions = range(2, worker.reads_version + 1)
    return [
        *map(account_need, worker.accounts),
        *(account_need(*pair) for pair in pairs),
        *map(version_need, versions),
    ]
