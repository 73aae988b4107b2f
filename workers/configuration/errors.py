"""Faults of a worker's settings, in addition to those of `oneorder.setting_faults`."""

import json
import re
from collections.abc import Mapping
from difflib import get_close_matches
from types import UnionType
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from execution.text.cutting import did_you_mean
from oneorder.setting_faults import PREFIX, Place, place_of

_KEYS = re.compile(r"ONEORDER_.+_API_(KEY|SECRET|PASSWORD)(_FILE)?")
_KEY_FIELDS = ("api_key", "api_secret", "api_password")


def wrong_variable(environment: Mapping[str, str], model: type[BaseModel]) -> str | None:
    """The sentence for a variable that is misspelt or not JSON, None if there is none.

    A name that resembles none of ours may be for another program, and is ignored.
    """
    fields = {name.upper(): field for name, field in model.model_fields.items()}
    for variable, value in environment.items():
        upper = variable.upper()
        if not upper.startswith(PREFIX) or _KEYS.fullmatch(upper):
            continue
        name = upper.removeprefix(PREFIX)
        if name not in fields:
            similar = get_close_matches(name, [*fields, "CONFIG"], n=1, cutoff=0.8)
            if similar and name != "CONFIG":
                return f"unknown variable {variable!r}; did you mean {PREFIX + similar[0]!r}?"
        elif _is_table(fields[name].annotation):
            fault = _json_fault(value)
            if fault is not None:
                return f"{variable}: {fault}; write a table as JSON"
    return None


def _is_table(annotation: Any) -> bool:
    return get_origin(annotation) is dict or (
        isinstance(annotation, type) and issubclass(annotation, BaseModel)
    )


def _json_fault(text: str) -> str | None:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return "is not JSON"
    return None if isinstance(value, dict) else "is not a JSON object"


def unknown_setting(error: ErrorDetails, model: type[BaseModel]) -> str:
    """The sentence for a setting that does not exist, with the one that was probably meant."""
    place = place_of(error)
    where = ".".join(str(part) for part in place)
    name = str(place[-1])
    if name in _KEY_FIELDS and place[0] == "accounts":
        variable = f"{PREFIX}{variable_part(str(place[1]))}_{name.upper()}"
        return f"{where}: keys never stand in the settings; set {variable}, or {variable}_FILE"
    inner = _model_at(model, place[:-1])
    return f"unknown setting {where!r}{did_you_mean(name, inner.model_fields) if inner else ''}"


def variable_part(account: str) -> str:
    """The account's name as it stands in the names of its variables."""
    return "".join(letter if letter.isalnum() else "_" for letter in account.upper())


def _model_at(model: type[BaseModel], place: Place) -> type[BaseModel] | None:
    kind: Any = model
    for part in place:
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            field = kind.model_fields.get(str(part))
            kind = None if field is None else _without_none(field.annotation)
        elif get_origin(kind) is dict:
            kind = get_args(kind)[1]
        else:
            return None
    return kind if isinstance(kind, type) and issubclass(kind, BaseModel) else None


def _without_none(annotation: Any) -> Any:
    if get_origin(annotation) not in (Union, UnionType):
        return annotation
    return next(part for part in get_args(annotation) if part is not type(None))
