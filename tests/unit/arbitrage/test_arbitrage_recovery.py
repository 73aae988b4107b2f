"""Wherever a worker dies or the store restarts, another one finishes the arbitrage, once."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from execution.arbitrage.model import Arbitrage, ArbitrageState
from execution.exchanges.registry import without_guarantees
from execution.model.order import OrderType, Side, Verdict
from execution.orders.factory import new_order
from tests.support.arbitrage_kit import BUY, SELL, Floor, book
from tests.support.depth import examples
from tests.support.exchange import (
    SYMBOL,
    Crash,
    answers,
    arrives,
    is_lost,
    is_under_way,
    loses_its_answer,
)

STEPS_MAX = 200
Setting = Callable[[Floor], None]


def nothing_goes_wrong(_: Floor) -> None:
    """Both legs trade whole."""


def the_sell_leg_is_rejected(floor: Floor) -> None:
    floor.sell.script.append(answers(Verdict.REJECTED, "no money"))


def the_buy_leg_is_rejected(floor: Floor) -> None:
    floor.buy.script.append(answers(Verdict.REJECTED, "no money"))


def the_sell_leg_never_arrives(floor: Floor) -> None:
    floor.sell.script.append(is_lost)


def the_sell_leg_loses_its_answer(floor: Floor) -> None:
    floor.sell.script.append(loses_its_answer)


def the_buy_leg_trades_in_part(floor: Floor) -> None:
    floor.buy.moves_before_placing(book("98.9", "99", "0.4"))


def both_legs_lose_their_answers(floor: Floor) -> None:
    floor.buy.script.append(loses_its_answer)
    floor.sell.script.append(loses_its_answer)


def the_sell_leg_finds_no_price_within_the_cap(floor: Floor) -> None:
    floor.sell.moves_before_placing(book("90", "90.1"))
    floor.buy.moves_before_placing(book("90", "99"))


SETTINGS = [
    nothing_goes_wrong,
    the_sell_leg_is_rejected,
    the_buy_leg_is_rejected,
    the_sell_leg_never_arrives,
    the_sell_leg_loses_its_answer,
    the_buy_leg_trades_in_part,
    both_legs_lose_their_answers,
    the_sell_leg_finds_no_price_within_the_cap,
]


def first_worker(floor: Floor) -> None:
    """All that one process does from the message to the end, if it lives so long."""
    floor.submit(entry_id=floor.publish())
    floor.sweep(for_ms=25_000)


@pytest.mark.parametrize("setting", SETTINGS)
def test_a_worker_that_dies_at_any_step_leaves_an_arbitrage_that_another_one_finishes(
    setting: Setting,
) -> None:
    for step in range(1, STEPS_MAX):
        floor = Floor()
        setting(floor)
        floor.fuse.left = step
        with suppress(Crash):
            first_worker(floor)
        survived = not floor.fuse.is_dead
        ended = floor.check(floor.swept(floor.another(), for_ms=25_000))
        assert floor.store.tables.intents == {}, f"step {step}"
        if survived:
            break
    else:
        raise AssertionError("the worker never lived through it")
    assert step > 10
    expected = {
        the_sell_leg_finds_no_price_within_the_cap: ArbitrageState.IMBALANCED,
    }.get(setting, ArbitrageState.CLOSED)
    assert ended.state is expected


ROLLED_BACK = [both_legs_lose_their_answers, the_buy_leg_trades_in_part]


def down_for(ms: int) -> Setting:
    def meanwhile(floor: Floor) -> None:
        floor.clock.advance(ms)

    meanwhile.__name__ = f"down for {ms} ms"
    return meanwhile


def reconciled(floor: Floor) -> None:
    """Reconciliation adopts what it finds, before anybody looks at the arbitrage."""
    floor.adopt_all()


def the_buy_exchange_is_down(floor: Floor) -> None:
    floor.buy.is_down = True
    floor.sweep(floor.another(), for_ms=15_000)
    floor.buy.is_down = False


MEANWHILE = [down_for(0), down_for(15_000), down_for(1_200_000), reconciled,
             the_buy_exchange_is_down]  # fmt: skip


def rolled_back(setting: Setting, meanwhile: Setting, step: int, lost: int) -> tuple[Floor, bool]:
    """A floor whose worker died at that step, and whose store then came back without the last so
    many changes; False where there were not so many steps, or changes."""
    floor = Floor()
    setting(floor)
    entry_id = floor.publish()
    floor.snapshots.append(floor.store.copied())
    floor.fuse.left = step
    with suppress(Crash):
        floor.submit(entry_id=entry_id)
        floor.sweep(for_ms=1_000)
    if not floor.fuse.is_dead or lost > len(floor.snapshots):
        return floor, False
    floor.fuse.reborn()
    floor.store.roll_back(floor.snapshots[-lost])
    meanwhile(floor)
    return floor, True


@pytest.mark.parametrize("meanwhile", MEANWHILE, ids=lambda meanwhile: meanwhile.__name__)
@pytest.mark.parametrize("setting", ROLLED_BACK)
def test_a_store_that_comes_back_from_before_any_change_never_makes_anything_twice(
    setting: Setting, meanwhile: Setting
) -> None:
    histories = 0
    for step in range(4, STEPS_MAX):
        for lost in (1, 2, 4, 7):
            floor, happened = rolled_back(setting, meanwhile, step, lost)
            if not happened:
                break
            histories += 1
            floor.check(floor.finished(floor.another(), within_ms=40_000))
        if not floor.fuse.is_dead and lost == 1:
            break
    assert histories > 10


def forgotten(floor: Floor) -> Floor:
    """The same floor after a restart of the store, which knows of nothing but the intent."""
    floor.publish()
    intent_only = floor.store.copied()
    floor.submit(entry_id=next(iter(floor.store.tables.intents)))
    floor.store.roll_back(intent_only)
    floor.worker = floor.another()
    return floor


def test_legs_that_a_restart_made_us_forget_are_found_and_nothing_is_sent_again() -> None:
    floor = forgotten(Floor())
    ended = floor.check(floor.swept())
    assert (ended.state, ended.bought, ended.sold) == (ArbitrageState.CLOSED, 1, 1)
    assert floor.requests == 2


def test_legs_that_arrive_only_after_the_restart_are_waited_for() -> None:
    floor = Floor()
    floor.buy.script.append(is_under_way)
    floor.sell.script.append(is_under_way)
    forgotten(floor)
    floor.sweep(for_ms=1_500)
    assert floor.requests == 2
    floor.buy.deliver_all()
    floor.sell.deliver_all()
    ended = floor.check(floor.swept())
    assert (ended.bought, ended.sold, floor.requests) == (1, 1, 2)


def test_a_signal_that_has_expired_since_is_looked_for_all_the_same() -> None:
    floor = Floor()
    floor.expires_at = floor.clock.now() + timedelta(seconds=1)
    forgotten(floor)
    ended = floor.check(floor.swept())
    assert (ended.state, ended.bought, ended.sold) == (ArbitrageState.CLOSED, 1, 1)


@pytest.mark.parametrize("account", [BUY, SELL])
def test_while_an_exchange_cannot_say_whether_a_leg_stands_nothing_is_refused(account: str) -> None:
    floor = forgotten(Floor())
    exchange = floor.exchanges.pop(account)
    assert floor.swept(for_ms=10_000).state is ArbitrageState.RECEIVED
    floor.exchanges[account] = exchange
    ended = floor.check(floor.swept())
    assert (ended.state, floor.requests) == (ArbitrageState.CLOSED, 2)


def test_a_restart_that_made_us_forget_nothing_delays_a_signal_and_no_more() -> None:
    floor = Floor()
    entry_id = floor.publish()
    floor.store.roll_back(floor.store.copied())
    assert floor.submit(entry_id=entry_id).state is ArbitrageState.RECEIVED
    assert floor.requests == 0
    ended = floor.check(floor.swept())
    assert (ended.state, ended.bought) == (ArbitrageState.CLOSED, 1)


def test_an_outcome_that_cannot_be_determined_leaves_the_arbitrage_to_manual_intervention() -> None:
    floor = Floor(sell_guarantees=without_guarantees("nowhere"))
    floor.sell.script.append(is_lost)
    forgotten(floor)
    ended = floor.swept()
    assert ended.state is ArbitrageState.IMBALANCED
    assert ended.reason is not None
    assert ended.reason.endswith(f"on {SELL} is quarantined")
    assert floor.requests == 2


def with_a_forgotten_fix(account: str) -> Floor:
    """The record has come back as it was when only the first two legs were known."""
    floor = Floor()
    the_sell_leg_is_rejected(floor)
    floor.sell.moves_before_placing(book("90" if account == BUY else "101", "101.1"))
    floor.submit()
    assert [leg.account for leg in floor.stored().hedges] == [account]
    two_legs = next(
        tables
        for tables in floor.snapshots
        if any(len(one.legs) == 2 for one in tables.arbitrages.values())
    )
    floor.store.roll_back(two_legs)
    return floor


@pytest.mark.parametrize("account", [BUY, SELL])
def test_a_fix_at_either_place_is_found_however_late_the_workers_come(account: str) -> None:
    floor = with_a_forgotten_fix(account)
    floor.buy.book = floor.sell.book = book("100", "100.1")
    floor.clock.advance(1_200_000)
    ended = floor.check(floor.swept(floor.another()))
    assert (ended.state, ended.bought, ended.sold) == (ArbitrageState.CLOSED, 1, 1)
    assert floor.requests == 3


@pytest.mark.parametrize("account", [BUY, SELL])
def test_a_fix_is_looked_for_before_the_rest_is_given_up(account: str) -> None:
    floor = with_a_forgotten_fix(account)
    floor.buy.book = floor.sell.book = book("80", "120")
    ended = floor.check(floor.swept(floor.another()))
    assert (ended.state, ended.bought, ended.sold) == (ArbitrageState.CLOSED, 1, 1)


def test_what_a_worker_decided_before_the_restart_is_void_after_it() -> None:
    floor = Floor()
    entry_id = floor.publish()
    intent_only = floor.store.copied()
    other = floor.another()

    def meanwhile() -> None:
        other.executor.submit(floor.arbitrage(entry_id=entry_id))
        floor.store.roll_back(intent_only)
        floor.sell.book = book("90", "90.1")

    floor.sell.on("order_book", meanwhile)
    assert floor.submit(entry_id=entry_id).state is not ArbitrageState.REFUSED
    ended = floor.check(floor.swept(floor.another()))
    assert (ended.bought, ended.sold) == (1, 1)


@pytest.mark.parametrize("has_entry", [True, False])
def test_a_signal_whose_first_write_meets_a_restart_has_its_record_all_the_same(
    has_entry: bool,
) -> None:
    floor = Floor()
    entry_id = floor.publish() if has_entry else None
    floor.sell.on("order_book", lambda: floor.store.roll_back(floor.store.copied()))
    floor.submit(entry_id=entry_id)
    # Who carried it out settles its intent, or acknowledges its message: nothing else knows of it.
    assert floor.stored().state is ArbitrageState.RECEIVED
    ended = floor.check(floor.swept(floor.another()))
    assert (ended.state, floor.requests) == (ArbitrageState.CLOSED, 2)


def test_an_id_that_another_order_has_is_refused() -> None:
    floor = Floor()
    taken = new_order(
        signal_id="signal-1:buy", account=BUY, symbol=SYMBOL, side=Side.BUY, type=OrderType.LIMIT,
        amount=Decimal(1), price=Decimal(50), now=floor.clock.now(),
    )  # fmt: skip
    floor.worker.manager.receive(replace(taken, signal_id="another"))
    refused = floor.submit(entry_id=floor.publish())
    assert refused.state is ArbitrageState.REFUSED
    assert refused.reason == "signal_id: 'another' was used before, for another order"
    assert floor.store.tables.intents == {}


def test_a_worker_that_goes_on_over_a_restart_learns_of_it_and_finishes() -> None:
    floor = Floor(buy=book("90", "99"))
    floor.sell.moves_before_placing(book("90", "120"))
    assert floor.submit().state is ArbitrageState.BALANCING
    floor.store.roll_back(floor.store.copied())
    floor.sell.book = book("101", "101.1")
    ended = floor.check(floor.swept(for_ms=20_000))
    assert (ended.state, ended.sold) == (ArbitrageState.CLOSED, 1)


PLACINGS = {
    "arrives": arrives,
    "is rejected": answers(Verdict.REJECTED, "no money"),
    "is not sent": answers(Verdict.NOT_SENT, "the clock is off"),
    "is lost": is_lost,
    "loses its answer": loses_its_answer,
    "is under way": is_under_way,
}
BOOKS = [book("98.9", "99"), book("101", "101.1"), book("101", "101.1", "0.3"), book("90", "120")]
HAPPENINGS = st.one_of(
    st.tuples(st.just("placing"), st.sampled_from([BUY, SELL]), st.sampled_from(sorted(PLACINGS))),
    st.tuples(st.just("book"), st.sampled_from([BUY, SELL]), st.sampled_from(BOOKS)),
    st.tuples(st.just("moves"), st.sampled_from([BUY, SELL]), st.sampled_from(BOOKS)),
    st.tuples(st.just("down"), st.sampled_from([BUY, SELL]), st.booleans()),
    st.tuples(st.just("deliver"), st.sampled_from([BUY, SELL]), st.none()),
    st.tuples(st.just("time"), st.none(), st.sampled_from([500, 2_000, 8_000])),
    st.tuples(st.just("message"), st.none(), st.none()),
    st.tuples(st.just("death"), st.none(), st.integers(1, 40)),
    st.tuples(st.just("rollback"), st.none(), st.integers(1, 4)),
    st.tuples(st.just("reconciled"), st.none(), st.none()),
)
Happening = tuple[str, str | None, Any]


class Story:
    """One floor, and what happens to it."""

    def __init__(self) -> None:
        self.floor = Floor()
        self.entry_id = self.floor.publish()
        self.worker = self.floor.worker

    def tell(self, happening: Happening) -> None:
        what, account, detail = happening
        exchange = self.floor.exchanges.get(account or "")
        if exchange is None:
            self._tell_workers(what, detail)
        elif what == "placing":
            exchange.script.append(PLACINGS[detail])
        elif what == "book":
            exchange.book = detail
        elif what == "moves":
            exchange.moves_before_placing(detail)
        elif what == "down":
            exchange.is_down = detail
        else:
            exchange.deliver_all()

    def _tell_workers(self, what: str, detail: Any) -> None:
        floor = self.floor
        if what == "death":
            floor.fuse.left = detail
        elif what == "rollback":
            kept = max(len(floor.snapshots) - detail, 0) + 1
            del floor.snapshots[kept:]
            floor.store.roll_back(floor.snapshots[-1])
        else:
            self._work(what, detail)

    def _work(self, what: str, for_ms: Any) -> None:
        try:
            if what == "message":
                self.worker.executor.submit(self.floor.arbitrage(entry_id=self.entry_id))
            elif what == "reconciled":
                self.floor.adopt_all()
            else:
                self.floor.sweep(self.worker, for_ms=for_ms)
        except Crash:
            self.worker = self.floor.another()

    def end(self) -> Arbitrage:
        """All that stood in the way is gone; some time passes."""
        for exchange in (self.floor.buy, self.floor.sell):
            exchange.is_down = False
            exchange.deliver_all()
        return self.floor.check(self.floor.swept(self.floor.another(), for_ms=60_000))


@given(happenings=st.lists(HAPPENINGS, max_size=14))
@settings(max_examples=examples(60), deadline=None, derandomize=True)
def test_whatever_happens_nothing_is_doubled_and_the_record_is_the_truth(
    happenings: list[Happening],
) -> None:
    story = Story()
    story.floor.snapshots.append(story.floor.store.copied())
    for happening in happenings:
        story.tell(happening)
        story.floor.check_nothing_doubled()
    story.end()
