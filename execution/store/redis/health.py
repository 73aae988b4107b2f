"""Health data of Redis. See health.HealthStore."""

from uuid import uuid4

from redis import Redis

from execution.model.errors import StoreUnavailable
from execution.operations.health import Backlog, ServerFacts, Tick
from execution.orders.codec import order_from_json
from execution.store.access import keys
from execution.store.access.connection import RedisStore, guarded, script

SETTINGS = ("appendonly", "appendfsync", "maxmemory-policy")
PROBE_TTL_S = 60
# The order that has waited longest is searched among this many of the oldest.
LOOKED_AT = 100


class RedisHealth(RedisStore):
    """Asks for little: none of it grows with what the server holds, but for two counts."""

    def __init__(self, client: Redis) -> None:
        super().__init__(client)
        self._tick = script(client, "tick")

    @guarded
    def server(self) -> ServerFacts:
        info = self._redis.info()
        is_master = info.get("role") == "master"
        settings = {name: self._redis.config_get(name).get(name, "") for name in SETTINGS}
        return ServerFacts(
            version=str(info.get("valkey_version") or info.get("redis_version") or "unknown"),
            is_master=is_master,
            master="" if is_master else f"{info.get('master_host')}:{info.get('master_port')}",
            memory_used=int(info.get("used_memory", 0)),
            memory_max=int(info.get("maxmemory", 0)),
            is_append_failing=info.get("aof_last_write_status", "ok") != "ok",
            settings=settings,
        )

    @guarded
    def probe(self) -> None:
        text = uuid4().hex
        key = keys.probe(text)
        self._redis.set(key, text, ex=PROBE_TTL_S)
        read = self._redis.get(key)
        self._redis.delete(key)
        if read != text:
            raise StoreUnavailable("Redis: what was written could not be read back")

    @guarded
    def tick(self, name: str, error: str = "") -> None:
        self._tick(keys=[keys.TICKS], args=[name, error])

    @guarded
    def ticks(self) -> dict[str, Tick]:
        now_ms = self._now_ms()
        ticks = {}
        for name, text in self._redis.hgetall(keys.TICKS).items():
            ran_ms, _, error = text.partition(" ")
            ticks[name] = Tick(max(0, now_ms - int(ran_ms)), error)
        return ticks

    @guarded
    def backlog(self) -> Backlog:
        now_ms = self._now_ms()
        pipe = self._redis.pipeline(transaction=False)
        pipe.xlen(keys.SIGNALS)
        pipe.xrange(keys.SIGNALS, count=1)
        pipe.xlen(keys.REFUSED)
        pipe.zcard(keys.UNARCHIVED)
        # The lowest scores: an order's is its creation; the index marker comes last.
        pipe.zrange(keys.UNARCHIVED, 0, LOOKED_AT - 1)
        intents, oldest, refused, unarchived, first = pipe.execute()
        waiting = [order_id for order_id in first if order_id != keys.PRESENT]
        is_marked = self._redis.zscore(keys.UNARCHIVED, keys.PRESENT) is not None
        entry_id = oldest[0][0] if oldest else ""
        return Backlog(
            intents=intents,
            oldest_intent=entry_id,
            oldest_intent_ms=now_ms - int(entry_id.split("-")[0]) if entry_id else None,
            refused=refused,
            unarchived=unarchived - is_marked,
            oldest_unarchived_ms=self._changed_ago_ms(waiting, now_ms),
        )

    def _changed_ago_ms(self, order_ids: list[str], now_ms: int) -> int | None:
        """How long ago the one that waits longest was changed."""
        docs = self._docs(map(keys.order, order_ids))
        changed = [order_from_json(doc).updated_at for doc in docs]
        return now_ms - int(min(changed).timestamp() * 1000) if changed else None

    def _now_ms(self) -> int:
        seconds, micros = self._redis.time()
        return int(seconds * 1000 + micros // 1000)
