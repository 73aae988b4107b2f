"""The interface between the server and a dialect."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

JSON_TYPE = "application/json;charset=UTF-8"


@dataclass(frozen=True, slots=True)
class EngineDelay:
    """How long an accepted request waits in the engine before it is carried out, and whether it has
    reached the engine yet."""

    ms: int
    handed_over: asyncio.Event = field(default_factory=asyncio.Event)

    async def wait(self) -> None:
        """Pass the request to the engine, and wait until it is carried out."""
        self.handed_over.set()
        await asyncio.sleep(self.ms / 1000)


@dataclass(frozen=True, slots=True)
class Call:
    """One HTTP request as received. Times are in ms on the exchange's clock.

    `query` and `body` are undecoded, because signatures cover them as sent. `lag_ms` is how old an
    order or trade must be for a read to show it. With an `engine_delay` a request to the engine is
    carried out late, after the check of its time window.
    """

    method: str
    path: str
    query: str
    body: bytes
    headers: Mapping[str, str]
    client: str
    received_ms: int
    lag_ms: int = 0
    engine_delay: EngineDelay | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP response. The body is JSON unless a fault has spoiled it."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = JSON_TYPE


class Dialect(Protocol):
    """An exchange's HTTP API on top of the engine."""

    @property
    def name(self) -> str:
        """Its name on the command line."""

    async def answer(self, call: Call) -> Answer:
        """Serve a call. Refusals are returned as responses; an exception is a bug."""

    def refusal(self, status: int) -> Answer:
        """The response of this API for a bare HTTP status, for example 404, 429, 500 or 503."""
