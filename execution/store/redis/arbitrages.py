"""Arbitrages in Redis. See ArbitrageStore."""

from redis import Redis

from execution.arbitrage.model import Arbitrage, ArbitrageState
from execution.arbitrage.store import ArbitrageChange, NewLeg
from execution.orders.store import Committed
from execution.store.access import keys
from execution.store.access.codec import created_us, record_arguments, token
from execution.store.access.commit_counter import CommitCounter
from execution.store.access.connection import RedisStore, guarded, script
from execution.store.access.due_times import DUE_AHEAD_MAX_MS
from execution.text.json_adapter import JsonAdapter

_ARBITRAGE = JsonAdapter(Arbitrage)


class RedisArbitrages(RedisStore):
    """Records, what is due, and nothing that the orders do not say themselves."""

    def __init__(
        self, client: Redis, remember_s: int, commits: CommitCounter | None = None
    ) -> None:
        super().__init__(client)
        self._commits = commits or CommitCounter()
        self._remember_s = remember_s
        self._commit = script(client, "commit_arbitrage")
        self._take_due = script(client, "take_due")

    @guarded
    def commit(self, change: ArbitrageChange) -> Committed:
        answer = self._commit(
            keys=[
                keys.arbitrage(change.after.arbitrage_id),
                keys.ARBITRAGES,
                keys.ARBITRAGES_DUE,
                keys.SIGNALS,
                keys.HALTS,
                keys.DUE,
                keys.ORDERS,
                keys.UNARCHIVED,
                keys.EPOCH,
                keys.ACCOUNTS,
                keys.COMMITS,
                *(key for leg in change.legs for key in _leg_keys(leg)),
            ],
            args=[
                *_arguments(change, self._remember_s),
                self._commits.known,
                *(argument for leg in change.legs for argument in _leg_arguments(leg)),
            ],
        )
        return self._commits.read(answer)

    @guarded
    def arbitrage(self, arbitrage_id: str) -> Arbitrage | None:
        doc = self._redis.hget(keys.arbitrage(arbitrage_id), "doc")
        return None if doc is None else _ARBITRAGE.validate_json(doc)

    @guarded
    def arbitrages(self, state: ArbitrageState | None = None) -> list[Arbitrage]:
        names = self._redis.zrange(keys.ARBITRAGES, 0, -1)
        found = self._load(names)
        gone = set(names) - {arbitrage.arbitrage_id for arbitrage in found}
        if gone:
            self._redis.zrem(keys.ARBITRAGES, *gone)
        return [arbitrage for arbitrage in found if state in (None, arbitrage.state)]

    @guarded
    def unfinished(self) -> list[Arbitrage]:
        # Every unfinished one has a due time.
        names = sorted(self._redis.zrange(keys.ARBITRAGES_DUE, 0, -1))
        return [arbitrage for arbitrage in self._load(names) if not arbitrage.has_ended]

    def _load(self, names: list[str]) -> list[Arbitrage]:
        docs = self._docs(keys.arbitrage(name) for name in names)
        return [_ARBITRAGE.validate_json(doc) for doc in docs]

    @guarded
    def due(self, now_ms: int, limit: int, lease_ms: int) -> list[str]:
        args = [now_ms, limit, lease_ms, DUE_AHEAD_MAX_MS]
        return list(self._take_due(keys=[keys.ARBITRAGES_DUE], args=args))

    @guarded
    def rest(self, arbitrage_id: str) -> None:
        self._redis.zrem(keys.ARBITRAGES_DUE, arbitrage_id)

    @guarded
    def postpone(self, arbitrage_id: str, due_ms: int) -> None:
        self._redis.zadd(keys.ARBITRAGES_DUE, {arbitrage_id: due_ms}, xx=True)


def _arguments(change: ArbitrageChange, remember_s: int) -> list[str | int]:
    before, after = change.before, change.after
    return [
        after.arbitrage_id,
        token(before),
        after.version,
        after.revision,
        after.state.value,
        _ARBITRAGE.dump_json(after).decode(),
        created_us(after),
        "" if change.due_ms is None else change.due_ms,
        after.entry_id if after.entry_id is not None and before.version == 0 else "",
        "" if change.epoch is None else change.epoch.run_id,
        remember_s if after.has_ended else "",
        len(change.legs),
    ]


def _leg_keys(leg: NewLeg) -> list[str]:
    order = leg.order
    return [
        keys.order(order.order_id),
        keys.live(order.account),
        keys.exchange_ids(order.account),
        keys.hold(order.account),
        keys.address_hold(leg.address),
    ]


def _leg_arguments(leg: NewLeg) -> list[str | int]:
    return [*record_arguments(leg.order), leg.due_ms, "1" if leg.begins_attempt else "0"]
