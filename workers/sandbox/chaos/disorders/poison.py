"""Malformed stream entries and raw messages among the signals, which must have no effect."""

import json
import random
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

from execution.model.clock import SystemClock
from execution.model.errors import StoreUnavailable
from execution.store.access import keys
from execution.store.access.connection import connect, guarded
from oneorder.broker import ARBITRAGE, CANCEL, EXECUTE
from workers.sandbox.chaos.disorders.raw_messages import raw_messages

Fields = dict[str, str]
# How many at a time.
BATCH = 5
AHEAD_MS_MAX = 20_000
AHEAD_SHARE = 0.05
DEEP = 20_000
_TIMES = (
    "9999-12-31T23:59:59-12:00",
    "0001-01-01T00:00:00+14:00",
    "tomorrow",
    "2030-02-30T00:00:00Z",
    4_102_444_800,
    "2030-01-01T00:00:00",
)
_NUMBERS: tuple[object, ...] = (
    "1e400",
    "NaN",
    "Infinity",
    "-1",
    "0",
    "9" * 5_000,
    "0." + "0" * 3_000 + "1",
    "\u0661",
    "1_0",
    "",
    0.1,
    10**400,
    True,
    None,
    [],
    {"a": 1},
)
_TEXTS: tuple[object, ...] = (
    "",
    " ",
    "\x00",
    "é",
    "x" * 5_000,
    "../..",
    None,
    5,
    [],
    {},
    "BTCUSDT",
    "BTC/USDT:USDT",
)
_NAMES = ("signal_id", "account", "symbol", "side", "type")
_FIELDS = ("body", "task", "v")
_TASKS = ("orders.nothing", "", "orders.sweep", "\x00", "__import__", "x" * 999)
_NO_JSON = ("", "{", "null", "5", '"x"', "[]", "{}", "\x00", "{'a': 1}", "NaN")


class Poison:
    """Adds entries to the stream of signals and messages to the queues, a few at a time.

    `counts` holds the number of each.
    """

    def __init__(self, redis_url: str, seed: int, account: str) -> None:
        self.counts: Counter[str] = Counter()
        self._url = redis_url
        self._entries = poison_entries(seed, account)
        self._messages = raw_messages(seed)
        self._ahead_ms = 0
        self._dice = random.Random(f"poison {seed}")  # noqa: S311  # Nothing secret is drawn.

    def add(self) -> None:
        """Add a few of both, unless Redis is unreachable."""
        with suppress(StoreUnavailable):
            self._add()

    @guarded
    def _add(self) -> None:
        client: Any = connect(self._url)
        for _ in range(BATCH):
            client.xadd(keys.SIGNALS, next(self._entries), id=self._entry_id())
            self.counts["poison entries"] += 1
            message = next(self._messages)
            client.lpush(message.queue, message.raw)
            self.counts["raw messages"] += 1
        client.close()

    def _entry_id(self) -> str:
        """One in twenty has a future time; so have all later entries, until that time."""
        ahead_ms = SystemClock().now_ms() + self._dice.randint(1_000, AHEAD_MS_MAX)
        # Ids only increase.
        if self._dice.random() > AHEAD_SHARE or ahead_ms <= self._ahead_ms:
            return "*"
        self._ahead_ms = ahead_ms
        return f"{ahead_ms}-*"


def poison_entries(seed: int, account: str) -> Iterator[Fields]:
    """An endless sequence of entries, the same ones for the same seed. None can become an order."""
    dice = random.Random(seed)  # noqa: S311  # Nothing secret is drawn.
    draw = dice.choice

    def signal(**changed: object) -> dict[str, object]:
        """A valid signal except for the changes."""
        return {
            "signal_id": f"poison-{number}",
            "account": account,
            "symbol": "BTC/USDT",
            "side": "buy",
            "type": "market",
            "amount": "0.001",
            **changed,
        }

    def arbitrage() -> dict[str, object]:
        accounts = {"buy_account": account, "sell_account": account}
        signal_id = f"poison-{number}"
        amount = draw(_NUMBERS)
        return {"signal_id": signal_id, **accounts, "symbol": "BTC/USDT", "amount": amount}

    kinds: tuple[Callable[[], Fields], ...] = (
        lambda: _entry(signal(expires_at=draw(_TIMES))),
        lambda: _entry(signal(amount=draw(_NUMBERS))),
        lambda: _entry(signal(**{draw(_NAMES): draw(_TEXTS)}, nonsense=1)),
        lambda: _entry(signal(account=f"nowhere-{dice.randint(1, 3)}")),
        lambda: _entry(signal(), task=draw(_TASKS)),
        lambda: _entry(signal(), version=draw(("2", "7", "999999"))),
        lambda: _entry(signal(), version=draw(("0", "-1", "1.0", "x", "9" * 99))),
        lambda: _entry({"order_id": f"oo1{number:029d}"}, task=CANCEL),
        lambda: _entry(arbitrage(), task=ARBITRAGE),
        lambda: _entry(draw(_nested(draw((50, 1_000, DEEP))))),
        lambda: _entry(signal(strategy="x" * draw((66_000, 200_000)))),
        lambda: _entry(draw(_NO_JSON)),
        lambda: _only(draw(_FIELDS), _entry(signal())),
    )
    number = 0
    while True:
        number += 1
        yield draw(kinds)()


def _only(name: str, fields: Fields) -> Fields:
    return {name: fields[name], "other": "1"}


def _nested(depth: int) -> tuple[str, str]:
    """Lists and objects, one within the other."""
    return "[" * depth + "]" * depth, '{"a":' * depth + "1" + "}" * depth


def _entry(body: object, task: str = EXECUTE, version: str = "1") -> Fields:
    text = body if isinstance(body, str) else json.dumps(body)
    return {"task": task, "body": text, "v": version}
