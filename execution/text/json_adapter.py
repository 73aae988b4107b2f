"""Values as JSON, and back."""

from functools import cached_property
from typing import Any, Generic, TypeVar

from pydantic import TypeAdapter

T = TypeVar("T")


class JsonAdapter(Generic[T]):
    """Pydantic's adapter of a type, built when it is first used: building all of them takes longer
    than a command that reads a few records."""

    def __init__(self, kind: type[T]) -> None:
        self._kind = kind

    @cached_property
    def _adapter(self) -> TypeAdapter[T]:
        return TypeAdapter(self._kind)

    def dump_json(self, value: T, **options: Any) -> bytes:
        return self._adapter.dump_json(value, **options)

    def validate_json(self, text: str | bytes) -> T:
        """Raises pydantic.ValidationError."""
        return self._adapter.validate_json(text)
