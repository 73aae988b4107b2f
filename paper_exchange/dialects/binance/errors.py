"""Binance's errors: a code, a message and an HTTP status.

Codes and messages follow https://developers.binance.com/docs/binance-spot-api-docs/errors
"""

from paper_exchange.engine.errors import (
    BalanceError,
    CancelRestrictedError,
    DuplicateIdError,
    EngineError,
    FilterError,
    UnknownOrderError,
    UnknownSymbolError,
    WouldTakeError,
    WouldTriggerError,
)


class ApiError(Exception):
    """A refusal with Binance's code and message. `retry_after_s` becomes a header, `data` a
    field."""

    def __init__(
        self,
        code: int,
        message: str,
        status: int = 400,
        *,
        retry_after_s: int | None = None,
        data: object = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status
        self.retry_after_s = retry_after_s
        self.data = data

    def body(self) -> dict[str, object]:
        """The JSON object that carries it."""
        plain: dict[str, object] = {"code": self.code, "msg": self.message}
        if self.data is not None:
            plain["data"] = self.data
        return plain


_OF_ENGINE: dict[type[EngineError], tuple[int, str]] = {
    UnknownSymbolError: (-1121, "Invalid symbol."),
    BalanceError: (-2010, "Account has insufficient balance for requested action."),
    DuplicateIdError: (-2010, "Duplicate order sent."),
    WouldTakeError: (-2010, "Order would immediately match and take."),
    WouldTriggerError: (-2010, "Stop price would trigger immediately."),
    UnknownOrderError: (-2011, "Unknown order sent."),
    CancelRestrictedError: (-2011, "Order was not canceled due to cancel restrictions."),
}


def of_engine(error: EngineError) -> ApiError:
    """The engine's refusal with Binance's code and message."""
    if isinstance(error, FilterError):
        return ApiError(-1013, f"Filter failure: {error.rule}")
    code, message = _OF_ENGINE[type(error)]
    return ApiError(code, message)


_UNKNOWN_OUTCOME = (
    "Timeout waiting for response from backend server. "
    "Send status unknown; execution status unknown."
)
_OF_STATUS = {
    400: (-1100, "Illegal characters found in a parameter."),
    401: (-2015, "Invalid API-key, IP, or permissions for action."),
    403: (-1002, "You are not authorized to execute this request."),
    404: (-1000, "Not Found: there is no such path here."),
    408: (-1007, _UNKNOWN_OUTCOME),
    413: (-1101, "Too many parameters sent for this endpoint."),
    418: (-1003, "Way too much request weight used; IP banned."),
    429: (-1003, "Too much request weight used; please send fewer requests."),
    500: (-1000, "An unknown error occurred while processing the request."),
    503: (-1008, "Server is currently overloaded with other requests."),
    504: (-1007, _UNKNOWN_OUTCOME),
}


def of_status(status: int) -> ApiError:
    """Binance's error for a bare HTTP status."""
    code, message = _OF_STATUS.get(status, _OF_STATUS[500])
    return ApiError(code, message, status)


def illegal_characters(name: str, legal: str) -> ApiError:
    """A parameter has illegal characters."""
    message = f"Illegal characters found in parameter '{name}'; legal range is '{legal}'."
    return ApiError(-1100, message)


def missing(name: str) -> ApiError:
    """A mandatory parameter is missing."""
    return ApiError(
        -1102, f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed."
    )


def missing_either(name: str, other: str) -> ApiError:
    """Both of two parameters are missing, one of which is mandatory."""
    return ApiError(-1102, f"Param '{name}' or '{other}' must be sent, but both were empty/null!")


def not_required(name: str) -> ApiError:
    """A parameter is not allowed in this request."""
    return ApiError(-1106, f"Parameter '{name}' sent when not required.")


def bad_combination() -> ApiError:
    """Parameters that exclude each other."""
    return ApiError(-1128, "Combination of optional parameters invalid.")


def invalid(name: str) -> ApiError:
    """A parameter's value is invalid."""
    return ApiError(-1130, f"Data sent for parameter '{name}' is not valid.")
