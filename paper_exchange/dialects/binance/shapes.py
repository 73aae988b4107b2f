"""The JSON objects of Binance's trading endpoints. Amounts are strings with eight decimals."""

from collections.abc import Mapping
from decimal import Decimal

from paper_exchange.engine.accounts import Balance
from paper_exchange.engine.orders import ZERO, Fill, Order, Side
from paper_exchange.engine.settlement import Fees

Json = dict[str, object]

SELF_TRADE_MODE = "NONE"


def amount(number: Decimal | None) -> str:
    """An amount as Binance writes it."""
    return f"{number or ZERO:.8f}"


def order_ack(order: Order) -> Json:
    """The shortest response to a new order."""
    return {
        "symbol": order.symbol.name,
        "orderId": order.id,
        "orderListId": -1,
        "clientOrderId": order.client_id,
        "transactTime": order.updated_ms,
    }


def order_result(order: Order) -> Json:
    """The response to a new order, without its fills."""
    return order_ack(order) | _state(order) | _working(order)


def order_full(order: Order) -> Json:
    """The response to a new order, with its fills."""
    fills = [
        {
            "price": amount(fill.price),
            "qty": amount(fill.qty),
            "commission": amount(fill.commission),
            "commissionAsset": fill.commission_asset,
            "tradeId": fill.trade_id,
        }
        for fill in order.fills
    ]
    return order_result(order) | {"fills": fills}


def order_cancelled(order: Order, cancel_id: str) -> Json:
    """The response to a cancel: `clientOrderId` is the id of the cancel, not of the order."""
    return {
        "symbol": order.symbol.name,
        "origClientOrderId": order.client_id,
        "orderId": order.id,
        "orderListId": -1,
        "clientOrderId": cancel_id,
        "transactTime": order.updated_ms,
        **_state(order),
        "selfTradePreventionMode": SELF_TRADE_MODE,
    }


def order_queried(order: Order) -> Json:
    """An order as queries and lists show it."""
    return {
        "symbol": order.symbol.name,
        "orderId": order.id,
        "orderListId": -1,
        "clientOrderId": order.client_id,
        **_state(order),
        "stopPrice": amount(order.stop_price),
        "icebergQty": amount(None),
        "time": order.accepted_ms,
        "updateTime": order.updated_ms,
        "isWorking": order.working_ms is not None,
        **_working(order),
    }


def _state(order: Order) -> Json:
    state: Json = {
        "price": amount(order.price),
        "origQty": amount(order.qty),
        "executedQty": amount(order.executed),
        "origQuoteOrderQty": amount(order.quote_qty),
        "cummulativeQuoteQty": amount(order.executed_quote),
        "status": order.status.value,
        "timeInForce": order.time_in_force.value,
        "type": order.type.value,
        "side": order.side.value,
    }
    if order.stop_price is not None:
        state["stopPrice"] = amount(order.stop_price)
    if order.strategy_id is not None:
        state["strategyId"] = order.strategy_id
    if order.strategy_type is not None:
        state["strategyType"] = order.strategy_type
    return state


def _working(order: Order) -> Json:
    return {
        "workingTime": -1 if order.working_ms is None else order.working_ms,
        "selfTradePreventionMode": SELF_TRADE_MODE,
    }


def my_trade(fill: Fill) -> Json:
    """One of an account's own trades."""
    return {
        "symbol": fill.order.symbol.name,
        "id": fill.trade_id,
        "orderId": fill.order.id,
        "orderListId": -1,
        "price": amount(fill.price),
        "qty": amount(fill.qty),
        "quoteQty": amount(fill.quote),
        "commission": amount(fill.commission),
        "commissionAsset": fill.commission_asset,
        "time": fill.time_ms,
        "isBuyer": fill.order.side is Side.BUY,
        "isMaker": fill.is_maker,
        "isBestMatch": True,
    }


def account(
    balances: Mapping[str, Balance], fees: Fees, updated_ms: int, *, omits_empty: bool
) -> Json:
    """An account with its balances."""
    return {
        "makerCommission": int(fees.maker * 10_000),
        "takerCommission": int(fees.taker * 10_000),
        "buyerCommission": 0,
        "sellerCommission": 0,
        "commissionRates": _rates(fees),
        "canTrade": True,
        "canWithdraw": True,
        "canDeposit": True,
        "brokered": False,
        "requireSelfTradePrevention": False,
        "preventSor": False,
        "updateTime": updated_ms,
        "accountType": "SPOT",
        "balances": [
            {"asset": asset, "free": amount(balance.free), "locked": amount(balance.locked)}
            for asset, balance in balances.items()
            if not omits_empty or balance.free or balance.locked
        ],
        "permissions": ["SPOT"],
        "uid": 1,
    }


def commission_preview(fees: Fees) -> Json:
    """The commission of a test order."""
    none = {"maker": amount(None), "taker": amount(None)}
    return {
        "standardCommissionForOrder": {"maker": amount(fees.maker), "taker": amount(fees.taker)},
        "taxCommissionForOrder": none,
        "discount": {
            "enabledForAccount": False,
            "enabledForSymbol": False,
            "discountAsset": "BNB",
            "discount": amount(None),
        },
    }


def _rates(fees: Fees) -> Json:
    return {
        "maker": amount(fees.maker),
        "taker": amount(fees.taker),
        "buyer": amount(None),
        "seller": amount(None),
    }
