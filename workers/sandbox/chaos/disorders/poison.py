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
    draw = _Draw(random.Random(seed), account)  # noqa: S311  # Nothing secret is drawn.
    while True:
        yield draw.entry()


class _Draw:
    """Draws entries, each with its faults."""

    def __init__(self, dice: random.Random, account: str) -> None:
        self._dice = dice
        self._account = account
        self._number = 0
        self._kinds: tuple[Callable[[], Fields], ...] = (
            self._odd_time,
            self._odd_number,
            self._odd_text,
            self._unknown_account,
            self._unknown_task,
            self._newer_version,
            self._no_version,
            self._cancel_of_none,
            self._odd_arbitrage,
            self._deep,
            self._long,
            self._no_json,
            self._fields_missing,
        )

    def entry(self) -> Fields:
        self._number += 1
        return self._dice.choice(self._kinds)()

    def _signal(self, **changed: object) -> dict[str, object]:
        """A valid signal except for the changes."""
        return {
            "signal_id": f"poison-{self._number}",
            "account": self._account,
            "symbol": "BTC/USDT",
            "side": "buy",
            "type": "market",
            "amount": "0.001",
            **changed,
        }

    def _odd_time(self) -> Fields:
        return _entry(self._signal(expires_at=self._dice.choice(_TIMES)))

    def _odd_number(self) -> Fields:
        return _entry(self._signal(amount=self._dice.choice(_NUMBERS)))

    def _odd_text(self) -> Fields:
        name = self._dice.choice(("signal_id", "account", "symbol", "side", "type"))
        return _entry(self._signal(**{name: self._dice.choice(_TEXTS)}, nonsense=1))

    def _unknown_account(self) -> Fields:
        return _entry(self._signal(account=f"nowhere-{self._dice.randint(1, 3)}"))

    def _unknown_task(self) -> Fields:
        return _entry(self._signal(), task=self._dice.choice(_TASKS))

    def _newer_version(self) -> Fields:
        return _entry(self._signal(), version=self._dice.choice(("2", "7", "999999")))

    def _no_version(self) -> Fields:
        return _entry(self._signal(), version=self._dice.choice(("0", "-1", "1.0", "x", "9" * 99)))

    def _cancel_of_none(self) -> Fields:
        return _entry({"order_id": f"oo1{self._number:029d}"}, task=CANCEL)

    def _odd_arbitrage(self) -> Fields:
        body = {
            "signal_id": f"poison-{self._number}",
            "buy_account": self._account,
            "sell_account": self._account,
            "symbol": "BTC/USDT",
            "amount": self._dice.choice(_NUMBERS),
        }
        return _entry(body, task=ARBITRAGE)

    def _deep(self) -> Fields:
        depth = self._dice.choice((50, 1_000, DEEP))
        lists, objects = "[" * depth + "]" * depth, '{"a":' * depth + "1" + "}" * depth
        return _entry(self._dice.choice((lists, objects)))

    def _long(self) -> Fields:
        return _entry(self._signal(strategy="x" * self._dice.choice((66_000, 200_000))))

    def _no_json(self) -> Fields:
        return _entry(self._dice.choice(_NO_JSON))

    def _fields_missing(self) -> Fields:
        kept = self._dice.choice(("body", "task", "v"))
        return {kept: _entry(self._signal())[kept], "other": "1"}


def _entry(body: object, task: str = EXECUTE, version: str = "1") -> Fields:
    text = body if isinstance(body, str) else json.dumps(body)
    return {"task": task, "body": text, "v": version}
