"""Serves a call the way Bybit does: limits, key, signature, time window, then the handler."""

from collections.abc import Mapping
from functools import partial

from paper_exchange.dialects.bybit.errors import ApiError, of_engine, of_status
from paper_exchange.dialects.bybit.limits import Limits
from paper_exchange.dialects.bybit.params import Params, parse_body, parse_query
from paper_exchange.dialects.bybit.request import Json
from paper_exchange.dialects.bybit.routes import ROUTES, Route
from paper_exchange.dialects.bybit.signature import authenticate, check_window
from paper_exchange.dialects.http_dialect import HttpDialect, encode
from paper_exchange.engine.errors import EngineError
from paper_exchange.server.dialect import Answer, Call


class BybitDialect(HttpDialect[Limits]):
    """Bybit's v5 API, its spot side. `secrets` maps API keys to what they sign with."""

    name = "bybit"

    async def answer(self, call: Call) -> Answer:
        """Serve a call; see Dialect."""
        route = ROUTES.get((call.method, call.path))
        if route is None:
            return self.refusal(404)
        headers: dict[str, str] = {}
        try:
            self._context.limits.count_request(call.client)
            result = await self._serve(call, route, headers)
        except EngineError as refusal:
            return self._refuse(of_engine(refusal), headers)
        except ApiError as refusal:
            return self._refuse(refusal, headers)
        return Answer(200, self._envelope(0, "OK", result), headers)

    def refusal(self, status: int) -> Answer:
        """A bare refusal; see Dialect."""
        return self._refuse(of_status(status), {})

    async def _serve(self, call: Call, route: Route, headers: dict[str, str]) -> Json:
        """The result of a call. The headers of the response, also of a refusal, are added to
        `headers`."""
        account, window = "", None
        if route.is_signed:
            account, window = authenticate(call, self._secrets)
            check_window(window, call.received_ms)
        values = parse_query(call.query) if call.method == "GET" else parse_body(call.body)
        params = Params(values)
        params.allow(route.params)
        if route.is_order:
            try:
                self._context.limits.count_order(account)
            finally:
                headers.update(self._context.limits.order_headers(account))
        if route.to_engine and window is not None:
            await self._wait_for_engine(call, partial(check_window, window))
        request = self._request(params, account, call)
        return route.handler(self._context, request)

    def _refuse(self, error: ApiError, headers: Mapping[str, str]) -> Answer:
        return Answer(error.status, self._envelope(error.code, error.message, {}), headers)

    def _envelope(self, code: int, message: str, result: Json) -> bytes:
        envelope = {
            "retCode": code,
            "retMsg": message,
            "result": result,
            "retExtInfo": {},
            "time": self._context.exchange.now_ms(),
        }
        return encode(envelope).encode()
