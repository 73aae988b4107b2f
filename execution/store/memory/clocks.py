"""Clock offsets in memory."""

from execution.exchanges.port import ClockOffset
from execution.store.memory.server import MemoryServer


class MemoryClocks:
    """See ClockStore."""

    def __init__(self, server: MemoryServer) -> None:
        self._server = server

    def clock_offset(self, account: str, host: str) -> ClockOffset | None:
        return self._server.tables.clock_offsets.get((account, host))

    def set_clock_offset(self, account: str, host: str, offset: ClockOffset) -> None:
        self._server.tables.clock_offsets[account, host] = offset
