"""Arguments of every command, hostile and without an effect, drawn from a seed."""

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass

from tests.fuzz.odd import ODD_TEXTS, ODD_VALUES, invalid_order

TEXTS = (
    *(text.replace("\x00", "\x01") for text in ODD_TEXTS if text != "\ud800"),
    "\udcff\udcfe", "--", "-", "=", "--json=", "/", "/dev/null", "/proc/self/mem", "..", "~", "*",
    "0000-01-01", "9999-12-31T23:59-23:59", "2030-13-01", "binance-main", "BTC/USDT", "filled",
    "open", "nan", "1e400", "-9" * 30, "a:b", "[bold]", "%", "\\", "\t",
)  # fmt: skip
_FILTERS = ("--last", "--since", "--account", "--symbol", "--strategy", "--state", "--json")
# Commands that only read, with their options.
READING: dict[str, tuple[str, ...]] = {
    "orders": (*_FILTERS, "--archived"),
    "refused": _FILTERS,
    "arbitrages": _FILTERS,
    "positions": ("--account", "--symbol", "--last", "--json"),
    "reconciliations": ("--account", "--last", "--since", "--json"),
    "waiting": ("--json",),
    "order": ("--json",),
    "report": ("--since", "--html", "--csv", "--parquet", "--json"),
    "rebuild": ("--json", "--account"),
}
# These need the exchange and more time.
SLOW: dict[str, tuple[str, ...]] = {
    "accounts": ("--account", "--json"),
    "inventory": ("--json",),
    "doctor": ("--json",),
    "reconcile": ("--account",),
}
# What stands first is wrong in every case, so that nothing starts and nothing is halted.
WRONG: tuple[tuple[str, ...], ...] = (
    ("halt", "--account", "no-such-account"),
    ("halt", "--account", "\udcff"),
    ("resume", "--no-such"),
    ("cancel", "--no-such"),
    ("settle", "no-such-order", "--not-there", "--exchange-order-id", "1"),
    ("demo", "--signals", "1"),
    ("demo", "--seed", "x"),
    ("chaos", "--minutes", "nan"),
    ("chaos", "--orders", "-1"),
    ("chaos", "--arbitrages", "-1"),
    ("collect", "--no-such"),
    ("scan", "--no-such"),
    ("redis", "--port", "0"),
    ("redis", "--port", "99999"),
    ("redis", "--dir"),
    ("paper", "--no-such"),
    ("paper", "--port", "x"),
    ("paper", "--balance", "="),
    ("paper", "--account", ""),
    ("no-such-command",),
    ("--no-such",),
)


@dataclass(frozen=True, slots=True)
class CommandLine:
    """What to run, with what on its standard input."""

    arguments: list[str]
    stdin: bytes = b""


def command_lines(seed: int) -> Iterator[CommandLine]:
    """Draw command lines without an end, the same ones for the same seed."""
    dice = random.Random(seed)
    makers = [_reading] * 12 + [_wrong] * 6 + [_unknown_id] * 3 + [_submit] * 3 + [_slow]
    while True:
        yield dice.choice(makers)(dice)


def _options(dice: random.Random, command: str, known: tuple[str, ...]) -> CommandLine:
    arguments = [command]
    for _ in range(dice.randint(1, 3)):
        option = dice.choice((*known, "--no-such", "-x", dice.choice(TEXTS)))
        if option in ("--html", "--csv", "--parquet"):
            arguments += [
                option,
                dice.choice(("/", "/proc/x", "/dev/full", "", "a\x01b", "x" * 300)),
            ]
        elif option in ("--json", "--archived"):
            arguments.append(option)
        else:
            arguments.append(option)
            if dice.random() < 0.9:
                arguments.append(dice.choice(TEXTS))
    return CommandLine(arguments)


def _reading(dice: random.Random) -> CommandLine:
    command = dice.choice(sorted(READING))
    return _options(dice, command, READING[command])


def _slow(dice: random.Random) -> CommandLine:
    command = dice.choice(sorted(SLOW))
    return _options(dice, command, SLOW[command])


def _wrong(dice: random.Random) -> CommandLine:
    further = [dice.choice(TEXTS) for _ in range(dice.randrange(3))]
    return CommandLine([*dice.choice(WRONG), *further])


def _unknown_id(dice: random.Random) -> CommandLine:
    command = dice.choice((["order"], ["cancel"], ["settle", "--not-there"]))
    json_option = dice.choice(([], ["--json"]))
    return CommandLine([*command, *json_option, dice.choice(TEXTS)])


def _submit(dice: random.Random) -> CommandLine:
    if dice.random() < 0.2:
        return CommandLine(["submit", dice.choice(TEXTS)])
    lines = [json.dumps(invalid_order(dice, "fuzz")).encode() for _ in range(dice.randint(1, 5))]
    lines += [json.dumps(dice.choice(ODD_VALUES)).encode(), b"\xff\xfe", b"\x00", b"{" * 2_000]
    dice.shuffle(lines)
    ending = dice.choice((b"\n", b"\r\n", b"\r", b"\n\n"))
    return CommandLine(["submit", "-", *dice.choice(([], ["--json"]))], ending.join(lines))
