"""Places one order, without Redis or workers; for many of them use workers."""

import time
from decimal import Decimal

from execution.assembly import assemble_in_memory
from execution.exchanges.port import Exchange
from execution.model.errors import SignalReused, UnknownAccount
from execution.model.order import Order, OrderState, TimeInForce
from execution.orders.factory import one_off_order
from execution.orders.manager import OrderManager

__all__ = ["OrderManager", "SignalReused", "UnknownAccount", "create_order"]

PAUSE_S = 0.2
_UNSETTLED = (OrderState.RECEIVED, OrderState.SUBMITTING)


def create_order(
    exchange: Exchange,
    symbol: str,
    side: str,
    amount: Decimal | str,
    price: Decimal | str | None = None,
    time_in_force: TimeInForce | None = None,
) -> Order:
    """Place exactly one order and return it: limit, or market if `price` is None.

    A placement whose outcome is unknown is looked up and never repeated on a guess. An order that
    the exchange rejects or oneorder refuses is returned in the state rejected or refused, with its
    reason. Raises ValueError for an invalid argument.
    """
    return place_and_wait(exchange, one_off_order(symbol, side, amount, price, time_in_force))


def place_and_wait(exchange: Exchange, order: Order) -> Order:
    """Advance an order until it is open or ended, however long its outcome stays unknown.

    Blocks for at most the fence and its margin per attempt. The record is in memory and lost with
    the process: an order that must survive that belongs on a worker.
    """
    memory = assemble_in_memory(lambda _: exchange)
    core = memory.core
    order = core.manager.submit(order)
    while order.state in _UNSETTLED or order.fills_missing:
        time.sleep(PAUSE_S)
        if memory.orders.due(core.clock.now_ms(), limit=1, lease_ms=1_000):
            order = core.manager.advance_by_id(order.order_id)
    return order
