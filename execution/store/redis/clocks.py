"""Clock offsets in Redis."""

import json
from dataclasses import asdict
from typing import Any

from redis import Redis

from execution.exchanges.port import ClockOffset
from execution.store.access import keys
from execution.store.access.connection import guarded


class RedisClocks:
    """See ClockStore."""

    def __init__(self, client: Redis) -> None:
        self._redis: Any = client

    @guarded
    def clock_offset(self, account: str, host: str) -> ClockOffset | None:
        text = self._redis.hget(keys.clocks(account), keys.clock_field(host))
        return None if text is None else ClockOffset(**json.loads(text))

    @guarded
    def set_clock_offset(self, account: str, host: str, offset: ClockOffset) -> None:
        self._redis.hset(keys.clocks(account), keys.clock_field(host), json.dumps(asdict(offset)))
