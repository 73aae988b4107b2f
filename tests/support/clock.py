"""Clocks that a test sets, the times that tests begin at, and a clock of another machine."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from execution.model.clock import SystemClock

START_MS = 1_800_000_000_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def moment(ms: int) -> datetime:
    """Milliseconds since 1970 as a time in UTC."""
    return EPOCH + timedelta(milliseconds=ms)


class FakeClock:
    """A wall clock that moves only when a test moves it."""

    def __init__(self, ms: int = START_MS) -> None:
        self.ms = ms

    def now_ms(self) -> int:
        return self.ms

    def now(self) -> datetime:
        return moment(self.now_ms())

    def advance(self, ms: int) -> None:
        self.ms += ms


class RealTime(FakeClock):
    """The twin's clock where the code under test reads the machine's."""

    def now_ms(self) -> int:
        return SystemClock().now_ms()


@dataclass(frozen=True)
class SkewedClock:
    """Another machine's clock: the same time, read wrong by `ahead_ms`."""

    true: FakeClock
    ahead_ms: int

    def now_ms(self) -> int:
        return self.true.now_ms() + self.ahead_ms

    def now(self) -> datetime:
        return moment(self.now_ms())
