"""aiohttp's server, but with JSON for requests that are not even HTTP.

aiohttp answers those itself, in plain text and with a traceback in the log; nothing is wrong
with this server when a client sends rubbish.
"""

import asyncio
from collections.abc import Awaitable, Callable

from aiohttp import web

from paper_exchange.server.dialect import Answer

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]
Refusal = Callable[[int], Answer]


class _Connection(web.RequestHandler):
    """One connection."""

    __slots__ = ("_refusal",)

    def __init__(self, server: "HttpServer", refusal: Refusal) -> None:
        super().__init__(server, loop=asyncio.get_running_loop())
        self._refusal = refusal

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer what could not be read, and close the connection."""
        if status >= 500:
            super().handle_error(request, status, exc, message)
        answer = self._refusal(status)
        headers = {"Content-Type": answer.content_type}
        response = web.Response(status=status, body=answer.body, headers=headers)
        response.force_close()
        return response


class HttpServer(web.Server):
    """Serves every request with one handler; `refusal` makes the answer to a bare status."""

    def __init__(self, handler: Handler, refusal: Refusal) -> None:
        super().__init__(handler)
        self._refusal = refusal

    def __call__(self) -> web.RequestHandler:
        """A new connection has come."""
        return _Connection(self, self._refusal)
