"""Private endpoints that only read: orders and trades, the newest first, page by page."""

from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

from paper_exchange.dialects.bybit import shapes
from paper_exchange.dialects.bybit.errors import wrong
from paper_exchange.dialects.bybit.params import SPOT, Params
from paper_exchange.dialects.bybit.request import ApiContext, Json, Request
from paper_exchange.dialects.bybit.trading import read_ids
from paper_exchange.engine.history import History
from paper_exchange.engine.orders import Fill, Order

Item = TypeVar("Item")

ORDERS_DEFAULT, ORDERS_MAX = 20, 50
TRADES_DEFAULT, TRADES_MAX = 50, 100
RANGE_MS_MAX = 7 * 24 * 60 * 60 * 1000


def realtime(context: ApiContext, request: Request) -> Json:
    """GET /v5/order/realtime: open orders, or one order that is open or among the latest ended
    ones."""
    params = request.params
    params.must_be_spot()
    params.must_be_plain()
    limit = params.limit(ORDERS_DEFAULT, ORDERS_MAX)
    owner = context.exchange.accounts[request.account]
    order_id, client_id = read_ids(params)
    if order_id is not None or client_id is not None:
        order = context.exchange.find(request.account, None, order_id, client_id)
        is_kept = order is not None and (order.is_open or order in owner.recently_ended)
        return _one(request, order if is_kept else None)
    kept = owner.recently_ended if params.whole("openOnly") else owner.open_orders.values()
    symbol = params.text("symbol")
    found = _orders(o for o in kept if symbol is None or o.symbol.name == symbol)
    return _order_page(request, found, limit, (None, None), lambda _: True)


def order_history(context: ApiContext, request: Request) -> Json:
    """GET /v5/order/history: orders that have ended."""
    params = request.params
    params.must_be_spot()
    params.must_be_plain()
    limit = params.limit(ORDERS_DEFAULT, ORDERS_MAX)
    wanted = _wanted_status(params)

    def is_wanted(order: Order) -> bool:
        return not order.is_open and wanted in (None, shapes.status(order))

    order_id, client_id = read_ids(params)
    if order_id is not None or client_id is not None:
        order = context.exchange.find(request.account, None, order_id, client_id)
        return _one(request, order if order is not None and is_wanted(order) else None)
    times = _time_range(context, request)
    histories = context.exchange.accounts[request.account].orders
    symbol = params.text("symbol")
    found = _history(histories, symbol, _orders)
    return _order_page(request, found, limit, times, is_wanted)


def executions(context: ApiContext, request: Request) -> Json:
    """GET /v5/execution/list: the account's own trades."""
    params = request.params
    params.must_be_spot()
    limit = params.limit(TRADES_DEFAULT, TRADES_MAX)
    start_ms, end_ms = _time_range(context, request)
    order_id, client_id = read_ids(params)
    if params.text("execType") not in (None, "Trade"):
        found: History[Fill] = History()
    elif order_id is not None or client_id is not None:
        order = context.exchange.find(request.account, None, order_id, client_id)
        found = _fills(order.fills if order is not None else ())
    else:
        histories = context.exchange.accounts[request.account].fills
        found = _history(histories, params.text("symbol"), _fills)
    cursor = params.whole("cursor")
    page, following = found.page(limit, cursor, start_ms, request.latest_ms(end_ms))
    fees = context.exchange.settlement.fees
    return _listed([shapes.execution(fill, fees) for fill in page], following)


def _wanted_status(params: Params) -> str | None:
    """The requested status: a final one, or None for all."""
    status = params.text("orderStatus")
    if status is not None and status not in shapes.ENDED:
        raise wrong("orderStatus", f"must be one of {', '.join(sorted(shapes.ENDED))}")
    return status


def _orders(orders: Iterable[Order]) -> History[Order]:
    by_id = sorted(orders, key=lambda order: order.id)
    return History.of((order, order.id, order.accepted_ms) for order in by_id)


def _fills(fills: Iterable[Fill]) -> History[Fill]:
    by_time = sorted(fills, key=lambda fill: fill.time_ms)
    return History.of((fill, fill.trade_id, fill.time_ms) for fill in by_time)


def _history(
    histories: Mapping[str, History[Item]],
    symbol: str | None,
    merged: Callable[[Iterable[Item]], History[Item]],
) -> History[Item]:
    """The history of one symbol, or of all."""
    if symbol is not None:
        return histories.get(symbol) or History()
    return merged(item for history in histories.values() for item in history)


def _order_page(
    request: Request,
    found: History[Order],
    limit: int,
    times: tuple[int | None, int | None],
    is_wanted: Callable[[Order], bool],
) -> Json:
    cursor = request.params.whole("cursor")
    latest_ms = request.latest_ms(times[1])
    page, following = found.page(limit, cursor, times[0], latest_ms, is_wanted)
    return _listed([shapes.order_told(order) for order in page], following)


def _one(request: Request, order: Order | None) -> Json:
    is_there = order is not None and request.can_see(order.accepted_ms)
    return _listed([shapes.order_told(order)] if order is not None and is_there else [], 0)


def _listed(rows: list[Json], following: int) -> Json:
    cursor = str(following) if following else ""
    return {"category": SPOT, "list": rows, "nextPageCursor": cursor}


def _time_range(context: ApiContext, request: Request) -> tuple[int, int]:
    """At most a week: the latest, or the one after startTime or before endTime."""
    start_ms, end_ms = request.params.whole("startTime"), request.params.whole("endTime")
    if start_ms is None:
        end_ms = context.exchange.now_ms() if end_ms is None else end_ms
        return end_ms - RANGE_MS_MAX, end_ms
    if end_ms is None:
        return start_ms, start_ms + RANGE_MS_MAX
    if not 0 <= end_ms - start_ms <= RANGE_MS_MAX:
        raise wrong("startTime and endTime", "must be in order and no more than 7 days apart")
    return start_ms, end_ms
