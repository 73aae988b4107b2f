"""What shows whether an installation works: the server, the schedules, and what waits."""

from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class ServerFacts:
    """A Redis or Valkey server, as it says itself.

    `master` is the address that a replica copies from. `settings` are those that decide what the
    server can lose, an empty text where it does not say. `memory_max` is 0 for no limit; memory is
    in bytes.
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
    """The last run of a scheduled task, by the server's clock. `error` is empty for one that went
    through."""

    age_ms: int
    error: str = ""


@dataclass(frozen=True, slots=True)
class Backlog:
    """What waits: intents in the signal stream, and orders that the ledger lacks as they are.

    Ages are in ms by the server's clock, None where nothing waits or its age is not known. An
    intent's is negative if its id is ahead of the clock.
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
        """Write something, read it back, and take it away."""

    def tick(self, name: str, error: str = "") -> None:
        """Note that the scheduled task has run now; `error` is what ended it, if anything did."""

    def ticks(self) -> dict[str, Tick]: ...
    def backlog(self) -> Backlog: ...
