"""Records as plain values for JSON and tables: numbers as decimal strings, times in ISO 8601."""

from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from typing import Any

from execution.model.decimals import to_text

Json = dict[str, Any]


def plain_value(value: object) -> Any:
    """The value, or every value in a record, mapping or sequence, as JSON can have it."""
    if isinstance(value, Decimal):
        return to_text(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Mapping):
        return {name: plain_value(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain_value(item) for item in value]
    if is_dataclass(value):
        return fields_of(value, [field.name for field in fields(value)])
    return value


def fields_of(record: object, names: Iterable[str]) -> Json:
    """The named fields of a record."""
    return {name: plain_value(getattr(record, name)) for name in names}


def time_text(moment: datetime | None) -> str | None:
    """ISO 8601 in UTC."""
    text: str | None = plain_value(moment)
    return text
