"""Reads a new order from request parameters."""

from decimal import Decimal

from paper_exchange.dialects.bybit.errors import ApiError, not_supported, wrong
from paper_exchange.dialects.bybit.params import Params
from paper_exchange.dialects.bybit.request import Request
from paper_exchange.engine.orders import NewOrder, OrderType, Side, TimeInForce

QTY_TOO_FINE = 170137
PRICE_TOO_FINE = 170134


_SIDES = {"Buy": Side.BUY, "Sell": Side.SELL}
_ORDER_TYPES = {"Limit": OrderType.LIMIT, "Market": OrderType.MARKET}
# A time in force, with the type of the limit orders that have it.
_GTC = (OrderType.LIMIT, TimeInForce.GTC)
_TIMES_IN_FORCE = {
    "GTC": _GTC,
    "IOC": (OrderType.LIMIT, TimeInForce.IOC),
    "FOK": (OrderType.LIMIT, TimeInForce.FOK),
    "PostOnly": (OrderType.LIMIT_MAKER, TimeInForce.GTC),
}
# Whether a market order's quantity is in the quote coin.
_UNITS = {"baseCoin": False, "quoteCoin": True}
# Parameters of features that are not implemented, with the values that do not use the feature.
_UNSUPPORTED = {
    "closeOnTrigger": "false",
    "isLeverage": "0",
    "orderFilter": "Order",
    "reduceOnly": "false",
    "smpType": "None",
    "stopLoss": "0",
    "takeProfit": "0",
    "triggerPrice": "0",
}
NEW_ORDER_PARAMS = frozenset(_UNSUPPORTED) | {
    "category",
    "marketUnit",
    "orderLinkId",
    "orderType",
    "price",
    "qty",
    "side",
    "symbol",
    "timeInForce",
}


def read_new_order(request: Request) -> NewOrder:
    """Read and check the parameters. Raises ApiError if they are not a valid order."""
    params = request.params
    params.must_be_spot()
    symbol = params.must_text("symbol")
    side = params.choice("side", _SIDES, ApiError(170117, "Invalid side."))
    if side is None:
        raise wrong("side")
    order_type = params.choice("orderType", _ORDER_TYPES, ApiError(170116, "Invalid orderType."))
    if order_type is None:
        raise wrong("orderType")
    _refuse_unsupported(params)
    wrong_tif = ApiError(170115, "Invalid timeInForce.")
    limit_type, tif = params.choice("timeInForce", _TIMES_IN_FORCE, wrong_tif) or _GTC
    qty = params.decimal("qty", QTY_TOO_FINE)
    if qty is None:
        raise wrong("qty")
    if order_type is OrderType.LIMIT:
        return _with_limit(request, symbol, side, qty, limit_type, tif)
    if limit_type is OrderType.LIMIT_MAKER:
        raise wrong_tif
    return _at_market(request, symbol, side, qty)


def _at_market(request: Request, symbol: str, side: Side, qty: Decimal) -> NewOrder:
    is_by_value = request.params.choice("marketUnit", _UNITS, wrong("marketUnit"))
    if is_by_value is None:
        # A market buy's quantity is in the quote coin, unless the request says otherwise.
        is_by_value = side is Side.BUY
    return NewOrder(
        account=request.account,
        symbol=symbol,
        side=side,
        type=OrderType.MARKET,
        received_ms=request.received_ms,
        time_in_force=TimeInForce.IOC,
        qty=None if is_by_value else qty,
        quote_qty=qty if is_by_value else None,
        client_id=request.params.client_id(),
    )


def _with_limit(
    request: Request,
    symbol: str,
    side: Side,
    qty: Decimal,
    order_type: OrderType,
    tif: TimeInForce,
) -> NewOrder:
    price = request.params.decimal("price", PRICE_TOO_FINE)
    if price is None:
        raise wrong("price")
    return NewOrder(
        account=request.account,
        symbol=symbol,
        side=side,
        type=order_type,
        received_ms=request.received_ms,
        time_in_force=tif,
        qty=qty,
        price=price,
        client_id=request.params.client_id(),
        ends_if_taking=order_type is OrderType.LIMIT_MAKER,
    )


def _refuse_unsupported(params: Params) -> None:
    for name, nothing in _UNSUPPORTED.items():
        if params.text(name) not in (None, nothing):
            raise not_supported()
