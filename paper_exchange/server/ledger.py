"""All that really happened at the exchange, for comparison with a client's records.

Numbers are decimal strings, times are milliseconds on the exchange's clock.
"""

from collections.abc import Iterable
from decimal import Decimal

from paper_exchange.engine.exchange import Exchange
from paper_exchange.engine.orders import ZERO, Fill, Order, Side

Row = dict[str, object]


def ledger(
    exchange: Exchange, account: str | None = None, since_order_id: int | None = None
) -> dict[str, object]:
    """All orders and trades, oldest first, and all balances; optionally of one account only.

    `since_order_id` leaves out orders with a smaller id, and their trades.
    """
    first = since_order_id or 0

    def is_wanted(order: Order) -> bool:
        return order.id >= first and (account is None or order.account == account)

    return {
        "orders": [
            _order_row(order, exchange.word_of(order))
            for order in exchange.orders.values()
            if is_wanted(order)
        ],
        "trades": [_trade_row(f) for f in exchange.settlement.fills if is_wanted(f.order)],
        "balances": _balances(exchange, [account] if account else exchange.accounts),
    }


def plain(number: Decimal) -> str:
    """A decimal string without an exponent, with the number's own digits."""
    return f"{number:f}"


def _order_row(order: Order, word: str) -> Row:
    return {
        "orderId": order.id,
        "clientOrderId": order.client_id,
        "symbol": order.symbol.name,
        "side": order.side.value,
        "type": order.type.value,
        "timeInForce": order.time_in_force.value,
        "price": plain(order.price or ZERO),
        "stopPrice": plain(order.stop_price or ZERO),
        "origQty": plain(order.qty),
        "origQuoteOrderQty": plain(order.quote_qty or ZERO),
        "executedQty": plain(order.executed),
        "cummulativeQuoteQty": plain(order.executed_quote),
        "status": word,
        "account": order.account,
        "receivedAt": order.received_ms,
        "acceptedAt": order.accepted_ms,
        "updatedAt": order.updated_ms,
    }


def _trade_row(fill: Fill) -> Row:
    order = fill.order
    return {
        "tradeId": fill.trade_id,
        "orderId": order.id,
        "clientOrderId": order.client_id,
        "symbol": order.symbol.name,
        "price": plain(fill.price),
        "qty": plain(fill.qty),
        "quoteQty": plain(fill.quote),
        "isBuyer": order.side is Side.BUY,
        "isMaker": fill.is_maker,
        "commission": plain(fill.commission),
        "commissionAsset": fill.commission_asset,
        "account": order.account,
        "time": fill.time_ms,
    }


def _balances(exchange: Exchange, names: Iterable[str]) -> dict[str, dict[str, Row]]:
    return {
        name: {
            asset: {"free": plain(balance.free), "locked": plain(balance.locked)}
            for asset, balance in exchange.accounts[name].balances.items()
        }
        for name in names
        if name in exchange.accounts
    }
