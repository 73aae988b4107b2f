"""Addresses that an exchange has asked to be left alone at, for every process and every account.

A limit is usually one of the IP address that requests come from, so what one account hears holds
for all accounts that dial the same scheme, host and port, whatever their request is for.
"""

import threading
from collections.abc import Callable
from urllib.parse import urlsplit

import structlog

from execution.exchanges.hold_store import AddressHold, AddressHoldStore
from execution.model.clock import Clock
from execution.model.errors import AddressHeld, StoreUnavailable
from execution.model.waiting import time_text_ms

# How often, at most, one process asks the store whether another one was asked to wait.
LOOK_EVERY_MS = 500
_PORTS = {"http": 80, "https": 443}
_SCHEMES = {"ws": "http", "wss": "https"}


def address_of(url: str) -> str:
    """Scheme, host and port as dialled; a stream's scheme is that of the request which opens it.
    What else is in a URL, such as a password, stays out."""
    parts = urlsplit(url)
    scheme = _SCHEMES.get(parts.scheme, parts.scheme)
    return f"{scheme}://{parts.hostname or ''}:{parts.port or _PORTS.get(scheme, 0)}"


class AddressHolds:
    """One process's knowledge of the holds, shared with the others through the store.

    It is kept on the steady clock, so that no hold gets longer or shorter by the wall clock's being
    set. Without `steady_ms`, the clock is one that is never set.
    """

    def __init__(
        self, store: AddressHoldStore, clock: Clock, steady_ms: Callable[[], int] | None = None
    ) -> None:
        self._store = store
        self._clock = clock
        self._steady_ms = steady_ms or clock.now_ms
        self._lock = threading.Lock()
        # Their `until_ms` is on the steady clock.
        self._known: dict[str, AddressHold] = {}
        self._unshared: set[str] = set()
        self._looked_ms: dict[str, int] = {}

    def hold(self, address: str, seconds: int, reason: str) -> None:
        """Send nothing to the address for so long. Known here at once, to others when they ask."""
        # Until it is there, that the store knows of no hold does not mean that it was ended.
        self._unshared.add(address)
        self._note(address, AddressHold(self._steady_ms() + seconds * 1_000, reason))
        log = structlog.get_logger("oneorder")
        log.warning("address_held", address=address, seconds=seconds, reason=reason)
        self._share(address, seconds, reason)

    def _share(self, address: str, seconds: int, reason: str) -> None:
        try:
            self._store.hold_address(address, seconds, reason)
        except StoreUnavailable as error:
            # This process obeys already; the others are told as soon as the store answers.
            log = structlog.get_logger("oneorder")
            log.warning("address_hold_not_shared", address=address, error=str(error))
        else:
            self._unshared.discard(address)

    def check(self, address: str, *, look: bool) -> None:
        """Raise AddressHeld while nothing may be sent. With `look`, the store is asked now and then
        for what other processes were told; raises StoreUnavailable. During a hold it is asked in
        any case, whether somebody has ended the hold."""
        now_ms = self._steady_ms()
        is_time = now_ms - self._looked_ms.get(address, -LOOK_EVERY_MS) >= LOOK_EVERY_MS
        known = self._known.get(address)
        is_held = known is not None and known.until_ms > now_ms
        if is_time and (look or is_held):
            self._looked_ms[address] = now_ms
            try:
                self._look(address)
            except StoreUnavailable:
                # What is known here is obeyed; otherwise nothing goes out unasked.
                if not is_held:
                    raise
        hold = self._known.get(address)
        if hold is None:
            return
        if hold.until_ms <= now_ms:
            with self._lock:
                if self._known.get(address) is hold:
                    del self._known[address]
            return
        left_s = -((now_ms - hold.until_ms) // 1_000)
        until = time_text_ms(self._clock.now_ms() + hold.until_ms - now_ms)
        raise AddressHeld(
            f"{address} asked for no requests until {until} ({hold.reason})", wait_s=left_s
        )

    def _look(self, address: str) -> None:
        mine = self._known.get(address)
        if mine is not None and address in self._unshared:
            left_s = (mine.until_ms - self._steady_ms()) // 1_000
            if left_s > 0:
                self._share(address, left_s, mine.reason)
        told = self._store.address_hold(address)
        if told is not None:
            left_ms = told.until_ms - self._clock.now_ms()
            self._note(address, AddressHold(self._steady_ms() + left_ms, told.reason))
        elif address not in self._unshared:
            # It was ended by hand, or its time is up.
            with self._lock:
                if self._known.get(address) is mine:
                    self._known.pop(address, None)

    def _note(self, address: str, hold: AddressHold) -> None:
        """A shorter hold does not end a longer one."""
        with self._lock:
            known = self._known.get(address)
            if known is None or known.until_ms < hold.until_ms:
                self._known[address] = hold
