"""An order book and what it costs to take from it."""

from dataclasses import dataclass
from decimal import Decimal, localcontext

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
        """Halfway between best bid and best ask; None while a side is empty."""
        return (self.bids[0][0] + self.asks[0][0]) / 2 if self.bids and self.asks else None


@dataclass(frozen=True, slots=True)
class Take:
    """Taking an amount from a book: what it costs in all, and the worst price among its parts."""

    amount: Decimal
    cost: Decimal
    worst_price: Decimal


def take(book: Book, side: Side, amount: Decimal) -> Take | None:
    """Price a taker's order of `amount` by depth; None where the book is too thin for it."""
    left, cost = amount, ZERO
    with localcontext(EXACT):
        for price, offered in book.asks if side is Side.BUY else book.bids:
            part = min(left, offered)
            cost += part * price
            left -= part
            if not left:
                return Take(amount, cost, price)
    return None
