"""Orders that are to be archived, and orders that may leave, in Redis. See archive.ArchiveStore."""

from collections.abc import Iterable

from redis import Redis

from execution.ledger.checkpoints import Agreed
from execution.model.clock import Clock
from execution.model.order import Order
from execution.orders.codec import order_from_json
from execution.store.access import keys
from execution.store.access.codec import created_us, exchange_id_field, record_arguments, token
from execution.store.access.connection import RedisStore, guarded, script
from execution.text.json_adapter import JsonAdapter

_AGREED = JsonAdapter(Agreed)


class RedisArchive(RedisStore):
    """The store's side of the archive."""

    def __init__(self, client: Redis, clock: Clock) -> None:
        super().__init__(client)
        self._clock = clock
        self._mark_archived = script(client, "mark_archived")
        self._evict = script(client, "evict")
        self._restore = script(client, "restore")

    @guarded
    def unarchived(self) -> list[str]:
        waiting = self._redis.zrange(keys.UNARCHIVED, 0, -1)
        return [order_id for order_id in waiting if order_id != keys.PRESENT]

    @guarded
    def lists_unarchived(self) -> bool:
        return self._redis.zscore(keys.UNARCHIVED, keys.PRESENT) is not None

    @guarded
    def records(self, order_ids: Iterable[str]) -> list[Order]:
        return [order_from_json(doc) for doc in self._docs(map(keys.order, order_ids))]

    @guarded
    def mark_archived(self, archived: Iterable[tuple[Order, int | None]]) -> None:
        pipe = self._redis.pipeline(transaction=False)
        for order, leave_ms in archived:
            self._mark_archived(
                keys=[keys.order(order.order_id), keys.UNARCHIVED, keys.LEAVING],
                args=[
                    order.order_id,
                    token(order),
                    "" if leave_ms is None else leave_ms,
                    created_us(order),
                ],
                client=pipe,
            )
        pipe.execute()

    @guarded
    def leaving(self, now_ms: int, limit: int) -> list[str]:
        ripe = self._redis.zrangebyscore(keys.LEAVING, "-inf", now_ms, start=0, num=limit)
        if ripe:
            self._redis.zrem(keys.LEAVING, *ripe)
        return list(ripe)

    @guarded
    def evict(self, order: Order, remember_s: int) -> bool:
        has_left = self._evict(
            keys=[
                keys.order(order.order_id),
                keys.UNARCHIVED,
                keys.LEAVING,
                keys.ORDERS,
                keys.DUE,
                keys.live(order.account),
                keys.exchange_ids(order.account),
            ],
            args=[order.order_id, exchange_id_field(order), remember_s],
        )
        return bool(has_left)

    @guarded
    def restore(self, order: Order, leave_ms: int | None) -> None:
        self._restore(
            keys=[
                keys.order(order.order_id),
                keys.LEAVING,
                keys.ORDERS,
                keys.DUE,
                keys.live(order.account),
                keys.exchange_ids(order.account),
                keys.VERIFIED,
                keys.ACCOUNTS,
            ],
            args=[
                *record_arguments(order),
                "1" if order.may_still_trade else "0",
                self._clock.now_ms(),
                exchange_id_field(order),
                "" if leave_ms is None else leave_ms,
            ],
        )

    @guarded
    def ledger_identity(self) -> str | None:
        identity: str | None = self._redis.get(keys.LEDGER)
        return identity

    @guarded
    def set_ledger_identity(self, identity: str) -> None:
        self._redis.set(keys.LEDGER, identity)

    @guarded
    def agreed(self) -> Agreed | None:
        text = self._redis.get(keys.CHECKPOINT)
        return None if text is None else _AGREED.validate_json(text)

    @guarded
    def set_agreed(self, agreed: Agreed) -> None:
        self._redis.set(keys.CHECKPOINT, _AGREED.dump_json(agreed))
