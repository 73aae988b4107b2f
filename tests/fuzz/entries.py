"""Entries of the signal stream, none of which may become an order, drawn from a seed."""

import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from oneorder.broker import ARBITRAGE, CANCEL, EXECUTE
from tests.fuzz.odd import (
    MARKET,
    ODD_TEXTS,
    ODD_VALUES,
    invalid_arbitrage,
    invalid_order,
    nested,
)

Fields = dict[str | bytes, str | bytes]
HUGE_BYTES = 2_000_000
TASKS = (EXECUTE, CANCEL, ARBITRAGE)


@dataclass(frozen=True, slots=True)
class StreamEntry:
    """What to XADD; with `ahead_ms` under an id that far ahead of the newest one."""

    kind: str
    fields: Fields
    ahead_ms: int = 0


def stream_entries(seed: int) -> Iterator[StreamEntry]:
    """Draw entries without an end, the same ones for the same seed."""
    dice = random.Random(seed)
    while True:
        kind = dice.choices(list(_KINDS), [weight for weight, _ in _KINDS.values()])[0]
        ahead_ms = dice.choice((1_000, 30_000, 3_600_000)) if dice.random() < 0.01 else 0
        yield StreamEntry(kind, _KINDS[kind][1](dice), ahead_ms)


def _id(dice: random.Random) -> str:
    return f"fuzz-{dice.randrange(10**12)}"


def _entry(task: str | bytes, body: object, **more: str | bytes) -> Fields:
    text = body if isinstance(body, (str, bytes)) else json.dumps(body)
    return {"task": task, "body": text, "v": "1", **more}


def _invalid(dice: random.Random) -> Fields:
    return _entry(EXECUTE, invalid_order(dice, _id(dice)))


def _invalid_arbitrage(dice: random.Random) -> Fields:
    return _entry(ARBITRAGE, invalid_arbitrage(dice, _id(dice)))


def _odd_fields(dice: random.Random) -> Fields:
    fields = _entry(dice.choice(TASKS), dice.choice(({}, [], invalid_order(dice, _id(dice)))))
    for name in dice.sample(sorted(fields, key=str), dice.randint(1, 2)):
        del fields[name]
    fields[_text(dice)] = _text(dice)
    return fields


def _odd_task(dice: random.Random) -> Fields:
    task = dice.choice(
        (*ODD_TEXTS, "orders.sweep", "ORDERS.EXECUTE", "orders.advance", EXECUTE + " ")
    )
    return _entry(_encoded(task), {**MARKET, "signal_id": _id(dice)})


def _odd_body(dice: random.Random) -> Fields:
    odd = dice.choice(ODD_VALUES)
    body = dice.choice((odd, [odd, odd], {"signal_id": odd}, {"order_id": [odd]}))
    return _entry(dice.choice(TASKS), _encoded(json.dumps(body)))


def _no_json(dice: random.Random) -> Fields:
    text = json.dumps({**MARKET, "signal_id": _id(dice)})
    cut = text[: dice.randrange(len(text) - 1)]
    twice = text[:-1] + ', "amount": "1"}'
    return _entry(EXECUTE, dice.choice((cut, twice, text + text, "'" + text, text[1:])))


def _binary(dice: random.Random) -> Fields:
    noise = b"\xff" + dice.randbytes(dice.randrange(60))
    body = json.dumps({**MARKET, "signal_id": "HERE"}).encode().replace(b"HERE", noise)
    return dice.choice((_entry(EXECUTE, body), _entry(noise, body), {noise: noise}))


def _deep(dice: random.Random) -> Fields:
    return _entry(dice.choice(TASKS), nested(dice.choice((40, 900, 5_000, 30_000)), dice))


def _huge(dice: random.Random) -> Fields:
    long = "x" * HUGE_BYTES
    return dice.choice((
        _entry(EXECUTE, long),
        _entry(EXECUTE, {**MARKET, "signal_id": long}),
        _entry(EXECUTE, {**MARKET, "signal_id": "fuzz", "amount": "9" * HUGE_BYTES}),
        {**_entry(EXECUTE, {}), long: "x"},
        _entry(long, {}),
    ))  # fmt: skip


def _odd_version(dice: random.Random) -> Fields:
    version = dice.choice((*map(_encoded, ODD_TEXTS), "2", "3", "999999", "0", "-1", "1.0", "01"))
    return _entry(EXECUTE, invalid_order(dice, _id(dice)), v=version)


def _newer(dice: random.Random) -> Fields:
    return _entry(dice.choice(TASKS), {**MARKET, "signal_id": _id(dice), "new": 1}, v="2")


def _unknown_account(dice: random.Random) -> Fields:
    account = f"nowhere-{dice.randrange(20)}"
    return _entry(EXECUTE, {**MARKET, "account": account, "signal_id": _id(dice)})


def _unknown_order(dice: random.Random) -> Fields:
    return _entry(CANCEL, {"order_id": _id(dice)})


def _text(dice: random.Random) -> bytes:
    return _encoded(dice.choice(ODD_TEXTS))


def _encoded(text: str) -> bytes:
    return text.encode(errors="surrogatepass")


_KINDS: dict[str, tuple[int, Callable[[random.Random], Any]]] = {
    "invalid order": (30, _invalid),
    "invalid arbitrage": (10, _invalid_arbitrage),
    "odd fields": (10, _odd_fields),
    "odd task": (8, _odd_task),
    "odd body": (15, _odd_body),
    "no JSON": (8, _no_json),
    "binary": (6, _binary),
    "nested deep": (4, _deep),
    "huge": (0.2, _huge),
    "odd version": (6, _odd_version),
    "newer version": (1, _newer),
    "unknown account": (1, _unknown_account),
    "unknown order": (2, _unknown_order),
}
