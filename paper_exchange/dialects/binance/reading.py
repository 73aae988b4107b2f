"""Private endpoints that only read: orders, trades, the account."""

from paper_exchange.dialects.binance import shapes
from paper_exchange.dialects.binance.errors import ApiError, bad_combination, missing_either
from paper_exchange.dialects.binance.request import ApiContext, Request
from paper_exchange.engine.history import History
from paper_exchange.engine.orders import Fill, Order

LIST_DEFAULT = 500
LIST_MAX = 1000
RANGE_MS_MAX = 24 * 60 * 60 * 1000


def query_order(context: ApiContext, request: Request) -> object:
    """GET /api/v3/order"""
    params = request.params
    symbol = params.must_symbol()
    context.exchange.market(symbol)
    order_id, client_id = params.integer("orderId"), params.client_id("origClientOrderId")
    if order_id is None and client_id is None:
        raise missing_either("origClientOrderId", "orderId")
    order = context.exchange.find(request.account, symbol, order_id, client_id)
    if order is None or not request.can_see(order.accepted_ms):
        raise ApiError(-2013, "Order does not exist.")
    return shapes.order_queried(order)


def open_orders(context: ApiContext, request: Request) -> object:
    """GET /api/v3/openOrders, of one symbol or of all."""
    symbol = request.params.symbol()
    if symbol is not None:
        context.exchange.market(symbol)
    found = context.exchange.open_orders(request.account, symbol)
    return [shapes.order_queried(o) for o in found if request.can_see(o.accepted_ms)]


def all_orders(context: ApiContext, request: Request) -> object:
    """GET /api/v3/allOrders: of one symbol, from an id, from a time, or the newest."""
    params = request.params
    symbol = params.must_symbol()
    context.exchange.market(symbol)
    limit = params.limit(LIST_DEFAULT, LIST_MAX)
    start_ms, end_ms = _time_range(request)
    history: History[Order] | None = context.exchange.accounts[request.account].orders.get(symbol)
    if history is None:
        return []
    found = history.select(limit, params.integer("orderId"), start_ms, request.latest_ms(end_ms))
    return [shapes.order_queried(order) for order in found]


def my_trades(context: ApiContext, request: Request) -> object:
    """GET /api/v3/myTrades: of one symbol, optionally of one order."""
    params = request.params
    symbol = params.must_symbol()
    context.exchange.market(symbol)
    limit = params.limit(LIST_DEFAULT, LIST_MAX)
    from_id, order_id = params.integer("fromId"), params.integer("orderId")
    start_ms, end_ms = _time_range(request)
    has_times = start_ms is not None or end_ms is not None
    if has_times and (from_id is not None or order_id is not None):
        raise bad_combination()
    latest_ms = request.latest_ms(end_ms)
    if order_id is not None:
        fills = _fills_of(context, request, symbol, order_id)
    else:
        fills = context.exchange.accounts[request.account].fills.get(symbol) or History()
    return [shapes.my_trade(fill) for fill in fills.select(limit, from_id, start_ms, latest_ms)]


def account(context: ApiContext, request: Request) -> object:
    """GET /api/v3/account"""
    owner = context.exchange.accounts[request.account]
    omits_empty = request.params.flag("omitZeroBalances")
    balances = owner.balances
    if request.visible_until_ms is not None:
        balances = owner.balances_before(request.visible_until_ms)
    return shapes.account(
        balances, context.exchange.settlement.fees, owner.updated_ms, omits_empty=omits_empty
    )


def _fills_of(context: ApiContext, request: Request, symbol: str, order_id: int) -> History[Fill]:
    order = context.exchange.find(request.account, symbol, order_id, None)
    fills = order.fills if order is not None else ()
    return History.of((fill, fill.trade_id, fill.time_ms) for fill in fills)


def _time_range(request: Request) -> tuple[int | None, int | None]:
    start_ms = request.params.integer("startTime")
    end_ms = request.params.integer("endTime")
    if start_ms is not None and end_ms is not None and end_ms - start_ms > RANGE_MS_MAX:
        raise ApiError(-1127, "More than 24 hours between startTime and endTime.")
    return start_ms, end_ms
