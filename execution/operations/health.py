"""The health of an installation: the server, the schedules, and the backlog."""

from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class ServerFacts:
    """A Redis or Valkey server, as it reports itself.

    `master` is the address that a replica copies from. `settings` are those that determine what the
    server can lose, empty if it does not report them. `memory_max` is 0 for no limit; memory is in
    bytes.
    """

    version: str
    is_master: bool
    master: str = ""
    memory_used: int = 0
    memory_max: int = 0
    is_append_failing: bool = False
    settings: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Tick:
    """The last run of a scheduled task, by the server's clock. `error` is empty for one that
    succeeded."""

    age_ms: int
    error: str = ""


@dataclass(frozen=True, slots=True)
class Backlog:
    """The backlog: intents in the signal stream, and orders whose current version the ledger does
    not have.

    Ages are in ms by the server's clock, None if nothing waits or the age is not known. An intent's
    is negative if its id is ahead of the clock.
    """

    intents: int = 0
    oldest_intent: str = ""
    oldest_intent_ms: int | None = None
    refused: int = 0
    unarchived: int = 0
    oldest_unarchived_ms: int | None = None


class HealthStore(Protocol):
    """Every method raises StoreUnavailable when the server does not answer, or refuses."""

    def server(self) -> ServerFacts: ...
    def probe(self) -> None:
        """Write a value, read it back, and remove it."""

    def tick(self, name: str, error: str = "") -> None:
        """Record that the scheduled task has run now; `error` is its failure, if any."""

    def ticks(self) -> dict[str, Tick]: ...
    def backlog(self) -> Backlog: ...
