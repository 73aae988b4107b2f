"""The registry of live workers in Redis. See live_workers.WorkerRegistry."""

from typing import Any

from redis import Redis

from execution.operations.live_workers import BEAT_TTL_MS, MISSING_TTL_MS, LiveWorker, needs_met
from execution.store.access import keys
from execution.store.access.connection import guarded
from execution.text.json_adapter import JsonAdapter

_WORKER = JsonAdapter(LiveWorker)


class RedisWorkers:
    """A key with a time to live for each worker, and a set of all names."""

    def __init__(self, client: Redis) -> None:
        self._redis: Any = client

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
