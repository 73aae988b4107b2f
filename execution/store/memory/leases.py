"""Leases in memory."""

from execution.store.memory.server import MemoryServer


class MemoryLeases:
    """See LeaseStore."""

    def __init__(self, server: MemoryServer) -> None:
        self._server = server

    def lease(self, name: str, owner: str, ttl_ms: int) -> bool:
        with self._server.lock:
            holder, until_ms = self._server.tables.leases.get(name, ("", 0))
            if until_ms > self._server.clock.now_ms() and holder != owner:
                return False
            self._server.tables.leases[name] = (owner, self._server.clock.now_ms() + ttl_ms)
            return True

    def release(self, name: str, owner: str) -> None:
        with self._server.lock:
            if self._server.tables.leases.get(name, ("", 0))[0] == owner:
                del self._server.tables.leases[name]
