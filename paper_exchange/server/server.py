"""The HTTP server: receives requests, applies faults to them, and sends responses."""

import asyncio
import logging
from dataclasses import replace

from aiohttp import web

from paper_exchange.clock import ExchangeClock
from paper_exchange.faults.fault_book import FaultBook, Plan
from paper_exchange.faults.rules import FaultKind, FaultRule, GarbageForm, LateAnswer
from paper_exchange.server.control import PREFIX, Control
from paper_exchange.server.dialect import Answer, Call, Dialect, EngineDelay
from paper_exchange.server.json_body import encode
from paper_exchange.server.stream_server import StreamServer

# The response from which a cut one is made if the request was not carried out.
HALF_AN_ANSWER = b'{"symbol":"BTCUSDT","orderId":1'
HTML = b"<html><head><title>502 Bad Gateway</title></head><body>Bad Gateway</body></html>"

log = logging.getLogger(__name__)


class Server:
    """Serves a dialect and the control calls on one port, with faults."""

    def __init__(
        self,
        dialect: Dialect,
        control: Control,
        faults: FaultBook,
        clock: ExchangeClock,
        streams: StreamServer | None = None,
    ) -> None:
        self._dialect = dialect
        self._control = control
        self._faults = faults
        self._clock = clock
        self._streams = streams
        # Requests that the engine carries out after their clients received a response.
        self._late: set[asyncio.Task[Answer]] = set()
        # The response to a request that cannot be served: the dialect's error for a bare status.
        self.refusal = dialect.refusal

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Serve one HTTP request, or a whole WebSocket connection."""
        received_ms = self._clock.now_ms()
        path, _, query = request.raw_path.partition("?")
        try:
            plan = None if path.startswith(PREFIX) else self._faults.draw(request.method, path)
            is_spoiled = plan is not None and plan.spoiler is not None
            if self._streams and self._streams.serves(request, path) and not is_spoiled:
                if plan is not None:
                    await asyncio.sleep(plan.delay_before_ms / 1000)
                return await self._streams.serve(request, path, query)
            answer = await self._answer(request, path, query, received_ms, plan)
        except web.HTTPException as refusal:
            answer = self.refusal(refusal.status)
        except Exception:
            log.exception("internal error in %s %s", request.method, path)
            answer = self.refusal(500)
        if answer is None:
            if request.transport is not None:
                request.transport.abort()
            return web.Response()
        headers = {"Content-Type": answer.content_type, **answer.headers}
        return web.Response(status=answer.status, body=answer.body, headers=headers)

    async def _answer(
        self,
        request: web.BaseRequest,
        path: str,
        query: str,
        received_ms: int,
        plan: Plan | None,
    ) -> Answer | None:
        """The response to send, or None to cut the connection."""
        body = await request.read() if request.body_exists else b""
        if path.startswith(PREFIX):
            return self._control.answer(request.method, path, query, body)
        call = Call(
            method=request.method,
            path=path,
            query=query,
            body=body,
            headers=request.headers,
            client=request.remote or "",
            received_ms=received_ms,
            lag_ms=0 if plan is None else plan.lag_ms,
        )
        if plan is None:
            return await self._dialect.answer(call)
        return await self._disturbed(call, plan)

    async def _disturbed(self, call: Call, plan: Plan) -> Answer | None:
        if plan.delay_before_ms:
            await asyncio.sleep(plan.delay_before_ms / 1000)
        if plan.spoiler is None:
            answer: Answer | None = await self._dialect.answer(call)
        else:
            answer = await self._spoiled(call, plan.spoiler, plan.status)
        if plan.delay_after_ms:
            await asyncio.sleep(plan.delay_after_ms / 1000)
        return answer

    async def _spoiled(self, call: Call, rule: FaultRule, limit_status: int) -> Answer | None:
        if rule.kind is FaultKind.DROP_BEFORE:
            return None
        if rule.kind is FaultKind.DROP_AFTER:
            await self._dialect.answer(call)
            return None
        if rule.kind is FaultKind.RATE_LIMIT:
            refusal = self.refusal(limit_status)
            headers = {"Retry-After": str(rule.retry_after_s)}
            return Answer(refusal.status, refusal.body, headers)
        if rule.kind is FaultKind.LATE_ENGINE:
            return await self._late_engine(call, rule)
        honest = await self._dialect.answer(call) if rule.processed else None
        if rule.kind is FaultKind.GARBAGE:
            return _garbage(rule.form, honest)
        return self._with_status(rule)

    async def _late_engine(self, call: Call, rule: FaultRule) -> Answer | None:
        """Respond before the engine has carried out the request. A refusal, and a request that does
        not reach the engine, is answered as usual."""
        delay = EngineDelay(rule.ms)
        request = asyncio.create_task(self._dialect.answer(replace(call, engine_delay=delay)))
        handed_over = asyncio.create_task(delay.handed_over.wait())
        await asyncio.wait((request, handed_over), return_when=asyncio.FIRST_COMPLETED)
        handed_over.cancel()
        if request.done():
            return request.result()
        self._late.add(request)
        request.add_done_callback(self._carried_out)
        return None if rule.answer is LateAnswer.CUT else self.refusal(504)

    def _carried_out(self, request: asyncio.Task[Answer]) -> None:
        self._late.discard(request)
        if not request.cancelled() and request.exception() is not None:
            log.error("internal error in a late request", exc_info=request.exception())

    def _with_status(self, rule: FaultRule) -> Answer:
        refusal = self.refusal(rule.code)
        if rule.body is None:
            return Answer(rule.code, refusal.body)
        return Answer(
            rule.code, rule.body.encode() if isinstance(rule.body, str) else encode(rule.body)
        )


def _garbage(form: GarbageForm, honest: Answer | None) -> Answer:
    if form is GarbageForm.HTML:
        return Answer(200, HTML, content_type="text/html")
    if form is GarbageForm.EMPTY:
        return Answer(200, b"")
    if form is GarbageForm.OBJECT:
        return Answer(200, b"{}")
    whole = HALF_AN_ANSWER if honest is None else honest.body[: len(honest.body) // 2]
    return Answer(200, whole)
