"""One signal, one order, whatever fails in between: every crash point, and chance on top.

The exchange twin keeps Binance's contract to its limits: a request may arrive until its window ends
and become an order up to a second later, and a lookup may not see an order that is younger than a
second. Within those limits nothing may ever be doubled or lost.
"""

from collections.abc import Callable
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from execution.model.errors import StoreUnavailable
from execution.model.order import OrderState, Verdict
from tests.support.depth import examples
from tests.support.exchange import (
    SYMBOL,
    Crash,
    FakeExchange,
    Placing,
    Tells,
    answers,
    arrives,
    dies_after_it_arrived,
    dies_before_it_leaves,
    is_lost,
    is_under_way,
    loses_its_answer,
    pauses,
)
from tests.support.fakes import ACCOUNT, Rig

PLACINGS: dict[str, Placing] = {
    "arrives": arrives,
    "lost": is_lost,
    "answer lost": loses_its_answer,
    "under way": is_under_way,
    "dies before": dies_before_it_leaves,
    "dies after": dies_after_it_arrived,
    "not sent": answers(Verdict.NOT_SENT, "connection refused"),
    "told to wait": answers(Verdict.NOT_SENT, "too many requests", retry_after_s=3),
}


def attempt_it(step: Callable[[], object]) -> None:
    """Do a step of some worker, which may die of it."""
    try:
        step()
    except (Crash, StoreUnavailable):
        return


def is_settled(rig: Rig) -> bool:
    order = rig.store.order(rig.order().order_id)
    unsettled = (None, OrderState.RECEIVED, OrderState.SUBMITTING)
    return (order and order.state) not in unsettled and not (order and order.fills_missing)


def see_to_the_end(rig: Rig) -> None:
    """Let the signal come again until there is a record, then sweeps by ever new workers until
    the order has settled; whatever is still under way arrives last."""
    while rig.store.order(rig.order().order_id) is None:
        attempt_it(lambda: rig.worker().submit(rig.order()))
    for _ in range(2_000):
        if is_settled(rig):
            break
        rig.clock.advance(500)
        for order_id in rig.store.due(rig.clock.now_ms(), limit=10, lease_ms=5_000):
            attempt_it(lambda order_id=order_id: rig.worker().advance_by_id(order_id))  # type: ignore[misc]
    rig.exchange.deliver_all()
    attempt_it(lambda: rig.worker().submit(rig.order()))


def check_exactly_once(rig: Rig) -> None:
    order = rig.stored(rig.order())
    assert rig.accepted == 1
    standing = rig.exchange.standing[0]
    assert order.exchange_order_id == standing.exchange_order_id
    assert order.state is standing.status
    assert order.filled == standing.filled
    assert [f.trade_id for f in order.fills] == [f.trade_id for f in standing.fills]
    assert rig.store.position(ACCOUNT, SYMBOL).amount == standing.filled
    assert rig.store.position(ACCOUNT, SYMBOL).cost == sum(
        (f.price * f.amount for f in standing.fills), Decimal(0)
    )


@pytest.mark.parametrize("tells", [Tells.FILLS, Tells.FILLED], ids=["fills told", "fills fetched"])
@pytest.mark.parametrize("fate", ["before", "after"])
@pytest.mark.parametrize("commit", [1, 2, 3, 4])
@pytest.mark.parametrize("placing", PLACINGS)
def test_one_lost_commit_anywhere_neither_doubles_nor_loses_the_order(
    placing: str, commit: int, fate: str, tells: Tells
) -> None:
    rig = Rig(store_plan={commit: fate}, tells=tells)
    rig.exchange.script.append(PLACINGS[placing])
    rig.exchange.fill_next.append([("99", "0.4"), ("98", "0.6")])
    attempt_it(lambda: rig.manager.submit(rig.order()))
    attempt_it(lambda: rig.manager.submit(rig.order()))
    see_to_the_end(rig)
    check_exactly_once(rig)
    assert rig.stored(rig.order()).state is OrderState.FILLED


