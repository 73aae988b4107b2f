"""The arguments of a handler of any dialect: the context and an authenticated request."""

from dataclasses import dataclass
from typing import Generic, TypeVar

from paper_exchange.engine.exchange import Exchange

ParamsT = TypeVar("ParamsT")
LimitsT = TypeVar("LimitsT")


@dataclass(frozen=True)
class ApiContext(Generic[LimitsT]):
    """The exchange behind the API, and the API's own limits."""

    exchange: Exchange
    limits: LimitsT


@dataclass(frozen=True)
class Request(Generic[ParamsT]):
    """One authorized request. `account` is empty on public paths.

    A read shows only orders and trades up to `visible_until_ms`, or all if it is None.
    """

    params: ParamsT
    account: str
    received_ms: int
    visible_until_ms: int | None = None

    def can_see(self, time_ms: int) -> bool:
        """Whether a read may show an event of that time."""
        return self.visible_until_ms is None or time_ms <= self.visible_until_ms

    def latest_ms(self, end_ms: int | None) -> int | None:
        """The end of a time range, limited to what is visible."""
        bounds = [ms for ms in (end_ms, self.visible_until_ms) if ms is not None]
        return min(bounds, default=None)
