"""Numbers are read exactly or not at all, and written plainly."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from execution.model.decimals import is_multiple, to_decimal, to_text
from execution.model.errors import NotANumber
from tests.support.depth import examples


@pytest.mark.parametrize(
    ("text", "number"),
    [("0.10", "0.1"), (7, "7"), (Decimal("1E+3"), "1000"), ("-2.5", "-2.5"), ("1e-8", "1E-8")],
)
def test_decimal_strings_integers_and_decimals_are_numbers(text: object, number: str) -> None:
    assert to_decimal(text) == Decimal(number)


@pytest.mark.parametrize(
    "text",
    [0.1, True, False, None, "", "one", "1,5", "0x10", "NaN", "sNaN", "Infinity", "-inf",
     Decimal("NaN"), Decimal("Infinity"), b"1", [1], "1 000"],
    ids=repr,
)  # fmt: skip
def test_everything_else_is_refused_with_a_sentence_that_shows_it(text: object) -> None:
    with pytest.raises(NotANumber) as refused:
        to_decimal(text)
    assert str(refused.value).startswith(repr(text))
    assert isinstance(refused.value, ValueError)


@pytest.mark.parametrize(
    ("number", "text"),
    [
        ("1.500", "1.5"),
        ("100", "100"),
        ("1E+3", "1000"),
        ("1E-8", "0.00000001"),
        ("-0", "0"),
        ("0E-8", "0"),
        ("-0.10", "-0.1"),
        ("1200.00", "1200"),
    ],
)
def test_numbers_are_written_without_exponent_padding_or_negative_zero(
    number: str, text: str
) -> None:
    assert to_text(Decimal(number)) == text


@settings(max_examples=examples(100), deadline=None)
@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**30), max_value=10**30))
def test_what_is_written_is_read_back_as_the_same_number(number: Decimal) -> None:
    text = to_text(number)
    assert to_decimal(text) == number
    assert "e" not in text.lower()


@pytest.mark.parametrize(
    ("number", "step", "fits"),
    [
        ("0.3", "0.1", True),
        ("0.35", "0.1", False),
        ("100", "0.01", True),
        ("0.00000001", "0.00000001", True),
        ("99999999999999999999", "0.00000000000000000001", True),
        ("0", "0.1", True),
        ("1", "3", False),
    ],
)
def test_a_number_is_on_the_grid_or_not(number: str, step: str, fits: bool) -> None:
    assert is_multiple(Decimal(number), Decimal(step)) is fits
