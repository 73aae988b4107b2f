"""The epoch of a Redis server."""

from redis import Redis

from execution.model.clock import Clock
from execution.orders.store import Epoch
from execution.store.access import keys
from execution.store.access.commit_counter import CommitCounter
from execution.store.access.connection import RedisStore, guarded, script

# How often an unverified store is checked for a verification.
ASK_AGAIN_MS = 2_000


class RedisEpochs(RedisStore):
    """See EpochStore. What the server said last is used until it is no longer true."""

    def __init__(self, client: Redis, clock: Clock, commits: CommitCounter) -> None:
        super().__init__(client)
        self._clock = clock
        self._commits = commits
        self._epoch: Epoch | None = None
        self._was_connected = False
        self._ask_again_ms = 0
        self._learn_epoch = script(client, "learn_epoch")

    @guarded
    def epoch(self, *, fresh: bool = False) -> Epoch:
        known = self._epoch
        now_ms = self._clock.now_ms()
        if fresh or known is None or (not known.is_whole and now_ms >= self._ask_again_ms):
            known = self._learned(begins=False)
        return known

    @guarded
    def begin_epoch(self) -> Epoch:
        return self._learned(begins=True)

    def forget(self) -> None:
        """The epoch is over: read the new one when it is next needed."""
        self._epoch = None

    def _learned(self, *, begins: bool) -> Epoch:
        """Read the server's epoch; again soon if it is not verified yet."""
        name, age_ms, is_whole, commits = self._learn_epoch(
            keys=[keys.EPOCH, keys.ORDERS, keys.VERIFIED, keys.COMMITS],
            args=[
                "1" if self._was_connected else "0",
                "1" if begins else "0",
                self._commits.known,
            ],
        )
        self._commits.learn(commits)
        self._was_connected = True
        now_ms = self._clock.now_ms()
        self._ask_again_ms = now_ms + ASK_AGAIN_MS
        # Whole seconds, rounded towards now, because the answer took some time.
        since_ms = 0 if age_ms < 0 else now_ms - age_ms // 1000 * 1000
        known = self._epoch
        if known is not None and known.run_id == name:
            since_ms = known.since_ms
        self._epoch = Epoch(name, since_ms, bool(is_whole))
        return self._epoch
