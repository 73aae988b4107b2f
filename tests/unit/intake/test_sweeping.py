"""Beat's sweep: what it wakes and records, and that nothing which it finds stops it."""

import json
from typing import Any

import pytest

from execution.model.errors import LedgerUnavailable
from execution.model.order import Order
from oneorder.identifiers import order_id_of
from tests.support.fakes import ACCOUNT, Rig
from tests.support.intake_kit import WAIT_MAX_S, IntakeKit, live_worker
from workers.intake.sweeping import (
    INTENT_GRACE_MS,
    INTENTS_A_SWEEP,
    SWEEP_LEASE_MS,
    Sweeper,
    Wakes,
)

BODY: dict[str, Any] = {
    "signal_id": "signal-1",
    "account": ACCOUNT,
    "symbol": "BTC/USDT",
    "side": "buy",
    "type": "limit",
    "amount": "1",
    "price": "100",
}


class FailingManager:
    """The set-up's order manager, which fails at the signals and order ids that `failing` names."""

    def __init__(self, rig: Rig) -> None:
        self._rig = rig
        self._manager = rig.manager
        self.takes_ms = 0
        self.woken_before: list[int] = []
        self.woken: list[str] = []
        self.failing: dict[str, Exception] = {}

    def receive(self, order: Order) -> Order:
        self._rig.clock.advance(self.takes_ms)
        self.woken_before.append(len(self.woken))
        if order.signal_id in self.failing:
            raise self.failing[order.signal_id]
        return self._manager.receive(order)

    def request_cancel(self, order_id: str) -> Order:
        if order_id in self.failing:
            raise self.failing[order_id]
        return self._manager.request_cancel(order_id)


class Bench:
    """A sweeper in memory, which remembers whom it woke, in which order."""

    def __init__(self, *, wanted: int = 200, **kit: Any) -> None:
        self.rig = Rig()
        self.manager = FailingManager(self.rig)
        self.kit = IntakeKit(self.rig, manager=self.manager, **kit)
        self.woken = self.manager.woken
        wakes = Wakes(
            order=self.woken.append,
            arbitrage=self.woken.append,
            intent=self.woken.append,
            wanted=lambda: wanted,
        )
        now_ms = self.rig.clock.now_ms
        self.sweeper = Sweeper(self.rig.stores(), self.rig.clock, self.kit.intake, wakes, now_ms)

    def publish(self, body: object, task: str = "orders.execute") -> str:
        text = body if isinstance(body, str) else json.dumps(body)
        return self.rig.waiting.add(task, text, "1").entry_id

    def good(self, name: str = "good") -> str:
        self.publish({**BODY, "signal_id": name})
        return order_id_of(name)

    def sweep(self, after_ms: int = INTENT_GRACE_MS) -> None:
        self.rig.clock.advance(after_ms)
        self.sweeper.run("me")


def test_what_no_worker_took_is_recorded_and_the_next_sweep_wakes_a_worker_for_it() -> None:
    bench = Bench()
    order_id = bench.good()
    bench.sweep()
    assert bench.rig.store.order(order_id) is not None
    bench.sweep()
    assert bench.woken == [order_id]


def test_what_is_due_is_woken_before_any_intent_is_looked_at() -> None:
    bench = Bench()
    due = bench.rig.manager.receive(bench.rig.order())
    bench.good()
    bench.sweep()
    assert bench.woken == [due.order_id]
    assert bench.manager.woken_before == [1]


def test_a_commit_that_fails_leaves_the_intent_to_a_later_sweep() -> None:
    bench = Bench()
    order_id = bench.good()
    bench.rig.store.plan = {bench.rig.store.commits + 1: "before"}
    bench.sweep()
    assert [each.reason for each in bench.rig.waiting.waiting()] == ["connection refused"]
    bench.sweep()
    assert bench.rig.store.order(order_id) is not None


@pytest.mark.parametrize(
    "body",
    [
        {**BODY, "expires_at": "9999-12-31T23:59:59-12:00"},
        {**BODY, "expires_at": "0001-01-01T00:00:00+12:00"},
        {**BODY, "amount": "1E+999999"},
        {**BODY, "amount": 10**400},
        {**BODY, "amount": float("nan")},
        {**BODY, "amount": True},
        {**BODY, "strategy": "\ud800"},
        '{"\\ud800": "\\ud800"}',
        '{"a":' * 100_000,
        '{"amount": ' + "9" * 5_000 + "}",
        json.dumps(BODY)[:-1] + ', "amount": "2"}',
        "\x00",
        "x" * 5_000_000,
    ],
    ids=lambda body: str(body)[-30:].encode(errors="replace").decode(),
)
@pytest.mark.parametrize("task", ["orders.execute", "arbitrage.execute", "orders.cancel"])
def test_an_entry_that_cannot_be_read_is_refused_and_those_behind_it_are_taken(
    task: str, body: object
) -> None:
    bench = Bench()
    bench.publish(body, task)
    order_id = bench.good()
    bench.sweep()
    assert bench.rig.store.order(order_id) is not None
    refused = bench.rig.store.refused_intents(10)
    assert len(refused) == 1
    assert not refused[0].reason.startswith("internal error")
    assert len(refused[0].reason) < 500


