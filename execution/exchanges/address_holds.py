"""Holds on addresses where an exchange has requested a pause, for every process and account.

A limit usually applies to the IP address of the caller, so the answer to one account holds for all
accounts that use the same scheme, host and port, and for every kind of request.
"""

import threading
from collections.abc import Callable
from urllib.parse import urlsplit

import structlog

from execution.exchanges.hold_store import AddressHold, AddressHoldStore
from execution.model.clock import Clock
from execution.model.errors import AddressHeld, StoreUnavailable
from execution.model.waiting import time_text_ms

# The minimum interval at which a process reads the other processes' holds from the store.
READ_EVERY_MS = 500
_PORTS = {"http": 80, "https": 443}
_SCHEMES = {"ws": "http", "wss": "https"}


def address_of(url: str) -> str:
    """Scheme, host and port of a connection; a stream's scheme is that of the request which opens
    it. Other parts of the URL, such as a password, are left out."""
    parts = urlsplit(url)
    scheme = _SCHEMES.get(parts.scheme, parts.scheme)
    return f"{scheme}://{parts.hostname or ''}:{parts.port or _PORTS.get(scheme, 0)}"


class AddressHolds:
    """One process's view of the holds, shared with the others through the store.

    It uses the steady clock, so that setting the wall clock does not change the length of a hold.
    Without `steady_ms`, `clock` must be one that is never set.
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
        self._read_ms: dict[str, int] = {}

    def hold(self, address: str, seconds: int, reason: str) -> None:
        """Hold the address for this time: in this process at once, in others when they read the
        store."""
        # Until the store has it, its absence there does not mean that the hold was ended.
        self._unshared.add(address)
        self._note(address, AddressHold(self._steady_ms() + seconds * 1_000, reason))
        log = structlog.get_logger("oneorder")
        log.warning("address_held", address=address, seconds=seconds, reason=reason)
        self._share(address, seconds, reason)

    def _share(self, address: str, seconds: int, reason: str) -> None:
        try:
            self._store.hold_address(address, seconds, reason)
        except StoreUnavailable as error:
            # This process applies it already; the others get it as soon as the store answers.
            log = structlog.get_logger("oneorder")
            log.warning("address_hold_not_shared", address=address, error=str(error))
        else:
            self._unshared.discard(address)

    def check(self, address: str, *, read_shared: bool) -> None:
        """Raise AddressHeld during a hold. With `read_shared`, the holds of other processes are
        read from the store at intervals; raises StoreUnavailable. During a hold the store is read
        in any case, since the hold may have been ended by hand."""
        now_ms = self._steady_ms()
        is_time = now_ms - self._read_ms.get(address, -READ_EVERY_MS) >= READ_EVERY_MS
        known = self._known.get(address)
        is_held = known is not None and known.until_ms > now_ms
        if is_time and (read_shared or is_held):
            self._read_ms[address] = now_ms
            try:
                self._read_shared(address)
            except StoreUnavailable:
                # A hold known here applies without the store; otherwise the store must have been
                # read first.
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

    def _read_shared(self, address: str) -> None:
        mine = self._known.get(address)
        if mine is not None and address in self._unshared:
            left_s = (mine.until_ms - self._steady_ms()) // 1_000
            if left_s > 0:
                self._share(address, left_s, mine.reason)
        shared = self._store.address_hold(address)
        if shared is not None:
            left_ms = shared.until_ms - self._clock.now_ms()
            self._note(address, AddressHold(self._steady_ms() + left_ms, shared.reason))
        elif address not in self._unshared:
            # It was ended by hand, or has expired.
            with self._lock:
                if self._known.get(address) is mine:
                    self._known.pop(address, None)

    def _note(self, address: str, hold: AddressHold) -> None:
        """A shorter hold does not end a longer one."""
        with self._lock:
            known = self._known.get(address)
            if known is None or known.until_ms < hold.until_ms:
                self._known[address] = hold
