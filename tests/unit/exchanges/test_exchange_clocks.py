"""What time it is at the exchange: bounds that hold, and measurements that grow old."""

import pytest

from execution.exchanges.clocks import DRIFT_PPM, OFFSET_AGE_MAX_MS, ExchangeClocks
from execution.exchanges.port import ClockOffset
from execution.model.clock import Clock, SystemClock
from execution.model.errors import ExchangeUnavailable
from tests.support.clock import START_MS, FakeClock, SkewedClock
from tests.support.exchange import FakeExchange
from tests.support.fakes import ACCOUNT
from tests.support.whole_stores import MemoryStore


def clocks_on(clock: Clock, store: MemoryStore, host: str = "here") -> ExchangeClocks:
    return ExchangeClocks(store, clock, host)


@pytest.mark.parametrize("skew_ms", [0, 5_000, -5_000])
def test_the_exchanges_time_is_ours_with_the_offset(skew_ms: int) -> None:
    clock = FakeClock()
    exchange = FakeExchange(clock, offset_ms=skew_ms)
    clocks = clocks_on(clock, MemoryStore(clock))
    assert clocks.now_ms(ACCOUNT, exchange) == START_MS + skew_ms


def test_the_earliest_time_allows_for_error_and_for_drift_since_the_measurement() -> None:
    clock = FakeClock()
    exchange = FakeExchange(clock)
    store = MemoryStore(clock)
    store.set_clock_offset(ACCOUNT, "here", ClockOffset(100, 30, START_MS))
    clock.advance(100_000)
    error_ms = 30 + 1 + 100_000 * DRIFT_PPM // 1_000_000
    clocks = clocks_on(clock, store)
    assert clocks.earliest_now_ms(ACCOUNT, exchange) == clock.now_ms() + 100 - error_ms
    assert clocks.exchange_ms(ACCOUNT, exchange, START_MS) == START_MS + 100 + 2 * error_ms


def test_the_time_to_look_is_after_the_exchanges_clock_has_passed_for_sure() -> None:
    clock = FakeClock()
    exchange = FakeExchange(clock, offset_ms=-700)
    clocks = clocks_on(clock, MemoryStore(clock))
    deadline_ms = START_MS + 9_000
    assert clocks.local_ms(ACCOUNT, deadline_ms) == deadline_ms, "nobody has measured yet"
    clocks.measure(ACCOUNT, exchange)
    clock.advance(clocks.local_ms(ACCOUNT, deadline_ms) - clock.now_ms() + 2)
    assert clocks.earliest_now_ms(ACCOUNT, exchange) > deadline_ms


def test_one_measurement_serves_every_worker_of_the_host() -> None:
    clock = FakeClock()
    exchange = FakeExchange(clock, offset_ms=250)
    store = MemoryStore(clock)
    clocks_on(clock, store).measure(ACCOUNT, exchange)
    other = clocks_on(clock, store)
    assert other.now_ms(ACCOUNT, exchange) == START_MS + 250
    assert exchange.calls == ["measure_clock"]


def test_a_measurement_by_another_hosts_clock_is_worth_nothing_here() -> None:
    clock = FakeClock()
    exchange = FakeExchange(clock)
    store = MemoryStore(clock)
    clocks_on(clock, store, "good").measure(ACCOUNT, exchange)
    wrong = SkewedClock(clock, ahead_ms=10_000)
    store.set_clock_offset(ACCOUNT, "bad", ClockOffset(-10_000, 0, wrong.now_ms()))
    assert clocks_on(wrong, store, "bad").earliest_now_ms(ACCOUNT, exchange) < exchange.now_ms()


@pytest.mark.parametrize("moved_ms", [OFFSET_AGE_MAX_MS, -OFFSET_AGE_MAX_MS])
def test_a_measurement_that_is_old_or_from_the_future_is_made_again(moved_ms: int) -> None:
    clock = FakeClock()
    exchange = FakeExchange(clock)
    clocks = clocks_on(clock, MemoryStore(clock))
    clocks.now_ms(ACCOUNT, exchange)
    clock.advance(moved_ms)
    clocks.now_ms(ACCOUNT, exchange)
    assert exchange.calls == ["measure_clock", "measure_clock"]


def test_a_measurement_is_used_until_it_is_old() -> None:
    clock = FakeClock()
    exchange = FakeExchange(clock)
    clocks = clocks_on(clock, MemoryStore(clock))
    clocks.now_ms(ACCOUNT, exchange)
    clock.advance(OFFSET_AGE_MAX_MS - 1)
    clocks.now_ms(ACCOUNT, exchange)
    assert exchange.calls == ["measure_clock"]


def test_an_exchange_that_does_not_tell_its_time_leaves_it_unknown() -> None:
    clock = FakeClock()
    exchange = FakeExchange(clock)
    exchange.fail("measure_clock")
    with pytest.raises(ExchangeUnavailable):
        clocks_on(clock, MemoryStore(clock)).now_ms(ACCOUNT, exchange)


def test_the_systems_clock_tells_one_time_in_both_ways() -> None:
    clock = SystemClock()
    before = clock.now_ms()
    moment = clock.now()
    assert moment.utcoffset() is not None
    assert before <= moment.timestamp() * 1000 < clock.now_ms() + 1


class Tells:
    """An exchange that measures its clock as it is told to."""

    def __init__(self, *offsets: ClockOffset) -> None:
        self._offsets = list(offsets)

    def measure_clock(self) -> ClockOffset:
        return self._offsets.pop(0)


GOOD = ClockOffset(10, 2, START_MS)


@pytest.mark.parametrize(
    ("later", "kept"),
    [
        # The answer took three seconds, and says nothing that was not known better.
        (ClockOffset(1_501, 1_503, START_MS), GOOD),
        (ClockOffset(11, 1, START_MS), ClockOffset(11, 1, START_MS)),
        # One of both clocks was put right meanwhile: what was known is wrong.
        (ClockOffset(5_000, 1_500, START_MS), ClockOffset(5_000, 1_500, START_MS)),
    ],
)
def test_a_worse_measurement_takes_a_better_ones_place_only_if_it_contradicts_it(
    later: ClockOffset, kept: ClockOffset
) -> None:
    clock = FakeClock()
    store = MemoryStore(clock)
    clocks = clocks_on(clock, store)
    exchange = Tells(GOOD, later)
    clocks.measure(ACCOUNT, exchange)
    assert clocks.measure(ACCOUNT, exchange) == kept
    assert store.clock_offset(ACCOUNT, "here") == kept


def test_a_worse_measurement_counts_once_the_better_one_is_old() -> None:
    clock = FakeClock()
    later = ClockOffset(20, 400, START_MS + OFFSET_AGE_MAX_MS + 1)
    clocks = clocks_on(clock, MemoryStore(clock))
    exchange = Tells(GOOD, later)
    clocks.measure(ACCOUNT, exchange)
    clock.advance(OFFSET_AGE_MAX_MS + 1)
    assert clocks.measure(ACCOUNT, exchange) == later
