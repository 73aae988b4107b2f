"""Intents in Redis: the stream of them, and those that wait."""

import json
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

from redis import Redis

from execution.operations.waiting_intents import WaitingIntent, publication_order
from execution.orders.store import Intent, RefusedIntent
from execution.store.access import keys
from execution.store.access.connection import RedisStore, guarded, script
from execution.store.access.due_times import DUE_AHEAD_MAX_MS

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class RedisIntents(RedisStore):
    """See IntentStore."""

    @guarded
    def take_intents(self, count: int, older_than_ms: int) -> list[Intent]:
        seconds, micros = self._redis.time()
        now_ms = seconds * 1000 + micros // 1000
        pipe = self._redis.pipeline(transaction=False)
        pipe.xrange(keys.SIGNALS, "-", str(now_ms - older_than_ms), count=count)
        # Producers may choose ids, and one in the future puts all later ones in the future, too.
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
        fields = asdict(refused) | {"time": refused.time.isoformat()}
        pipe = self._redis.pipeline(transaction=True)
        pipe.xadd(keys.REFUSED, fields, maxlen=keys.REFUSED_MAX, approximate=True)
        if entry_id is not None:
            _settle(pipe, entry_id)
        pipe.execute()


def _settle(pipe: Any, entry_id: str) -> None:
    pipe.xdel(keys.SIGNALS, entry_id)
    pipe.hdel(keys.WAITING, entry_id)
    pipe.zrem(keys.WAITING_DUE, entry_id)


class RedisWaiting(RedisStore):
    """A hash of them, and a sorted set of when each is due."""

    def __init__(self, client: Redis) -> None:
        super().__init__(client)
        self._set_aside = script(client, "set_aside")
        self._take = script(client, "take_waiting")

    @guarded
    def add(self, task: str, body: str, version: str) -> Intent:
        entry_id = self._redis.xadd(keys.SIGNALS, {"task": task, "body": body, "v": version})
        return Intent(entry_id, task, body, version)

    @guarded
    def intent(self, entry_id: str) -> Intent | None:
        pipe = self._redis.pipeline(transaction=True)
        pipe.hget(keys.WAITING, entry_id)
        pipe.xrange(keys.SIGNALS, entry_id, entry_id)
        waiting, entries = pipe.execute()
        if waiting is not None:
            return _waiting(entry_id, waiting).intent
        return intent_of(*entries[0]) if entries else None

    @guarded
    def set_aside(self, intent: Intent, reason: str, since: datetime, due_ms: int) -> bool:
        doc = {"task": intent.task, "body": intent.body, "v": intent.version, "reason": reason}
        since_ms = (since - _EPOCH) // timedelta(milliseconds=1)
        args = [intent.entry_id, since_ms, json.dumps(doc), due_ms]
        return bool(self._set_aside([keys.SIGNALS, keys.WAITING, keys.WAITING_DUE], args))

    @guarded
    def take(self, now_ms: int, count: int, lease_ms: int) -> list[WaitingIntent]:
        args = [now_ms, count, lease_ms, DUE_AHEAD_MAX_MS]
        entries = self._take([keys.WAITING, keys.WAITING_DUE], args)
        return [_waiting(entries[i], entries[i + 1]) for i in range(0, len(entries), 2)]

    @guarded
    def waiting(self) -> list[WaitingIntent]:
        entries = self._redis.hgetall(keys.WAITING).items()
        return sorted((_waiting(*each) for each in entries), key=publication_order)

    @guarded
    def count(self) -> int:
        return int(self._redis.hlen(keys.WAITING))


def intent_of(entry_id: str, fields: dict[str, str]) -> Intent:
    """A stream entry as an intent; one that lacks a field is refused later, with a sentence."""
    return Intent(entry_id, fields.get("task", ""), fields.get("body", ""), fields.get("v", "1"))


def _waiting(entry_id: str, text: str) -> WaitingIntent:
    since_ms, _, doc = text.partition(" ")
    stored = json.loads(doc)
    return WaitingIntent(
        Intent(entry_id, stored["task"], stored["body"], stored["v"]),
        stored["reason"],
        _EPOCH + timedelta(milliseconds=int(since_ms)),
    )