def test_an_entry_that_breaks_us_steps_aside_and_those_behind_it_are_taken() -> None:
    bench = Bench()
    entry_id = bench.publish({**BODY, "signal_id": "poison"})
    order_id = bench.good()
    bench.manager.failing = {"poison": OverflowError("date value out of range")}
    bench.sweep()
    assert bench.rig.store.order(order_id) is not None
    waiting = bench.rig.waiting.waiting()
    assert [each.intent.entry_id for each in waiting] == [entry_id]
    assert waiting[0].reason == "internal error: OverflowError: date value out of range"
    assert bench.rig.store.refused_intents(10) == []
    bench.sweep(WAIT_MAX_S * 1_000)
    assert bench.rig.waiting.count() == 0
    refused = bench.rig.store.refused_intents(10)
    assert [each.reason for each in refused] == [waiting[0].reason]
    assert json.loads(refused[0].body)["signal_id"] == "poison"


def test_an_entry_that_broke_us_once_is_taken_when_it_does_not_any_more() -> None:
    bench = Bench()
    order_id = bench.good()
    bench.manager.failing = {"good": RuntimeError("for once")}
    bench.sweep()
    bench.manager.failing = {}
    bench.sweep()
    assert bench.rig.store.order(order_id) is not None
    assert bench.rig.waiting.count() == 0
    assert bench.rig.store.refused_intents(10) == []


def test_a_ledger_that_is_away_holds_back_those_alone_that_need_it_and_refuses_none() -> None:
    bench = Bench()
    bench.publish({"order_id": "oo-long-gone"}, "orders.cancel")
    order_id = bench.good()
    bench.manager.failing = {"oo-long-gone": LedgerUnavailable("the database is locked")}
    bench.sweep()
    assert bench.rig.store.order(order_id) is not None
    bench.sweep(WAIT_MAX_S * 1_000)
    assert [each.reason for each in bench.rig.waiting.waiting()] == ["the database is locked"]
    assert bench.rig.store.refused_intents(10) == []


def test_thousands_of_cancels_of_unknown_orders_do_not_hold_back_what_is_behind_them() -> None:
    bench = Bench()
    for number in range(2 * INTENTS_A_SWEEP):
        bench.publish({"order_id": f"oo-nothing-{number}"}, "orders.cancel")
    order_id = bench.good()
    for _ in range(3):
        bench.sweep()
    assert bench.rig.store.order(order_id) is not None
    assert bench.rig.waiting.count() == 2 * INTENTS_A_SWEEP


def test_an_entry_that_is_ahead_of_now_stops_neither_the_sweep_nor_those_behind_it() -> None:
    bench = Bench()
    ahead = {**BODY, "signal_id": "ahead"}
    bench.rig.store.add_intent("orders.execute", json.dumps(ahead), ahead_ms=3_600_000)
    order_id = bench.good()
    bench.sweep()
    for found in (order_id, order_id_of("ahead")):
        order = bench.rig.store.order(found)
        assert order is not None
        assert order.published_at == order.created_at


def test_a_sweep_wakes_a_worker_that_takes_what_this_one_cannot() -> None:
    bench = Bench()
    live_worker(bench.rig, "there", ["second"])
    entry_id = bench.publish({**BODY, "account": "second"})
    order_id = bench.good()
    bench.sweep()
    assert bench.woken == [entry_id]
    assert bench.rig.store.order(order_id) is not None
    live_worker(bench.rig, "there", ["second"])
    bench.sweep(2_000)
    assert bench.woken == [entry_id, order_id, entry_id]


def test_no_worker_is_woken_while_there_is_no_use_in_it_and_intents_are_recorded_all_the_same() -> (
    None
):
    bench = Bench(wanted=0)
    bench.rig.manager.receive(bench.rig.order())
    order_id = bench.good()
    bench.sweep()
    assert bench.woken == []
    assert bench.rig.store.order(order_id) is not None


def test_no_more_are_woken_than_are_wanted_and_the_others_stay_due() -> None:
    bench = Bench(wanted=2)
    for number in range(5):
        bench.rig.manager.receive(bench.rig.order(signal_id=f"signal-{number}"))
    bench.sweep()
    assert len(bench.woken) == 2
    bench.sweep()
    assert len(set(bench.woken)) == 4


def test_of_two_sweeps_at_once_one_leaves_it_to_the_other() -> None:
    bench = Bench()
    order_id = bench.good()
    assert bench.rig.store.lease("sweep", "other", 5_000)
    bench.sweep()
    assert bench.rig.store.order(order_id) is None
    bench.rig.store.release("sweep", "other")
    bench.sweep()
    assert bench.rig.store.order(order_id) is not None


def test_a_sweep_whose_entries_take_long_ends_before_its_lease_and_the_next_one_goes_on() -> None:
    bench = Bench()
    names = [bench.good(f"slow-{number}") for number in range(200)]
    waiting = bench.rig.waiting.add("orders.execute", json.dumps({**BODY, "signal_id": "w"}), "1")
    bench.rig.waiting.set_aside(waiting, "it waits", bench.rig.clock.now(), 0)
    bench.manager.takes_ms = 50
    began_ms = bench.rig.clock.now_ms() + INTENT_GRACE_MS
    bench.sweep()
    assert bench.rig.clock.now_ms() - began_ms < SWEEP_LEASE_MS - 1_000
    recorded = [name for name in names if bench.rig.store.order(name) is not None]
    assert recorded == names[: len(recorded)]
    assert 0 < len(recorded) < len(names)
    assert bench.rig.store.order(order_id_of("w")) is not None, "what waits has a share too"
    bench.sweep()
    assert set(recorded) <= set(bench.woken)
    for _ in range(10):
        bench.sweep()
    assert all(bench.rig.store.order(name) is not None for name in names)
