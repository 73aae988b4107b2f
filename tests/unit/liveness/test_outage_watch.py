"""An account whose exchange is away costs the others nearly nothing, and is back at once."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from execution.api.accounts.circuit import WAIT_S, Circuit
from execution.exchanges.port import Exchange
from execution.model.errors import ExchangeUnavailable, StoreUnavailable
from execution.model.order import Order, OrderState, OrderType
from execution.model.waiting import UNREACHABLE, Wait
from tests.support.exchange import Crash, dies_before_it_leaves, is_lost, loses_its_answer
from tests.support.fakes import ACCOUNT, FlakyStore, Rig
from workers.liveness.outage_watch import LOOK_EVERY_MS, RELEASE_AFTER_MS, AccountWatch

WAKE_LEASE_MS = 5_000


class AwayOnce(FlakyStore):
    """A store that does not answer when orders are brought forward for the first time."""

    has_failed = False

    def make_due(self, account: str, now_ms: int, later_than_ms: int, apart_ms: int) -> int:
        if not self.has_failed:
            self.has_failed = True
            raise StoreUnavailable("connection refused")
        return super().make_due(account, now_ms, later_than_ms, apart_ms)


class Outpost(Rig):
    """A set-up whose exchange can go away, and the watch over it, all by hand."""

    def __init__(self, store: type[FlakyStore] = FlakyStore, **limits: Any) -> None:
        super().__init__(**limits)
        self.store = store(self.clock)
        self.circuit = Circuit(ACCOUNT, 11_000, self.clock, self.clock.now_ms)
        self.is_away = False
        self.probes = self.woken = 0
        self.announced_reach: list[bool] = []
        self.watch = self.another_watch(self.circuit)
        self.watch.claim()
        self.connect_with(self.connected)

    def another_watch(self, circuit: Circuit) -> AccountWatch:
        return AccountWatch(
            ACCOUNT,
            circuit,
            self._probe,
            self.store,
            self.clock,
            lambda: self.announced_reach.append(not circuit.is_open),
            self.clock.now_ms,
        )

    def connected(self, _: str) -> Exchange:
        self.circuit.admit()
        return self.exchange

    def _probe(self) -> None:
        self.circuit.admit()
        self.probes += 1
        if self.is_away:
            self.circuit.failed("RequestTimeout")
            raise ExchangeUnavailable("no answer")
        self.circuit.answered()

    def goes_away(self) -> None:
        """No process can reach it, and all know of it."""
        self.is_away = True
        self.circuit.failed("RequestTimeout")
        self.circuit.is_reachable_elsewhere = False

    def run(self, for_ms: int) -> None:
        """What the watch, the sweep and its workers do meanwhile."""
        for _ in range(for_ms // LOOK_EVERY_MS):
            self.clock.advance(LOOK_EVERY_MS)
            self.watch.step()
            if self.clock.now_ms() % 1_000:
                continue
            for order_id in self.store.due(self.clock.now_ms(), 200, WAKE_LEASE_MS):
                self.woken += 1
                self.manager.advance_by_id(order_id)

    def state(self, order: Order) -> OrderState:
        return self.stored(order).state


def signals(rig: Rig, count: int) -> Iterator[Order]:
    return (rig.order(signal_id=f"signal-{number}") for number in range(count))


def test_an_order_of_an_unreachable_account_costs_one_commit_and_a_check_a_minute() -> None:
    rig = Outpost()
    rig.goes_away()
    orders = [rig.manager.submit(order) for order in signals(rig, 100)]
    assert rig.store.commits == 100
    assert {rig.state(order) for order in orders} == {OrderState.RECEIVED}
    rig.run(for_ms=WAIT_S * 1_000 - 1_000)
    assert (rig.woken, rig.store.commits) == (0, 100)
    assert "exchange unreachable since" in (rig.stored(orders[0]).reason or "")


def test_its_orders_are_sent_within_two_seconds_of_its_return() -> None:
    rig = Outpost()
    rig.goes_away()
    orders = [rig.manager.submit(order) for order in signals(rig, 100)]
    rig.run(for_ms=30_000)
    rig.is_away = False
    rig.run(for_ms=3_000)
    assert {rig.state(order) for order in orders} == {OrderState.OPEN}
    assert rig.accepted == rig.woken == 100
    assert rig.announced_reach == [False, True]


def test_one_request_a_second_detects_that_it_is_back() -> None:
    rig = Outpost()
    rig.goes_away()
    rig.run(for_ms=60_000)
    assert 50 <= rig.probes <= 80
    rig.is_away = False
    before = rig.probes
    rig.run(for_ms=1_500)
    assert not rig.circuit.is_open
    assert rig.probes == before + 1


def test_an_order_that_was_just_being_put_off_when_it_came_back_is_found_too() -> None:
    rig = Outpost()
    rig.goes_away()
    rig.run(for_ms=5_000)
    rig.is_away = False
    rig.run(for_ms=1_500)
    assert not rig.circuit.is_open
    late = rig.journal.delay(rig.order(), Wait(UNREACHABLE, "it was away", wait_s=WAIT_S))
    rig.run(for_ms=RELEASE_AFTER_MS[-1] + 1_000)
    assert rig.state(late) is OrderState.OPEN


def test_an_order_that_is_being_worked_on_is_not_woken_once_more() -> None:
    rig = Outpost()
    rig.goes_away()
    order = rig.manager.submit(rig.order())
    rig.is_away = False
    rig.run(for_ms=2_000)
    assert rig.state(order) is OrderState.OPEN
    kept = rig.manager.receive(rig.order(signal_id="slow"))
    assert rig.store.due(rig.clock.now_ms(), 200, WAKE_LEASE_MS) == [kept.order_id]
    for _ in range(16):
        rig.clock.advance(LOOK_EVERY_MS)
        rig.watch.step()
        assert rig.store.due(rig.clock.now_ms(), 200, 0) == []


def test_the_store_may_be_away_when_it_comes_back() -> None:
    rig = Outpost(AwayOnce)
    rig.goes_away()
    order = rig.manager.submit(rig.order())
    rig.watch.step()
    rig.is_away = False
    rig.clock.advance(1_000)
    rig.watch.step()
    with pytest.raises(StoreUnavailable):
        rig.watch.step()
    rig.run(for_ms=2_000)
    assert rig.state(order) is OrderState.OPEN


def test_an_order_that_expires_meanwhile_ends_then_and_is_never_sent() -> None:
    rig = Outpost()
    rig.goes_away()
    expires_at = rig.clock.now() + timedelta(seconds=20)
    order = rig.manager.submit(rig.order(expires_at=expires_at))
    rig.run(for_ms=19_000)
    assert rig.state(order) is OrderState.RECEIVED
    rig.run(for_ms=2_000)
    ended = rig.stored(order)
    assert (ended.state, ended.reason) == (
        OrderState.REFUSED,
        f"expires_at: {expires_at.isoformat()} has passed",
    )
    rig.is_away = False
    rig.run(for_ms=10_000)
    assert rig.placements == 0


def test_a_market_order_that_gets_too_old_meanwhile_ends_then() -> None:
    rig = Outpost(market_age_max_s=30)
    rig.goes_away()
    order = rig.manager.submit(rig.order(type=OrderType.MARKET, price=None))
    rig.run(for_ms=30_000)
    assert rig.state(order) is OrderState.RECEIVED
    rig.run(for_ms=2_000)
    assert rig.state(order) is OrderState.REFUSED
    assert "published_at: " in (rig.stored(order).reason or "")
    assert rig.woken == 1


def test_a_cancel_of_an_order_that_was_never_sent_ends_it_at_once() -> None:
    rig = Outpost()
    rig.goes_away()
    order = rig.manager.submit(rig.order())
    canceled = rig.manager.cancel(order.order_id)
    assert (canceled.state, canceled.reason) == (OrderState.CANCELED, "canceled before it was sent")


def test_a_cancel_of_an_order_that_stands_waits_and_is_done_when_it_is_back() -> None:
    rig = Outpost()
    order = rig.manager.submit(rig.order())
    rig.goes_away()
    rig.manager.cancel(order.order_id)
    rig.run(for_ms=30_000)
    assert (rig.state(order), rig.woken) == (OrderState.OPEN, 0)
    rig.is_away = False
    rig.run(for_ms=3_000)
    assert rig.state(order) is OrderState.CANCELED


@pytest.mark.parametrize("placing", [is_lost, loses_its_answer])
def test_an_outcome_that_is_not_known_is_looked_up_when_it_is_back_and_no_proof_is_lost(
    placing: Any,
) -> None:
    rig = Outpost()
    rig.exchange.script.append(placing)
    rig.exchange.on("lookup", lambda: _no_answer(rig))
    order = rig.manager.submit(rig.order(expires_at=rig.clock.now() + timedelta(hours=1)))
    rig.run(for_ms=30_000)
    assert rig.state(order) is OrderState.SUBMITTING
    assert rig.woken <= 1
    rig.is_away = False
    rig.run(for_ms=5_000)
    assert rig.state(order) is OrderState.OPEN
    assert rig.accepted == 1


def _no_answer(rig: Outpost) -> None:
    rig.goes_away()
    raise ExchangeUnavailable("no answer")


def test_an_order_that_may_have_been_sent_does_not_expire_unasked() -> None:
    """Whoever sent it has died; only the exchange can say what became of it."""
    rig = Outpost()
    rig.exchange.script.append(dies_before_it_leaves)
    expires_at = rig.clock.now() + timedelta(seconds=20)
    with pytest.raises(Crash):
        rig.manager.submit(rig.order(expires_at=expires_at))
    rig.goes_away()
    rig.run(for_ms=90_000)
    assert rig.state(rig.order()) is OrderState.SUBMITTING
    rig.is_away = False
    rig.run(for_ms=3_000)
    ended = rig.stored(rig.order())
    assert (ended.state, rig.accepted) == (OrderState.REFUSED, 0)


def test_an_order_that_a_restart_may_have_made_us_forget_does_not_expire_unasked() -> None:
    rig = Outpost()
    order = rig.order(expires_at=rig.clock.now() + timedelta(seconds=20))
    rig.store.roll_back(rig.store.copied())
    rig.goes_away()
    rig.manager.submit(order)
    rig.run(for_ms=70_000)
    assert rig.state(order) is OrderState.RECEIVED
    rig.is_away = False
    rig.run(for_ms=5_000)
    assert rig.state(order) is OrderState.REFUSED


def test_where_another_worker_reaches_it_the_orders_come_back_soon() -> None:
    rig = Outpost()
    rig.goes_away()
    rig.circuit.is_reachable_elsewhere = True
    order = rig.manager.submit(rig.order())
    rig.connect_with(lambda _: rig.exchange)
    rig.run(for_ms=3_000)
    assert rig.state(order) is OrderState.OPEN
