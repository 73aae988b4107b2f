"""Our own clock, and what we know of each exchange's."""

import time
from datetime import UTC, datetime

from execution.ports import Clock, ClockOffset, Exchange, Store

# A measured offset is trusted for this long; meanwhile two clocks may drift apart by DRIFT_PPM.
OFFSET_AGE_MAX_MS = 120_000
DRIFT_PPM = 200


class SystemClock:
    """The machine's wall clock."""

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000

    def now(self) -> datetime:
        return datetime.now(UTC)


class ExchangeClocks:
    """What time it is at each account's exchange, with bounds that the truth lies between.

    The processes of one host have one clock, and share an offset through the store, so that one
    measurement (beat asks for one regularly) serves them all; a process that finds none, or only
    an old one, measures for itself.
    """

    def __init__(self, store: Store, clock: Clock, host: str) -> None:
        self._store = store
        self._clock = clock
        self._host = host
        self._known: dict[str, ClockOffset] = {}

    def now_ms(self, account: str, exchange: Exchange) -> int:
        """The likeliest time at the exchange. Raises ExchangeUnavailable if it cannot be known."""
        return self._clock.now_ms() + self._offset(account, exchange).offset_ms

    def earliest_now_ms(self, account: str, exchange: Exchange) -> int:
        """A time that the exchange's clock has certainly reached by now."""
        offset = self._offset(account, exchange)
        return self._clock.now_ms() + offset.offset_ms - self._error_ms(offset)

    def error_ms(self, account: str, exchange: Exchange) -> int:
        """How far the exchange's clock may be from the likeliest time, either way."""
        return self._error_ms(self._offset(account, exchange))

    def exchange_ms(self, account: str, exchange: Exchange, local_ms: int) -> int:
        """A time after all that anybody may have stamped before our clock showed `local_ms`: the
        error counts once for our own reading and once for theirs."""
        offset = self._offset(account, exchange)
        return local_ms + offset.offset_ms + 2 * self._error_ms(offset)

    def local_ms(self, account: str, exchange_ms: int) -> int:
        """Our time when the exchange's clock has likely just passed `exchange_ms`: when to look,
        not a proof. An account whose clock nobody has measured is taken to have ours."""
        offset = self._known.get(account)
        if offset is None:
            return exchange_ms
        return exchange_ms - offset.offset_ms + self._error_ms(offset) + 1

    def measure(self, account: str, exchange: Exchange) -> ClockOffset:
        """Ask the exchange for its time and share the answer with every worker. An answer that came
        so late that it says less than what is known, and does not contradict it, changes nothing.
        """
        told = exchange.measure_clock()
        known = self._known.get(account) or self._store.clock_offset(account, self._host)
        if known is not None and self._is_fresh(known) and self._says_more(known, told):
            return known
        self._known[account] = told
        self._store.set_clock_offset(account, self._host, told)
        return told

    def _says_more(self, known: ClockOffset, told: ClockOffset) -> bool:
        error_ms = self._error_ms(known)
        apart_ms = abs(known.offset_ms - told.offset_ms)
        return error_ms < told.uncertainty_ms and apart_ms <= error_ms + told.uncertainty_ms

    def _error_ms(self, offset: ClockOffset) -> int:
        age_ms = max(0, self._clock.now_ms() - offset.measured_at_ms)
        return offset.uncertainty_ms + 1 + age_ms * DRIFT_PPM // 1_000_000

    def _offset(self, account: str, exchange: Exchange) -> ClockOffset:
        known = self._known.get(account)
        if known is None or not self._is_fresh(known):
            known = self._store.clock_offset(account, self._host)
        if known is None or not self._is_fresh(known):
            return self.measure(account, exchange)
        self._known[account] = known
        return known

    def _is_fresh(self, offset: ClockOffset) -> bool:
        return abs(self._clock.now_ms() - offset.measured_at_ms) < OFFSET_AGE_MAX_MS
