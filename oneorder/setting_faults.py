"""A fault of a setting as one sentence that names the setting and its source."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic_core import ErrorDetails

from oneorder.sentences import short

PREFIX = "ONEORDER_"
# Addresses may hold passwords; their faults are reported without them.
HIDDEN = ("redis_url", "broker_url", "ledger_url", "sentry_dsn", "base_url")

Place = tuple[int | str, ...]


def place_of(error: ErrorDetails) -> Place:
    """The path of names to the setting, from the outermost table on."""
    return tuple(part for part in error["loc"] if part != "[key]")


def fault_of(error: ErrorDetails) -> str:
    """The fault without the setting's source."""
    place = place_of(error)
    where = ".".join(str(part) for part in place)
    if error["type"] == "missing":
        return f"{where}: is required"
    reason = error["msg"].removeprefix("Value error, ")
    # The value of an unknown setting, or an address, may hold a secret.
    shown = "" if str(place[-1]) in HIDDEN else _short(error["input"])
    value = f" {shown}" if shown else ""
    return f"{where}:{value} {reason[:1].lower()}{reason[1:]}"


def source_of(place: Place, environment: Mapping[str, str], path: Path) -> str:
    """The variable that the setting comes from, or else the file."""
    wanted = f"{PREFIX}{place[0]}".upper() if place else ""
    for variable, text in environment.items():
        if variable.upper() == wanted:
            is_there = len(place) == 1 or _holds(json.loads(text), place[1:])
            return f"(from the variable {variable})" if is_there else f"({path})"
    return f"({path})"


def _holds(value: Any, place: Place) -> bool:
    for part in place:
        if not isinstance(value, dict) or part not in value:
            return False
        value = value[part]
    return True


def _short(value: object) -> str:
    """The value, unless it is a table or list, which may hold anything, a key for example."""
    return short(value) if isinstance(value, (str, int, float)) else ""
