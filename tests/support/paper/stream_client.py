"""A plain WebSocket client for a paper exchange's streams, and books kept from what it hears."""

import asyncio
import json
from contextlib import asynccontextmanager

import aiohttp

PATIENCE_S = 10


class Ears:
    """One connection; everything that comes is JSON."""

    def __init__(self, socket):
        self.socket = socket

    async def say(self, **message):
        await self.socket.send_str(json.dumps(message))

    async def hear(self):
        """The next message. ConnectionError if the server has gone."""
        message = await asyncio.wait_for(self.socket.receive(), PATIENCE_S)
        if message.type is not aiohttp.WSMsgType.TEXT:
            raise ConnectionError(message.type.name)
        return json.loads(message.data)

    async def hear_first(self, fits):
        """The next message that fits; the others are passed over."""
        while not fits(message := await self.hear()):
            pass
        return message

    async def hears_nothing(self, seconds):
        """Whether nothing comes for so long."""
        try:
            await asyncio.wait_for(self.socket.receive(), seconds)
        except TimeoutError:
            return True
        return False


@asynccontextmanager
async def ears(paper, path):
    """Connect to a path of the paper exchange."""
    url = paper.url.replace("http://", "ws://") + path
    async with aiohttp.ClientSession() as session, session.ws_connect(url) as socket:
        yield Ears(socket)


def applied(levels, changes):
    """Levels by price after changes that have a quantity for each price, 0 for none."""
    after = dict(levels) | dict(changes)
    return {price: qty for price, qty in after.items() if float(qty)}
