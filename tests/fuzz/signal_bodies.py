"""Bodies of signals for the Python library: wrong by construction, or odd in any way."""

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from oneorder.broker import ARBITRAGE, CANCEL, EXECUTE
from tests.fuzz.odd import (
    ARBITRAGE as SOUND_ARBITRAGE,
)
from tests.fuzz.odd import (
    INVALID_ARBITRAGE,
    INVALID_ORDER,
    MARKET,
    ODD_VALUES,
    invalid_arbitrage,
    invalid_order,
    nested,
)


@dataclass(frozen=True, slots=True)
class SignalBody:
    """What to parse as the task's message; `is_invalid` where it is wrong by construction."""

    task: str
    body: object
    is_invalid: bool


def signal_bodies(seed: int) -> Iterator[SignalBody]:
    """First every field with every value that it never has, then what the dice say."""
    yield from _every_field(EXECUTE, MARKET, INVALID_ORDER)
    yield from _every_field(ARBITRAGE, SOUND_ARBITRAGE, INVALID_ARBITRAGE)
    dice = random.Random(seed)
    while True:
        yield dice.choice((_spoiled, _odd, _text))(dice)


def _every_field(task: str, sound: Any, invalid: Any) -> Iterator[SignalBody]:
    for name, values in invalid.items():
        for value in values:
            yield SignalBody(task, {**sound, "signal_id": "fuzz", name: value}, is_invalid=True)


def _spoiled(dice: random.Random) -> SignalBody:
    if dice.random() < 0.3:
        body = invalid_arbitrage(dice, "fuzz")
        return SignalBody(ARBITRAGE, _written(dice, body), is_invalid=True)
    return SignalBody(EXECUTE, _written(dice, invalid_order(dice, "fuzz")), is_invalid=True)


def _written(dice: random.Random, body: dict[str, Any]) -> object:
    return body if dice.random() < 0.5 else json.dumps(body)


def _odd(dice: random.Random) -> SignalBody:
    """Two fields with any odd value; some are right by accident."""
    task = dice.choice((EXECUTE, ARBITRAGE, CANCEL))
    names = sorted(INVALID_ARBITRAGE if task == ARBITRAGE else INVALID_ORDER)
    body: dict[str, Any] = {**(SOUND_ARBITRAGE if task == ARBITRAGE else MARKET), "signal_id": "f"}
    if task == CANCEL:
        body, names = {}, ["order_id", "account"]
    for name in dice.sample(names, 2):
        body[name] = dice.choice(ODD_VALUES)
    return SignalBody(task, body, is_invalid=False)


def _text(dice: random.Random) -> SignalBody:
    text = json.dumps({**MARKET, "signal_id": "fuzz"})
    body = dice.choice((
        text[: dice.randrange(len(text) - 1)],
        text.encode()[:-1] + dice.randbytes(5) + b"\xff",
        nested(dice.choice((40, 900, 5_000)), dice),
        text[:-1] + ', "amount": "1"}',
        "x" * 70_000,
        dice.choice(ODD_VALUES),
    ))  # fmt: skip
    return SignalBody(dice.choice((EXECUTE, "orders.sweep", "")), body, is_invalid=True)
