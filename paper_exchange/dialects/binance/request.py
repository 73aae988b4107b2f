"""The arguments of a handler: an authenticated request with its parameters, and the context."""

from collections.abc import Callable

from paper_exchange.dialects import request
from paper_exchange.dialects.binance.limits import Limits
from paper_exchange.dialects.binance.params import Params

ApiContext = request.ApiContext[Limits]
Request = request.Request[Params]
Handler = Callable[[ApiContext, Request], object]
