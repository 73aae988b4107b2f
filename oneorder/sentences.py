"""The sentence of a refusal, which names each wrong field and cuts long values."""

import reprlib

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from oneorder.errors import InvalidSignal

# The type of errors whose message is the whole sentence except for the field's name.
WHOLE = "whole_sentence"
SHOWN_MAX = 80
CUT_TO = 56
ERRORS_MAX = 8
_DIGITS_MAX = 60


class _Repr(reprlib.Repr):
    """Formats values of any size and depth at bounded cost."""

    def __init__(self) -> None:
        super().__init__()
        self.maxlevel = 3
        self.maxstring = self.maxother = SHOWN_MAX

    def repr_int(self, x: int, level: int) -> str:
        """Python refuses to format a number of thousands of digits."""
        del level
        return repr(x) if abs(x) < 10**_DIGITS_MAX else f"a number of over {_DIGITS_MAX} digits"


_REPR = _Repr()


def short(value: object) -> str:
    """The value's repr; a long text is cut, with its length."""
    if isinstance(value, (str, bytes)):
        if len(value) <= SHOWN_MAX and len(repr(value)) <= SHOWN_MAX + 2:
            return repr(value)
        return f"{repr(value[:CUT_TO])[:CUT_TO]}... ({len(value):,} characters)"
    text = _REPR.repr(value)
    return text if len(text) <= SHOWN_MAX else f"{text[:CUT_TO]}..."


def sentence_of(error: ValidationError) -> str:
    """All faults, unknown fields first: often they are misspelt required ones."""
    errors = sorted(error.errors(include_url=False), key=lambda e: e["type"] != "extra_forbidden")
    parts = [_part(each) for each in errors[:ERRORS_MAX]]
    if len(errors) > ERRORS_MAX:
        parts.append(f"and {len(errors) - ERRORS_MAX} more")
    return "; ".join(parts)


def _part(error: ErrorDetails) -> str:
    cause = error.get("ctx", {}).get("error")
    if isinstance(cause, InvalidSignal):
        # The constructor's, which is whole.
        return str(cause)
    reason = error["msg"].removeprefix("Value error, ")
    field = name_of(".".join(str(part) for part in error["loc"]))
    match error["type"]:
        case "missing":
            return f"{field}: is required"
        case "extra_forbidden":
            return f"{field}: is not a known field"
        case "string_too_long":
            return f"{field}: {short(error['input'])} is longer than {error['ctx']['max_length']}"
        case "string_pattern_mismatch":
            return f"{field}: {short(error['input'])} is not a valid {field}"
        case "literal_error":
            return f"{field}: {short(error['input'])} is not one of {error['ctx']['expected']}"
        case "string_unicode" if not field:
            # The name itself contains a lone surrogate.
            return f"{name_of(error['input'])}: is not a known field"
        case "whole_sentence":
            return f"{field}: {reason}"
    return f"{field or 'body'}: {short(error['input'])} {reason[:1].lower()}{reason[1:]}"


def name_of(field: str) -> str:
    """The field's name for display, which may be any text that was sent."""
    return field if field.isprintable() and len(field) <= SHOWN_MAX else short(field)
