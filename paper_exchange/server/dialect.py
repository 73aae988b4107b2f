"""What a dialect gets from the server and gives back: the only seam between them."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

JSON_TYPE = "application/json;charset=UTF-8"


@dataclass(frozen=True, slots=True)
class EngineDelay:
    """How long an accepted request stays with the engine before it is carried out, and whether it
    has been handed over to it yet."""

    ms: int
    handed_over: asyncio.Event = field(default_factory=asyncio.Event)

    async def wait(self) -> None:
        """Hand the request over, and wait until the engine carries it out."""
        self.handed_over.set()
        await asyncio.sleep(self.ms / 1000)


@dataclass(frozen=True, slots=True)
class Call:
    """One HTTP request as it arrived. Times are in ms on the exchange's clock.

    `query` and `body` are as sent, undecoded, because signatures are made over them.
    `lag_ms` says how old an order or trade must be for a read to show it. With an `engine_delay`
    a request that goes to the engine is carried out late, after its time window was checked.
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
    """One HTTP answer. The body is JSON unless a fault has spoiled it."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = JSON_TYPE


class Dialect(Protocol):
    """An exchange's HTTP API on top of the engine."""

    @property
    def name(self) -> str:
        """The name that the command line knows it by."""

    async def answer(self, call: Call) -> Answer:
        """Serve a call. Refusals are answers; an exception is a bug."""

    def refusal(self, status: int) -> Answer:
        """The answer of this API with a bare HTTP status, for example 404, 429, 500 or 503."""
