"""The order manager for one call, without Redis or workers: everything in memory."""

import time
from decimal import Decimal

from execution.exchanges.clocks import ExchangeClocks, SystemClock
from execution.model.order import Order, OrderState, TimeInForce
from execution.order_manager import OrderManager
from execution.orders.factory import one_off_order
from execution.orders.journal import Journal, Patience
from execution.orders.placement import Placement
from execution.orders.store import Exchange
from execution.store.memory.orders import MemoryStore
from workers.observers.logs import LogObserver

ATTEMPTS_MAX = 5
PAUSE_S = 0.2
_UNSETTLED = (OrderState.RECEIVED, OrderState.SUBMITTING)


def see_through(exchange: Exchange, order: Order) -> Order:
    """Take an order as far as open or ended, however long its outcome stays unknown.

    Blocks for at most the fence and its margin per attempt. What memory holds is lost with the
    process: an order that must survive that belongs on a worker.
    """
    clock = SystemClock()
    store = MemoryStore(clock)
    clocks = ExchangeClocks(store, clock, host="here")
    journal = Journal(store, clock, clocks, LogObserver(), Patience())
    placement = Placement(
        store,
        journal,
        lambda _: exchange,
        clock,
        clocks,
        recv_window_ms=None,
        attempts_max=ATTEMPTS_MAX,
    )
    manager = OrderManager(store, journal, lambda _: exchange, placement)
    order = manager.submit(order)
    while order.state in _UNSETTLED or order.fills_missing:
        time.sleep(PAUSE_S)
        if store.due(clock.now_ms(), limit=1, lease_ms=1_000):
            order = manager.advance_by_id(order.order_id)
    return order


def create_order(
    exchange: Exchange,
    symbol: str,
    side: str,
    amount: Decimal | str,
    price: Decimal | str | None = None,
    time_in_force: TimeInForce | None = None,
) -> Order:
    """Place exactly one order and say how it stands: limit, or market where `price` is None.

    A placement whose outcome is unknown is looked up and never repeated on a guess. What the
    exchange or we ourselves refuse comes back as an order that is rejected or refused, with its
    reason. Raises ValueError for an argument that is not usable.
    """
    return see_through(exchange, one_off_order(symbol, side, amount, price, time_in_force))
