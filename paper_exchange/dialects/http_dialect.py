"""The common part of the HTTP APIs: the wait for the engine, and how JSON is written."""

import asyncio
import json
from collections.abc import Callable, Mapping
from typing import Generic

from paper_exchange.dialects.request import ApiContext, LimitsT, ParamsT, Request
from paper_exchange.engine.exchange import Exchange
from paper_exchange.server.dialect import Call

encode = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode


class HttpDialect(Generic[LimitsT]):
    """An exchange's API. `secrets` maps API keys to what they sign with."""

    def __init__(
        self,
        exchange: Exchange,
        secrets: Mapping[str, bytes],
        limits: LimitsT,
        match_delay_ms: int = 0,
    ) -> None:
        self._context = ApiContext(exchange, limits)
        self._secrets = secrets
        self._match_delay_ms = match_delay_ms

    async def _wait_for_engine(self, call: Call, check: Callable[[int], None]) -> None:
        """Wait, then `check` again that the request is in its time window."""
        if self._match_delay_ms:
            await asyncio.sleep(self._match_delay_ms / 1000)
        check(self._context.exchange.now_ms())
        if call.engine_delay is not None:
            await call.engine_delay.wait()

    def _request(self, params: ParamsT, account: str, call: Call) -> Request[ParamsT]:
        visible_until_ms = self._context.exchange.now_ms() - call.lag_ms if call.lag_ms else None
        return Request(params, account, call.received_ms, visible_until_ms)
