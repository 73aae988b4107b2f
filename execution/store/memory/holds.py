"""The twin in memory of the held addresses. See AddressHoldStore."""

from execution.exchanges.hold_store import AddressHold
from execution.model.clock import Clock
from execution.store.memory.orders import MemoryStore


class MemoryAddressHolds:
    """In the tables of a store in memory, whose commits of attempts look at them too."""

    def __init__(self, store: MemoryStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def hold_address(self, address: str, seconds: int, reason: str) -> None:
        until_ms = self._clock.now_ms() + seconds * 1_000
        held = self._store.tables.held_addresses
        with self._store.lock:
            known_ms, known_reason = held.get(address, (0, reason))
            is_over = known_ms <= self._clock.now_ms()
            held[address] = (max(until_ms, known_ms), reason if is_over else known_reason)

    def end_address_hold(self, address: str) -> bool:
        with self._store.lock:
            until_ms, _ = self._store.tables.held_addresses.pop(address, (0, ""))
            return until_ms > self._clock.now_ms()

    def address_hold(self, address: str) -> AddressHold | None:
        until_ms, reason = self._store.tables.held_addresses.get(address, (0, ""))
        return AddressHold(until_ms, reason) if until_ms > self._clock.now_ms() else None
