"""Reads a new order from request parameters, with Binance's rules for which type needs what."""

from collections.abc import Callable
from dataclasses import dataclass

from paper_exchange.dialects.binance import shapes
from paper_exchange.dialects.binance.errors import (
    ApiError,
    bad_combination,
    invalid,
    missing,
    missing_either,
    not_required,
)
from paper_exchange.dialects.binance.params import Params
from paper_exchange.dialects.binance.request import Request
from paper_exchange.engine.orders import NewOrder, Order, OrderType, Side, TimeInForce

NEW_ORDER_PARAMS = frozenset(
    {
        "symbol",
        "side",
        "type",
        "timeInForce",
        "quantity",
        "quoteOrderQty",
        "price",
        "newClientOrderId",
        "strategyId",
        "strategyType",
        "stopPrice",
        "trailingDelta",
        "icebergQty",
        "newOrderRespType",
        "selfTradePreventionMode",
    }
)

# Smaller values are reserved.
STRATEGY_TYPE_MIN = 1_000_000
_LIMIT = frozenset({"timeInForce", "quantity", "price"})
_STOP = frozenset({"quantity", "stopPrice"})
# The mandatory parameters of each type. Those of other types' rows are not allowed.
_REQUIRED: dict[OrderType, frozenset[str]] = {
    OrderType.LIMIT: _LIMIT,
    OrderType.MARKET: frozenset(),
    OrderType.LIMIT_MAKER: frozenset({"quantity", "price"}),
    OrderType.STOP_LOSS: _STOP,
    OrderType.STOP_LOSS_LIMIT: _LIMIT | _STOP,
    OrderType.TAKE_PROFIT: _STOP,
    OrderType.TAKE_PROFIT_LIMIT: _LIMIT | _STOP,
}
_MARKET_AMOUNTS = frozenset({"quantity", "quoteOrderQty"})
_TYPE_DEPENDENT = ("timeInForce", "quantity", "quoteOrderQty", "price", "stopPrice")


# How detailed the response to a new order is.
Response = Callable[[Order], shapes.Json]
_RESPONSES: dict[str, Response] = {
    "ACK": shapes.order_ack,
    "RESULT": shapes.order_result,
    "FULL": shapes.order_full,
}


@dataclass(frozen=True, slots=True)
class OrderRequest:
    """A new order and the requested type of response."""

    order: NewOrder
    response: Response


def read_new_order(request: Request) -> OrderRequest:
    """Read and check the parameters. Raises ApiError if they are not a valid order."""
    params = request.params
    symbol = params.must_symbol()
    side = params.choice("side", Side.__members__, ApiError(-1117, "Invalid side."))
    if side is None:
        raise missing("side")
    refusal = ApiError(-1116, "Invalid orderType.")
    order_type = params.choice("type", OrderType.__members__, refusal)
    if order_type is None:
        raise missing("type")
    _check_presence(params, order_type)
    _refuse_unsupported(params)
    refusal = ApiError(-1115, "Invalid timeInForce.")
    tif = params.choice("timeInForce", TimeInForce.__members__, refusal)
    order = NewOrder(
        account=request.account,
        symbol=symbol,
        side=side,
        type=order_type,
        received_ms=request.received_ms,
        time_in_force=tif or TimeInForce.GTC,
        qty=params.decimal("quantity"),
        quote_qty=params.decimal("quoteOrderQty"),
        price=params.decimal("price"),
        stop_price=params.decimal("stopPrice"),
        client_id=params.client_id("newClientOrderId"),
        strategy_id=params.integer("strategyId"),
        strategy_type=params.integer("strategyType"),
    )
    return OrderRequest(order, _response(params, order_type))


def _check_presence(params: Params, order_type: OrderType) -> None:
    required = _REQUIRED[order_type]
    allowed = _MARKET_AMOUNTS if order_type is OrderType.MARKET else required
    for name in _TYPE_DEPENDENT:
        if name in required:
            params.must_text(name)
        elif name in params and name not in allowed:
            raise not_required(name)
    if order_type is OrderType.MARKET:
        given = [name for name in _MARKET_AMOUNTS if name in params]
        if not given:
            raise missing_either("quantity", "quoteOrderQty")
        if len(given) > 1:
            raise bad_combination()


def _refuse_unsupported(params: Params) -> None:
    if params.decimal("icebergQty"):
        raise ApiError(-2010, "Iceberg orders are not supported for this symbol.")
    if params.integer("trailingDelta") is not None:
        raise ApiError(-2010, "Trailing stop orders are not supported for this symbol.")
    if params.text("selfTradePreventionMode") not in (None, "NONE"):
        raise ApiError(
            -2010, "This symbol does not allow the specified self-trade prevention mode."
        )
    if (params.integer("strategyType") or STRATEGY_TYPE_MIN) < STRATEGY_TYPE_MIN:
        raise invalid("strategyType")


def _response(params: Params, order_type: OrderType) -> Response:
    chosen = params.choice("newOrderRespType", _RESPONSES, invalid("newOrderRespType"))
    is_full = order_type in (OrderType.MARKET, OrderType.LIMIT)
    return chosen or (shapes.order_full if is_full else shapes.order_ack)
