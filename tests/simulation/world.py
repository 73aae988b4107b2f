"""Workers, store, exchange and producer together. It applies steps; ending.py lets it rest."""

from collections import Counter
from collections.abc import Callable
from typing import Any

from execution.store.memory.reconciliations import MemoryReconciliations
from oneorder.identifiers import order_id_of
from tests.support.clock import FakeClock
from tests.support.exchange import Tally

from .baton import Crew
from .exchange import SteppedExchange
from .producer import Producer, signal_id_of
from .steps import (
    Go,
    Happen,
    Job,
    Mood,
    Move,
    Publish,
    Restart,
    Save,
    Setting,
    Start,
    Step,
    Tick,
)
from .watch import Watch
from .worker import ACCOUNT, WHOLE, Parts, Process, Worker

# After a restart a producer may publish again for ten minutes; histories stay well below that.
TICKS_MAX_MS = 400_000
INTENT_GRACE_MS = 1_000
WAKE_LEASE_MS = 5_000
WAITING_LEASE_MS = 2_000
BATCH = 100


class World:
    """One history in the making."""

    def __init__(self, setting: Setting, crew: Crew, parts: Parts = WHOLE) -> None:
        self.setting = setting
        self.tally: Tally = Counter()
        self.clock = FakeClock()
        self.store = parts.store(self.clock)
        self.book = MemoryReconciliations()
        self.watch = Watch(self.store)
        self.exchange = SteppedExchange(self.clock, setting, parts.true_contract)
        self.exchange.tally = self.tally
        self.exchange.on_accepted = self.watch.on_accepted
        self.watch.exchange = self.exchange
        self.watch.host_skew_max_ms = abs(setting.skew_ms) * (setting.workers - 1)
        self.producer = Producer(
            self.store, self.clock, setting, self.tally, writes_intents=parts.writes_intents
        )

        def build(worker: Worker) -> Process:
            return Process(worker, parts, self.store, self.book, self.exchange, setting)

        self.workers = [
            Worker(n, crew, build, self.watch.complain, self.tally) for n in range(setting.workers)
        ]
        self._elapsed_ms = 0
        self._saved = self.store.copied()
        self._does: dict[type[Any], Callable[[Any], None]] = {
            Publish: self.producer.publish,
            Start: self._start,
            Go: self._go,
            Tick: self._tick,
            Move: self._move,
            Happen: self._happen,
            Mood: self._set_mood,
            Save: self._save,
            Restart: self._restart,
        }

    def apply(self, step: Step) -> None:
        """Do one step; one that cannot happen now is passed over. Raises Violation."""
        self._does[type(step)](step)
        self.watch.step()

    def close(self) -> None:
        """Take every worker off the stage, wherever it stands."""
        for worker in self.workers:
            worker.kill()

    def _start(self, step: Start) -> None:
        worker = self.workers[step.worker % len(self.workers)]
        job = None if worker.is_busy else self._job(step)
        if job is not None:
            self.tally["jobs", step.job] += 1
            worker.start(job, step.halt)

    def _job(self, step: Start) -> Callable[[Process], Any] | None:
        match step.job:
            case Job.EXECUTE:
                return self.delivery(step.signal, step.copy)
            case Job.ADVANCE:
                return self._advance(step.signal)
            case Job.CANCEL:
                self.producer.cancels.add(step.signal)
                order_id = order_id_of(signal_id_of(step.signal))
                return lambda process: process.manager.cancel(order_id)
            case Job.DRAIN:
                return drain
            case Job.SWEEP:
                return sweep
            case Job.RECONCILE:
                return reconcile
            case Job.MEASURE:
                return lambda process: process.clocks.measure(ACCOUNT, process.exchange)

    def delivery(self, signal: int, copy: int) -> Callable[[Process], Any] | None:
        """The task that a message wakes a worker for; None where none was sent."""
        messages = self.producer.messages.get(signal)
        if not messages:
            return None
        body, entry_id = self.producer.bodies[signal], messages[copy % len(messages)]
        return lambda process: process.intake.execute(body, entry_id)

    def _advance(self, signal: int) -> Callable[[Process], Any] | None:
        records = self.store.records(signal_id_of(signal))
        if not records:
            return None
        order_id = records[-1].order_id
        return lambda process: process.manager.advance_by_id(order_id)

    def _go(self, step: Go) -> None:
        self.workers[step.worker % len(self.workers)].go(step.fate, step.halt)

    def _tick(self, step: Tick) -> None:
        if self._elapsed_ms + step.ms <= TICKS_MAX_MS:
            self._elapsed_ms += step.ms
            self.clock.ms += step.ms

    def _move(self, step: Move) -> None:
        if self.exchange.under_way:
            request = self.exchange.under_way[step.request % len(self.exchange.under_way)]
            self.tally["requests given up that moved on", step.way] += 1
            self.exchange.move(request, step.way)

    def _happen(self, step: Happen) -> None:
        if self.exchange.standing:
            standing = self.exchange.standing[step.order % len(self.exchange.standing)]
            self.exchange.happen(standing, step.what)

    def _set_mood(self, step: Mood) -> None:
        self.exchange.set_mood(step)

    def _save(self, _: Save) -> None:
        self._saved = self.store.copied()
        self.producer.on_save()

    def _restart(self, step: Restart) -> None:
        self.store.roll_back(self._saved)
        self.producer.on_restart(keeps_intents=step.keeps_intents)
        for worker in self.workers:
            worker.cut_off()
        kept = "all intents kept" if step.keeps_intents else "newer intents lost"
        self.tally["restarts of the store", kept] += 1


def drain(process: Process) -> None:
    """What beat's sweep does for intents that no message woke anybody for."""
    for intent in process.store.take_intents(BATCH, INTENT_GRACE_MS):
        process.intake.drain(intent)
    for waiting in process.waiting.take(process.clock.now_ms(), BATCH, WAITING_LEASE_MS):
        process.intake.look_again(waiting)


def sweep(process: Process) -> None:
    """What beat's sweep does for orders that are due, with the tasks that it wakes."""
    for order_id in process.store.due(process.clock.now_ms(), BATCH, WAKE_LEASE_MS):
        process.manager.advance_by_id(order_id)


def reconcile(process: Process) -> None:
    process.reconciler.run(ACCOUNT, lambda: process.exchange)
