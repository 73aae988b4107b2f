"""The arguments of a handler: an authenticated request with its parameters, and the context."""

from collections.abc import Callable

from paper_exchange.dialects import request
from paper_exchange.dialects.bybit.limits import Limits
from paper_exchange.dialects.bybit.params import Params


class ApiContext(request.ApiContext[Limits]):
    """Bybit's context."""

    __slots__ = ()


class Request(request.Request[Params]):
    """A Bybit request."""

    __slots__ = ()


Json = dict[str, object]
Handler = Callable[[ApiContext, Request], Json]
