"""Halts and holds in memory."""

from execution.exchanges.hold_store import AddressHold
from execution.orders.store import Halt
from execution.store.memory.server import MemoryPart


class MemoryHalts(MemoryPart):
    """See HaltStore."""

    def halt(self, halt: Halt) -> None:
        self._tables.halts[halt.account] = halt

    def resume(self, account: str | None) -> bool:
        return self._tables.halts.pop(account, None) is not None

    def halts(self) -> list[Halt]:
        return sorted(self._tables.halts.values(), key=lambda halt: halt.account or "*")


class MemoryAccountHolds(MemoryPart):
    """See AccountHoldStore."""

    def hold(self, account: str, seconds: int) -> None:
        held = self._tables.held_until_ms
        held[account] = max(self._server.clock.now_ms() + seconds * 1000, held.get(account, 0))

    def end_hold(self, account: str) -> bool:
        return self._tables.held_until_ms.pop(account, 0) > self._server.clock.now_ms()


class MemoryAddressHolds(MemoryPart):
    """See AddressHoldStore. Commits of attempts read them too."""

    def hold_address(self, address: str, seconds: int, reason: str) -> None:
        until_ms = self._server.clock.now_ms() + seconds * 1_000
        held = self._tables.held_addresses
        with self._server.lock:
            known_ms, known_reason = held.get(address, (0, reason))
            is_over = known_ms <= self._server.clock.now_ms()
            held[address] = (max(until_ms, known_ms), reason if is_over else known_reason)

    def end_address_hold(self, address: str) -> bool:
        with self._server.lock:
            until_ms, _ = self._tables.held_addresses.pop(address, (0, ""))
            return until_ms > self._server.clock.now_ms()

    def address_hold(self, address: str) -> AddressHold | None:
        until_ms, reason = self._tables.held_addresses.get(address, (0, ""))
        return AddressHold(until_ms, reason) if until_ms > self._server.clock.now_ms() else None
