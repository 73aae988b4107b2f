"""Stop orders of one market, waiting for a price."""

from decimal import Decimal

from sortedcontainers import SortedDict

from paper_exchange.engine.orders import TAKE_PROFIT_TYPES, Order, OrderType, Side


def waits_for_rise(side: Side, order_type: OrderType) -> bool:
    """Whether the trigger is above the market: a stop-loss buy or a take-profit sell."""
    return (side is Side.BUY) is not (order_type in TAKE_PROFIT_TYPES)


def is_reached(side: Side, order_type: OrderType, stop_price: Decimal, last: Decimal) -> bool:
    """Whether a last price of `last` triggers the stop."""
    if waits_for_rise(side, order_type):
        return last >= stop_price
    return last <= stop_price


class StopBook:
    """Untriggered stops by price, in order of arrival at each price."""

    __slots__ = ("_falling", "_rising")

    def __init__(self) -> None:
        self._rising: SortedDict[Decimal, dict[int, Order]] = SortedDict()
        self._falling: SortedDict[Decimal, dict[int, Order]] = SortedDict()

    def add(self, order: Order, stop_price: Decimal) -> None:
        """Keep an order until its price is reached."""
        self._half(order).setdefault(stop_price, {})[order.id] = order

    def remove(self, order: Order, stop_price: Decimal) -> None:
        """Remove an order that is cancelled or triggered."""
        half = self._half(order)
        waiting = half[stop_price]
        del waiting[order.id]
        if not waiting:
            del half[stop_price]

    def pop_triggered(self, last: Decimal) -> Order | None:
        """Remove and return one order that a last price of `last` triggers, or None."""
        for half, nearest in ((self._rising, 0), (self._falling, -1)):
            if not half:
                continue
            stop_price, waiting = half.peekitem(nearest)
            order = next(iter(waiting.values()))
            if is_reached(order.side, order.type, stop_price, last):
                self.remove(order, stop_price)
                return order
        return None

    def _half(self, order: Order) -> SortedDict[Decimal, dict[int, Order]]:
        return self._rising if waits_for_rise(order.side, order.type) else self._falling
