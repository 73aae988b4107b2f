"""The life of a live order: it trades, then rests, ends filled or expires."""

from decimal import Decimal

from paper_exchange.engine.accounts import Account
from paper_exchange.engine.errors import BalanceError, FilterError
from paper_exchange.engine.market.market import Market
from paper_exchange.engine.matching import can_fill, take, walk_cost
from paper_exchange.engine.orders import ZERO, NewOrder, Order, OrderType, Side, Status, TimeInForce
from paper_exchange.engine.settlement import Settlement


def work(market: Market, order: Order, settlement: Settlement) -> None:
    """Trade a live order against the book, then rest or end what is left."""
    order.working_ms = order.updated_ms
    if order.time_in_force is not TimeInForce.FOK or can_fill(market, order):
        take(market, order, settlement)
    if order.price is None:
        _end_at_market(market, order, settlement)
    else:
        _end_at_limit(market, order, order.price, settlement)


def work_triggered(market: Market, order: Order, settlement: Settlement, account: Account) -> None:
    """Trigger a stop. A market buy is charged now, or expires if the balance is insufficient."""
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
        # An order bounded in quote is filled when the rest is too small to buy more; its quantity
        # is then what it traded. If the book ran empty it is not filled.
        order.qty = order.executed
        is_spent = order.executed_quote == order.quote_qty
        is_filled = order.executed > ZERO and (
            is_spent or market.best(order.side.other) is not None
        )
    settlement.finish(order, Status.FILLED if is_filled else Status.EXPIRED)


def amended(order: Order, price: Decimal | None, qty: Decimal | None) -> NewOrder:
    """The order's request with other terms; None keeps a term.

    `qty` is that of the whole order, traded quantity included.
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
    """Give a resting order its new terms; it loses its queue position, and trades if it now
    crosses.

    A maker-only order that would take is ended. Raises, with nothing changed, BalanceError if the
    account cannot pay, and FilterError if the new quantity is no more than what has traded.
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
