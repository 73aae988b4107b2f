"""Intents that cannot be carried out yet: they step aside, so that none behind them waits too."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from execution.orders.store import Intent


@dataclass(frozen=True, slots=True)
class WaitingIntent:
    """An intent that was set aside, why, and since when."""

    intent: Intent
    reason: str
    since: datetime


class WaitingStore(Protocol):
    """Every method raises StoreUnavailable when the server does not answer.

    An intent that waits is not in the stream any more. It waits until it is settled or refused; see
    ports.Store.
    """

    def add(self, task: str, body: str, version: str) -> Intent:
        """Append an intent to the stream, as a producer does."""

    def intent(self, entry_id: str) -> Intent | None:
        """The intent of that id, in the stream or waiting; None for one that is settled."""

    def set_aside(self, intent: Intent, reason: str, since: datetime, due_ms: int) -> bool:
        """Take the intent out of the stream, to be taken again when it is due. One that waits
        already keeps its `since`. False, and nothing is changed, for one that is settled."""

    def take(self, now_ms: int, count: int, lease_ms: int) -> list[WaitingIntent]:
        """Waiting intents that are due, made due again after the lease."""

    def waiting(self) -> list[WaitingIntent]:
        """All of them, in the order in which they were published."""

    def count(self) -> int: ...


def publication_order(waiting: WaitingIntent) -> tuple[int, int]:
    """By what waiting intents are sorted: both numbers of the stream entry's id."""
    ms, _, number = waiting.intent.entry_id.partition("-")
    return int(ms), int(number or 0)
