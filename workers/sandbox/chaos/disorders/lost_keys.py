"""Deletes keys of positions from Redis, and some indexes of orders."""

import random
from collections.abc import Sequence
from typing import Any

from execution.store.access import keys
from execution.store.access.connection import connect, guarded

INDEXES_MAX = 2


class LostKeys:
    """Deletes a random set of keys at a time. The orders' records stay: an unsent order exists
    nowhere else."""

    def __init__(
        self, redis_url: str, seed: int, accounts: Sequence[str], symbols: Sequence[str]
    ) -> None:
        self._url = redis_url
        self._dice = random.Random(f"keys {seed}")  # noqa: S311  # Nothing secret is drawn.
        self._holding = [
            *(keys.position(account, symbol) for account in accounts for symbol in symbols),
            keys.POSITIONS,
            keys.POSITION_VERSIONS,
            keys.VERIFIED,
            keys.CHECKPOINT,
        ]
        self._indexes = [
            keys.ORDERS,
            keys.DUE,
            keys.UNARCHIVED,
            keys.LEAVING,
            keys.EPOCH,
            keys.LEDGER,
            keys.COMMITS,
            keys.ACCOUNTS,
            *(keys.live(account) for account in accounts),
            *(keys.exchange_ids(account) for account in accounts),
        ]

    @guarded
    def lose(self) -> int:
        """Delete at least one key of positions, and up to two others; returns how many of them
        existed. Raises StoreUnavailable."""
        dice = self._dice
        lost = dice.sample(self._holding, dice.randint(1, len(self._holding)))
        lost += dice.sample(self._indexes, dice.randint(0, INDEXES_MAX))
        client: Any = connect(self._url)
        deleted = int(client.delete(*lost))
        client.close()
        return deleted
