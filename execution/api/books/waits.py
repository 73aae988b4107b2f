"""Lets the clients of order books respect address holds, and share their own."""

import asyncio
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from execution.api.http.request_limits import ReadsAnswers
from execution.exchanges.address_holds import AddressHolds, address_of


class ObeysWaits(ReadsAnswers):
    """Mixin before a class of ccxt.pro. Raises AddressHeld instead of sending anything to a held
    address. `holds` is None if nothing is shared."""

    holds: AddressHolds | None = None
    waits: tuple[tuple[str, int, str], ...] = ()

    def may_connect(self, url: str) -> None:
        """Opening a stream is a request too; an open one may continue."""
        stream = self.clients.get(url)  # type: ignore[attr-defined]
        if self.holds is not None and (stream is None or stream.closed()):
            self.holds.check(address_of(url), read_shared=False)

    async def fetch(
        self, url: str, method: str = "GET", headers: object = None, body: object = None
    ) -> Any:
        if self.holds is not None:
            await asyncio.to_thread(self.holds.check, address_of(url), read_shared=True)
        try:
            return await super().fetch(url, method, headers, body)  # type: ignore[misc]
        finally:
            await self._share_waits()

    def read_answer(
        self, code: int, url: str, headers: Mapping[str, str], body: str, response: Any
    ) -> None:
        del response  # The books have no codes of their own.
        wait = self.wait_asked(code, None, headers, body)
        if wait is not None and wait.is_of_address:
            said = f"HTTP {code} to {urlsplit(url).path} for an order book"
            self.waits += ((address_of(url), wait.seconds, said),)

    async def _share_waits(self) -> None:
        """Share the pauses that answers requested with all processes, without delaying the
        streams."""
        waits, self.waits = self.waits, ()
        if self.holds is not None:
            for address, seconds, reason in waits:
                await asyncio.to_thread(self.holds.hold, address, seconds, reason)
