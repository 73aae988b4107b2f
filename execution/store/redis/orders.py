"""Orders, positions and intents in Redis (or Valkey). See ports.Store for the meaning.

Every change of an order is one Lua script, so one round trip and whole or not at all.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from datetime import datetime
from typing import Any

from redis import Redis

from execution.exchanges.port import ClockOffset
from execution.model.clock import Clock
from execution.model.order import Order, OrderState
from execution.model.position import Position
from execution.orders.codec import order_from_json
from execution.orders.store import Change, Committed, Epoch, Halt, Intent, RefusedIntent
from execution.store.access import keys
from execution.store.access.codec import commit_arguments, position_from_hash
from execution.store.access.commit_counter import CommitCounter
from execution.store.access.connection import guarded, script
from execution.store.access.due_times import DUE_AHEAD_MAX_MS
from execution.store.redis.waiting import intent_of

READ_BATCH = 500
# How often a store that nobody has looked over yet is asked whether somebody has.
LOOK_AGAIN_MS = 2_000


class RedisStore:
    """The store of record."""

    def __init__(self, client: Redis, clock: Clock, commits: CommitCounter | None = None) -> None:
        self._redis: Any = client
        self._clock = clock
        self._commits = commits or CommitCounter()
        self._epoch: Epoch | None = None
        self._was_connected = False
        self._look_again_ms = 0
        self._commit = script(client, "commit")
        self._take_due = script(client, "take_due")
        self._make_due = script(client, "make_due")
        self._learn_epoch = script(client, "learn_epoch")
        self._lease = script(client, "lease")
        self._release = script(client, "release")

    @guarded
    def commit(self, change: Change) -> Committed:
        after = change.after
        # The first thing that is ever known of a server is its epoch: a server that has orders
        # and no epoch would pass for one that has restarted.
        self.epoch()
        answer = self._commit(
            keys=[
                keys.order(after.order_id),
                keys.position(after.account, after.symbol),
                keys.DUE,
                keys.ORDERS,
                keys.live(after.account),
                keys.exchange_ids(after.account),
                keys.hold(after.account),
                keys.SIGNALS,
                keys.POSITIONS,
                keys.UNARCHIVED,
                keys.HALTS,
                keys.POSITION_VERSIONS,
                keys.EPOCH,
                keys.VERIFIED,
                keys.ACCOUNTS,
                keys.COMMITS,
                keys.address_hold(change.address),
            ],
            args=commit_arguments(change, self._commits.known),
        )
        committed = self._commits.read(answer)
        if committed is Committed.RESTARTED:
            self._epoch = None
        return committed

    @guarded
    def epoch(self, *, fresh: bool = False) -> Epoch:
        known = self._epoch
        now_ms = self._clock.now_ms()
        if fresh or known is None or (not known.is_whole and now_ms >= self._look_again_ms):
            known = self._learned(begin_anew=False)
        return known

    @guarded
    def begin_epoch(self) -> Epoch:
        return self._learned(begin_anew=True)

    def _learned(self, *, begin_anew: bool) -> Epoch:
        """Ask the server for its epoch; again soon if it was not looked over yet."""
        name, age_ms, is_whole, commits = self._learn_epoch(
            keys=[keys.EPOCH, keys.ORDERS, keys.VERIFIED, keys.COMMITS],
            args=[
                "1" if self._was_connected else "0",
                "1" if begin_anew else "0",
                self._commits.known,
            ],
        )
        self._commits.learn(commits)
        self._was_connected = True
        now_ms = self._clock.now_ms()
        self._look_again_ms = now_ms + LOOK_AGAIN_MS
        # Whole seconds, rounded towards now: the answer took a moment to come.
        since_ms = 0 if age_ms < 0 else now_ms - age_ms // 1000 * 1000
        known = self._epoch
        if known is not None and known.run_id == name:
            since_ms = known.since_ms
        self._epoch = Epoch(name, since_ms, bool(is_whole))
        return self._epoch

    @guarded
    def order(self, order_id: str) -> Order | None:
        doc = self._redis.hget(keys.order(order_id), "doc")
        return None if doc is None else order_from_json(doc)

    @guarded
    def orders(self, state: OrderState | None = None, account: str | None = None) -> list[Order]:
        found = self._load(self._redis.zrange(keys.ORDERS, 0, -1))
        return [
            order
            for order in found
            if (state is None or order.state is state)
            and (account is None or order.account == account)
        ]

    @guarded
    def live_orders(self, account: str) -> list[Order]:
        return self._load(sorted(self._redis.smembers(keys.live(account))))

    @guarded
    def accounts(self) -> list[str]:
        return sorted(self._redis.smembers(keys.ACCOUNTS) - {keys.PRESENT})

    def _load(self, order_ids: Iterable[str]) -> list[Order]:
        return list(self._load_each(order_ids))

    def _load_each(self, order_ids: Iterable[str]) -> Iterator[Order]:
        for batch in _batches(order_ids):
            pipe = self._redis.pipeline(transaction=False)
            for order_id in batch:
                pipe.hget(keys.order(order_id), "doc")
            yield from (order_from_json(doc) for doc in pipe.execute() if doc is not None)

    @guarded
    def order_ids_by_exchange_id(
        self, account: str, symbol: str, exchange_order_ids: Iterable[str]
    ) -> dict[str, str]:
        wanted = sorted(set(exchange_order_ids))
        if not wanted:
            return {}
        fields = [f"{symbol} {exchange_id}" for exchange_id in wanted]
        known = self._redis.hmget(keys.exchange_ids(account), fields)
        return {wanted[i]: order_id for i, order_id in enumerate(known) if order_id is not None}

    @guarded
    def due(self, now_ms: int, limit: int, lease_ms: int) -> list[str]:
        return list(
            self._take_due(keys=[keys.DUE], args=[now_ms, limit, lease_ms, DUE_AHEAD_MAX_MS])
        )

    @guarded
    def postpone(self, order_id: str, due_ms: int) -> None:
        self._redis.zadd(keys.DUE, {order_id: due_ms}, xx=True)

    @guarded
    def make_due(self, account: str, now_ms: int, later_than_ms: int, apart_ms: int) -> int:
        args = [now_ms, later_than_ms, apart_ms]
        return int(self._make_due(keys=[keys.live(account), keys.DUE], args=args))

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

    @guarded
    def take_intents(self, count: int, older_than_ms: int) -> list[Intent]:
        seconds, micros = self._redis.time()
        now_ms = seconds * 1000 + micros // 1000
        pipe = self._redis.pipeline(transaction=False)
        pipe.xrange(keys.SIGNALS, "-", str(now_ms - older_than_ms), count=count)
        # Ids are the producers' to choose, and one that is ahead puts all later ones ahead as well.
        pipe.xrange(keys.SIGNALS, str(now_ms + 1 + max(0, -older_than_ms)), "+", count=count)
        old, ahead = pipe.execute()
        return [intent_of(*entry) for entry in (old + ahead)[:count]]

    @guarded
    def settle_intent(self, entry_id: str) -> None:
        pipe = self._redis.pipeline(transaction=True)
        _settle(pipe, entry_id)
        pipe.execute()

    @guarded
    def refuse_intent(self, refused: RefusedIntent, entry_id: str | None) -> None:
        fields = {
            "task": refused.task,
            "body": refused.body,
            "reason": refused.reason,
            "time": refused.time.isoformat(),
        }
        pipe = self._redis.pipeline(transaction=True)
        pipe.xadd(keys.REFUSED, fields, maxlen=keys.REFUSED_MAX, approximate=True)
        if entry_id is not None:
            _settle(pipe, entry_id)
        pipe.execute()

    @guarded
    def refused_intents(self, count: int) -> list[RefusedIntent]:
        entries = self._redis.xrevrange(keys.REFUSED, count=count)
        return [
            RefusedIntent(
                entry["task"], entry["body"], entry["reason"], datetime.fromisoformat(entry["time"])
            )
            for _, entry in entries
        ]

    @guarded
    def hold(self, account: str, seconds: int) -> None:
        pipe = self._redis.pipeline(transaction=True)
        pipe.set(keys.hold(account), "1", ex=seconds, nx=True)
        # A shorter wait does not end a longer one.
        pipe.expire(keys.hold(account), seconds, gt=True)
        pipe.execute()

    @guarded
    def end_hold(self, account: str) -> bool:
        return bool(self._redis.delete(keys.hold(account)))

    @guarded
    def clock_offset(self, account: str, host: str) -> ClockOffset | None:
        text = self._redis.hget(keys.clocks(account), keys.clock_field(host))
        return None if text is None else ClockOffset(**json.loads(text))

    @guarded
    def set_clock_offset(self, account: str, host: str, offset: ClockOffset) -> None:
        self._redis.hset(keys.clocks(account), keys.clock_field(host), json.dumps(asdict(offset)))

    @guarded
    def halt(self, halt: Halt) -> None:
        self._redis.hset(keys.HALTS, halt.account or keys.ALL, _halt_text(halt))

    @guarded
    def resume(self, account: str | None) -> bool:
        return bool(self._redis.hdel(keys.HALTS, account or keys.ALL))

    @guarded
    def halts(self) -> list[Halt]:
        found = sorted(self._redis.hgetall(keys.HALTS).items())
        return [_halt_from(field, json.loads(text)) for field, text in found]

    @guarded
    def lease(self, name: str, owner: str, ttl_ms: int) -> bool:
        return bool(self._lease(keys=[keys.lease(name)], args=[owner, ttl_ms]))

    @guarded
    def release(self, name: str, owner: str) -> None:
        self._release(keys=[keys.lease(name)], args=[owner])

    @guarded
    def ping(self) -> None:
        self._redis.ping()


def _settle(pipe: Any, entry_id: str) -> None:
    pipe.xdel(keys.SIGNALS, entry_id)
    pipe.hdel(keys.WAITING, entry_id)
    pipe.zrem(keys.WAITING_DUE, entry_id)


def _halt_text(halt: Halt) -> str:
    return json.dumps({"reason": halt.reason, "since": halt.since.isoformat()})


def _halt_from(field: str, stored: dict[str, str]) -> Halt:
    account = None if field == keys.ALL else field
    return Halt(account, stored["reason"], datetime.fromisoformat(stored["since"]))


def _batches(order_ids: Iterable[str]) -> Iterator[list[str]]:
    waiting = list(order_ids)
    for start in range(0, len(waiting), READ_BATCH):
        yield waiting[start : start + READ_BATCH]
