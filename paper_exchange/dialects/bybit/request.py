"""What a handler gets: the parameters of an authenticated request, and what it may touch."""

from collections.abc import Callable

from paper_exchange.dialects import request
from paper_exchange.dialects.bybit.limits import Limits
from paper_exchange.dialects.bybit.params import Params


class ApiContext(request.ApiContext[Limits]):
    """Bybit's desk."""

    __slots__ = ()


class Request(request.Request[Params]):
    """One of Bybit's requests."""

    __slots__ = ()


Json = dict[str, object]
Handler = Callable[[ApiContext, Request], Json]
