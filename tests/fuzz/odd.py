"""Odd values that several doors are tried with, and for each field of a signal what it never is."""

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

FAULTS_SHOWN = 5
FAULT_BYTES_MAX = 4_000

ODD_VALUES: tuple[object, ...] = (
    None, True, False, 0, -1, 10**30, 1.5, float("nan"), float("inf"), "", " ", "x", "\x00",
    "\ud800", "é", "\uff58", "a" * 5_000, "9" * 400, "1e9", "-0", "NaN", [], [1], [[]], {},
    {"a": 1}, {"__type__": "datetime", "__value__": 5}, "9999-12-31T23:59:59-12:00", "../..",
    "%s%n{}", "[/x]", "\x1b[2J", "'; --", "$(id)", "0x10", "\uff11\uff12", "\n", "\r\nX: y",
    "\u202e",
    "🙂" * 50,
)  # fmt: skip
ODD_TEXTS: tuple[str, ...] = tuple(value for value in ODD_VALUES if isinstance(value, str))

MARKET: Mapping[str, Any] = {
    "account": "binance-main", "symbol": "BTC/USDT", "side": "buy", "type": "market",
    "amount": "0.01",
}  # fmt: skip
ARBITRAGE: Mapping[str, Any] = {
    "buy_account": "binance-main", "sell_account": "bybit-main", "symbol": "BTC/USDT",
    "amount": "0.01",
}  # fmt: skip
_NO_TEXT: tuple[object, ...] = (None, True, 0, 5, 1.5, [], ["x"], {}, {"a": 1})
_NO_NAME: tuple[object, ...] = (
    *_NO_TEXT, "", " ", "-a", ".a", "a b", "a\n", "a:b", "a/b", "é", "\ud800", "\x00", "x" * 65,
)  # fmt: skip
_NO_AMOUNT: tuple[object, ...] = (
    *_NO_TEXT, "", "0", "0.0", "-1", "+1", "1e5", "1E-5", "NaN", "Infinity", "0,1", " 1", "1 ",
    "1\n", ".5", "5.", "1" * 41, "0x1", "\uff11", "1_0", "\x00", "\ud800",
)  # fmt: skip
# None of them makes a signal, wherever else they stand: the field is required, or null is a value.
INVALID: Mapping[str, tuple[object, ...]] = {
    "signal_id": (*_NO_TEXT, "", " ", "a b", "é", "\ud800", "\n", "x" * 129),
    "symbol": (*_NO_TEXT, "", "/", "BTC/", "/USDT", "BTCUSDT", "btc/usdt", "BTC-USDT",
               "BTC/USDT:USDT", "BTC//USDT", "A/B/C", "BTC/ USDT", "\x00/\x00"),
    "amount": _NO_AMOUNT,
    "colour": ("red", None, [], 5),
    "price ": ("1",),
}  # fmt: skip
INVALID_ORDER: Mapping[str, tuple[object, ...]] = {
    **INVALID,
    "account": _NO_NAME,
    "side": (*_NO_TEXT, "", "BUY", "Buy", "hold", "sell "),
    "type": (*_NO_TEXT, "", "MARKET", "stop", "limit"),
    "price": (*_NO_AMOUNT[1:], "50000"),
    "time_in_force": (*_NO_TEXT[1:], "", "gtc", "GTD", "GTC", "FOK"),
    "expires_at": (*_NO_TEXT[1:], "", "tomorrow", "2030-01-31", "2030-01-31T12:00:00", "12:00",
                   "9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00+14:00", "4102444800",
                   "2030-02-30T00:00:00Z"),
    "strategy": _NO_NAME[1:],
    "reference_price": _NO_AMOUNT[1:],
}  # fmt: skip
INVALID_ARBITRAGE: Mapping[str, tuple[object, ...]] = {
    **INVALID,
    "buy_account": _NO_NAME,
    "sell_account": (*_NO_NAME, "binance-main"),
    "min_profit_bps": _NO_AMOUNT[1:],
    "max_loss_bps": _NO_AMOUNT[1:],
    "side": ("buy",),
}  # fmt: skip


@dataclass(slots=True)
class Tally:
    """What one door was given, and what came of it. A fault is one sentence."""

    door: str
    inputs: int = 0
    refused: int = 0
    effects: int = 0
    tracebacks: int = 0
    faults: list[str] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        return not (self.effects or self.tracebacks or self.faults)

    def fault(self, sentence: str) -> None:
        """Keep what went wrong; with a traceback it counts among those, too."""
        self.tracebacks += "Traceback" in sentence
        self.faults.append(sentence)


def invalid_order(dice: random.Random, signal_id: str) -> dict[str, Any]:
    """A market order of which one field or two are what they never are."""
    return _spoiled(dice, {**MARKET, "signal_id": signal_id}, INVALID_ORDER)


def invalid_arbitrage(dice: random.Random, signal_id: str) -> dict[str, Any]:
    """Likewise an arbitrage."""
    return _spoiled(dice, {**ARBITRAGE, "signal_id": signal_id}, INVALID_ARBITRAGE)


def _spoiled(
    dice: random.Random, body: dict[str, Any], invalid: Mapping[str, tuple[object, ...]]
) -> dict[str, Any]:
    if dice.random() < 0.1:
        del body[dice.choice(sorted(body))]
        return body
    first, *further = dice.sample(sorted(invalid), dice.choice((1, 1, 2)))
    body[first] = dice.choice(invalid[first])
    for name in further:
        # "limit" and "50000" are wrong for a market order each, and right for one together.
        options = [value for value in invalid[name] if value not in ("limit", "50000")]
        if {first, name} != {"type", "time_in_force"} and {first, name} != {"type", "price"}:
            body[name] = dice.choice(options)
    return body


def nested(depth: int, dice: random.Random) -> str:
    """JSON that is nested so deep."""
    return dice.choice(("[" * depth + "]" * depth, '{"a":' * depth + "1" + "}" * depth))
