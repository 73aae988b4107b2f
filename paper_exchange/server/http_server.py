"""aiohttp's server, with JSON responses to requests that are not valid HTTP.

aiohttp answers those in plain text and logs a traceback; a client's invalid request is no error of
this server.
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
        """Answer an unreadable request, and close the connection."""
        if status >= 500:
            super().handle_error(request, status, exc, message)
        answer = self._refusal(status)
        headers = {"Content-Type": answer.content_type}
        response = web.Response(status=status, body=answer.body, headers=headers)
        response.force_close()
        return response


class HttpServer(web.Server):
    """Serves every request with one handler; `refusal` makes the response for a bare status."""

    def __init__(self, handler: Handler, refusal: Refusal) -> None:
        super().__init__(handler)
        self._refusal = refusal

    def __call__(self) -> web.RequestHandler:
        """Handle a new connection."""
        return _Connection(self, self._refusal)
