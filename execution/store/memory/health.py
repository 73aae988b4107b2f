"""Health data in memory. See health.HealthStore."""

from dataclasses import dataclass, field

from execution.model.errors import StoreUnavailable
from execution.operations.health import Backlog, ServerFacts, Tick
from execution.store.memory.server import MemoryServer

RECOMMENDED = {"appendonly": "yes", "appendfsync": "always", "maxmemory-policy": "noeviction"}


@dataclass
class MemoryHealth:
    """A store in memory is as well as `facts` says, and refuses writes with `refusal`."""

    memory: MemoryServer
    facts: ServerFacts = field(
        default_factory=lambda: ServerFacts("8.1", is_master=True, settings=dict(RECOMMENDED))
    )
    refusal: str | None = None
    _ran: dict[str, tuple[int, str]] = field(default_factory=dict)

    def server(self) -> ServerFacts:
        return self.facts

    def probe(self) -> None:
        if self.refusal is not None:
            raise StoreUnavailable(self.refusal)

    def tick(self, name: str, error: str = "") -> None:
        self._ran[name] = (self.memory.clock.now_ms(), error)

    def ticks(self) -> dict[str, Tick]:
        now_ms = self.memory.clock.now_ms()
        return {name: Tick(now_ms - ran_ms, error) for name, (ran_ms, error) in self._ran.items()}

    def backlog(self) -> Backlog:
        tables, now_ms = self.memory.tables, self.memory.clock.now_ms()
        oldest = next(iter(tables.intents), "")
        changed = [tables.orders[name].updated_at for name in tables.unarchived]
        return Backlog(
            intents=len(tables.intents),
            oldest_intent=oldest,
            oldest_intent_ms=now_ms - int(oldest.split("-")[0]) if oldest else None,
            refused=len(tables.refused),
            unarchived=len(tables.unarchived),
            oldest_unarchived_ms=(
                now_ms - int(min(changed).timestamp() * 1000) if changed else None
            ),
        )
