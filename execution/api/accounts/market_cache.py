"""The markets of one account: loaded once for all threads, and reloaded when old."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import ccxt

from execution.api.accounts.circuit import Circuit
from execution.api.strict.ccxt_exchange import UNREADABLE
from execution.api.strict.failures import reason_of
from execution.model.clock import Clock, steady_ms
from execution.model.errors import ExchangeUnavailable

MARKETS_AGE_MAX_MS = 3_600_000
# How long a caller waits for a load that another thread has begun.
LOAD_WAIT_MS = 2_000
# Markets that do not fit a signal are reloaded, but not more often than this.
RELOAD_EVERY_MS = 60_000
RELOAD_FAILED_MS = 30_000


@dataclass(frozen=True, slots=True)
class _Loaded:
    client: Any
    steady_ms: int
    at_ms: int


class MarketCache:
    """`load` makes a client with its markets; it raises what ccxt raises.

    One thread loads. The others use the current markets; without any yet they wait for a short
    time, then raise ExchangeUnavailable, so that an exchange that does not answer blocks one thread
    and not all of them.
    """

    def __init__(
        self,
        account: str,
        load: Callable[[], Any],
        circuit: Circuit,
        clock: Clock,
        steady_ms: Callable[[], int] = steady_ms,
    ) -> None:
        self._account = account
        self._load = load
        self._circuit = circuit
        self._clock = clock
        self._steady_ms = steady_ms
        self._turn = threading.Lock()
        self._loaded: _Loaded | None = None
        self._load_at_ms = 0
        self._reload_at_ms = 0

    def client(self) -> Any:
        """The client with the markets, which all others share. Raises ExchangeUnavailable."""
        loaded, now_ms = self._loaded, self._steady_ms()
        if loaded is not None:
            if now_ms - loaded.steady_ms < MARKETS_AGE_MAX_MS or now_ms < self._load_at_ms:
                return loaded.client
            # Old markets are used during a reload, and if it fails.
            return self._renewed(loaded)
        is_first = self._turn.acquire(blocking=False)
        if not is_first:
            self._wait_for_turn()
        try:
            if self._loaded is not None:
                return self._loaded.client
            if not is_first:
                # The load of the other thread has failed, and began a pause.
                self._circuit.admit()
            return self._fresh().client
        finally:
            self._turn.release()

    def _wait_for_turn(self) -> None:
        if not self._turn.acquire(timeout=LOAD_WAIT_MS / 1_000):
            raise ExchangeUnavailable(
                f"the markets of account {self._account} are being loaded", wait_s=1
            )

    def client_since(self, since_ms: int) -> Any:
        """A client whose markets were read at `since_ms`, on our clock, or later.

        They are reloaded for that at most once in RELOAD_EVERY_MS; until then, and if the reload
        fails, raises ExchangeUnavailable.
        """
        loaded = self._loaded
        if loaded is not None and loaded.at_ms >= since_ms:
            return loaded.client
        self._wait_for_turn()
        try:
            loaded, now_ms = self._loaded, self._steady_ms()
            if loaded is not None and loaded.at_ms >= since_ms:
                return loaded.client
            if now_ms < self._reload_at_ms:
                left_s = (self._reload_at_ms - now_ms) // 1_000 + 1
                raise ExchangeUnavailable(
                    f"the markets of account {self._account} are read again in {left_s} s",
                    wait_s=left_s,
                )
            self._reload_at_ms = now_ms + RELOAD_EVERY_MS
            return self._fresh().client
        finally:
            self._turn.release()

    def _renewed(self, loaded: _Loaded) -> Any:
        if not self._turn.acquire(blocking=False):
            return loaded.client
        try:
            return self._fresh().client
        except ExchangeUnavailable:
            self._load_at_ms = self._steady_ms() + RELOAD_FAILED_MS
            return loaded.client
        finally:
            self._turn.release()

    def _fresh(self) -> _Loaded:
        # A market that is listed during the load may be missing.
        began_ms = self._clock.now_ms()
        try:
            client = self._load()
        except (ccxt.BaseError, *UNREADABLE) as error:
            reason = reason_of(error)
            # Without markets the account cannot be used; with them, other requests show whether the
            # exchange can be reached.
            if self._loaded is None:
                self._circuit.failed(reason)
            raise ExchangeUnavailable(reason) from error
        self._loaded = _Loaded(client, self._steady_ms(), began_ms)
        return self._loaded
