"""Endpoints that change something: place, cancel, and replace."""

from collections.abc import Callable

from paper_exchange.dialects.binance import shapes
from paper_exchange.dialects.binance.errors import ApiError, missing, missing_either, of_engine
from paper_exchange.dialects.binance.new_order import OrderRequest, read_new_order
from paper_exchange.dialects.binance.request import ApiContext, Request
from paper_exchange.engine.errors import EngineError
from paper_exchange.engine.orders import Order, Status

# Which state an order must be in for its cancel to go through.
_RESTRICTIONS = {"ONLY_NEW": Status.NEW, "ONLY_PARTIALLY_FILLED": Status.PARTIALLY_FILLED}
# Whether the new order is placed if the old one could not be cancelled.
_REPLACE_MODES = {"STOP_ON_FAILURE": False, "ALLOW_FAILURE": True}
SUCCESS, FAILURE, NOT_ATTEMPTED = "SUCCESS", "FAILURE", "NOT_ATTEMPTED"


def place_order(context: ApiContext, request: Request) -> object:
    """POST /api/v3/order"""
    return _place(context, request, read_new_order(request))


def check_order(context: ApiContext, request: Request) -> object:
    """POST /api/v3/order/test: the checks of a new order, without the engine."""
    context.exchange.check(read_new_order(request).order)
    if not request.params.flag("computeCommissionRates"):
        return {}
    return shapes.commission_preview(context.exchange.settlement.fees)


def cancel_order(context: ApiContext, request: Request) -> object:
    """DELETE /api/v3/order"""
    return _read_cancel(context, request, "orderId", "origClientOrderId", "newClientOrderId")()


def cancel_open_orders(context: ApiContext, request: Request) -> object:
    """DELETE /api/v3/openOrders: all of one symbol."""
    symbol = request.params.must_symbol()
    context.exchange.market(symbol)
    found = list(context.exchange.open_orders(request.account, symbol))
    if not found:
        raise ApiError(-2011, "Unknown order sent.")
    return [
        _cancelled(context, context.exchange.cancel(request.account, symbol, order.id, None), None)
        for order in found
    ]


def replace_order(context: ApiContext, request: Request) -> object:
    """POST /api/v3/order/cancelReplace: a cancel, then a new order."""
    params = request.params
    refusal = ApiError(-1130, "Invalid cancelReplaceMode.")
    places_anyway = params.choice("cancelReplaceMode", _REPLACE_MODES, refusal)
    if places_anyway is None:
        raise missing("cancelReplaceMode")
    new = read_new_order(request)
    # The symbol's rules are applied before anything is cancelled.
    context.exchange.check(new.order)
    names = "cancelOrderId", "cancelOrigClientOrderId", "cancelNewClientOrderId"
    cancel_result, cancel_response = _attempt(_read_cancel(context, request, *names))
    new_result, new_response = NOT_ATTEMPTED, None
    if cancel_result == SUCCESS or places_anyway:
        new_result, new_response = _attempt(lambda: _place(context, request, new))
    report = {
        "cancelResult": cancel_result,
        "newOrderResult": new_result,
        "cancelResponse": cancel_response,
        "newOrderResponse": new_response,
    }
    if SUCCESS not in (cancel_result, new_result):
        raise ApiError(-2022, "Order cancel-replace failed.", data=report)
    if FAILURE in (cancel_result, new_result):
        raise ApiError(-2021, "Order cancel-replace partially failed.", 409, data=report)
    return report


def _place(context: ApiContext, request: Request, new: OrderRequest) -> object:
    context.limits.count_order(request.account)
    try:
        order = context.exchange.place(new.order)
    except EngineError:
        context.limits.uncount_order(request.account)
        raise
    return new.response(order)


def _read_cancel(
    context: ApiContext, request: Request, order_id: str, client_id: str, own_id: str
) -> Callable[[], object]:
    """Read a cancel from the parameters of these names; what is returned carries it out."""
    params = request.params
    symbol = params.must_symbol()
    context.exchange.market(symbol)
    target = params.integer(order_id), params.client_id(client_id)
    if target == (None, None):
        raise missing_either(client_id, order_id)
    refusal = ApiError(-1145, "Invalid cancelRestrictions")
    only = params.choice("cancelRestrictions", _RESTRICTIONS, refusal)
    cancel_id = params.client_id(own_id)

    def cancel() -> object:
        order = context.exchange.cancel(request.account, symbol, *target, only)
        return _cancelled(context, order, cancel_id)

    return cancel


def _cancelled(context: ApiContext, order: Order, cancel_id: str | None) -> object:
    return shapes.order_cancelled(order, cancel_id or context.exchange.client_ids.draw())


def _attempt(action: Callable[[], object]) -> tuple[str, object]:
    """SUCCESS with the response, or FAILURE with the error."""
    try:
        return SUCCESS, action()
    except EngineError as refusal:
        return FAILURE, of_engine(refusal).body()
    except ApiError as refusal:
        return FAILURE, refusal.body()
