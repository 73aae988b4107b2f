"""An exchange that does not answer at all is not asked for a while, and found again soon."""

import threading

import pytest

from execution.api.accounts.circuit import PAUSE_MS, WAIT_ELSEWHERE_MAX_S, WAIT_S, Circuit
from execution.model.errors import ExchangeUnavailable
from tests.support.clock import FakeClock
from tests.support.fakes import ACCOUNT

PROBE_MS = 11_000


def a_circuit(clock: FakeClock) -> Circuit:
    return Circuit(ACCOUNT, PROBE_MS, clock, clock.now_ms)


def is_open(circuit: Circuit) -> bool:
    try:
        circuit.admit()
    except ExchangeUnavailable:
        return True
    return False


def opened(clock: FakeClock) -> Circuit:
    circuit = a_circuit(clock)
    circuit.failed("RequestTimeout")
    return circuit


def test_a_failure_begins_a_pause_and_the_reason_says_since_when() -> None:
    clock = FakeClock()
    circuit = a_circuit(clock)
    circuit.admit()
    circuit.failed("RequestTimeout")
    with pytest.raises(ExchangeUnavailable) as refused:
        circuit.admit()
    said = str(refused.value)
    assert said.startswith(f"account {ACCOUNT} has not been reachable since 2027-01-15T08:00:00Z")
    assert "RequestTimeout" in said


def test_an_answer_to_another_request_is_a_sign_of_life() -> None:
    circuit = a_circuit(FakeClock())
    for _ in range(10):
        circuit.failed("RequestTimeout")
        circuit.answered()
    assert not is_open(circuit)


def wait_s(circuit: Circuit) -> int:
    with pytest.raises(ExchangeUnavailable) as refused:
        circuit.admit()
    return refused.value.wait_s


def test_orders_that_another_process_may_send_come_back_the_less_often_the_longer_it_lasts() -> (
    None
):
    clock = FakeClock()
    circuit = opened(clock)
    waits = []
    for _ in range(4):
        clock.advance(700)
        waits.append(wait_s(circuit))
        clock.advance(PROBE_MS)
        circuit.admit()
        circuit.failed("RequestTimeout")
    assert waits[0] == 1
    assert waits == sorted(waits)
    assert 10 < waits[-1] <= WAIT_ELSEWHERE_MAX_S


def test_orders_that_no_other_process_can_send_wait_until_they_are_brought_forward() -> None:
    circuit = opened(FakeClock())
    circuit.is_reachable_elsewhere = False
    assert wait_s(circuit) == WAIT_S


def test_only_the_watch_is_let_through_where_there_is_one() -> None:
    clock = FakeClock()
    circuit = opened(clock)
    watch = threading.Thread(target=circuit.watch_from_here)
    watch.start()
    watch.join()
    clock.advance(3_600_000)
    assert is_open(circuit)
    circuit.watch_from_here()
    assert not is_open(circuit)


def test_after_the_pause_one_caller_finds_out_and_the_others_stay_outside() -> None:
    clock = FakeClock()
    circuit = opened(clock)
    clock.advance(1_001)
    assert not is_open(circuit)
    assert is_open(circuit)
    circuit.answered()
    assert [is_open(circuit) for _ in range(5)] == [False] * 5


def test_an_exchange_is_asked_each_second_however_long_it_has_been_away() -> None:
    clock = FakeClock()
    circuit = opened(clock)
    pauses = []
    for _ in range(8):
        began_ms = clock.now_ms()
        while is_open(circuit):
            clock.advance(50)
        pauses.append(clock.now_ms() - began_ms)
        circuit.failed("RequestTimeout")
    assert all(700 <= pause_ms <= PAUSE_MS + 50 for pause_ms in pauses)


def test_requests_that_were_on_their_way_do_not_lengthen_the_pause() -> None:
    clock = FakeClock()
    circuit = opened(clock)
    for _ in range(100):
        circuit.failed("RequestTimeout")
    clock.advance(1_001)
    assert not is_open(circuit)


def test_a_caller_that_was_let_through_and_never_asked_does_not_close_the_door_for_good() -> None:
    clock = FakeClock()
    circuit = opened(clock)
    clock.advance(1_001)
    circuit.admit()
    clock.advance(PROBE_MS)
    assert not is_open(circuit)
