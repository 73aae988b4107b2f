"""Detects and repairs losses in Redis. See repair.RepairStore."""

from collections.abc import Iterable
from functools import partial
from itertools import islice
from typing import Any

from redis import Redis

from execution.model.clock import Clock
from execution.model.order import Order
from execution.model.position import Position
from execution.orders.codec import order_from_json
from execution.store.access import keys
from execution.store.access.codec import created_us, exchange_id_field, position_arguments, token
from execution.store.access.connection import RedisStore, guarded, script

SCAN_BATCH = 500
# How many of the unarchived orders are checked, oldest first.
WAITING_MAX = 500
RANKED = (keys.ORDERS, keys.DUE, keys.UNARCHIVED, keys.LEAVING)
# How many records are listed at a time; each batch waits for the disk, and is repeated if a record
# has changed.
INDEX_BATCH = 50


class RedisRepair(RedisStore):
    """Looks for what is not there. An index that is empty holds one member all the same, so that
    a lost one differs from it."""

    def __init__(self, client: Redis, clock: Clock) -> None:
        super().__init__(client)
        self._clock = clock
        self._replace_position = script(client, "replace_position")
        self._accounts: set[str] = set()

    @guarded
    def verified_epoch(self) -> str | None:
        run_id: str | None = self._redis.get(keys.VERIFIED)
        return run_id

    @guarded
    def set_verified_epoch(self, run_id: str | None) -> None:
        if run_id is None:
            self._redis.delete(keys.VERIFIED)
            return
        self._redis.set(keys.VERIFIED, run_id)

    def _mark(self) -> None:
        """Add the marker member to every index."""
        pipe = self._redis.pipeline(transaction=True)
        for key in RANKED:
            pipe.zadd(key, {keys.PRESENT: "inf"})
        for account in self._accounts:
            pipe.sadd(keys.live(account), keys.PRESENT)
            pipe.hset(keys.exchange_ids(account), keys.PRESENT, "")
        for key in (keys.POSITIONS, keys.ACCOUNTS):
            pipe.sadd(key, keys.PRESENT)
        pipe.hset(keys.POSITION_VERSIONS, keys.PRESENT, "")
        pipe.execute()

    @guarded
    def lost(self, accounts: Iterable[str]) -> list[str]:
        self._accounts |= set(accounts)
        lost = self._lost_indexes()
        for account in sorted(self._accounts):
            without = self._without_doc(self._live(account))
            lost += [f"the record of live order {order_id}" for order_id in without]
        waiting = self._redis.zrange(keys.UNARCHIVED, 0, WAITING_MAX - 1)
        without = self._without_doc([i for i in waiting if i != keys.PRESENT])
        lost += [f"the record of order {order_id}" for order_id in without]
        return lost + self._lost_positions()

    def _lost_indexes(self) -> list[str]:
        accounts = sorted(self._accounts)
        pipe = self._redis.pipeline(transaction=False)
        for key in RANKED:
            pipe.zscore(key, keys.PRESENT)
        pipe.sismember(keys.ACCOUNTS, keys.PRESENT)
        pipe.sismember(keys.POSITIONS, keys.PRESENT)
        pipe.hexists(keys.POSITION_VERSIONS, keys.PRESENT)
        for account in accounts:
            # In this order: the first order of an account lists the account and marks its indexes
            # in one step.
            pipe.sismember(keys.ACCOUNTS, account)
            pipe.sismember(keys.live(account), keys.PRESENT)
            pipe.hexists(keys.exchange_ids(account), keys.PRESENT)
        names = [f"index {key}" for key in (*RANKED, keys.ACCOUNTS)]
        # A loss of positions is no sign of lost orders.
        names += [f"position index {key}" for key in (keys.POSITIONS, keys.POSITION_VERSIONS)]
        answers = iter(pipe.execute())
        lost = [name for name, answer in zip(names, answers, strict=False) if not answer]
        for account in accounts:
            had_orders, *indexes = (next(answers) for _ in range(3))
            for key_of, is_there in zip((keys.live, keys.exchange_ids), indexes, strict=True):
                # An account without orders cannot have lost any, and may be new in the settings.
                if had_orders and not is_there:
                    lost.append(f"index {key_of(account)}")
        return lost

    def _lost_positions(self) -> list[str]:
        """Positions that are not listed, missing, or not in the version written last. Both versions
        of one are read atomically: a fill between the reads would pass for a loss."""
        listed = self._redis.smembers(keys.POSITIONS)
        wanted = sorted((listed | set(self._redis.hkeys(keys.POSITION_VERSIONS))) - {keys.PRESENT})
        pipe = self._redis.pipeline(transaction=True)
        for key in wanted:
            pipe.sismember(keys.POSITIONS, key)
            pipe.hget(key, "version")
            pipe.hget(keys.POSITION_VERSIONS, key)
        answers = iter(pipe.execute())
        lost = []
        for key in wanted:
            is_listed, held, written = next(answers), next(answers), next(answers)
            if not is_listed or held != written:
                lost.append(f"position {key}")
        return lost

    def _without_doc(self, order_ids: list[str]) -> list[str]:
        pipe = self._redis.pipeline(transaction=False)
        for order_id in order_ids:
            pipe.hexists(keys.order(order_id), "doc")
        return [name for name, there in zip(order_ids, pipe.execute(), strict=True) if not there]

    @guarded
    def reindex(self) -> int:
        count = 0
        # First, so that an index that is lost during this stays without its marker.
        self._mark()
        self._forget_lost_records()
        records = self._redis.scan_iter(keys.order("*"), count=SCAN_BATCH)
        while batch := list(islice(records, INDEX_BATCH)):
            count += self._redis.transaction(
                partial(self._index, batch), *batch, value_from_callable=True
            )
        for key in self._redis.scan_iter(keys.position("*", "*"), count=SCAN_BATCH):
            self._index_position(key)
        return count

    def _index_position(self, key: str) -> None:
        version = self._redis.hget(key, "version")
        if version is not None:
            self._redis.sadd(keys.POSITIONS, key)
            self._redis.hsetnx(keys.POSITION_VERSIONS, key, version)

    def _forget_lost_records(self) -> None:
        """Take off the lists what has no record: what the ledger has is listed again, and what it
        has not never was, unless the exchange says otherwise."""
        for account in self._accounts:
            without = self._without_doc(self._live(account))
            if without:
                self._redis.srem(keys.live(account), *without)
        for key in (keys.UNARCHIVED, keys.ORDERS):
            listed = [name for name in self._redis.zrange(key, 0, -1) if name != keys.PRESENT]
            for start in range(0, len(listed), SCAN_BATCH):
                without = self._without_doc(listed[start : start + SCAN_BATCH])
                if without:
                    self._redis.zrem(key, *without)

    def _live(self, account: str) -> list[str]:
        return sorted(self._redis.smembers(keys.live(account)) - {keys.PRESENT})

    def _index(self, records: list[str], pipe: Any) -> int:
        """List orders, as they are: whatever changes one of them meanwhile makes this run again."""
        orders = [order_from_json(doc) for doc in self._docs(records)]
        pipe.multi()
        for order in orders:
            self._list(order, pipe)
        return len(orders)

    def _list(self, order: Order, pipe: Any) -> None:
        pipe.zadd(keys.ORDERS, {order.order_id: created_us(order)}, nx=True)
        pipe.zadd(keys.UNARCHIVED, {order.order_id: created_us(order)}, nx=True)
        if order.may_still_trade:
            pipe.sadd(keys.live(order.account), order.order_id)
            pipe.sadd(keys.ACCOUNTS, order.account)
            pipe.zadd(keys.DUE, {order.order_id: self._clock.now_ms()}, nx=True)
        if order.exchange_order_id is not None:
            field = exchange_id_field(order)
            pipe.hsetnx(keys.exchange_ids(order.account), field, order.order_id)

    @guarded
    def without_record(self, order_ids: list[str]) -> set[str]:
        pipe = self._redis.pipeline(transaction=False)
        for order_id in order_ids:
            pipe.exists(keys.order(order_id))
        return {name for name, there in zip(order_ids, pipe.execute(), strict=True) if not there}

    @guarded
    def remember(self, order_ids: Iterable[str], remember_s: int) -> None:
        wanted = [keys.order(order_id) for order_id in order_ids]
        pipe = self._redis.pipeline(transaction=False)
        for key in wanted:
            # A repeated signal may have made a record meanwhile; that one stays.
            pipe.hsetnx(key, "version", 1)
        fresh = [key for key, is_new in zip(wanted, pipe.execute(), strict=True) if is_new]
        for key in fresh:
            pipe.hset(key, "revision", "archived")
            pipe.expire(key, remember_s)
        pipe.execute()

    @guarded
    def replace_position(self, before: Position, after: Position) -> bool:
        done = self._replace_position(
            keys=[
                keys.position(after.account, after.symbol),
                keys.POSITIONS,
                keys.POSITION_VERSIONS,
            ],
            args=[token(before), *position_arguments(after)],
        )
        return bool(done)
