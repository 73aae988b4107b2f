"""What chaos does to exchanges stays within what is promised, and what it sees is judged."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from workers.sandbox.chaos.disorders.exchanges import STEP_MS, BlackHole, ExchangeClocks
from workers.sandbox.chaos.disorders.faults import BINANCE, BYBIT, draw_faults
from workers.sandbox.chaos.disorders.forwarder import Forwarder
from workers.sandbox.chaos.outcome import standstills


class Stack:
    """Remembers what the control of exchanges was asked for."""

    dialects = {"binance-main": "binance", "second-main": "bybit"}  # noqa: RUF012

    def __init__(self) -> None:
        self.asked: list[tuple[str, object]] = []

    def paper(self, method: str, path: str, body: Any = None, account: str | None = None) -> None:
        assert (method, account in self.dialects) == ("POST", True)
        self.asked.append((path, body))


class Time:
    def __init__(self) -> None:
        self.now_s = 1_000.0

    def __call__(self) -> float:
        return self.now_s


def drawn_kinds(clocks: ExchangeClocks, routes: Any) -> set[str]:
    dice = random.Random(1)
    return {fault["kind"] for _ in range(20) for fault in clocks.draw(dice, routes)}


@pytest.mark.parametrize("routes", [BINANCE, BYBIT])
def test_no_engine_is_late_around_a_step_of_the_clock(routes: Any) -> None:
    stack, time = Stack(), Time()
    clocks = ExchangeClocks(
        stack,
        random.Random(1),
        lambda dice, routes: draw_faults(dice, routes, timeout_s=3, window_ms=2_000),
        time,
    )
    assert {"late_engine", "clock_skew"} <= drawn_kinds(clocks, routes)
    clocks.announce()
    quiet_s = 0
    while not stack.asked:
        assert not {"late_engine", "clock_skew"} & drawn_kinds(clocks, routes)
        time.now_s += 1
        quiet_s += 1
        clocks.step_when_due()
    # What was drawn before the announcement, at most 3 s ago, may be 9 s late.
    assert quiet_s >= 12
    assert stack.asked == [("/paper/clock", {"step_ms": STEP_MS})]
    assert "late_engine" not in drawn_kinds(clocks, routes)
    time.now_s += 6
    clocks.step_when_due()
    assert "late_engine" in drawn_kinds(clocks, routes)
    assert clocks.counts == {"clock steps": 1}


@contextmanager
def phases(frozen: int, otherwise: int, seconds: float) -> Iterator[BlackHole]:
    """Two phases of so many seconds each, in which the first exchange took so many orders."""
    placed, time = [0], Time()
    with Forwarder() as door:
        hole = BlackHole(door, lambda: placed[0], time)
        for orders in (otherwise, frozen):
            placed[0] += orders
            time.now_s += seconds
            hole.change()
        yield hole


@pytest.mark.parametrize(
    ("frozen", "otherwise", "seconds", "stands"),
    [(0, 200, 60, True), (20, 200, 60, True), (100, 200, 60, False), (0, 200, 10, False)],
)
def test_an_exchange_that_holds_up_the_other_one_is_a_difference(
    frozen: int, otherwise: int, seconds: float, stands: bool
) -> None:
    with phases(frozen, otherwise, seconds) as hole:
        assert hole.counts == {"second exchange froze": 1}
        assert bool(standstills(hole)) is stands
