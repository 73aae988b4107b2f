"""Exact numbers: parsing, formatting and comparing decimals."""

from collections import defaultdict
from collections.abc import Iterable
from decimal import Context, Decimal, InvalidOperation, localcontext
from typing import Annotated

from pydantic import PlainSerializer

from execution.model.errors import NotANumber

ZERO = Decimal(0)

# Sixty digits hold any sum of products of exchange amounts exactly; the default context's
# twenty-eight would round a large notional times a fine fee.
EXACT = Context(prec=60)


def to_decimal(text: object) -> Decimal:
    """The finite decimal in `text` (str, int or Decimal); floats are refused.

    Raises NotANumber, with a sentence, for anything else, including NaN and infinities.
    """
    if isinstance(text, bool) or not isinstance(text, (str, int, Decimal)):
        raise NotANumber(f"{text!r} is not a decimal string")
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise NotANumber(f"{text!r} is not a decimal string") from None
    if not number.is_finite():
        raise NotANumber(f"{text!r} is not a finite number")
    return number


def to_text(number: Decimal) -> str:
    """Format `number`: no exponent, no trailing zeros, no negative zero."""
    if not number:
        return "0"
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def total(numbers: Iterable[Decimal]) -> Decimal:
    """Add up exactly."""
    with localcontext(EXACT):
        return sum(numbers, ZERO)


def total_by(pairs: Iterable[tuple[str, Decimal]]) -> dict[str, Decimal]:
    """Add up exactly, by name."""
    totals: defaultdict[str, Decimal] = defaultdict(Decimal)
    with localcontext(EXACT):
        for name, number in pairs:
            totals[name] += number
    return dict(totals)


def is_multiple(number: Decimal, step: Decimal) -> bool:
    """Whether `number` is a multiple of `step`."""
    return not EXACT.remainder(number, step)


# A decimal that is a plain decimal string in JSON.
Money = Annotated[Decimal, PlainSerializer(to_text, return_type=str, when_used="json")]
