"""The WebSocket side: takes connections in, lets faults happen, and never waits for a slow client.

What the messages say is up to the dialect.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Protocol

from aiohttp import WSMsgType, web

from paper_exchange.faults.fault_book import FaultBook
from paper_exchange.faults.rules import DEPTH, STREAM, FaultKind

# So many messages wait for a client that does not read; then its connection is cut.
WAITING_MAX = 256
MESSAGE_BYTES_MAX = 64 * 1024
# A client that leaves a ping unanswered is gone.
PING_EVERY_S = 20

log = logging.getLogger(__name__)


class StreamRefusedError(Exception):
    """There is no such stream here; the sentence says which."""


class Line:
    """What is on its way to one client."""

    def __init__(self, faults: FaultBook, cut: Callable[[], None]) -> None:
        self._faults = faults
        self._cut = cut
        self._waiting: asyncio.Queue[str] = asyncio.Queue(WAITING_MAX)

    def tell(self, text: str) -> None:
        """Send a message as soon as the client takes it."""
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
        """Pass on what is told, in order, until the connection is gone."""
        while True:
            text = await self._waiting.get()
            try:
                await socket.send_str(text)
            except ConnectionError:
                return


class Talk(Protocol):
    """A dialect's side of one connection."""

    def hear(self, text: str) -> None:
        """Take in a message of the client; whatever there is to say goes out on the line."""

    def close(self) -> None:
        """The client is gone: listen to no feed any more."""


class StreamDialect(Protocol):
    """An exchange's streams on top of the engine."""

    def serves(self, path: str) -> bool:
        """Whether there are streams at that path."""

    def open(self, path: str, query: str, line: Line) -> Talk:
        """Begin to talk with a client that connects there; StreamRefusedError if the address names
        a stream that is not served."""


class StreamServer:
    """Serves every stream of a dialect."""

    def __init__(self, dialect: StreamDialect, faults: FaultBook) -> None:
        self._dialect = dialect
        self._faults = faults

    def serves(self, request: web.BaseRequest, path: str) -> bool:
        """Whether the request asks for a WebSocket that there is."""
        upgrade = request.headers.get("Upgrade", "")
        return upgrade.lower() == "websocket" and self._dialect.serves(path)

    async def serve(self, request: web.BaseRequest, path: str, query: str) -> web.StreamResponse:
        """Talk until one of the two has had enough."""
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
            # The client left before it was answered, which is its right.
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
            # There is no answering in HTTP any more.
            log.exception("internal error in the stream %s", path)
            transport.abort()
        finally:
            talk.close()
            sender.cancel()
        return socket
