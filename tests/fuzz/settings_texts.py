"""Settings files and environments, wrong in every part, drawn from a seed."""

import json
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import tomli_w

from tests.fuzz.odd import ODD_TEXTS, ODD_VALUES
from workers.configuration.settings import (
    AccountSettings,
    ArbitrageSettings,
    CollectorSettings,
    LimitSettings,
    Settings,
)

# It stands where passwords stand, and must not come back in any sentence.
CANARY = "fuzz-canary-7b1d"
KEYS = {"ONEORDER_BINANCE_MAIN_API_KEY": "k" * 20, "ONEORDER_BINANCE_MAIN_API_SECRET": CANARY}
SOUND: Mapping[str, Any] = {
    "redis_url": f"redis://:{CANARY}@127.0.0.1:1/0",
    "accounts": {"binance-main": {"exchange": "binance", "base_url": "http://127.0.0.1:1"}},
}
ODD_URLS = (
    "redis://", "redis://127.0.0.1:99999/0", "redis://[::1", "redis://h:x/0", "http://h", "unix://",
    f"redis://u:{CANARY}@h:6379/x", f"amqp://u:{CANARY}@h//", f"://u:{CANARY}@h", "redis:/h",
    "rediss:h", f"redis://{CANARY}@h?db=x", "redis://h/0?socket_timeout=x", "redis://h\x00/0", "sqlite://",
    f"postgresql://u:{CANARY}@/x", "sqlite:////no/such/folder/x.db", "sqlite:///\x00", "x" * 3_000,
)  # fmt: skip
_TABLES = {
    "": Settings,
    "collector": CollectorSettings,
    "arbitrage": ArbitrageSettings,
    "limits": LimitSettings,
    "accounts.binance-main": AccountSettings,
}


@dataclass(frozen=True, slots=True)
class SettingsInput:
    """The settings file's bytes, and the variables besides."""

    kind: str
    file: bytes
    environment: dict[str, str] = field(default_factory=dict)


def settings_inputs(seed: int) -> Iterator[SettingsInput]:
    """Draw settings without an end, the same ones for the same seed."""
    dice = random.Random(seed)
    while True:
        kind = dice.choice(list(_KINDS))
        file, environment = _KINDS[kind](dice)
        yield SettingsInput(kind, file, environment)


def _odd(dice: random.Random) -> Any:
    """Any value that TOML can write."""
    odd = dice.choice((*ODD_VALUES, *ODD_URLS))
    return 5 if odd is None else odd


def _written(settings: Mapping[str, Any]) -> bytes:
    return tomli_w.dumps(settings).encode(errors="surrogatepass")


def _with(dice: random.Random) -> dict[str, Any]:
    """Sound settings of which one or two have odd values."""
    found: dict[str, Any] = json.loads(json.dumps(SOUND))
    for _ in range(dice.randint(1, 2)):
        table, model = dice.choice(list(_TABLES.items()))
        owner: Any = found
        for name in filter(None, table.split(".")):
            owner = owner.setdefault(name, {}) if isinstance(owner, dict) else {}
        name = dice.choice((*model.model_fields, "redis_ulr", "api_key", "colour"))
        if isinstance(owner, dict):
            owner[name] = _odd(dice)
    return found


def _odd_values(dice: random.Random) -> tuple[bytes, dict[str, str]]:
    return _written(_with(dice)), {}


def _odd_tables(dice: random.Random) -> tuple[bytes, dict[str, str]]:
    name = dice.choice(("accounts", "collector", "arbitrage", "limits"))
    odd = _odd(dice)
    return _written({**SOUND, name: dice.choice((odd, {"x": odd}, [{"x": odd}], {"": {}}))}), {}


def _odd_accounts(dice: random.Random) -> tuple[bytes, dict[str, str]]:
    name = dice.choice(("binance_main", "binance-main", "a", "A.b", "x" * 70, "-", "é"))
    exchange = dice.choice((*ODD_TEXTS, "binanse", "kraken", "okx", "coinbase", "gate", "bitflyer"))
    accounts = {**SOUND["accounts"], name: {"exchange": exchange, "timeout_s": _odd(dice)}}
    if dice.random() < 0.7:
        del accounts[name]["timeout_s"]
    part = dice.choice(("KEY", "SECRET", "PASSWORD", "KEY_FILE", "SECRET_FILE"))
    variable = f"ONEORDER_{''.join(c if c.isalnum() else '_' for c in name.upper())}_API_{part}"
    return _written({**SOUND, "accounts": accounts}), {variable: _variable(dice)}


def _spoiled(dice: random.Random) -> tuple[bytes, dict[str, str]]:
    raw = bytearray(_written(SOUND))
    for _ in range(dice.randint(1, 4)):
        raw[dice.randrange(len(raw))] = dice.randrange(256)
    nest = b"x = " + b"[" * 5_000
    return dice.choice((
        bytes(raw), bytes(raw[: dice.randrange(len(raw))]), b"\xef\xbb\xbf" + bytes(raw),
        dice.randbytes(100), nest, b"x = " + b"9" * 5_000, raw + raw, b"\x00",
        _written(SOUND).decode().encode("utf-16"), b"[accounts]\n[accounts]\n", b"a.b.c = 1\n",
        b"redis_url = 1979-05-27T07:32:00Z\n", b"redis_url = nan\n", b"log_level = 1e999\n",
    )), {}  # fmt: skip


def _variables(dice: random.Random) -> tuple[bytes, dict[str, str]]:
    environment = {}
    for name in dice.sample(sorted(Settings.model_fields), dice.randint(1, 2)):
        key = "ONEORDER_" + name.upper()
        environment[dice.choice((key, key.lower(), key + "S"))] = _variable(dice)
    return _written(SOUND), environment


def _keys(dice: random.Random) -> tuple[bytes, dict[str, str]]:
    name = dice.choice(sorted(KEYS)) + dice.choice(("", "_FILE"))
    return _written(SOUND), {name: _variable(dice)}


def _variable(dice: random.Random) -> str:
    """Any text that a variable can hold."""
    odd = dice.choice(
        (*ODD_VALUES, *ODD_URLS, "/", "/dev/null", "/no/such", "{", '{"a": {}}', "[]")
    )
    text = odd if isinstance(odd, str) and dice.random() < 0.8 else json.dumps(odd)
    return "".join(c for c in text.replace("\x00", "") if not "\ud800" <= c <= "\udfff") or " "


_KINDS: dict[str, Callable[[random.Random], tuple[bytes, dict[str, str]]]] = {
    "odd values": _odd_values,
    "odd tables": _odd_tables,
    "odd accounts": _odd_accounts,
    "spoiled file": _spoiled,
    "odd variables": _variables,
    "odd keys": _keys,
}
