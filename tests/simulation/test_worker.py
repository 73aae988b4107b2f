"""A simulated process stops where it is told to, and what becomes of its call is what was said."""

from collections.abc import Callable

import pytest

from execution.model.order import Order, OrderState, Verdict
from oneorder.identifiers import order_id_of

from .baton import Crew
from .producer import signal_id_of
from .steps import (
    ANY,
    CLOCK,
    COMMIT,
    LOOKUP,
    PLACE,
    Asked,
    Fate,
    Go,
    Halt,
    Job,
    Mood,
    Move,
    Publish,
    Restart,
    Setting,
    Start,
    Way,
)
from .world import World

Begin = Callable[..., World]


@pytest.fixture
def begin(crew: Crew) -> Begin:
    """A world in which one market order was published, and maybe the first steps were made."""

    def made(*steps: object) -> World:
        world = World(Setting(signals=(Asked(market=True),)), crew)
        world.apply(Publish(0))
        for step in steps:
            world.apply(step)  # type: ignore[arg-type]
        return world

    return made


def executes(worker: int = 0, at: str | None = PLACE, skip: int = 0) -> Start:
    return Start(worker, Job.EXECUTE, halt=Halt(at, skip))


def stored(world: World) -> Order:
    order = world.store.order(order_id_of(signal_id_of(0)))
    assert order is not None, "no record of the order"
    return order


def test_a_worker_stops_before_the_call_that_it_was_to_stop_at(begin: Begin) -> None:
    world = begin(executes())
    assert world.workers[0].pending == PLACE
    assert stored(world).state is OrderState.SUBMITTING
    assert world.exchange.accepted[signal_id_of(0)] == 0
    world.apply(Go(0))
    assert not world.workers[0].is_busy
    assert stored(world).state is OrderState.FILLED


def test_a_worker_can_be_stopped_before_every_single_call(begin: Begin) -> None:
    world = begin(executes(at=ANY))
    calls = []
    while world.workers[0].is_busy:
        calls.append(world.workers[0].pending)
        world.apply(Go(0, halt=Halt(ANY)))
    assert {CLOCK, "epoch", "market", "measure_clock", COMMIT, PLACE, "position"} <= set(calls)
    assert stored(world).state is OrderState.FILLED


def test_stopped_workers_go_on_in_any_order(begin: Begin) -> None:
    world = begin(executes(0, COMMIT), executes(1, COMMIT))
    world.apply(Go(1))
    assert stored(world).state is OrderState.FILLED
    world.apply(Go(0))
    assert world.exchange.accepted[signal_id_of(0)] == 1


def test_a_crash_takes_everything_that_the_process_knew(begin: Begin) -> None:
    world = begin(executes(), Go(0, Fate.CRASH_BEFORE))
    assert not world.workers[0].is_busy
    assert stored(world).state is OrderState.SUBMITTING
    assert not world.exchange.standing


def test_a_crash_leaves_no_time_to_clean_up(begin: Begin) -> None:
    world = begin(executes(at=None), Start(0, Job.RECONCILE, halt=Halt("positions")))
    world.apply(Go(0, Fate.CRASH_BEFORE))
    assert not world.store.lease("reconcile:binance-main", "another", 1)


@pytest.mark.parametrize(
    ("fate", "version"), [(Fate.LOST, None), (Fate.UNHEARD, 1), (Fate.CRASH_AFTER, 1)]
)
def test_a_commit_that_went_wrong_was_made_or_not_as_its_fate_says(
    fate: Fate, version: int | None, begin: Begin
) -> None:
    world = begin(executes(at=COMMIT), Go(0, fate))
    order = world.store.order(order_id_of(signal_id_of(0)))
    assert (order and order.version) == version


@pytest.mark.parametrize(
    ("fate", "accepted", "under_way"),
    [
        (Fate.FINE, 1, 0),
        (Fate.LOST, 0, 0),
        (Fate.UNHEARD, 1, 0),
        (Fate.CRASH_BEFORE, 0, 0),
        (Fate.CRASH_AFTER, 1, 0),
        (Fate.THROTTLED, 0, 0),
        (Fate.REFUSED, 0, 0),
        (Fate.GARBAGE, 0, 0),
        (Fate.DELAYED, 0, 1),
        (Fate.QUEUED, 0, 1),
        (Fate.CRASH_DELAYED, 0, 1),
        (Fate.CRASH_QUEUED, 0, 1),
    ],
)
def test_a_placement_comes_to_what_its_fate_says(
    fate: Fate, accepted: int, under_way: int, begin: Begin
) -> None:
    world = begin(executes(), Go(0, fate))
    assert world.exchange.accepted[signal_id_of(0)] == accepted
    assert len(world.exchange.under_way) == under_way


def test_a_request_that_its_worker_gave_up_may_become_an_order_later(begin: Begin) -> None:
    world = begin(executes(), Go(0, Fate.DELAYED))
    assert stored(world).attempts[0].verdict is Verdict.UNKNOWN
    world.apply(Move(0, Way.MATCHED))
    assert world.exchange.accepted[signal_id_of(0)] == 1


def test_a_restart_fails_the_store_call_that_is_under_way_and_no_other(begin: Begin) -> None:
    world = begin(executes(0, COMMIT), executes(1, PLACE), Restart())
    world.apply(Go(0))
    assert world.tally["jobs cut short", "StoreUnavailable"] == 1
    world.apply(Go(1))
    assert world.exchange.accepted[signal_id_of(0)] == 1


def test_a_restart_brings_back_what_was_saved_with_a_new_epoch(begin: Begin) -> None:
    world = begin(executes(at=None))
    before = world.store.epoch()
    world.apply(Restart())
    assert world.store.order(order_id_of(signal_id_of(0))) is None
    assert world.store.epoch().run_id != before.run_id
    assert len(world.store.waiting_intents()) == 1


def test_a_restart_may_lose_the_newer_intents_too(begin: Begin) -> None:
    world = begin(Restart(keeps_intents=False))
    assert world.store.waiting_intents() == {}


def test_a_step_that_cannot_happen_is_passed_over(begin: Begin) -> None:
    world = begin(Go(0), Go(7, Fate.UNHEARD), Move(3, Way.MATCHED), executes(1), executes(1))
    assert sum(world.tally["jobs", job] for job in Job) == 1
    world.close()


def test_a_lookup_can_be_answered_by_garbage(begin: Begin) -> None:
    world = begin(Mood(lag_ms=1_000), executes(), Go(0, Fate.QUEUED, Halt(LOOKUP)))
    world.apply(Go(0, Fate.GARBAGE))
    assert stored(world).state is OrderState.SUBMITTING


def test_a_host_may_be_ahead_of_another(crew: Crew) -> None:
    world = World(Setting(offset_ms=100, skew_ms=40), crew)
    for worker in (0, 1):
        world.apply(Start(worker, Job.MEASURE))
    measured = [world.store.clock_offset("binance-main", f"host {n}") for n in (0, 1)]
    assert [offset and offset.offset_ms for offset in measured] == [100, 60]
