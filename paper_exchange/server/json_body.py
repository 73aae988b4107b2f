"""JSON of the control calls: numbers are exact, and errors are one sentence."""

import json
from decimal import Decimal, InvalidOperation


class ControlError(Exception):
    """An invalid control call; the message is for the client."""


def decode(body: bytes) -> object:
    """Decode JSON; a number with a point becomes a Decimal."""
    try:
        decoded: object = json.loads(body, parse_float=Decimal, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise ControlError("the body must be JSON") from None
    return decoded


def encode(value: object) -> bytes:
    """Encode as compact JSON; a Decimal becomes a string."""
    return json.dumps(value, separators=(",", ":"), default=str).encode()


def read_decimal(name: str, value: object) -> Decimal:
    """A positive number, as a string or as a JSON number."""
    if isinstance(value, str | int | Decimal) and not isinstance(value, bool):
        try:
            number = Decimal(value)
        except InvalidOperation:
            number = Decimal(0)
        if number.is_finite() and number > 0:
            return number
    raise ControlError(f"{name} must be a positive number, not {value!s}")


def _refuse_constant(name: str) -> None:
    raise ValueError(name)
