"""The WebSocket side: accepts connections, applies faults, and never waits for a slow client.

The dialect defines the messages.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Protocol

from aiohttp import WSMsgType, web

from paper_exchange.faults.fault_book import FaultBook
from paper_exchange.faults.rules import DEPTH, STREAM, FaultKind

# The most messages queued for a client that does not read; then its connection is cut.
WAITING_MAX = 256
MESSAGE_BYTES_MAX = 64 * 1024
# A client that does not answer a ping is disconnected.
PING_EVERY_S = 20

log = logging.getLogger(__name__)


class StreamRefusedError(Exception):
    """The stream does not exist here; the message names it."""


class Line:
    """The messages on their way to one client."""

    def __init__(self, faults: FaultBook, cut: Callable[[], None]) -> None:
        self._faults = faults
        self._cut = cut
        self._waiting: asyncio.Queue[str] = asyncio.Queue(WAITING_MAX)

    def tell(self, text: str) -> None:
        """Queue a message; it is sent as soon as the client reads."""
        try:
            self._waiting.put_nowait(text)
        except asyncio.QueueFull:
            self._cut()

    def tell_change(self, text: str) -> None:
        """Send a change of a book, unless a fault drops it or cuts the connection first."""
        plan = self._faults.draw(STREAM, DEPTH)
        if plan is None or plan.spoiler is None:
            self.tell(text)
        elif plan.spoiler.kind is FaultKind.DROP_BEFORE:
            self._cut()

    async def send_all(self, socket: web.WebSocketResponse) -> None:
        """Send the queued messages in order until the connection is closed."""
        while True:
            text = await self._waiting.get()
            try:
                await socket.send_str(text)
            except ConnectionError:
                return


class Talk(Protocol):
    """A dialect's side of one connection."""

    def hear(self, text: str) -> None:
        """Process a message of the client; replies go out on the line."""

    def close(self) -> None:
        """The client has disconnected: stop listening to its feeds."""


class StreamDialect(Protocol):
    """An exchange's streams on top of the engine."""

    def serves(self, path: str) -> bool:
        """Whether that path serves streams."""

    def open(self, path: str, query: str, line: Line) -> Talk:
        """Open a client's connection. Raises StreamRefusedError if the address names a stream that
        is not served."""


class StreamServer:
    """Serves every stream of a dialect."""

    def __init__(self, dialect: StreamDialect, faults: FaultBook) -> None:
        self._dialect = dialect
        self._faults = faults

    def serves(self, request: web.BaseRequest, path: str) -> bool:
        """Whether the request is a WebSocket upgrade of a served path."""
        upgrade = request.headers.get("Upgrade", "")
        return upgrade.lower() == "websocket" and self._dialect.serves(path)

    async def serve(self, request: web.BaseRequest, path: str, query: str) -> web.StreamResponse:
        """Exchange messages until either side closes."""
        transport = request.transport
        if transport is None:
            return web.Response()
        line = Line(self._faults, transport.abort)
        try:
            talk = self._dialect.open(path, query, line)
        except StreamRefusedError as refusal:
            return web.Response(status=400, text=f"{refusal}\n")
        socket = web.WebSocketResponse(
            compress=False, heartbeat=PING_EVERY_S, max_msg_size=MESSAGE_BYTES_MAX
        )
        try:
            await socket.prepare(request)
        except ConnectionError:
            # The client disconnected before the response, which is allowed.
            talk.close()
            return web.Response()
        except BaseException:
            talk.close()
            raise
        sender = asyncio.create_task(line.send_all(socket))
        try:
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    talk.hear(message.data)
        except Exception:
            # An HTTP response is not possible any more.
            log.exception("internal error in the stream %s", path)
            transport.abort()
        finally:
            talk.close()
            sender.cancel()
        return socket
