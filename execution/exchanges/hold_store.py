"""Where all processes find which addresses an exchange has asked to be left alone at."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class AddressHold:
    """Nothing is sent to an address until `until_ms`, on our clock as it is set now; `reason` says
    why."""

    until_ms: int
    reason: str


class AddressHoldStore(Protocol):
    """Where all processes find the holds. Raises StoreUnavailable when the server does not
    answer."""

    def hold_address(self, address: str, seconds: int, reason: str) -> None:
        """Let nothing be sent to the address for so long; never shortens a longer hold."""

    def address_hold(self, address: str) -> AddressHold | None: ...
    def end_address_hold(self, address: str) -> bool:
        """Let requests be sent there again; False where nothing kept them back."""
