"""The store of the address holds that all processes share."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class AddressHold:
    """Nothing is sent to an address until `until_ms`, on our current wall clock; `reason` says
    why."""

    until_ms: int
    reason: str


class AddressHoldStore(Protocol):
    """The holds shared by all processes. Raises StoreUnavailable when the server does not
    answer."""

    def hold_address(self, address: str, seconds: int, reason: str) -> None:
        """Hold the address for this time; never shortens a longer hold."""

    def address_hold(self, address: str) -> AddressHold | None: ...
    def end_address_hold(self, address: str) -> bool:
        """End the hold on the address; returns False if there was none."""
