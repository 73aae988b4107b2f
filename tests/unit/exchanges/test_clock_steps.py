"""Our wall clock is set: nothing is concluded from what was measured before."""

from collections.abc import Callable

import pytest

from execution.exchanges.clocks import MEASURE_EVERY_MS, OFFSET_AGE_MAX_MS, ExchangeClocks
from execution.exchanges.port import ClockOffset
from execution.model.errors import ExchangeUnavailable
from tests.support.clock import START_MS, FakeClock
from tests.support.exchange import FakeExchange
from tests.support.fakes import ACCOUNT
from tests.support.whole_stores import MemoryStore

STEP_MS = 10_000


class Host:
    """A wall clock that can be set, a steady one that cannot, and an exchange that goes with the
    steady one."""

    def __init__(self, skew_ms: int = 0) -> None:
        self.wall = FakeClock()
        self.steady = FakeClock(5_000_000)
        self.theirs = FakeClock(START_MS + skew_ms)
        self.exchange = TruthfulExchange(self)
        self.store = MemoryStore(self.wall)
        self.clocks = self.process()

    def process(self) -> ExchangeClocks:
        return ExchangeClocks(self.store, self.wall, "here", self.steady.now_ms)

    def pass_ms(self, ms: int) -> None:
        for clock in (self.wall, self.steady, self.theirs):
            clock.advance(ms)


class TruthfulExchange(FakeExchange):
    def __init__(self, host: Host) -> None:
        super().__init__(host.theirs)
        self._host = host
        self.meanwhile: Callable[[], None] | None = None

    def measure_clock(self) -> ClockOffset:
        before_ms = self._host.wall.now_ms()
        self._called("measure_clock")
        theirs_ms = self._host.theirs.now_ms()
        after_ms = self._host.wall.now_ms()
        return ClockOffset(
            theirs_ms - (before_ms + after_ms) // 2, (after_ms - before_ms) // 2, after_ms
        )


@pytest.mark.parametrize("step_ms", [STEP_MS, -STEP_MS, 100, -100])
@pytest.mark.parametrize("skew_ms", [0, 700, -700])
def test_after_a_step_either_way_the_exchanges_time_is_measured_again(
    step_ms: int, skew_ms: int
) -> None:
    host = Host(skew_ms)
    host.clocks.measure(ACCOUNT, host.exchange)
    host.pass_ms(1_000)
    host.wall.advance(step_ms)
    assert host.clocks.now_ms(ACCOUNT, host.exchange) == host.theirs.now_ms()
    assert host.exchange.calls == ["measure_clock", "measure_clock"]


@pytest.mark.parametrize("step_ms", [STEP_MS, -STEP_MS])
def test_after_a_step_nothing_is_proved_while_the_clock_cannot_be_measured(step_ms: int) -> None:
    host = Host()
    host.clocks.measure(ACCOUNT, host.exchange)
    host.wall.advance(step_ms)
    host.exchange.fail("measure_clock")
    with pytest.raises(ExchangeUnavailable):
        host.clocks.earliest_now_ms(ACCOUNT, host.exchange)


@pytest.mark.parametrize("step_ms", [STEP_MS, -STEP_MS, 40, -40])
def test_the_earliest_time_is_never_later_than_the_truth_whenever_the_step_comes(
    step_ms: int,
) -> None:
    host = Host()
    host.clocks.measure(ACCOUNT, host.exchange)
    for _ in range(5):
        host.pass_ms(500)
        host.wall.advance(step_ms)
        assert host.clocks.earliest_now_ms(ACCOUNT, host.exchange) <= host.theirs.now_ms()


@pytest.mark.parametrize("step_ms", [STEP_MS, -STEP_MS])
def test_a_step_while_the_clock_is_being_measured_spoils_that_measurement(step_ms: int) -> None:
    host = Host(250)
    host.exchange.on("measure_clock", lambda: host.wall.advance(step_ms))
    offset = host.clocks.measure(ACCOUNT, host.exchange)
    assert host.wall.now_ms() + offset.offset_ms == host.theirs.now_ms()
    assert host.exchange.calls == ["measure_clock", "measure_clock"]


def test_a_clock_that_is_set_again_and_again_leaves_the_time_unknown() -> None:
    host = Host()
    for _ in range(3):
        host.exchange.on("measure_clock", lambda: host.wall.advance(STEP_MS))
    with pytest.raises(ExchangeUnavailable, match="our clock is being set"):
        host.clocks.measure(ACCOUNT, host.exchange)


def test_another_process_of_the_host_does_not_trust_what_was_measured_before_the_step() -> None:
    host = Host()
    host.clocks.measure(ACCOUNT, host.exchange)
    host.wall.advance(STEP_MS)
    other = host.process()
    assert other.now_ms(ACCOUNT, host.exchange) == host.theirs.now_ms()
    host.pass_ms(500)
    assert host.clocks.now_ms(ACCOUNT, host.exchange) == host.theirs.now_ms()
    assert host.exchange.calls == ["measure_clock", "measure_clock"], "one for both"


def test_an_offset_of_an_earlier_boot_is_not_trusted() -> None:
    host = Host()
    host.clocks.measure(ACCOUNT, host.exchange)
    host.pass_ms(30_000)
    host.steady.advance(-5_000_000)
    assert host.process().now_ms(ACCOUNT, host.exchange) == host.theirs.now_ms()
    assert len(host.exchange.calls) == 2


def test_a_host_that_slept_measures_again() -> None:
    host = Host()
    host.clocks.measure(ACCOUNT, host.exchange)
    host.wall.advance(OFFSET_AGE_MAX_MS - 1)
    host.theirs.advance(OFFSET_AGE_MAX_MS - 1)
    assert host.clocks.now_ms(ACCOUNT, host.exchange) == host.theirs.now_ms()
    assert len(host.exchange.calls) == 2


def test_a_doubted_offset_is_measured_again_once_in_a_while() -> None:
    host = Host()
    host.clocks.measure(ACCOUNT, host.exchange)
    assert not host.clocks.doubt(ACCOUNT), "it was measured just now"
    host.pass_ms(MEASURE_EVERY_MS + 1)
    host.theirs.advance(STEP_MS)
    assert host.clocks.doubt(ACCOUNT)
    assert not host.clocks.doubt(ACCOUNT)
    host.pass_ms(1)
    assert host.clocks.now_ms(ACCOUNT, host.exchange) == host.theirs.now_ms()
    assert len(host.exchange.calls) == 2
    host.clocks.now_ms(ACCOUNT, host.exchange)
    assert len(host.exchange.calls) == 2


def test_without_steps_one_measurement_serves() -> None:
    host = Host(123)
    for _ in range(20):
        assert host.clocks.now_ms(ACCOUNT, host.exchange) == host.theirs.now_ms()
        host.pass_ms(5_000)
    assert host.exchange.calls == ["measure_clock"]
