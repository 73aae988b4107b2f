"""Our own clock, and the measured clock of each exchange."""

from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

from execution.exchanges.port import ClockOffset, TimeSource
from execution.model.clock import Clock
from execution.model.errors import ExchangeUnavailable

# A measured offset is trusted for this long; meanwhile two clocks may drift apart by DRIFT_PPM.
OFFSET_AGE_MAX_MS = 120_000
DRIFT_PPM = 200
# The wall clock and the steady clock are read one after the other; more than this apart is a step.
STEP_MIN_MS = 50
# How often a process measures again because an exchange refused a timestamp.
MEASURE_EVERY_MS = 3_000
MEASUREMENTS_MAX = 3


class ClockStore(Protocol):
    """The offsets shared by all workers. Raises StoreUnavailable when the server does not
    answer."""

    def clock_offset(self, account: str, host: str) -> ClockOffset | None: ...
    def set_clock_offset(self, account: str, host: str, offset: ClockOffset) -> None: ...


class ExchangeClocks:
    """The time at each account's exchange, with error bounds.

    The processes of one host have one clock, and share an offset through the store, so that one
    measurement (beat schedules it regularly) serves them all; a process that finds none, or only an
    old one, measures for itself.

    Time since a measurement is counted on the steady clock. If the wall clock disagrees with it,
    the wall clock has been set meanwhile: such an offset is invalid, and not used until it has been
    measured again.
    """

    def __init__(
        self, store: ClockStore, clock: Clock, host: str, steady_ms: Callable[[], int] | None = None
    ) -> None:
        self._store = store
        self._clock = clock
        self._host = host
        # A manual clock is steady by itself.
        self._steady_ms = steady_ms or clock.now_ms
        self._known: dict[str, ClockOffset] = {}
        # Offsets that were measured before this time are not trusted any more.
        self._doubted_ms: dict[str, int] = {}

    def now_ms(self, account: str, exchange: TimeSource) -> int:
        """The most likely time at the exchange. Raises ExchangeUnavailable if it cannot be
        measured."""
        return self._at_exchange_ms(self._offset(account, exchange))

    def likely_now_ms(self, account: str) -> int:
        """The same from this process's last measurement, without a request; our own time without
        one."""
        known = self._known.get(account)
        return self._clock.now_ms() if known is None else self._at_exchange_ms(known)

    def earliest_now_ms(self, account: str, exchange: TimeSource) -> int:
        """A time that the exchange's clock has certainly reached."""
        offset = self._offset(account, exchange)
        return self._at_exchange_ms(offset) - self._error_ms(offset)

    def error_ms(self, account: str, exchange: TimeSource) -> int:
        """How far the exchange's clock may be from the most likely time, in either direction."""
        return self._error_ms(self._offset(account, exchange))

    def exchange_ms(self, account: str, exchange: TimeSource, local_ms: int) -> int:
        """A time later than every stamp that any process made before our clock showed `local_ms`:
        the error counts once for our own reading and once for theirs."""
        offset = self._offset(account, exchange)
        return local_ms + offset.offset_ms + 2 * self._error_ms(offset) + abs(self._set_by(offset))

    def local_ms(self, account: str, exchange_ms: int) -> int:
        """Our time when the exchange's clock has most likely just passed `exchange_ms`: a time for
        a lookup, not a proof. If an account's clock has not been measured, our own is used."""
        offset = self._known.get(account)
        if offset is None:
            return exchange_ms
        return exchange_ms - offset.offset_ms + self._error_ms(offset) + 1

    def measure(self, account: str, exchange: TimeSource) -> ClockOffset:
        """Measure the exchange's clock and share the result with every worker. A measurement that
        is less precise than the known one, and consistent with it, changes nothing.

        Raises ExchangeUnavailable.
        """
        measured = self._measured(account, exchange)
        known = self._known.get(account) or self._store.clock_offset(account, self._host)
        if (
            known is not None
            and self._is_good(account, known)
            and self._is_more_precise(known, measured)
        ):
            return known
        self._known[account] = measured
        self._store.set_clock_offset(account, self._host, measured)
        return measured

    def doubt(self, account: str) -> bool:
        """The exchange refused our timestamp: the clock must be measured before its next use.
        Returns False if it was measured only just before, so that it is not the cause."""
        known = self._known.get(account)
        now_ms = self._steady_ms()
        if known is not None and abs(now_ms - self._steady_of(known)) < MEASURE_EVERY_MS:
            return False
        if now_ms - self._doubted_ms.get(account, -MEASURE_EVERY_MS) < MEASURE_EVERY_MS:
            return False
        self._doubted_ms[account] = now_ms
        return True

    def _measured(self, account: str, exchange: TimeSource) -> ClockOffset:
        """Measure, and repeat if our clock was set meanwhile."""
        for _ in range(MEASUREMENTS_MAX):
            wall_ms, steady_ms = self._clock.now_ms(), self._steady_ms()
            measured = exchange.measure_clock()
            after_ms, after_steady_ms = self._clock.now_ms(), self._steady_ms()
            if abs((after_ms - wall_ms) - (after_steady_ms - steady_ms)) <= STEP_MIN_MS:
                # Its time on the steady clock, as long ago as on the wall clock.
                return replace(
                    measured, steady_ms=after_steady_ms - (after_ms - measured.measured_at_ms)
                )
        raise ExchangeUnavailable(f"our clock is being set, so {account}'s cannot be measured")

    def _at_exchange_ms(self, offset: ClockOffset) -> int:
        """The exchange's time, by the time on the steady clock since the measurement."""
        return offset.measured_at_ms + offset.offset_ms + self._passed_ms(offset)

    def _steady_of(self, offset: ClockOffset) -> int:
        """When it was measured, on the steady clock."""
        if offset.steady_ms is not None:
            return offset.steady_ms
        return self._steady_ms() - (self._clock.now_ms() - offset.measured_at_ms)

    def _passed_ms(self, offset: ClockOffset) -> int:
        return self._steady_ms() - self._steady_of(offset)

    def _is_more_precise(self, known: ClockOffset, measured: ClockOffset) -> bool:
        error_ms = self._error_ms(known)
        apart_ms = abs(known.offset_ms - measured.offset_ms)
        return error_ms < measured.uncertainty_ms and apart_ms <= error_ms + measured.uncertainty_ms

    def _error_ms(self, offset: ClockOffset) -> int:
        age_ms = max(0, self._passed_ms(offset))
        return offset.uncertainty_ms + 1 + age_ms * DRIFT_PPM // 1_000_000

    def _offset(self, account: str, exchange: TimeSource) -> ClockOffset:
        known = self._known.get(account)
        if known is None or not self._is_good(account, known):
            known = self._store.clock_offset(account, self._host)
        if known is None or not self._is_good(account, known):
            return self.measure(account, exchange)
        self._known[account] = known
        return known

    def _is_good(self, account: str, offset: ClockOffset) -> bool:
        """Recent, not refused since, and our wall clock was not set since."""
        if abs(self._passed_ms(offset)) >= OFFSET_AGE_MAX_MS:
            return False
        is_doubted = self._steady_of(offset) <= self._doubted_ms.get(account, -(2**62))
        return not is_doubted and abs(self._set_by(offset)) <= STEP_MIN_MS

    def _set_by(self, offset: ClockOffset) -> int:
        """How far our wall clock was set forward since the measurement, in ms."""
        return self._clock.now_ms() - offset.measured_at_ms - self._passed_ms(offset)
