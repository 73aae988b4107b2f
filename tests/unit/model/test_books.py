"""What an order book pays, by depth."""

from decimal import Decimal
from fractions import Fraction

import pytest

from execution.model.book import Book, Take, take
from execution.model.order import Side


def levels(*pairs: tuple[str, str]) -> tuple[tuple[Decimal, Decimal], ...]:
    return tuple((Decimal(price), Decimal(amount)) for price, amount in pairs)


BOOK = Book(
    "BTC/USDT",
    bids=levels(("100", "1"), ("99", "2")),
    asks=levels(("101", "1"), ("103", "2")),
)


@pytest.mark.parametrize(
    ("side", "amount", "cost", "worst"),
    [
        ("buy", "0.5", "50.5", "101"),
        ("buy", "1", "101", "101"),
        ("buy", "2", "204", "103"),
        ("buy", "3", "307", "103"),
        ("sell", "0.5", "50", "100"),
        ("sell", "2.5", "248.5", "99"),
    ],
)
def test_taking_an_amount_costs_the_sum_of_its_levels(
    side: str, amount: str, cost: str, worst: str
) -> None:
    taken = take(BOOK, Side(side), Decimal(amount))
    assert taken == Take(Decimal(amount), Decimal(cost), Decimal(worst))


@pytest.mark.parametrize("side", ["buy", "sell"])
def test_a_book_that_is_too_thin_has_no_price(side: str) -> None:
    assert take(BOOK, Side(side), Decimal("3.0001")) is None
    assert take(Book("BTC/USDT", (), ()), Side(side), Decimal(1)) is None


def test_costs_are_exact_however_fine() -> None:
    fine = Book("A/B", (), levels(("1234567890.123456789", "1"), ("0.1", "1")))
    taken = take(fine, Side.BUY, Decimal("0.987654321987654321"))
    assert taken is not None
    assert Fraction(taken.cost) == Fraction("1234567890.123456789") * Fraction(
        "0.987654321987654321"
    )


def test_the_middle_is_halfway_between_the_best_prices() -> None:
    assert BOOK.mid == Decimal("100.5")


@pytest.mark.parametrize("side", ["bids", "asks"])
def test_a_book_with_an_empty_side_has_no_middle(side: str) -> None:
    sides = {"bids": BOOK.bids, "asks": BOOK.asks, side: ()}
    assert Book("BTC/USDT", **sides).mid is None
