"""Serves a call the way Binance does: limits, key, signature, time window, then the handler."""

import asyncio
import json
from collections.abc import Mapping

from paper_exchange.dialects.binance.errors import ApiError, of_engine, of_status
from paper_exchange.dialects.binance.limits import Limits
from paper_exchange.dialects.binance.params import Params, parse_pairs
from paper_exchange.dialects.binance.request import ApiContext, Request
from paper_exchange.dialects.binance.routes import ROUTES, Route
from paper_exchange.dialects.binance.signature import account_of, check_signature
from paper_exchange.dialects.window import Window
from paper_exchange.engine.errors import EngineError
from paper_exchange.engine.exchange import Exchange
from paper_exchange.server.dialect import Answer, Call

RECV_WINDOW_MS = 5_000
RECV_WINDOW_MS_MAX = 60_000

_encode = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode


class BinanceDialect:
    """Binance's spot REST API. `secrets` maps API keys to what they sign with."""

    name = "binance"

    def __init__(
        self,
        exchange: Exchange,
        secrets: Mapping[str, bytes],
        limits: Limits,
        match_delay_ms: int = 0,
    ) -> None:
        self._context = ApiContext(exchange, limits)
        self._secrets = secrets
        self._match_delay_ms = match_delay_ms

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
        return Answer(status, _encode(of_status(status).body()).encode())

    async def _serve(self, call: Call, route: Route) -> Answer:
        body = call.body.decode("utf-8", "replace")
        params = Params(parse_pairs(call.query, body))
        weight = route.weight(params)
        self._context.limits.spend_weight(call.client, weight)
        account, window = "", None
        if route.is_signed:
            account, window = self._authenticate(call, params, body)
        params.allow(route.params)
        if route.to_engine and window is not None:
            await self._queue(window, call)
        visible_until_ms = self._context.exchange.now_ms() - call.lag_ms if call.lag_ms else None
        request = Request(params, account, call.received_ms, visible_until_ms)
        result = route.handler(self._context, request)
        if route.to_engine:
            self._context.limits.refund_weight(call.client, weight)
        headers = self._usage(call.client)
        if route.to_engine:
            headers["X-MBX-ORDER-COUNT-10S"] = str(self._context.limits.used_orders(account))
        return Answer(200, _encode(result).encode(), headers)

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

    async def _queue(self, window: Window, call: Call) -> None:
        """Wait for the engine, then check again that the request is in its time window."""
        if self._match_delay_ms:
            await asyncio.sleep(self._match_delay_ms / 1000)
        _check(window, self._context.exchange.now_ms())
        if call.engine_delay is not None:
            await call.engine_delay.wait()

    def _usage(self, client: str) -> dict[str, str]:
        used = str(self._context.limits.used_weight(client))
        return {"X-MBX-USED-WEIGHT": used, "X-MBX-USED-WEIGHT-1M": used}

    def _refuse(self, error: ApiError, call: Call) -> Answer:
        headers = self._usage(call.client)
        if error.retry_after_s is not None:
            headers["Retry-After"] = str(error.retry_after_s)
        return Answer(error.status, _encode(error.body()).encode(), headers)


def _check(window: Window, now_ms: int) -> None:
    """Raise -1021 outside the window."""
    if window.is_early(now_ms):
        message = "Timestamp for this request was 1000ms ahead of the server's time."
        raise ApiError(-1021, message)
    if window.is_late(now_ms):
        raise ApiError(-1021, "Timestamp for this request is outside of the recvWindow.")
