"""The arguments of a handler: an authenticated request with its parameters, and the context."""

from collections.abc import Callable

from paper_exchange.dialects import request
from paper_exchange.dialects.binance.limits import Limits
from paper_exchange.dialects.binance.params import Params


class ApiContext(request.ApiContext[Limits]):
    """Binance's context."""

    __slots__ = ()


class Request(request.Request[Params]):
    """A Binance request."""

    __slots__ = ()


Handler = Callable[[ApiContext, Request], object]
