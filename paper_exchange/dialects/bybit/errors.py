"""Bybit's errors: a retCode and a message, almost always with HTTP status 200.

Codes and messages follow https://bybit-exchange.github.io/docs/v5/error
"""

from decimal import Decimal

from paper_exchange.engine.errors import (
    BalanceError,
    DuplicateIdError,
    EngineError,
    UnknownOrderError,
    UnknownSymbolError,
)
from paper_exchange.engine.orders import ZERO, NewOrder, Side
from paper_exchange.engine.symbols import Symbol


class ApiError(Exception):
    """A refusal with Bybit's code and message."""

    def __init__(self, code: int, message: str, status: int = 200) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status


_OF_ENGINE: dict[type[EngineError], tuple[int, str]] = {
    UnknownSymbolError: (170121, "Invalid symbol."),
    BalanceError: (170131, "Insufficient balance."),
    DuplicateIdError: (170141, "Duplicate clientOrderId"),
    UnknownOrderError: (170213, "Order does not exist."),
}


def of_engine(error: EngineError) -> ApiError:
    """The engine's refusal with Bybit's code and message; a FilterError needs of_filter instead."""
    code, message = _OF_ENGINE[type(error)]
    return ApiError(code, message)


def of_filter(rule: str, order: NewOrder, symbol: Symbol, reference: Decimal) -> ApiError:
    """Bybit's error for an order that breaks a rule; it also says whether a value is too low or too
    high.

    `reference` is the price against which the engine checked the order's price.
    """
    price, qty = order.price or ZERO, order.qty or ZERO
    if rule == "PRICE_FILTER":
        return _price_refusal(price, symbol)
    if rule == "PERCENT_PRICE_BY_SIDE":
        return _distance_refusal(order.side, is_high=price > reference)
    if rule == "NOTIONAL":
        worth = order.quote_qty or (order.price or reference) * qty
        return _worth_refusal(is_low=worth < symbol.notional_min)
    if qty < symbol.step:
        return ApiError(170136, "Order quantity exceeded lower limit.")
    if qty % symbol.step:
        return ApiError(170137, "Order quantity has too many decimals.")
    return ApiError(170135, "Order quantity exceeded upper limit.")


def _price_refusal(price: Decimal, symbol: Symbol) -> ApiError:
    if price < symbol.tick:
        return ApiError(170133, "Order price is lower than the minimum.")
    if price > symbol.price_max:
        return ApiError(170132, "Order price is too high.")
    return ApiError(170134, "Order price has too many decimals.")


def _distance_refusal(side: Side, *, is_high: bool) -> ApiError:
    if is_high and side is Side.BUY:
        return ApiError(170193, "Buy order price is above the limit.")
    if is_high:
        return ApiError(170192, "Order price is above the limit.")
    if side is Side.SELL:
        return ApiError(170194, "Sell order price is below the limit.")
    return ApiError(170371, "Order price is below the limit.")


def _worth_refusal(*, is_low: bool) -> ApiError:
    if is_low:
        return ApiError(170140, "Order value exceeded lower limit.")
    return ApiError(170124, "Order amount too large.")


_OF_STATUS = {
    400: (10001, "Request parameter error."),
    401: (10003, "API key is invalid."),
    403: (10018, "access too frequent"),
    404: (10017, "Route not found."),
    408: (10000, "Server Timeout"),
    413: (10001, "Request parameter error: the body is too large."),
    418: (10018, "Exceeded the IP Rate Limit."),
    429: (10018, "Exceeded the IP Rate Limit."),
    504: (10000, "Server Timeout"),
}


def of_status(status: int) -> ApiError:
    """Bybit's error for a bare HTTP status."""
    code, message = _OF_STATUS.get(status, (10016, "Server error."))
    return ApiError(code, message, status)


def wrong(name: str, why: str = "is missing or malformed") -> ApiError:
    """A parameter is invalid."""
    return ApiError(10001, f"Request parameter error: {name} {why}.")


def not_supported() -> ApiError:
    """The real exchange supports this, the paper exchange does not."""
    return ApiError(170227, "This feature is not supported.")
