"""One side of a book: the accounts' resting orders, best price first, then oldest first."""

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal

from sortedcontainers import SortedDict

from paper_exchange.engine.orders import ZERO, Order, Side


@dataclass(slots=True)
class Level:
    """The orders at one price, in the order of their arrival, and what is left of them."""

    qty: Decimal = ZERO
    # Ordered, because a plain dict finds its first ever more slowly as its firsts are removed.
    orders: OrderedDict[int, Order] = field(default_factory=OrderedDict)


class RestingSide:
    """Resting orders of one side."""

    __slots__ = ("_best", "_levels", "side")

    def __init__(self, side: Side) -> None:
        self.side = side
        self._levels: SortedDict[Decimal, Level] = SortedDict()
        # Where the best price is among ascending prices: the highest bid, the lowest ask.
        self._best = -1 if side is Side.BUY else 0

    def best(self) -> tuple[Decimal, Order] | None:
        """The best price and the order that is first in line there."""
        if not self._levels:
            return None
        price, level = self._levels.peekitem(self._best)
        return price, next(iter(level.orders.values()))

    def add(self, order: Order, price: Decimal) -> None:
        """Put an order behind all others at its price."""
        level = self._levels.get(price)
        if level is None:
            level = self._levels[price] = Level()
        level.orders[order.id] = order
        level.qty += order.remaining

    def reduce(self, order: Order, price: Decimal, qty: Decimal) -> None:
        """Take off what has just traded; an order with nothing left leaves the book."""
        level = self._levels[price]
        level.qty -= qty
        if order.remaining <= ZERO:
            del level.orders[order.id]
            if not level.orders:
                del self._levels[price]

    def remove(self, order: Order, price: Decimal) -> None:
        """Take out an order that is cancelled."""
        level = self._levels[price]
        level.qty -= order.remaining
        del level.orders[order.id]
        if not level.orders:
            del self._levels[price]

    def levels(self) -> Iterator[tuple[Decimal, Decimal]]:
        """Prices and quantities, best first."""
        prices = reversed(self._levels) if self.side is Side.BUY else iter(self._levels)
        for price in prices:
            yield price, self._levels[price].qty
