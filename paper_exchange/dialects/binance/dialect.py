"""Serves a call the way Binance does: limits, key, signature, time window, then the handler."""

from functools import partial

from paper_exchange.dialects.binance.errors import ApiError, of_engine, of_status
from paper_exchange.dialects.binance.limits import Limits
from paper_exchange.dialects.binance.params import Params, parse_pairs
from paper_exchange.dialects.binance.routes import ROUTES, Route
from paper_exchange.dialects.binance.signature import account_of, check_signature
from paper_exchange.dialects.http_dialect import HttpDialect, encode
from paper_exchange.dialects.window import Window
from paper_exchange.engine.errors import EngineError
from paper_exchange.server.dialect import Answer, Call

RECV_WINDOW_MS = 5_000
RECV_WINDOW_MS_MAX = 60_000


class BinanceDialect(HttpDialect[Limits]):
    """Binance's spot REST API. `secrets` maps API keys to what they sign with."""

    name = "binance"

    async def answer(self, call: Call) -> Answer:
        """Serve a call; see Dialect."""
        route = ROUTES.get((call.method, call.path))
        if route is None:
            return self.refusal(404)
        try:
            return await self._serve(call, route)
        except EngineError as refusal:
            return self._refuse(of_engine(refusal), call)
        except ApiError as refusal:
            return self._refuse(refusal, call)

    def refusal(self, status: int) -> Answer:
        """A bare refusal; see Dialect."""
        return Answer(status, encode(of_status(status).body()).encode())

    async def _serve(self, call: Call, route: Route) -> Answer:
        body = call.body.decode("utf-8", "replace")
        params = Params(parse_pairs(call.query, body))
        weight = route.weigh(params)
        self._context.limits.spend_weight(call.client, weight)
        account, window = "", None
        if route.is_signed:
            account, window = self._authenticate(call, params, body)
        params.allow(route.params)
        if route.to_engine and window is not None:
            await self._wait_for_engine(call, partial(_check, window))
        request = self._request(params, account, call)
        result = route.handler(self._context, request)
        if route.to_engine:
            self._context.limits.refund_weight(call.client, weight)
        headers = self._usage(call.client)
        if route.to_engine:
            headers["X-MBX-ORDER-COUNT-10S"] = str(self._context.limits.used_orders(account))
        return Answer(200, encode(result).encode(), headers)

    def _authenticate(self, call: Call, params: Params, body: str) -> tuple[str, Window]:
        account = account_of(call.headers, self._secrets)
        timestamp_ms = params.must_integer("timestamp")
        recv_window_ms = params.integer("recvWindow")
        if recv_window_ms is None:
            recv_window_ms = RECV_WINDOW_MS
        if recv_window_ms > RECV_WINDOW_MS_MAX:
            raise ApiError(-1131, "recvWindow must be less than 60000.")
        signature = params.must_text("signature")
        check_signature(self._secrets[account], call.query, body, signature)
        window = Window(timestamp_ms, recv_window_ms)
        _check(window, call.received_ms)
        return account, window

    def _usage(self, client: str) -> dict[str, str]:
        used = str(self._context.limits.used_weight(client))
        return {"X-MBX-USED-WEIGHT": used, "X-MBX-USED-WEIGHT-1M": used}

    def _refuse(self, error: ApiError, call: Call) -> Answer:
        headers = self._usage(call.client)
        if error.retry_after_s is not None:
            headers["Retry-After"] = str(error.retry_after_s)
        return Answer(error.status, encode(error.body()).encode(), headers)


def _check(window: Window, now_ms: int) -> None:
    """Raise -1021 outside the window."""
    if window.is_early(now_ms):
        message = "Timestamp for this request was 1000ms ahead of the server's time."
        raise ApiError(-1021, message)
    if window.is_late(now_ms):
        raise ApiError(-1021, "Timestamp for this request is outside of the recvWindow.")
