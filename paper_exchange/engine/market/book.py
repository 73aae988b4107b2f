"""One side of a book: the accounts' resting orders, best price first, then oldest first."""

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal

from sortedcontainers import SortedDict

from paper_exchange.engine.orders import ZERO, Order, Side


@dataclass(slots=True)
class Level:
    """The orders at one price, in order of arrival, and their total remaining quantity."""

    qty: Decimal = ZERO
    # An OrderedDict, because finding a plain dict's first key slows down as first keys are removed.
    orders: OrderedDict[int, Order] = field(default_factory=OrderedDict)


class RestingSide:
    """Resting orders of one side."""

    __slots__ = ("_best", "_levels", "side")

    def __init__(self, side: Side) -> None:
        self.side = side
        self._levels: SortedDict[Decimal, Level] = SortedDict()
        # The index of the best price among ascending prices: the highest bid, the lowest ask.
        self._best = -1 if side is Side.BUY else 0

    def best(self) -> tuple[Decimal, Order] | None:
        """The best price and the first order in its queue."""
        if not self._levels:
            return None
        price, level = self._levels.peekitem(self._best)
        return price, next(iter(level.orders.values()))

    def add(self, order: Order, price: Decimal) -> None:
        """Append an order to the queue at its price."""
        level = self._levels.get(price)
        if level is None:
            level = self._levels[price] = Level()
        level.orders[order.id] = order
        level.qty += order.remaining

    def reduce(self, order: Order, price: Decimal, qty: Decimal) -> None:
        """Subtract a traded quantity; an order with nothing left leaves the book."""
        self._levels[price].qty -= qty
        if order.remaining <= ZERO:
            self.remove(order, price)

    def remove(self, order: Order, price: Decimal) -> None:
        """Remove an order that is cancelled."""
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
