"""Changing the price or the quantity of an order that rests in the book."""

from decimal import Decimal

from paper_exchange.engine.accounts import Account
from paper_exchange.engine.errors import BalanceError, FilterError
from paper_exchange.engine.market.market import Market
from paper_exchange.engine.orders import ZERO, NewOrder, Order, OrderType, Side, Status
from paper_exchange.engine.settlement import Settlement
from paper_exchange.engine.working import work


def amended(order: Order, price: Decimal | None, qty: Decimal | None) -> NewOrder:
    """The order as it would have been sent with other terms; None leaves one as it is.

    `qty` is the whole order's, what it has traded included.
    """
    return NewOrder(
        account=order.account,
        symbol=order.symbol.name,
        side=order.side,
        type=order.type,
        received_ms=order.received_ms,
        time_in_force=order.time_in_force,
        qty=order.qty if qty is None else qty,
        price=order.price if price is None else price,
    )


def amend(
    market: Market, order: Order, terms: NewOrder, account: Account, settlement: Settlement
) -> None:
    """Give a resting order its new terms; it queues anew, and trades if it now crosses.

    A maker-only order that would take, ends. Raises, with nothing changed, BalanceError if the
    account cannot pay, and FilterError if no more is wanted than what has traded already.
    """
    price, qty = terms.price or ZERO, terms.qty or ZERO
    left = qty - order.executed
    if left <= ZERO:
        raise FilterError("LOT_SIZE")
    hold = left * price if order.side is Side.BUY else left
    more = hold - order.hold
    if more > account.balance(order.hold_asset).free:
        raise BalanceError(order.hold_asset)
    market.resting[order.side].remove(order, order.price or ZERO)
    account.move(order.hold_asset, -more, more)
    order.price, order.qty, order.hold = price, qty, hold
    order.updated_ms = account.updated_ms = settlement.now_ms()
    if order.type is OrderType.LIMIT_MAKER and market.crosses(order.side, price):
        settlement.finish(order, Status.EXPIRED)
    else:
        work(market, order, settlement)
