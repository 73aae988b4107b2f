"""Every path of the API and who serves it."""

from dataclasses import dataclass

from paper_exchange.bybit import account, market_data, reading, trading
from paper_exchange.bybit.request import Handler


@dataclass(frozen=True, slots=True)
class Route:
    """One method and path. `to_engine` marks requests that wait in the engine's queue, `is_order`
    those that count as new orders.
    """

    handler: Handler
    is_signed: bool = True
    to_engine: bool = False
    is_order: bool = False


def _public(handler: Handler) -> Route:
    return Route(handler, is_signed=False)


ROUTES: dict[tuple[str, str], Route] = {
    ("GET", "/v5/market/time"): _public(market_data.server_time),
    ("GET", "/v5/market/instruments-info"): _public(market_data.instruments),
    ("GET", "/v5/market/tickers"): _public(market_data.tickers),
    ("GET", "/v5/market/orderbook"): _public(market_data.order_book),
    ("GET", "/v5/market/recent-trade"): _public(market_data.recent_trades),
    ("POST", "/v5/order/create"): Route(trading.create, to_engine=True, is_order=True),
    ("POST", "/v5/order/amend"): Route(trading.amend, to_engine=True),
    ("POST", "/v5/order/cancel"): Route(trading.cancel, to_engine=True),
    ("POST", "/v5/order/cancel-all"): Route(trading.cancel_all, to_engine=True),
    ("GET", "/v5/order/realtime"): Route(reading.realtime),
    ("GET", "/v5/order/history"): Route(reading.order_history),
    ("GET", "/v5/execution/list"): Route(reading.executions),
    ("GET", "/v5/account/wallet-balance"): Route(account.wallet_balance),
    ("GET", "/v5/account/info"): Route(account.account_info),
    ("GET", "/v5/account/fee-rate"): Route(account.fee_rate),
    ("GET", "/v5/user/query-api"): Route(account.key_info),
    ("GET", "/v5/asset/coin/query-info"): Route(account.coins),
}
