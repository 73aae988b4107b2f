"""Every path of the API and its handler."""

from dataclasses import dataclass

from paper_exchange.dialects.bybit import account, market_data, reading, trading
from paper_exchange.dialects.bybit.new_order import NEW_ORDER_PARAMS
from paper_exchange.dialects.bybit.request import Handler


@dataclass(frozen=True, slots=True)
class Route:
    """One method and path, and the parameters of the endpoint.

    `to_engine` marks requests that wait in the engine's queue, `is_order` those that count as new
    orders.
    """

    handler: Handler
    params: frozenset[str] = frozenset()
    is_signed: bool = True
    to_engine: bool = False
    is_order: bool = False


def _public(handler: Handler, *params: str) -> Route:
    return Route(handler, frozenset(params), is_signed=False)


_IDS = frozenset({"category", "symbol", "orderId", "orderLinkId"})
_PAGE = frozenset({"limit", "cursor"})
_TIMES = frozenset({"startTime", "endTime"})


ROUTES: dict[tuple[str, str], Route] = {
    ("GET", "/v5/market/time"): _public(market_data.server_time),
    ("GET", "/v5/market/instruments-info"): _public(
        market_data.instruments, "category", "symbol", "baseCoin", "status", "limit", "cursor"
    ),
    ("GET", "/v5/market/tickers"): _public(market_data.tickers, "category", "symbol"),
    ("GET", "/v5/market/orderbook"): _public(market_data.order_book, "category", "symbol", "limit"),
    ("GET", "/v5/market/recent-trade"): _public(
        market_data.recent_trades, "category", "symbol", "limit"
    ),
    ("POST", "/v5/order/create"): Route(
        trading.create, NEW_ORDER_PARAMS, to_engine=True, is_order=True
    ),
    ("POST", "/v5/order/amend"): Route(trading.amend, _IDS | {"price", "qty"}, to_engine=True),
    ("POST", "/v5/order/cancel"): Route(trading.cancel, _IDS | {"orderFilter"}, to_engine=True),
    ("POST", "/v5/order/cancel-all"): Route(
        trading.cancel_all, frozenset({"category", "symbol", "orderFilter"}), to_engine=True
    ),
    ("GET", "/v5/order/realtime"): Route(
        reading.realtime, _IDS | _PAGE | {"openOnly", "orderFilter"}
    ),
    ("GET", "/v5/order/history"): Route(
        reading.order_history, _IDS | _PAGE | _TIMES | {"orderStatus", "orderFilter"}
    ),
    ("GET", "/v5/execution/list"): Route(reading.executions, _IDS | _PAGE | _TIMES | {"execType"}),
    ("GET", "/v5/account/wallet-balance"): Route(
        account.wallet_balance, frozenset({"accountType", "coin"})
    ),
    ("GET", "/v5/account/info"): Route(account.account_info),
    ("GET", "/v5/account/fee-rate"): Route(account.fee_rate, frozenset({"category", "symbol"})),
    ("GET", "/v5/user/query-api"): Route(account.key_info),
    ("GET", "/v5/asset/coin/query-info"): Route(account.coins, frozenset({"coin"})),
}
