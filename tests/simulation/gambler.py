"""Which step comes next, by dice: far from uniform, so that rare meetings become common."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from random import Random

from execution.model.order import Attempt, OrderState

from . import dice as odds
from . import schemes
from .dice import pick
from .producer import signal_id_of
from .steps import (
    ANY,
    CLOCK,
    PLACE,
    Fate,
    Go,
    Halt,
    Happen,
    Job,
    Mood,
    Move,
    Publish,
    Restart,
    Save,
    Start,
    Step,
    Tick,
    fates_of,
)
from .world import World

Plan = list[Callable[[], Step | None]]
ONCE_IN_A_ROW = (Tick, Mood, Save, Restart, Publish)


class Gambler:
    """Draws the steps of one history, singly or as a scheme; see schemes.py.

    Whether the store ever restarts in the history is drawn first.
    """

    def __init__(self, dice: Random, world: World) -> None:
        self.dice = dice
        self.world = world
        self._restarts = 4 if dice.random() < odds.HISTORIES_WITH_RESTARTS else 0
        self._last: Callable[..., object] | None = None
        self._plan: Plan = [self.mood]
        self._opened = 0
        # The signal that each worker was last started on.
        self.busy_with: dict[int, int] = {}

    def step(self) -> Step:
        """Draw a step that can happen now and may matter."""
        while True:
            while self._plan:
                step = self._plan.pop(0)()
                if step is not None:
                    return step
            quiet = self._is_quiet() and self.dice.random() < odds.SIGNALS_OPENED
            self._plan = self._opening() if quiet else self._draw()

    def _is_quiet(self) -> bool:
        """Nothing is left to be done for the signals so far, and there is another one."""
        return self._opened < len(self.world.setting.signals) and not any(
            record.is_live or record.fills_missing for record in self.world.store.all_records()
        )

    def _opening(self) -> Plan:
        """Publish a signal, and bring a worker before its placement, and mostly past it."""
        signal, self._opened = self._opened, self._opened + 1
        past = self.dice.random() < odds.OPENINGS_PAST_THE_PLACEMENT
        return [
            lambda: Publish(signal),
            lambda: self.begin(Job.EXECUTE, signal, Halt(PLACE)),
            lambda: self.go() if past else None,
        ]

    def _draw(self) -> Plan:
        world, restarts = self.world, self._restarts
        busy, placing = bool(self.busy()), bool(self.placing())
        can_start = bool(self.idle() and world.producer.attempted)
        under_way, standing = bool(world.exchange.under_way), bool(world.exchange.standing)
        forgetful = can_start and len(self.unpublished()) > 1
        singles: list[tuple[int, type[Step], Callable[[], Step | None]]] = [
            (20 * busy, Go, self.go),
            (20 * can_start, Start, self.start),
            (9 if world.producer.attempted else 1, Tick, self.tick),
            (5 * under_way, Move, self.move),
            (3 * standing, Happen, self.happen),
            (3, Mood, self.mood),
            (2 if world.producer.attempted else 100, Publish, self.publish),
            (restarts, Save, Save),
            (restarts, Restart, self.restart),
        ]
        drawn: list[tuple[int, Callable[..., object], Plan]] = [
            (weight, kind, [single])
            for weight, kind, single in singles
            if not (kind is self._last and kind in ONCE_IN_A_ROW)
        ]
        for weight, scheme in (
            (20 * (under_way and can_start), schemes.arrives_late),
            (15 * (placing and can_start), schemes.is_overtaken),
            (4 * can_start, schemes.is_answered_late),
            (4 * restarts * under_way, schemes.is_forgotten),
            (4 * restarts * (placing and can_start), schemes.misses_a_restart),
            (2 * restarts * (placing and can_start), schemes.outlives_a_forgotten_attempt),
            (2 * restarts * (standing and forgetful), schemes.counts_on_what_is_lost),
        ):
            drawn.append((weight, scheme, scheme(self) if weight else []))
        _, self._last, plan = self.dice.choices(drawn, [weight for weight, _, _ in drawn])[0]
        return plan

    def busy(self) -> list[int]:
        return [n for n, worker in enumerate(self.world.workers) if worker.is_busy]

    def idle(self) -> list[int]:
        return [n for n, worker in enumerate(self.world.workers) if not worker.is_busy]

    def placing(self) -> list[int]:
        """The workers that stand before a placement."""
        return [n for n in self.busy() if self.world.workers[n].pending == PLACE]

    def unpublished(self) -> list[int]:
        """The signals that nobody has tried to publish yet."""
        signals = range(len(self.world.setting.signals))
        return [n for n in signals if n not in self.world.producer.attempted]

    # Single steps; None where one cannot happen now.

    def restart(self) -> Restart:
        return Restart(self.dice.random() < odds.INTENTS_KEPT)

    def publish(self) -> Publish:
        signal = self.dice.randrange(len(self.world.setting.signals))
        cancel = signal in self.world.producer.attempted and self.dice.random() < odds.CANCELS
        return Publish(signal, pick(self.dice, odds.PUBLISHINGS), cancel)

    def mood(self) -> Mood:
        lag_ms, funds = pick(self.dice, odds.LAGS_MS), pick(self.dice, odds.FUNDS)
        return Mood(lag_ms, funds, pick(self.dice, odds.ERRORS))

    def with_funds(self, share: float) -> Mood:
        return replace(self.world.exchange.mood, funds=self.dice.random() < share)

    def move(self) -> Move:
        return Move(self.dice.randrange(4), pick(self.dice, odds.WAYS))

    def happen(self) -> Happen:
        return Happen(self.dice.randrange(2), pick(self.dice, odds.HAPPENINGS))

    def start(
        self, jobs: frozenset[Job] = frozenset(Job), signal: int | None = None
    ) -> Start | None:
        """Give somebody who is idle one of these jobs, on that signal or on any."""
        world = self.world
        if signal is None:
            signal = self.dice.choice(tuple(world.producer.attempted))
        records = world.store.records(signal_id_of(signal))
        state = records[0].state if records else OrderState.RECEIVED
        is_live = not records or records[0].is_live or records[0].fills_missing
        weights = {
            Job.EXECUTE: (30 if is_live else 2) * (signal in world.producer.messages),
            Job.ADVANCE: (30 if is_live else 2) * bool(records),
            Job.CANCEL: (25 if state is OrderState.OPEN else 3) * bool(records),
            Job.SWEEP: 8 * bool(records),
            Job.DRAIN: 6 * bool(world.store.waiting_intents()),
            Job.RECONCILE: 6 * bool(world.exchange.standing),
            Job.MEASURE: 1,
        }
        job = pick(self.dice, {job: weights[job] + 1 for job in weights if job in jobs})
        is_other = job in (Job.DRAIN, Job.RECONCILE, Job.MEASURE)
        halts = odds.SETTLED_HALTS if is_other else odds.HALTS.get(state, odds.SETTLED_HALTS)
        return self.begin(job, signal, self._halt(halts))

    def look(self, signal: int | None = None, halt: Halt | None = None) -> Start | None:
        """Somebody who is idle moves that signal on, or any."""
        start = self.start(odds.PLACING_JOBS, signal)
        return start if start is None or halt is None else replace(start, halt=halt)

    def begin(self, job: Job, signal: int, halt: Halt) -> Start | None:
        idle = self.idle()
        if not idle:
            return None
        worker = self.dice.choice(idle)
        self.busy_with[worker] = signal
        return Start(worker, job, signal, self.dice.randrange(2), halt)

    def _halt(self, halts: odds.Weighted[str | None]) -> Halt:
        at = pick(self.dice, halts)
        if at in (ANY, CLOCK):
            return Halt(at, pick(self.dice, odds.SKIPS))
        return Halt(at, self.dice.choice((0, 0, 0, 0, 0, 1)) if at else 0)

    def go(self, fates: Sequence[Fate] = (), but: int | None = None) -> Go | None:
        """Let a worker go on; a placement meets one of these fates, or any."""
        busy = [n for n in self.busy() if n != but]
        if not busy:
            return None
        worker = self.dice.choice(busy)
        kind = self.world.workers[worker].pending or ANY
        fate = self.dice.choice(fates) if fates and kind == PLACE else self._fate(kind)
        return Go(worker, fate, self._halt(odds.UNKNOWN_HALTS))

    def _fate(self, kind: str) -> Fate:
        share = odds.PLACEMENTS_THAT_FAIL if kind == PLACE else odds.CALLS_THAT_FAIL
        if self.dice.random() >= share:
            return Fate.FINE
        fate = self.dice.choice(fates_of(kind)[1:])
        spared = fate is Fate.CRASH_BEFORE and self.dice.random() < odds.CRASHES_SPARED
        return Fate.FINE if spared else fate

    def tick(self) -> Tick:
        """Let time pass; often until just before or after something stops being possible."""
        if self.dice.random() < 0.5:
            edge = self.dice.choice((schemes.valid, schemes.provable))
            step = self.edge(edge, (-400, -1, 0, 2, 500, 1_000))
            if step is not None:
                return step
        return Tick(pick(self.dice, odds.TICKS_MS))

    def edge(self, edge: Callable[[Attempt], int], beside_ms: Sequence[int]) -> Tick | None:
        """Let time pass until some ms beside an edge of an attempt that may still be alive."""
        live = [
            edge(order.attempt)
            for order in self.world.store.all_records()
            if order.state is OrderState.SUBMITTING and order.attempt is not None
        ]
        return self.until(self.dice.choice(live), beside_ms) if live else None

    def until(self, edge_ms: int, beside_ms: Sequence[int]) -> Tick | None:
        """Let time pass until some ms beside that time at the exchange."""
        left_ms = [edge_ms + beside - self.world.exchange.now_ms() for beside in beside_ms]
        ahead_ms = [left for left in left_ms if left > 0]
        return Tick(self.dice.choice(ahead_ms)) if ahead_ms else None
