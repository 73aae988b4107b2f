"""Every path of the API: its handler, its parameters and its request weight.

Weights follow https://developers.binance.com/docs/binance-spot-api-docs/rest-api
"""

from collections.abc import Callable
from dataclasses import dataclass

from paper_exchange.dialects.binance import exchange_info, market_data, reading, trading
from paper_exchange.dialects.binance.new_order import NEW_ORDER_PARAMS
from paper_exchange.dialects.binance.params import Params
from paper_exchange.dialects.binance.request import Handler

Weight = Callable[[Params], int]

_SIGNED_PARAMS = frozenset({"timestamp", "recvWindow", "signature"})
_SYMBOL_CHOICE = frozenset({"symbol", "symbols"})
_ORDER_TARGET = frozenset({"symbol", "orderId", "origClientOrderId"})
_CANCEL_PARAMS = _ORDER_TARGET | {"newClientOrderId", "cancelRestrictions"}
_TIME_RANGE = frozenset({"symbol", "startTime", "endTime", "limit"})


@dataclass(frozen=True, slots=True)
class Route:
    """One method and path. `to_engine` marks requests that wait in the engine's queue.

    They have no weight if they succeed, as on Binance since 2026-04-02.
    """

    handler: Handler
    params: frozenset[str]
    weight: int | Weight
    is_signed: bool = False
    to_engine: bool = False

    def weigh(self, params: Params) -> int:
        """The weight of a request with these parameters."""
        return self.weight if isinstance(self.weight, int) else self.weight(params)


def _private(
    handler: Handler, params: frozenset[str], weight: int | Weight, *, to_engine: bool = False
) -> Route:
    return Route(handler, params | _SIGNED_PARAMS, weight, is_signed=True, to_engine=to_engine)


def _with_symbol(with_one: int, without: int) -> Weight:
    return lambda params: with_one if "symbol" in params else without


def _depth_weight(params: Params) -> int:
    limit = params.integer("limit") or market_data.DEPTH_DEFAULT
    return next(
        (weight for most, weight in ((100, 5), (500, 25), (1000, 50)) if limit <= most), 250
    )


def _day_ticker_weight(params: Params) -> int:
    several = params.symbols()
    if "symbol" in params or (several is not None and len(several) <= 20):
        return 2
    return 40 if several is not None and len(several) <= 100 else 80


def _my_trades_weight(params: Params) -> int:
    return 5 if "orderId" in params else 20


def _test_order_weight(params: Params) -> int:
    return 20 if params.flag("computeCommissionRates") else 1


_REPLACE_PARAMS = NEW_ORDER_PARAMS | {
    "cancelReplaceMode",
    "cancelOrderId",
    "cancelOrigClientOrderId",
    "cancelNewClientOrderId",
    "cancelRestrictions",
    "orderRateLimitExceededMode",
}

ROUTES: dict[tuple[str, str], Route] = {
    ("GET", "/api/v3/ping"): Route(market_data.ping, frozenset(), 1),
    ("GET", "/api/v3/time"): Route(market_data.server_time, frozenset(), 1),
    ("GET", "/api/v3/exchangeInfo"): Route(exchange_info.exchange_info, _SYMBOL_CHOICE, 20),
    ("GET", "/api/v3/depth"): Route(
        market_data.depth, frozenset({"symbol", "limit"}), _depth_weight
    ),
    ("GET", "/api/v3/trades"): Route(market_data.trades, frozenset({"symbol", "limit"}), 25),
    ("GET", "/api/v3/aggTrades"): Route(market_data.aggregate_trades, _TIME_RANGE | {"fromId"}, 4),
    ("GET", "/api/v3/avgPrice"): Route(market_data.average_price, frozenset({"symbol"}), 2),
    ("GET", "/api/v3/ticker/24hr"): Route(
        market_data.day_ticker, _SYMBOL_CHOICE, _day_ticker_weight
    ),
    ("GET", "/api/v3/ticker/price"): Route(
        market_data.price_ticker, _SYMBOL_CHOICE, _with_symbol(2, 4)
    ),
    ("GET", "/api/v3/ticker/bookTicker"): Route(
        market_data.book_ticker, _SYMBOL_CHOICE, _with_symbol(2, 4)
    ),
    ("POST", "/api/v3/order"): _private(trading.place_order, NEW_ORDER_PARAMS, 1, to_engine=True),
    ("POST", "/api/v3/order/test"): _private(
        trading.check_order, NEW_ORDER_PARAMS | {"computeCommissionRates"}, _test_order_weight
    ),
    ("POST", "/api/v3/order/cancelReplace"): _private(
        trading.replace_order, _REPLACE_PARAMS, 1, to_engine=True
    ),
    ("DELETE", "/api/v3/order"): _private(trading.cancel_order, _CANCEL_PARAMS, 1, to_engine=True),
    ("DELETE", "/api/v3/openOrders"): _private(
        trading.cancel_open_orders, frozenset({"symbol"}), 1, to_engine=True
    ),
    ("GET", "/api/v3/order"): _private(reading.query_order, _ORDER_TARGET, 4),
    ("GET", "/api/v3/openOrders"): _private(
        reading.open_orders, frozenset({"symbol"}), _with_symbol(6, 80)
    ),
    ("GET", "/api/v3/allOrders"): _private(reading.all_orders, _TIME_RANGE | {"orderId"}, 20),
    ("GET", "/api/v3/myTrades"): _private(
        reading.my_trades, _TIME_RANGE | {"orderId", "fromId"}, _my_trades_weight
    ),
    ("GET", "/api/v3/account"): _private(reading.account, frozenset({"omitZeroBalances"}), 20),
}
