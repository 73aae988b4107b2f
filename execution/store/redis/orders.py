"""Orders in Redis (or Valkey), and the positions that their fills move.

Every change of an order is one Lua script: one round trip, and atomic.
"""

from collections.abc import Iterable

from redis import Redis

from execution.model.order import Order, OrderState
from execution.model.position import Position
from execution.orders.codec import order_from_json
from execution.orders.store import Change, Committed
from execution.store.access import keys
from execution.store.access.codec import commit_arguments, position_from_hash
from execution.store.access.commit_counter import CommitCounter
from execution.store.access.connection import RedisStore, guarded, script
from execution.store.access.due_times import DUE_AHEAD_MAX_MS
from execution.store.redis.epochs import RedisEpochs


class RedisOrders(RedisStore):
    """The records, what is due, and how orders are found."""

    def __init__(self, client: Redis, epochs: RedisEpochs, commits: CommitCounter) -> None:
        super().__init__(client)
        self._epochs = epochs
        self._commits = commits
        self._commit = script(client, "commit")
        self._take_due = script(client, "take_due")
        self._make_due = script(client, "make_due")

    @guarded
    def commit(self, change: Change) -> Committed:
        after = change.after
        # The epoch is always read before the first write: a server with orders and without an epoch
        # would pass for a restarted one.
        self._epochs.epoch()
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
            self._epochs.forget()
        return committed

    @guarded
    def order(self, order_id: str) -> Order | None:
        doc = self._redis.hget(keys.order(order_id), "doc")
        return None if doc is None else order_from_json(doc)

    @guarded
    def orders(self, state: OrderState | None = None, account: str | None = None) -> list[Order]:
        found = self._load(self._redis.zrange(keys.ORDERS, 0, -1))
        wanted = (order for order in found if state in (None, order.state))
        return [order for order in wanted if account in (None, order.account)]

    @guarded
    def live_orders(self, account: str) -> list[Order]:
        return self._load(sorted(self._redis.smembers(keys.live(account))))

    @guarded
    def accounts(self) -> list[str]:
        return sorted(self._redis.smembers(keys.ACCOUNTS) - {keys.PRESENT})

    def _load(self, order_ids: Iterable[str]) -> list[Order]:
        return [order_from_json(doc) for doc in self._docs(map(keys.order, order_ids))]

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


class RedisPositions(RedisStore):
    """See PositionStore."""

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
