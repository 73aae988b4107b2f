"""Reads a new order from request parameters."""

from decimal import Decimal
from enum import StrEnum

from paper_exchange.dialects.bybit.errors import ApiError, not_supported, wrong
from paper_exchange.dialects.bybit.params import Params
from paper_exchange.dialects.bybit.request import Request
from paper_exchange.engine.orders import NewOrder, OrderType, Side, TimeInForce

QTY_TOO_FINE = 170137
PRICE_TOO_FINE = 170134


class BuySell(StrEnum):
    """Bybit's names of the sides."""

    BUY = "Buy"
    SELL = "Sell"


class Kind(StrEnum):
    """Bybit's order types."""

    LIMIT = "Limit"
    MARKET = "Market"


class Force(StrEnum):
    """Bybit's times in force."""

    GTC = "GTC"
    IOC = "IOC"
    FOK = "FOK"
    POST_ONLY = "PostOnly"


class Unit(StrEnum):
    """The coin in which a market order's quantity is given."""

    BASE = "baseCoin"
    QUOTE = "quoteCoin"


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
    side = _read_side(params)
    kind = params.choice("orderType", Kind, ApiError(170116, "Invalid orderType."))
    if kind is None:
        raise wrong("orderType")
    _refuse_unsupported(params)
    force = params.choice("timeInForce", Force, ApiError(170115, "Invalid timeInForce."))
    qty = params.decimal("qty", QTY_TOO_FINE)
    if qty is None:
        raise wrong("qty")
    if kind is Kind.MARKET:
        return _at_market(request, symbol, side, qty, force)
    return _with_limit(request, symbol, side, qty, force)


def _read_side(params: Params) -> Side:
    side = params.choice("side", BuySell, ApiError(170117, "Invalid side."))
    if side is None:
        raise wrong("side")
    return Side.BUY if side is BuySell.BUY else Side.SELL


def _at_market(
    request: Request, symbol: str, side: Side, qty: Decimal, force: Force | None
) -> NewOrder:
    if force is Force.POST_ONLY:
        raise ApiError(170115, "Invalid timeInForce.")
    unit = request.params.choice("marketUnit", Unit, wrong("marketUnit"))
    if unit is None:
        # A market buy's quantity is in the quote coin, unless the request says otherwise.
        unit = Unit.QUOTE if side is Side.BUY else Unit.BASE
    return NewOrder(
        account=request.account,
        symbol=symbol,
        side=side,
        type=OrderType.MARKET,
        received_ms=request.received_ms,
        time_in_force=TimeInForce.IOC,
        qty=qty if unit is Unit.BASE else None,
        quote_qty=qty if unit is Unit.QUOTE else None,
        client_id=request.params.client_id(),
    )


def _with_limit(
    request: Request, symbol: str, side: Side, qty: Decimal, force: Force | None
) -> NewOrder:
    price = request.params.decimal("price", PRICE_TOO_FINE)
    if price is None:
        raise wrong("price")
    is_maker_only = force is Force.POST_ONLY
    has_engine_force = force is not None and not is_maker_only
    return NewOrder(
        account=request.account,
        symbol=symbol,
        side=side,
        type=OrderType.LIMIT_MAKER if is_maker_only else OrderType.LIMIT,
        received_ms=request.received_ms,
        time_in_force=TimeInForce(force.value) if has_engine_force and force else TimeInForce.GTC,
        qty=qty,
        price=price,
        client_id=request.params.client_id(),
        ends_if_taking=is_maker_only,
    )


def _refuse_unsupported(params: Params) -> None:
    for name, nothing in _UNSUPPORTED.items():
        if params.text(name) not in (None, nothing):
            raise not_supported()
