"""What a handler gets: the parameters of an authenticated request, and what it may touch."""

from collections.abc import Callable

from paper_exchange.dialects import request
from paper_exchange.dialects.binance.limits import Limits
from paper_exchange.dialects.binance.params import Params


class ApiContext(request.ApiContext[Limits]):
    """Binance's desk."""

    __slots__ = ()


class Request(request.Request[Params]):
    """One of Binance's requests."""

    __slots__ = ()


Handler = Callable[[ApiContext, Request], object]
