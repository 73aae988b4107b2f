"""Endpoints that change something: create, amend and cancel. Each only acknowledges."""

from paper_exchange.dialects.bybit import shapes
from paper_exchange.dialects.bybit.errors import ApiError, of_filter, wrong
from paper_exchange.dialects.bybit.new_order import PRICE_TOO_FINE, QTY_TOO_FINE, read_new_order
from paper_exchange.dialects.bybit.params import Params
from paper_exchange.dialects.bybit.request import ApiContext, Json, Request
from paper_exchange.engine.errors import FilterError, UnknownOrderError
from paper_exchange.engine.orders import Order
from paper_exchange.engine.working import amended


def create(context: ApiContext, request: Request) -> Json:
    """POST /v5/order/create"""
    new = read_new_order(request)
    try:
        return shapes.reference(context.exchange.place(new))
    except FilterError as refusal:
        market = context.exchange.market(new.symbol)
        raise of_filter(refusal.rule, new, market.symbol, market.reference) from None


def amend(context: ApiContext, request: Request) -> Json:
    """POST /v5/order/amend: a new price, a new quantity, or both."""
    order = _target(context, request)
    price = request.params.decimal("price", PRICE_TOO_FINE)
    qty = request.params.decimal("qty", QTY_TOO_FINE)
    if price is None and qty is None:
        raise wrong("price or qty")
    if order.is_open and qty is not None and qty <= order.executed:
        raise ApiError(170136, "Order quantity is no more than what has been executed.")
    try:
        context.exchange.amend(order, price, qty)
    except FilterError as refusal:
        market = context.exchange.market(order.symbol.name)
        terms = amended(order, price, qty)
        raise of_filter(refusal.rule, terms, market.symbol, market.reference) from None
    return shapes.reference(order)


def cancel(context: ApiContext, request: Request) -> Json:
    """POST /v5/order/cancel"""
    order = _target(context, request)
    context.exchange.cancel(request.account, order.symbol.name, order.id, None)
    return shapes.reference(order)


def cancel_all(context: ApiContext, request: Request) -> Json:
    """POST /v5/order/cancel-all: of one symbol or of all."""
    request.params.must_be_spot()
    request.params.must_be_plain()
    symbol = request.params.text("symbol")
    if symbol is not None:
        context.exchange.market(symbol)
    found = list(context.exchange.open_orders(request.account, symbol))
    for order in found:
        context.exchange.cancel(request.account, order.symbol.name, order.id, None)
    return {"list": [shapes.reference(order) for order in found], "success": "1"}


def _target(context: ApiContext, request: Request) -> Order:
    """The order that a request names; an orderId takes precedence over an orderLinkId."""
    params = request.params
    params.must_be_spot()
    params.must_be_plain()
    symbol = params.must_text("symbol")
    context.exchange.market(symbol)
    order_id, client_id = read_ids(params)
    if order_id is None and client_id is None:
        raise wrong("orderId or orderLinkId")
    order = context.exchange.find(request.account, symbol, order_id, client_id)
    if order is None:
        raise UnknownOrderError(order_id or client_id)
    return order


def read_ids(params: Params) -> tuple[int | None, str | None]:
    """The orderId, or else the orderLinkId; 0 for an orderId that cannot be one of ours."""
    order_id = params.text("orderId")
    if order_id is None:
        return None, params.text("orderLinkId")
    is_ours = order_id.isascii() and order_id.isdigit() and len(order_id) <= 18
    return int(order_id) if is_ours else 0, None
