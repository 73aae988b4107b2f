"""What an order does once it is live: trade, then rest, end filled, or expire."""

from decimal import Decimal

from paper_exchange.engine.accounts import Account
from paper_exchange.engine.errors import BalanceError
from paper_exchange.engine.market.market import Market
from paper_exchange.engine.matching import can_fill, take, walk_cost
from paper_exchange.engine.orders import ZERO, Order, Side, Status, TimeInForce
from paper_exchange.engine.settlement import Settlement


def work(market: Market, order: Order, settlement: Settlement) -> None:
    """Trade a live order against the book and settle what becomes of the rest of it."""
    order.working_ms = order.updated_ms
    if order.time_in_force is not TimeInForce.FOK or can_fill(market, order):
        take(market, order, settlement)
    if order.price is None:
        _end_at_market(market, order, settlement)
    else:
        _end_at_limit(market, order, order.price, settlement)


def work_triggered(market: Market, order: Order, settlement: Settlement, account: Account) -> None:
    """Set off a stop. One that buys at market pays now, or expires if the account cannot."""
    order.updated_ms = account.updated_ms = settlement.now_ms()
    if order.price is None and order.side is Side.BUY:
        cost = walk_cost(market, order.side, order.qty, None).quote
        try:
            account.hold(order.hold_asset, cost)
        except BalanceError:
            settlement.finish(order, Status.EXPIRED)
            return
        order.hold = cost
    work(market, order, settlement)


def _end_at_limit(market: Market, order: Order, price: Decimal, settlement: Settlement) -> None:
    if order.remaining <= ZERO:
        settlement.finish(order, Status.FILLED)
    elif order.time_in_force is not TimeInForce.GTC:
        settlement.finish(order, Status.EXPIRED)
    else:
        order.status = Status.PARTIALLY_FILLED if order.executed else Status.NEW
        market.resting[order.side].add(order, price)


def _end_at_market(market: Market, order: Order, settlement: Settlement) -> None:
    if order.quote_qty is None:
        is_filled = order.remaining <= ZERO
    else:
        # Bounded in quote, it is filled when what is left buys nothing more, and its quantity
        # is then what it traded. An emptied book has left it unfilled.
        order.qty = order.executed
        is_spent = order.executed_quote == order.quote_qty
        is_filled = order.executed > ZERO and (
            is_spent or market.best(order.side.other) is not None
        )
    settlement.finish(order, Status.FILLED if is_filled else Status.EXPIRED)
