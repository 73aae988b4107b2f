"""Intents that cannot be carried out yet: they are set aside, so that they do not delay later
ones."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from execution.orders.store import Intent


@dataclass(frozen=True, slots=True)
class WaitingIntent:
    """An intent that was set aside, with the reason and since when."""

    intent: Intent
    reason: str
    since: datetime


class WaitingStore(Protocol):
    """Every method raises StoreUnavailable when the server does not answer.

    A waiting intent is not in the stream any more. It waits until it is settled or refused; see
    ports.Store.
    """

    def add(self, task: str, body: str, version: str) -> Intent:
        """Append an intent to the stream, as a producer does."""

    def intent(self, entry_id: str) -> Intent | None:
        """The intent with that id, in the stream or waiting; None for a settled one."""

    def set_aside(self, intent: Intent, reason: str, since: datetime, due_ms: int) -> bool:
        """Move the intent out of the stream, to be taken again when it is due. One that already
        waits keeps its `since`. Returns False, with nothing changed, for a settled one."""

    def take(self, now_ms: int, count: int, lease_ms: int) -> list[WaitingIntent]:
        """Take waiting intents that are due; they become due again after the lease."""

    def waiting(self) -> list[WaitingIntent]:
        """All of them, in the order of publication."""

    def count(self) -> int: ...


def publication_order(waiting: WaitingIntent) -> tuple[int, int]:
    """The sort key of waiting intents: both numbers of the stream entry's id."""
    ms, _, number = waiting.intent.entry_id.partition("-")
    return int(ms), int(number or 0)
