"""Endpoints that change something: place, cancel, and replace."""

from enum import StrEnum

from paper_exchange.dialects.binance import shapes
from paper_exchange.dialects.binance.errors import ApiError, missing, missing_either, of_engine
from paper_exchange.dialects.binance.new_order import OrderRequest, ResponseType, read_new_order
from paper_exchange.dialects.binance.params import Params
from paper_exchange.dialects.binance.request import ApiContext, Request
from paper_exchange.engine.errors import EngineError
from paper_exchange.engine.orders import Order, Status

_SHAPES = {
    ResponseType.ACK: shapes.order_ack,
    ResponseType.RESULT: shapes.order_result,
    ResponseType.FULL: shapes.order_full,
}


class CancelRestriction(StrEnum):
    """Which state an order must be in for its cancel to go through."""

    ONLY_NEW = "ONLY_NEW"
    ONLY_PARTIALLY_FILLED = "ONLY_PARTIALLY_FILLED"


class ReplaceMode(StrEnum):
    """Whether the new order is placed if the old one could not be cancelled."""

    STOP_ON_FAILURE = "STOP_ON_FAILURE"
    ALLOW_FAILURE = "ALLOW_FAILURE"


_RESTRICTED_TO = {
    CancelRestriction.ONLY_NEW: Status.NEW,
    CancelRestriction.ONLY_PARTIALLY_FILLED: Status.PARTIALLY_FILLED,
}


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
    return _cancel(
        context,
        request,
        order_id="orderId",
        client_id="origClientOrderId",
        own_id="newClientOrderId",
    )


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
    mode = params.choice(
        "cancelReplaceMode", ReplaceMode, ApiError(-1130, "Invalid cancelReplaceMode.")
    )
    if mode is None:
        raise missing("cancelReplaceMode")
    new = read_new_order(request)
    # The symbol's rules are applied before anything is cancelled.
    context.exchange.check(new.order)
    _read_target(params, "cancelOrderId", "cancelOrigClientOrderId")
    cancelled, cancel_failure = _attempt_cancel(context, request)
    if cancel_failure is not None and mode is ReplaceMode.STOP_ON_FAILURE:
        raise _replace_failed(cancel_failure.body(), None, attempted=False)
    placed, place_failure = _attempt_place(context, request, new)
    if cancel_failure is not None and place_failure is not None:
        raise _replace_failed(cancel_failure.body(), place_failure.body(), attempted=True)
    report = {
        "cancelResult": "FAILURE" if cancel_failure else "SUCCESS",
        "newOrderResult": "FAILURE" if place_failure else "SUCCESS",
        "cancelResponse": cancel_failure.body() if cancel_failure else cancelled,
        "newOrderResponse": place_failure.body() if place_failure else placed,
    }
    if cancel_failure is not None or place_failure is not None:
        raise ApiError(-2021, "Order cancel-replace partially failed.", 409, data=report)
    return report


def _place(context: ApiContext, request: Request, new: OrderRequest) -> object:
    context.limits.count_order(request.account)
    try:
        order = context.exchange.place(new.order)
    except EngineError:
        context.limits.uncount_order(request.account)
        raise
    return _SHAPES[new.response_type](order)


def _cancel(
    context: ApiContext, request: Request, *, order_id: str, client_id: str, own_id: str
) -> object:
    params = request.params
    symbol = params.must_symbol()
    context.exchange.market(symbol)
    target = _read_target(params, order_id, client_id)
    refusal = ApiError(-1145, "Invalid cancelRestrictions")
    restriction = params.choice("cancelRestrictions", CancelRestriction, refusal)
    only = None if restriction is None else _RESTRICTED_TO[restriction]
    cancel_id = params.client_id(own_id)
    order = context.exchange.cancel(request.account, symbol, *target, only)
    return _cancelled(context, order, cancel_id)


def _cancelled(context: ApiContext, order: Order, cancel_id: str | None) -> object:
    return shapes.order_cancelled(order, cancel_id or context.exchange.client_ids.draw())


def _read_target(params: Params, order_id: str, client_id: str) -> tuple[int | None, str | None]:
    target = params.integer(order_id), params.client_id(client_id)
    if target == (None, None):
        raise missing_either(client_id, order_id)
    return target


def _attempt_cancel(context: ApiContext, request: Request) -> tuple[object, ApiError | None]:
    try:
        cancelled = _cancel(
            context,
            request,
            order_id="cancelOrderId",
            client_id="cancelOrigClientOrderId",
            own_id="cancelNewClientOrderId",
        )
    except EngineError as refusal:
        return None, of_engine(refusal)
    return cancelled, None


def _attempt_place(
    context: ApiContext, request: Request, new: OrderRequest
) -> tuple[object, ApiError | None]:
    try:
        return _place(context, request, new), None
    except EngineError as refusal:
        return None, of_engine(refusal)
    except ApiError as refusal:
        return None, refusal


def _replace_failed(cancel: object, placed: object, *, attempted: bool) -> ApiError:
    report = {
        "cancelResult": "FAILURE",
        "newOrderResult": "FAILURE" if attempted else "NOT_ATTEMPTED",
        "cancelResponse": cancel,
        "newOrderResponse": placed,
    }
    return ApiError(-2022, "Order cancel-replace failed.", data=report)
