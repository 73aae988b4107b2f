"""Halts and holds in Redis."""

import json
from datetime import datetime
from typing import Any

from redis import Redis

from execution.exchanges.hold_store import AddressHold
from execution.model.clock import Clock
from execution.orders.store import Halt
from execution.store.access import keys
from execution.store.access.connection import RedisStore, guarded


class RedisHalts(RedisStore):
    """See HaltStore."""

    @guarded
    def halt(self, halt: Halt) -> None:
        text = json.dumps({"reason": halt.reason, "since": halt.since.isoformat()})
        self._redis.hset(keys.HALTS, halt.account or keys.ALL, text)

    @guarded
    def resume(self, account: str | None) -> bool:
        return bool(self._redis.hdel(keys.HALTS, account or keys.ALL))

    @guarded
    def halts(self) -> list[Halt]:
        halts = sorted(self._redis.hgetall(keys.HALTS).items())
        return [_halt(field, json.loads(text)) for field, text in halts]


def _halt(field: str, stored: dict[str, str]) -> Halt:
    account = None if field == keys.ALL else field
    return Halt(account, stored["reason"], datetime.fromisoformat(stored["since"]))


class RedisAccountHolds(RedisStore):
    """See AccountHoldStore."""

    @guarded
    def hold(self, account: str, seconds: int) -> None:
        _hold(self._redis, keys.hold(account), "1", seconds)

    @guarded
    def end_hold(self, account: str) -> bool:
        return bool(self._redis.delete(keys.hold(account)))


class RedisAddressHolds(RedisStore):
    """See AddressHoldStore. One key for each address, gone when its time is up; commits of attempts
    read it too."""

    def __init__(self, client: Redis, clock: Clock) -> None:
        super().__init__(client)
        self._clock = clock

    @guarded
    def hold_address(self, address: str, seconds: int, reason: str) -> None:
        _hold(self._redis, keys.address_hold(address), reason, seconds)

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


def _hold(client: Any, key: str, text: str, seconds: int) -> None:
    """A shorter hold does not end a longer one."""
    pipe = client.pipeline(transaction=True)
    pipe.set(key, text, ex=seconds, nx=True)
    pipe.expire(key, seconds, gt=True)
    pipe.execute()
