"""Detects that an exchange answers again, and makes the orders due that waited for it.

While an exchange does not answer, its account's orders wait for long, so that they do not slow down
other accounts; one thread of each worker polls the exchange instead.
"""

from collections.abc import Callable
from functools import partial
from threading import Event, Thread
from typing import Protocol

import structlog

from execution.api.accounts.circuit import PAUSE_MS, Circuit
from execution.model.clock import Clock, steady_ms
from execution.model.errors import ExchangeUnavailable, StoreUnavailable
from workers.bootstrap import Services
from workers.intake.sweeping import APART_MS, WAKE_LEASE_MS

# The interval of checks whether an exchange has stopped answering.
LOOK_EVERY_MS = 250
# An order that was being postponed when the exchange came back is found by a later pass.
RELEASE_AFTER_MS = (0, 1_000, 5_000)
# What was woken within this time is being processed, and must not be woken again.
IN_WORK_MS = WAKE_LEASE_MS + 1_000


class DueOrders(Protocol):
    """Orders that wait until they are due. Raises StoreUnavailable when the server does not
    answer."""

    def make_due(self, account: str, now_ms: int, later_than_ms: int, apart_ms: int) -> int:
        """Bring forward the account's live orders that are due after `later_than_ms`: to now, and
        each `apart_ms` after the one before. Returns how many those were."""


class AccountWatch:
    """The watch over one account, in steps. `probe` sends a request to its exchange and raises
    ExchangeUnavailable if that does not answer. `announce` is called each time the exchange stops
    or starts to answer."""

    def __init__(
        self,
        account: str,
        circuit: Circuit,
        probe: Callable[[], object],
        orders: DueOrders,
        clock: Clock,
        announce: Callable[[], None],
        steady_ms: Callable[[], int] = steady_ms,
    ) -> None:
        self._account = account
        self._circuit = circuit
        self._probe = probe
        self._orders = orders
        self._clock = clock
        self._announce = announce
        self._steady_ms = steady_ms
        self._is_out = False
        self._back_ms = 0
        self._releases: list[int] = []

    def claim(self) -> None:
        """Make this the only thread that polls an exchange which does not answer."""
        self._circuit.watch_from_here()

    def step(self) -> int:
        """Take the next step; returns the ms until the next one."""
        if self._circuit.is_open:
            return self._look()
        if self._is_out:
            self._is_out = False
            self._back_ms = self._steady_ms()
            self._releases = list(RELEASE_AFTER_MS)
            structlog.get_logger("oneorder").info("exchange_reachable", account=self._account)
            self._announce()
        while self._releases and self._steady_ms() - self._back_ms >= self._releases[0]:
            self._bring_forward(is_first=self._releases[0] == RELEASE_AFTER_MS[0])
            del self._releases[0]
        return LOOK_EVERY_MS

    def _look(self) -> int:
        """Check whether the exchange answers again."""
        if not self._is_out:
            self._is_out = True
            log = structlog.get_logger("oneorder")
            log.warning("exchange_unreachable", account=self._account)
            self._announce()
        try:
            self._probe()
        except ExchangeUnavailable:
            # It still does not answer, or must not be called for a while.
            return LOOK_EVERY_MS if self._circuit.is_open else 0
        return 0 if not self._circuit.is_open else PAUSE_MS

    def _bring_forward(self, *, is_first: bool) -> None:
        """Raises StoreUnavailable; the next step repeats it."""
        now_ms = self._clock.now_ms()
        later_than_ms = now_ms if is_first else now_ms + IN_WORK_MS
        self._orders.make_due(self._account, now_ms, later_than_ms, APART_MS)


class OutageWatch:
    """One thread for each account, from `start` to `stop`, so that no exchange delays the watch
    over another."""

    def __init__(self, watchers: dict[str, AccountWatch]) -> None:
        self._watchers = watchers
        self._stopped = Event()

    def start(self) -> None:
        for account, watcher in self._watchers.items():
            run = partial(self._watch, account, watcher)
            Thread(target=run, name=f"outage-watch {account}", daemon=True).start()

    def stop(self) -> None:
        """Begin no further step; a request in flight is not waited for."""
        self._stopped.set()

    def _watch(self, account: str, watcher: AccountWatch) -> None:
        watcher.claim()
        log = structlog.get_logger("oneorder")
        while not self._stopped.is_set():
            pause_ms = PAUSE_MS
            try:
                pause_ms = watcher.step()
            except StoreUnavailable as error:
                log.warning("outage_watch_delayed", account=account, error=str(error))
            except Exception:
                # No other thread polls this exchange, so the watch continues after any error.
                log.exception("outage_watch_failed", account=account)
            self._stopped.wait(pause_ms / 1_000)


def outage_watchers(parts: Services, announce: Callable[[], None]) -> dict[str, AccountWatch]:
    """The watch over each account of a worker."""

    def watch_of(name: str) -> AccountWatch:
        circuit = parts.connections.circuit(name)
        probe = partial(parts.connections.probe, name)
        return AccountWatch(name, circuit, probe, parts.stores.orders, parts.clock, announce)

    return {name: watch_of(name) for name in parts.accounts}
