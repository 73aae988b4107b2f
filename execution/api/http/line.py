"""What all clients of one account in a process share: whether and when it may be asked."""

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from execution.api.accounts.circuit import Circuit
from execution.exchanges.address_holds import AddressHolds, address_of


@dataclass(frozen=True, slots=True)
class Line:
    """One account's way to its exchange.

    `exchange_ms` is the time there, measured now if need be; it raises ExchangeUnavailable where
    that cannot be. `likely_ms` is the same as far as it is known, and never asks.
    """

    account: str
    circuit: Circuit
    holds: AddressHolds
    exchange_ms: Callable[[], int]
    likely_ms: Callable[[], int]

    def begin(self, url: str, *, is_placement: bool) -> None:
        """Raise AddressHeld if nothing may be sent there now.

        A placement has been checked against the store already, by the commit that journaled it.
        """
        self.holds.check(address_of(url), look=not is_placement)

    def asked_to_wait(self, url: str, seconds: int, status: int, code: str | None) -> None:
        """An answer from there asks for no more requests."""
        said = f"HTTP {status}" if code is None else f"HTTP {status}, code {code}"
        reason = f"{said} to {urlsplit(url).path} for account {self.account}"
        self.holds.hold(address_of(url), seconds, reason)
