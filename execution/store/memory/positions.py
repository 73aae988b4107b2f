"""Positions in memory."""

from execution.model.position import Position
from execution.store.memory.server import MemoryServer


class MemoryPositions:
    """See PositionStore."""

    def __init__(self, server: MemoryServer) -> None:
        self._server = server

    def position(self, account: str, symbol: str) -> Position:
        return self._server.tables.positions.get((account, symbol), Position(account, symbol))

    def positions(self, account: str | None = None) -> list[Position]:
        with self._server.lock:
            positions = [position for _, position in sorted(self._server.tables.positions.items())]
        return [position for position in positions if account in (None, position.account)]
