"""Positions in Redis."""

from typing import Any

from redis import Redis

from execution.model.position import Position
from execution.store.access import keys
from execution.store.access.codec import position_from_hash
from execution.store.access.connection import guarded


class RedisPositions:
    """See PositionStore."""

    def __init__(self, client: Redis) -> None:
        self._redis: Any = client

    @guarded
    def position(self, account: str, symbol: str) -> Position:
        stored = self._redis.hgetall(keys.position(account, symbol))
        return position_from_hash(stored) if stored else Position(account, symbol)

    @guarded
    def positions(self, account: str | None = None) -> list[Position]:
        pipe = self._redis.pipeline(transaction=False)
        for key in sorted(self._redis.smembers(keys.POSITIONS) - {keys.PRESENT}):
            if account is None or key.startswith(keys.position(account, "")):
                pipe.hgetall(key)
        return [position_from_hash(stored) for stored in pipe.execute() if stored]