def test_a_store_that_loses_every_other_reply_neither_doubles_nor_loses_the_order() -> None:
    rig = Rig(store_plan={n: ("before", "after")[n % 4 // 2] for n in range(1, 40, 2)})
    rig.exchange.fill_next.append([("99", "1")])
    for _ in range(20):
        attempt_it(lambda: rig.manager.submit(rig.order()))
    see_to_the_end(rig)
    check_exactly_once(rig)


class Chance:
    """One run of a set-up with two workers, driven by drawn numbers."""

    def __init__(self, data: st.DataObject) -> None:
        self.draw = data.draw
        fates = st.dictionaries(st.integers(1, 14), st.sampled_from(["before", "after"]))
        self.rig = Rig(
            store_plan=self.draw(fates),
            offset_ms=self.draw(st.sampled_from([0, -4_000, 4_000])),
            read_lag_ms=self.draw(st.sampled_from([0, 1_000])),
            tells=self.draw(st.sampled_from([Tells.FILLS, Tells.FILLED])),
        )
        self.workers = [self.rig.worker(), self.rig.worker()]
        self.rig.exchange.fill_next.append([("99", "0.4"), ("98", "0.6")])
        names = st.lists(st.sampled_from([*PLACINGS, "pauses"]), max_size=4)
        for name in self.draw(names):
            self.rig.exchange.script.append(PLACINGS.get(name) or pauses(self.others_go_on))
        for method in self.draw(
            st.lists(st.sampled_from(["lookup", "measure_clock", "order_fills"]), max_size=3)
        ):
            self.rig.exchange.fail(method)
        for _ in range(self.draw(st.integers(0, 2))):
            self.rig.exchange.on("lookup", self.others_go_on)

    def others_go_on(self) -> None:
        """Time passes, requests arrive and another worker sweeps, inside somebody's call."""
        self.time_passes()
        self.sweep()

    def time_passes(self) -> None:
        self.rig.clock.advance(self.draw(st.sampled_from([1, 400, 3_000, 5_900, 7_100])))
        if self.draw(st.booleans()):
            self.rig.exchange.deliver_all()

    def sweep(self) -> None:
        worker = self.draw(st.sampled_from(self.workers))
        for order_id in self.rig.store.due(self.rig.clock.now_ms(), limit=10, lease_ms=100):
            attempt_it(lambda order_id=order_id: worker.advance_by_id(order_id))  # type: ignore[misc]

    def step(self) -> None:
        match self.draw(st.sampled_from(["submit", "sweep", "time", "advance"])):
            case "submit":
                worker = self.draw(st.sampled_from(self.workers))
                attempt_it(lambda: worker.submit(self.rig.order()))
            case "sweep":
                self.sweep()
            case "time":
                self.time_passes()
            case "advance":
                # Two messages for one order: both workers move it on, due or not.
                if self.rig.store.order(self.rig.order().order_id) is not None:
                    for worker in self.workers:
                        attempt_it(lambda w=worker: w.advance_by_id(self.rig.order().order_id))  # type: ignore[misc]


@settings(max_examples=examples(80), deadline=None)
@given(st.data())
def test_whatever_fails_and_however_workers_meet_there_is_one_order_in_the_end(
    data: st.DataObject,
) -> None:
    chance = Chance(data)
    for _ in range(data.draw(st.integers(1, 8))):
        chance.step()
        assert chance.rig.accepted <= 1
    see_to_the_end(chance.rig)
    check_exactly_once(chance.rig)


def test_the_twin_can_double_an_order_if_it_is_sent_blindly() -> None:
    """The check above is only worth something if the exchange would accept a second order."""
    rig = Rig()
    rig.exchange.fill_next.extend([[("99", "1")], [("99", "1")]])
    rig.manager.submit(rig.order())
    sent, attempt = rig.exchange.requests[0]
    FakeExchange.arrive(rig.exchange, sent, attempt)
    assert rig.accepted == 2
