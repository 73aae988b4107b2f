"""What processes show each other in Redis: which workers are alive, leases, clock offsets."""

import json
from dataclasses import asdict

from redis import Redis

from execution.exchanges.port import ClockOffset
from execution.operations.live_workers import BEAT_TTL_MS, MISSING_TTL_MS, LiveWorker, needs_met
from execution.store.access import keys
from execution.store.access.connection import RedisStore, guarded, script
from execution.text.json_adapter import JsonAdapter

_WORKER = JsonAdapter(LiveWorker)


class RedisWorkers(RedisStore):
    """See WorkerRegistry. A key with a time to live for each worker, and a set of their names."""

    @guarded
    def beat(self, worker: LiveWorker) -> None:
        pipe = self._redis.pipeline(transaction=True)
        text = _WORKER.dump_json(worker).decode()
        pipe.set(keys.worker(worker.identity), text, px=BEAT_TTL_MS)
        pipe.sadd(keys.WORKERS, worker.identity)
        met = needs_met(worker)
        if met:
            pipe.delete(*map(keys.missing, met))
        pipe.execute()

    @guarded
    def leave(self, worker: LiveWorker) -> None:
        pipe = self._redis.pipeline(transaction=True)
        pipe.delete(keys.worker(worker.identity))
        pipe.srem(keys.WORKERS, worker.identity)
        pipe.execute()

    @guarded
    def live(self) -> list[LiveWorker]:
        names = sorted(self._redis.smembers(keys.WORKERS))
        texts = self._redis.mget(map(keys.worker, names)) if names else []
        gone = [name for name, text in zip(names, texts, strict=True) if text is None]
        if gone:
            # A worker that beats at the same time is back in the set with its next beat.
            self._redis.srem(keys.WORKERS, *gone)
        return [_WORKER.validate_json(text) for text in texts if text is not None]

    @guarded
    def missing_since_ms(self, what: str, now_ms: int) -> int:
        key = keys.missing(what)
        pipe = self._redis.pipeline(transaction=True)
        pipe.set(key, now_ms, nx=True)
        pipe.pexpire(key, MISSING_TTL_MS)
        pipe.get(key)
        return int(pipe.execute()[-1])


class RedisLeases(RedisStore):
    """See LeaseStore."""

    def __init__(self, client: Redis) -> None:
        super().__init__(client)
        self._lease = script(client, "lease")
        self._release = script(client, "release")

    @guarded
    def lease(self, name: str, owner: str, ttl_ms: int) -> bool:
        return bool(self._lease(keys=[keys.lease(name)], args=[owner, ttl_ms]))

    @guarded
    def release(self, name: str, owner: str) -> None:
        self._release(keys=[keys.lease(name)], args=[owner])


class RedisClocks(RedisStore):
    """See ClockStore."""

    @guarded
    def clock_offset(self, account: str, host: str) -> ClockOffset | None:
        text = self._redis.hget(keys.clocks(account), keys.clock_field(host))
        return None if text is None else ClockOffset(**json.loads(text))

    @guarded
    def set_clock_offset(self, account: str, host: str, offset: ClockOffset) -> None:
        self._redis.hset(keys.clocks(account), keys.clock_field(host), json.dumps(asdict(offset)))
