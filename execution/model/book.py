"""An order book and what it costs to take from it."""

from dataclasses import dataclass
from decimal import Decimal, localcontext
from itertools import pairwise

from execution.model.decimals import EXACT, ZERO
from execution.model.order import Side

Level = tuple[Decimal, Decimal]


@dataclass(frozen=True, slots=True)
class Book:
    """Levels of (price, amount), the best first on either side."""

    symbol: str
    bids: tuple[Level, ...]
    asks: tuple[Level, ...]

    @property
    def mid(self) -> Decimal | None:
        """The mid of best bid and best ask; None if a side is empty."""
        return (self.bids[0][0] + self.asks[0][0]) / 2 if self.bids and self.asks else None


@dataclass(frozen=True, slots=True)
class Take:
    """Taking an amount from a book: the total cost, and the worst price of its parts."""

    amount: Decimal
    cost: Decimal
    worst_price: Decimal


def take(book: Book, side: Side, amount: Decimal) -> Take | None:
    """Price a taker's order of `amount` by depth; None if the book is too thin for it."""
    left, cost = amount, ZERO
    with localcontext(EXACT):
        for price, offered in book.asks if side is Side.BUY else book.bids:
            part = min(left, offered)
            cost += part * price
            left -= part
            if not left:
                return Take(amount, cost, price)
    return None


def defect_of(book: Book) -> str | None:
    """The reason why a book is invalid, None for a valid one. A locked book, with its best bid
    equal to its best ask, is valid."""
    if not book.asks or not book.bids:
        return f"it has no {'bids' if book.asks else 'asks'}"
    if book.bids[0][0] > book.asks[0][0]:
        return f"it is crossed: a bid at {book.bids[0][0]}, an ask at {book.asks[0][0]}"
    if any(price <= 0 or amount <= 0 for price, amount in (*book.asks, *book.bids)):
        return "it has a price or an amount that is not above zero"
    if any(worse < better for (better, _), (worse, _) in pairwise(book.asks)):
        return "its asks are out of order"
    if any(worse > better for (better, _), (worse, _) in pairwise(book.bids)):
        return "its bids are out of order"
    return None
