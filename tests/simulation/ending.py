"""The end of a history: the faults stop, time runs on, and everything must come to rest."""

from collections.abc import Callable
from typing import Any

from execution.model.order import Order
from oneorder.broker import EXECUTE

from .producer import signal_id_of
from .steps import Halt, Mood
from .watch import Violation
from .worker import Process
from .world import BATCH, World, drain, reconcile, sweep

ROUNDS_MAX = 60
ROUND_MS = 4_000
RECONCILED_EVERY = 3


def see_to_the_end(world: World) -> None:
    """Raise Violation unless every signal ends settled, as it truly is, within bounded time."""
    world.exchange.set_mood(Mood())
    while world.exchange.under_way:
        world.exchange.deliver(world.exchange.under_way[0])
    for worker in world.workers:
        worker.end()
    world.watch.step()
    _come_to_rest(world)
    _once_more(world)
    for signal in world.producer.attempted:
        _check_excuse(world, signal)
    _check_refusals(world)
    world.watch.check_traded()


def _come_to_rest(world: World) -> None:
    """Only sweeps and reconciliations from here on: no message is delivered any more."""
    reason: str | None = None
    for number in range(1, ROUNDS_MAX + 1):
        world.clock.ms += ROUND_MS
        world.producer.repeat()
        _run(world, drain, sweep)
        if number % RECONCILED_EVERY == 0:
            _run(world, reconcile)
        reason = _restlessness(world)
        # A reconciliation may find an order that everybody else had to give up.
        if reason is None and number > RECONCILED_EVERY:
            return
    raise Violation(reason)


def _once_more(world: World) -> None:
    """What rests must stay as it is: every message comes again, and everybody looks again."""
    for signal, messages in world.producer.messages.items():
        for copy in range(len(messages)):
            job = world.delivery(signal, copy)
            if job is not None:
                _run(world, job)
    world.clock.ms += ROUND_MS
    _run(world, drain, sweep, reconcile)
    reason = _restlessness(world)
    if reason is not None:
        raise Violation(f"{reason}, after it had come to rest")


def _run(world: World, *jobs: Callable[[Process], Any]) -> None:
    for job in jobs:
        world.workers[0].start(job, Halt())
    world.watch.step()


def _restlessness(world: World) -> str | None:
    if world.store.waiting_intents():
        return "lost: an intent is never taken"
    reasons = (world.watch.unsettled(signal_id_of(n)) for n in world.producer.attempted)
    return next((reason for reason in reasons if reason is not None), None)


def _check_excuse(world: World, signal: int) -> None:
    """An order that was not placed has a reason, and the reason is true."""
    signal_id = signal_id_of(signal)
    order = world.store.records(signal_id)[0]
    world.tally["signals that ended", order.state] += 1
    if world.exchange.accepted[signal_id]:
        return
    excuses = {
        "rejected": world.exchange.rejected[signal_id] > 0,
        "canceled": signal in world.producer.cancels,
        "refused": _may_be_refused(world, signal, order),
    }
    if not excuses.get(order.state, True):
        raise Violation(f"excuse: {signal_id} is {order.state} because {order.reason}")


def _may_be_refused(world: World, signal: int, order: Order) -> bool:
    expires = world.setting.signals[signal].expires_after_ms is not None
    return expires or len(order.attempts) >= world.setting.attempts_max


def _check_refusals(world: World) -> None:
    for refused in world.store.refused_intents(BATCH):
        if refused.task == EXECUTE:
            raise Violation(f"refused: {refused.reason}")
