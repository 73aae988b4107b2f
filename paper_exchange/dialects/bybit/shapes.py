"""The JSON objects of Bybit's trading endpoints. Amounts and times are strings."""

from collections import defaultdict
from decimal import Decimal

from paper_exchange.dialects.bybit.request import Json
from paper_exchange.engine.orders import ZERO, Fill, Order, OrderType, Status, TimeInForce
from paper_exchange.engine.settlement import Fees
from paper_exchange.engine.symbols import ASSET_UNIT

STATUSES = {
    Status.NEW: "New",
    Status.PARTIALLY_FILLED: "PartiallyFilled",
    Status.FILLED: "Filled",
    Status.CANCELED: "Cancelled",
    Status.EXPIRED: "Cancelled",
}


# Every final status; orders are never Deactivated here.
ENDED = frozenset({"Filled", "Cancelled", "PartiallyFilledCanceled", "Rejected", "Deactivated"})


def amount(number: Decimal | None) -> str:
    """An amount without trailing digits added."""
    text = f"{number or ZERO:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def reference(order: Order) -> Json:
    """An acknowledgement: the order's ids only."""
    return {"orderId": str(order.id), "orderLinkId": order.client_id}


def order_told(order: Order) -> Json:
    """An order as queries and lists show it."""
    return reference(order) | {
        "blockTradeId": "",
        "symbol": order.symbol.name,
        "price": amount(order.price),
        "qty": amount(order.qty if order.quote_qty is None else order.quote_qty),
        "side": order.side.value.capitalize(),
        "isLeverage": "0",
        "positionIdx": 0,
        "orderStatus": status(order),
        "cancelType": "CancelByUser" if order.status is Status.CANCELED else "UNKNOWN",
        "rejectReason": _reason(order),
        "avgPrice": _average(order),
        "leavesQty": amount(order.remaining if order.is_open else ZERO),
        "leavesValue": amount(order.remaining * (order.price or ZERO) if order.is_open else ZERO),
        "cumExecQty": amount(order.executed),
        "cumExecValue": amount(order.executed_quote),
        "cumExecFee": amount(sum((fill.commission for fill in order.fills), ZERO)),
        "cumFeeDetail": _fees(order),
        "timeInForce": _time_in_force(order),
        "orderType": _order_type(order),
        "stopOrderType": "",
        "marketUnit": _market_unit(order),
        "triggerPrice": "",
        "takeProfit": "",
        "stopLoss": "",
        "reduceOnly": False,
        "closeOnTrigger": False,
        "smpType": "None",
        "smpGroup": 0,
        "smpOrderId": "",
        "createdTime": str(order.accepted_ms),
        "updatedTime": str(order.updated_ms),
    }


def ledger_status(order: Order) -> str:
    """An order's state as the control ledger names it; on Bybit no order expires."""
    if _would_have_taken(order):
        return "REJECTED"
    return (Status.CANCELED if order.status is Status.EXPIRED else order.status).value


def execution(fill: Fill, fees: Fees) -> Json:
    """One of an account's own trades."""
    order = fill.order
    return reference(order) | {
        "symbol": order.symbol.name,
        "side": order.side.value.capitalize(),
        "orderPrice": amount(order.price),
        "orderQty": amount(order.qty),
        "leavesQty": amount(order.remaining if order.is_open else ZERO),
        "orderType": _order_type(order),
        "stopOrderType": "",
        "execFee": amount(fill.commission),
        "feeCurrency": fill.commission_asset,
        "feeRate": amount(fees.maker if fill.is_maker else fees.taker),
        "execId": str(fill.trade_id),
        "execPrice": amount(fill.price),
        "execQty": amount(fill.qty),
        "execValue": amount(fill.quote),
        "execType": "Trade",
        "execTime": str(fill.time_ms),
        "isMaker": fill.is_maker,
        "marketUnit": _market_unit(order),
        "blockTradeId": "",
        "seq": fill.trade_id,
    }


def status(order: Order) -> str:
    """An order's status as Bybit names it."""
    if order.is_open or order.status is Status.FILLED:
        return STATUSES[order.status]
    if order.executed:
        return "PartiallyFilledCanceled"
    return "Rejected" if _would_have_taken(order) else STATUSES[order.status]


def _reason(order: Order) -> str:
    if order.status is not Status.EXPIRED:
        return "EC_NoError"
    if _would_have_taken(order):
        return "EC_PostOnlyWillTakeLiquidity"
    if order.time_in_force is TimeInForce.FOK:
        return "EC_CancelForNoFullFill"
    return "EC_NoImmediateQtyToFill"


def _would_have_taken(order: Order) -> bool:
    return order.type is OrderType.LIMIT_MAKER and order.status is Status.EXPIRED


def _average(order: Order) -> str:
    if not order.executed:
        return ""
    return amount((order.executed_quote / order.executed).quantize(ASSET_UNIT))


def _fees(order: Order) -> dict[str, str]:
    totals: defaultdict[str, Decimal] = defaultdict(Decimal)
    for fill in order.fills:
        totals[fill.commission_asset] += fill.commission
    return {asset: amount(total) for asset, total in totals.items()}


def _time_in_force(order: Order) -> str:
    if order.type is OrderType.LIMIT_MAKER:
        return "PostOnly"
    return order.time_in_force.value


def _order_type(order: Order) -> str:
    return "Market" if order.price is None else "Limit"


def _market_unit(order: Order) -> str:
    if order.price is not None:
        return ""
    return "baseCoin" if order.quote_qty is None else "quoteCoin"
