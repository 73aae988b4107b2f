"""Held addresses in Redis. See AddressHoldStore."""

from typing import Any

from redis import Redis

from execution.exchanges.hold_store import AddressHold
from execution.model.clock import Clock
from execution.store.access import keys
from execution.store.access.connection import guarded


class RedisAddressHolds:
    """One key for each address, gone when its time is up; commits of attempts look at it too."""

    def __init__(self, client: Redis, clock: Clock) -> None:
        self._redis: Any = client
        self._clock = clock

    @guarded
    def hold_address(self, address: str, seconds: int, reason: str) -> None:
        pipe = self._redis.pipeline(transaction=True)
        pipe.set(keys.address_hold(address), reason, ex=seconds, nx=True)
        # A shorter wait does not end a longer one.
        pipe.expire(keys.address_hold(address), seconds, gt=True)
        pipe.execute()

    @guarded
    def end_address_hold(self, address: str) -> bool:
        return bool(self._redis.delete(keys.address_hold(address)))

    @guarded
    def address_hold(self, address: str) -> AddressHold | None:
        pipe = self._redis.pipeline(transaction=True)
        pipe.get(keys.address_hold(address))
        pipe.pttl(keys.address_hold(address))
        reason, left_ms = pipe.execute()
        if reason is None or left_ms <= 0:
            return None
        return AddressHold(self._clock.now_ms() + left_ms, reason)
