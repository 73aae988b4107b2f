"""Leases in Redis."""

from typing import Any

from redis import Redis

from execution.store.access import keys
from execution.store.access.connection import guarded, script


class RedisLeases:
    """See LeaseStore."""

    def __init__(self, client: Redis) -> None:
        self._redis: Any = client
        self._lease = script(client, "lease")
        self._release = script(client, "release")

    @guarded
    def lease(self, name: str, owner: str, ttl_ms: int) -> bool:
        return bool(self._lease(keys=[keys.lease(name)], args=[owner, ttl_ms]))

    @guarded
    def release(self, name: str, owner: str) -> None:
        self._release(keys=[keys.lease(name)], args=[owner])
