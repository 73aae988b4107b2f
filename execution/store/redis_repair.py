"""What is lost in Redis, and how it is put back. See repair.RepairStore."""

from collections.abc import Iterable
from typing import Any

from redis import Redis

from execution.orders import Order
from execution.ports import Clock
from execution.position_tracker import Position
from execution.store import keys
from execution.store.codec import (
    created_us,
    exchange_id_field,
    order_from_json,
    position_to_hash,
    token,
)
from execution.store.connection import guarded, script

SCAN_BATCH = 500


class RedisRepair:
    """Looks for what is not there. An index that is empty holds one member all the same, so that
    one that was lost can be told from it."""

    def __init__(self, client: Redis, clock: Clock) -> None:
        self._redis: Any = client
        self._clock = clock
        self._replace_position = script(client, "replace_position")
        self._accounts: set[str] = set()

    @guarded
    def mended_run(self) -> str | None:
        run_id: str | None = self._redis.get(keys.MENDED)
        return run_id

    @guarded
    def set_mended_run(self, run_id: str | None) -> None:
        if run_id is None:
            self._redis.delete(keys.MENDED)
            return
        pipe = self._redis.pipeline(transaction=True)
        for key in (keys.ORDERS, keys.DUE, keys.UNARCHIVED, keys.LEAVING):
            pipe.zadd(key, {keys.PRESENT: "inf"})
        for account in self._accounts:
            pipe.sadd(keys.live(account), keys.PRESENT)
            pipe.hset(keys.exchange_ids(account), keys.PRESENT, "")
        pipe.set(keys.MENDED, run_id)
        pipe.execute()

    @guarded
    def lost(self, accounts: Iterable[str]) -> list[str]:
        self._accounts |= set(accounts)
        found = self._lost_indexes()
        for account in sorted(self._accounts):
            live = sorted(self._redis.smembers(keys.live(account)) - {keys.PRESENT})
            without = self._without_doc(live)
            found += [f"the record of live order {order_id}" for order_id in without]
        return found + self._lost_positions()

    def _lost_indexes(self) -> list[str]:
        ranked = [keys.ORDERS, keys.DUE, keys.UNARCHIVED, keys.LEAVING]
        accounts = sorted(self._accounts)
        pipe = self._redis.pipeline(transaction=False)
        for key in ranked:
            pipe.zscore(key, keys.PRESENT)
        for account in accounts:
            pipe.sismember(keys.live(account), keys.PRESENT)
            pipe.hexists(keys.exchange_ids(account), keys.PRESENT)
        names = ranked + [
            key for account in accounts for key in (keys.live(account), keys.exchange_ids(account))
        ]
        is_there = [answer not in (None, 0, False) for answer in pipe.execute()]
        return [f"index {name}" for name, there in zip(names, is_there, strict=True) if not there]

    def _lost_positions(self) -> list[str]:
        versions = self._redis.hgetall(keys.POSITION_VERSIONS)
        wanted = sorted(versions.keys() | self._redis.smembers(keys.POSITIONS))
        pipe = self._redis.pipeline(transaction=False)
        for key in wanted:
            pipe.hget(key, "version")
        held = dict(zip(wanted, pipe.execute(), strict=True))
        return [f"position {key}" for key in wanted if held[key] != versions.get(key)]

    def _without_doc(self, order_ids: list[str]) -> list[str]:
        pipe = self._redis.pipeline(transaction=False)
        for order_id in order_ids:
            pipe.hexists(keys.order(order_id), "doc")
        return [name for name, there in zip(order_ids, pipe.execute(), strict=True) if not there]

    @guarded
    def reindex(self) -> int:
        count = 0
        for account in self._accounts:
            self._forget_lost_records(account)
        found = self._redis.scan_iter(keys.order("*"), count=SCAN_BATCH)
        for key in found:
            doc = self._redis.hget(key, "doc")
            if doc is not None:
                self._index(order_from_json(doc))
                count += 1
        return count

    def _forget_lost_records(self, account: str) -> None:
        live = sorted(self._redis.smembers(keys.live(account)) - {keys.PRESENT})
        without = self._without_doc(live)
        waiting = [i for i in self._redis.zrange(keys.UNARCHIVED, 0, -1) if i != keys.PRESENT]
        unarchived = self._without_doc(waiting)
        if without:
            self._redis.srem(keys.live(account), *without)
        if unarchived:
            self._redis.zrem(keys.UNARCHIVED, *unarchived)

    def _index(self, order: Order) -> None:
        pipe = self._redis.pipeline(transaction=True)
        pipe.zadd(keys.ORDERS, {order.order_id: created_us(order)}, nx=True)
        pipe.zadd(keys.UNARCHIVED, {order.order_id: created_us(order)}, nx=True)
        if order.is_live or order.fills_missing:
            pipe.sadd(keys.live(order.account), order.order_id)
            pipe.zadd(keys.DUE, {order.order_id: self._clock.now_ms()}, nx=True)
        if order.exchange_order_id is not None:
            field = exchange_id_field(order)
            pipe.hsetnx(keys.exchange_ids(order.account), field, order.order_id)
        pipe.execute()

    @guarded
    def without_record(self, order_ids: list[str]) -> set[str]:
        pipe = self._redis.pipeline(transaction=False)
        for order_id in order_ids:
            pipe.exists(keys.order(order_id))
        return {name for name, there in zip(order_ids, pipe.execute(), strict=True) if not there}

    @guarded
    def remember(self, order_ids: Iterable[str], remember_s: int) -> None:
        pipe = self._redis.pipeline(transaction=True)
        for order_id in order_ids:
            pipe.hset(keys.order(order_id), mapping={"version": 1, "revision": "archived"})
            pipe.expire(keys.order(order_id), remember_s)
        pipe.execute()

    @guarded
    def replace_position(self, before: Position, after: Position) -> bool:
        fields = [text for pair in position_to_hash(after).items() for text in pair]
        done = self._replace_position(
            keys=[
                keys.position(after.account, after.symbol),
                keys.POSITIONS,
                keys.POSITION_VERSIONS,
            ],
            args=[token(before), after.version, *fields],
        )
        return bool(done)
