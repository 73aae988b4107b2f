"""Meetings that take several steps in a row, and that single dice would hardly ever bring about.

A scheme is a list of draws, made one by one as the history goes on; what cannot happen by then is
left out. Each is named after what becomes of a request, a worker or an answer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from execution.exchanges.profiles import binance
from execution.model.order import Attempt

from .dice import HEARD, UNHEARD
from .steps import (
    ANY,
    LOOKUP,
    PLACE,
    POSITION,
    Fate,
    Go,
    Halt,
    Happen,
    Happening,
    Job,
    Move,
    Publish,
    Save,
    Start,
    Step,
    Tick,
    Way,
)

if TYPE_CHECKING:
    from .gambler import Gambler

Plan = list[Callable[[], Step | None]]

# When the engine acts on a request that was let in: before the fence, and as late as its bound.
LATE_MS = (-1, 400, binance.GUARANTEES.engine_bound_ms - 1, binance.GUARANTEES.engine_bound_ms)
MARGIN_MS = binance.GUARANTEES.margin_ms
# A request that a restart of the store made us forget cannot arrive unseen after so long.
FORGOTTEN_MS = 5_000 + MARGIN_MS


def arrives_late(g: Gambler) -> Plan:
    """A request becomes an order near the end of its window; somebody looks for it after."""
    fast_ms = 1 - g.world.setting.uncertainty_ms
    return [
        lambda: Move(0, Way.ARRIVES),
        lambda: g.edge(valid, LATE_MS),
        lambda: Move(0, Way.MATCHED),
        lambda: g.edge(provable, (fast_ms, fast_ms, -1, 2, 2)),
        lambda: replace(g.world.exchange.mood, lag_ms=1_000),
        g.look,
    ]


def is_overtaken(g: Gambler) -> Plan:
    """A worker stands still, before its request or after the answer to it; another goes on as if
    there had been neither."""
    slow = g.dice.choice(g.placing())
    has_sent = g.dice.random() < 0.7
    return [
        lambda: g.with_funds(0.3),
        lambda: Go(slow, g.dice.choice(HEARD), Halt(ANY)) if has_sent else None,
        lambda: g.with_funds(1),
        lambda: g.edge(provable, (2, 400, 1_000)),
        *_begins_anew(g, slow),
    ]


def misses_a_restart(g: Gambler) -> Plan:
    """A worker stands still while the store forgets, and another one begins anew."""
    slow = g.dice.choice(g.placing())
    signal = g.busy_with.get(slow)
    return [
        lambda: g.with_funds(0.6),
        lambda: Go(slow, g.dice.choice(HEARD), Halt(ANY)),
        lambda: g.with_funds(1),
        g.restart,
        lambda: g.look(signal, Halt()),
        lambda: Tick(
            g.dice.choice((FORGOTTEN_MS - 1, FORGOTTEN_MS + 900, *[FORGOTTEN_MS + 1_500] * 2))
        ),
        *_begins_anew(g, slow),
    ]


def outlives_a_forgotten_attempt(g: Gambler) -> Plan:
    """A worker hears of the first attempt and stands still; a second one is made and forgotten."""
    slow = g.dice.choice(g.placing())
    signal = g.busy_with.get(slow)
    return [
        Save,
        lambda: g.with_funds(0.3),
        lambda: Go(slow, g.dice.choice(HEARD), Halt(ANY)),
        lambda: g.with_funds(1),
        lambda: g.edge(provable, (2, 400, 1_000)),
        lambda: g.look(signal, Halt()),
        g.restart,
        lambda: Go(slow),
    ]


def _begins_anew(g: Gambler, slow: int) -> Plan:
    """Another worker places the order; then the slow one comes back, and somebody looks."""
    signal = g.busy_with.get(slow)
    return [
        lambda: g.look(signal, Halt(PLACE)),
        lambda: g.go(UNHEARD, but=slow),
        lambda: Go(slow),
        lambda: g.look(signal),
        lambda: Move(0, Way.MATCHED),
    ]


def is_forgotten(g: Gambler) -> Plan:
    """The store forgets a request that is under way; somebody begins anew, perhaps too soon."""
    end_ms, fast_ms = (
        g.world.exchange.under_way[0].valid_until_ms,
        1 - g.world.setting.uncertainty_ms,
    )
    return [
        lambda: Move(0, Way.ARRIVES),
        g.restart,
        lambda: g.look(halt=Halt()),
        lambda: g.until(end_ms, (-999, *LATE_MS)),
        lambda: Move(0, Way.MATCHED) if g.dice.random() < 0.7 else None,
        lambda: g.until(end_ms, (MARGIN_MS + 1 + fast_ms, MARGIN_MS + 2 - fast_ms)),
        lambda: replace(g.world.exchange.mood, lag_ms=1_000),
        g.look,
        lambda: Move(0, Way.MATCHED),
        g.look,
    ]


def is_answered_late(g: Gambler) -> Plan:
    """A lookup's answer is read long after it was given, or it is not an answer."""
    worker = g.dice.choice(g.idle())
    signal = g.dice.choice(tuple(g.world.producer.attempted))
    return [
        lambda: g.edge(provable, (2, 400)) if g.dice.random() < 0.5 else None,
        lambda: Start(worker, Job.ADVANCE, signal, 0, Halt(LOOKUP)),
        lambda: Go(worker, g.dice.choice((Fate.FINE, Fate.GARBAGE)), Halt(ANY)),
        lambda: Move(0, Way.MATCHED) if g.world.exchange.under_way else None,
        lambda: g.edge(provable, (2, 400)),
        lambda: Go(worker),
    ]


def counts_on_what_is_lost(g: Gambler) -> Plan:
    """The position that a worker has read is lost, and another one of its version takes its
    place: the fills of one order before the restart, and of a second one after it."""
    worker = g.dice.choice(g.idle())
    before, after = g.unpublished()[:2]
    return [
        Save,
        lambda: Publish(before),
        lambda: g.begin(Job.EXECUTE, before, Halt()),
        lambda: Happen(0, Happening.FILLS),
        lambda: Start(worker, Job.RECONCILE, halt=Halt(POSITION)),
        lambda: Go(worker, halt=Halt(ANY)),
        g.restart,
        lambda: Tick(g.dice.choice((FORGOTTEN_MS + 900, FORGOTTEN_MS + 1_500))),
        lambda: Publish(after),
        lambda: g.begin(Job.EXECUTE, after, Halt()),
        lambda: Go(worker),
    ]


def valid(attempt: Attempt) -> int:
    return attempt.valid_until_ms


def provable(attempt: Attempt) -> int:
    return attempt.provable_at_ms
