"""Request control that all clients of one account in a process share."""

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from execution.api.accounts.circuit import Circuit
from execution.exchanges.address_holds import AddressHolds, address_of


@dataclass(frozen=True, slots=True)
class Line:
    """Request control of one account.

    `exchange_ms` returns the exchange's time, measured now if needed; it raises ExchangeUnavailable
    if that fails. `likely_ms` returns it as far as it is known, without a request.
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
        self.holds.check(address_of(url), read_shared=not is_placement)

    def asked_to_wait(self, url: str, seconds: int, status: int, code: str | None) -> None:
        """An answer from there requests a pause."""
        said = f"HTTP {status}" if code is None else f"HTTP {status}, code {code}"
        reason = f"{said} to {urlsplit(url).path} for account {self.account}"
        self.holds.hold(address_of(url), seconds, reason)
