"""One simulated process: the project's own parts behind doors, stopped and resumed from outside."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from execution.exchanges.account import Account
from execution.exchanges.clocks import ExchangeClocks
from execution.exchanges.guarantees import ExchangeGuarantees
from execution.exchanges.profiles import binance
from execution.model.errors import (
    AlreadyRunning,
    ExchangeUnavailable,
    StoreUnavailable,
    UnknownOrder,
)
from execution.orders.journal import Journal
from execution.orders.manager import OrderManager
from execution.orders.path import OrderPath
from execution.orders.placement.resolution import Resolution
from execution.orders.placement.rules import OrderRules
from execution.orders.placement.sending import Sending
from execution.orders.schedule import RetrySchedule, Schedule
from execution.reconciliation.reconciler import Reconciler
from execution.store.memory.reconciliations import MemoryReconciliations
from execution.store.memory.workers import MemoryWorkers
from tests.support.exchange import Tally
from tests.support.whole_stores import order_stores, reconciliation_context
from workers.intake.intake import Intake
from workers.intake.roster import Roster
from workers.intake.waiting_rules import WaitingRules

from .baton import Crew, Hand
from .doors import ClockDoor, Crash, ExchangeDoor, StoreDoor
from .exchange import SteppedExchange
from .steps import ANY, CLOCK, PLACE, QUESTIONS, Fate, Halt, Setting, fates_of
from .waiting_door import WaitingDoor
from .watch import Violation, WatchedStore

ACCOUNT = "binance-main"
ACCOUNTS = {ACCOUNT: Account(ACCOUNT, binance.GUARANTEES.exchange)}
RECV_WINDOW_MS = 5_000
CALLS_MAX = 2_000
DEADLY = frozenset({Fate.CRASH_BEFORE, Fate.CRASH_AFTER, Fate.CRASH_DELAYED, Fate.CRASH_QUEUED})
# What a task may end with: Celery tries again, or the sweep comes by.
EXPECTED = (StoreUnavailable, ExchangeUnavailable, UnknownOrder, AlreadyRunning)


@dataclass(frozen=True)
class Parts:
    """What processes are built from. Taking a safeguard out means handing in another part.

    `guarantees` is what processes believe of the exchange, `true_contract` what it does.
    """

    store: type[WatchedStore] = WatchedStore
    exchange: type[ExchangeDoor] = ExchangeDoor
    clocks: type[ExchangeClocks] = ExchangeClocks
    journal: type[Journal] = Journal
    resolution: type[Resolution] = Resolution
    manager: type[OrderManager] = OrderManager
    guarantees: ExchangeGuarantees = binance.GUARANTEES
    true_contract: ExchangeGuarantees = binance.GUARANTEES
    writes_intents: bool = True


WHOLE = Parts()


_STORE_CALL = "store calls that went wrong"


def _sort(kind: str) -> str:
    if kind == PLACE:
        return "placements that went wrong"
    if kind in QUESTIONS:
        return "questions that went wrong"
    return "clock readings that went wrong" if kind == CLOCK else _STORE_CALL


class NoArbitrages:
    """No producer asks for one here."""

    def execute(self, signal: object, entry_id: object) -> None:
        raise AssertionError(f"an arbitrage came in: {signal} {entry_id}")

    receive = execute


def _complain(sentence: str) -> None:
    raise AssertionError(f"every worker knows the account: {sentence}")


class NoHistory:
    """Here nothing ever leaves the store."""

    def recall_by_exchange_id(self, account: str, symbol: str, exchange_order_id: str) -> None:
        return None


class Process:
    """Everything that a process knows; a crash takes all of it."""

    def __init__(
        self,
        worker: "Worker",
        parts: Parts,
        store: WatchedStore,
        book: MemoryReconciliations,
        exchange: SteppedExchange,
        setting: Setting,
    ) -> None:
        self.clock = ClockDoor(worker, exchange.clock, setting.skew_ms * worker.number)
        self.store = StoreDoor(worker, store, self.clock)
        self.exchange = parts.exchange(worker, exchange, self.clock, parts.guarantees)
        self.clocks = parts.clocks(
            self.store, self.clock, f"host {setting.skew_ms and worker.number}"
        )
        stores = order_stores(self.store)
        schedule = Schedule(self.clock, self.clocks, RetrySchedule())
        self.journal = parts.journal(stores, self.clock, lambda *_: None, schedule)
        rules = OrderRules(RECV_WINDOW_MS, setting.attempts_max)
        path = OrderPath(
            stores,
            self.journal,
            lambda _: self.exchange,
            self.clock,
            rules,
            Sending(self.clock, self.clocks, rules),
            parts.resolution(self.clock, self.clocks, rules),
        )
        self.manager = parts.manager(stores, self.journal, lambda _: self.exchange, path)
        self.waiting = WaitingDoor(worker, store, self.clock)
        self.intake = Intake(
            self.store,
            self.waiting,
            self.manager,
            self.clock,
            Roster(MemoryWorkers(self.clock), self.clock, ACCOUNTS),
            NoArbitrages(),
            WaitingRules(self.clock, wait_max_s=300, market_age_max_s=None, alert=_complain),
        )
        context = reconciliation_context(self.store, book, self.journal, self.clock, NoHistory())
        self.reconciler = Reconciler(context, lambda: None, lambda _: None)


class Worker:
    """Runs jobs on a process, one at a time, and is the gate of all its doors."""

    def __init__(
        self,
        number: int,
        crew: Crew,
        build: Callable[["Worker"], Process],
        complain: Callable[[str], None],
        tally: Tally,
    ) -> None:
        self.number = number
        self.pending: str | None = None  # The call before which it is stopped.
        self._crew = crew
        self._build = build
        self._complain = complain
        self._tally = tally
        self._hand: Hand | None = None
        self._halt = Halt()
        self._fate = Fate.FINE
        self._is_cut_off = False
        self._is_dead = False
        self._calls = 0
        self._process = build(self)

    @property
    def is_busy(self) -> bool:
        return self._hand is not None

    def start(self, job: Callable[[Process], Any], halt: Halt) -> None:
        """Begin a job; return when it has stopped or ended."""
        self._calls = 0
        self._halt = halt
        if halt.at is None:
            self._carry_out(job)
            return
        self._hand = self._crew.hire()
        self._hand.begin(lambda: self._carry_out(job))
        self._came_back()

    def go(self, fate: Fate, halt: Halt) -> None:
        """Let the stopped job go on, its call meeting `fate`, if it can happen to such a call."""
        if self._hand is None or self.pending is None:
            return
        if fate not in fates_of(self.pending):
            fate = Fate.FINE
        if self._is_cut_off and fate not in DEADLY:
            fate = Fate.LOST
        if fate in DEADLY:
            self._tally["crashes", self.pending] += 1
        if fate is not Fate.FINE:
            self._tally[_sort(self.pending), fate] += 1
        self._fate, self._halt, self._is_cut_off = fate, halt, False
        self._hand.resume()
        self._came_back()

    def _came_back(self) -> None:
        if self._hand is not None and self.pending is None:
            self._crew.give_back(self._hand)
            self._hand = None

    def cut_off(self) -> None:
        """The store's server is gone, and with it the answer to a call that is under way."""
        self._is_cut_off = self.pending is not None and _sort(self.pending) == _STORE_CALL

    def end(self) -> None:
        """Let the job come to its end if it is stopped."""
        self.go(Fate.FINE, Halt())

    def kill(self) -> None:
        """Nothing of what this worker was doing may run any more."""
        if self.is_busy:
            self._is_dead = True
            self.end()

    def _carry_out(self, job: Callable[[Process], Any]) -> None:
        try:
            job(self._process)
        except EXPECTED as error:
            self._tally["jobs cut short", type(error).__name__] += 1
        except Crash:
            self._is_dead = False
            self._process = self._build(self)
        except Violation as error:
            self._complain(str(error))
        except Exception as error:  # noqa: BLE001  # Whatever it is, it is a finding.
            self._complain(
                f"broken: worker {self.number} ended with {type(error).__name__}: {error}"
            )

    # The gate.

    def __call__(self, kind: str) -> Fate:
        if self._is_dead:
            raise Crash
        self._calls += 1
        if self._calls > CALLS_MAX:
            raise Violation(f"endless: worker {self.number} makes call after call")
        if self._halt.at is None or self._hand is None:
            return Fate.FINE
        if self._halt.at not in (kind, ANY):
            return Fate.FINE
        if self._halt.skip:
            self._halt = Halt(self._halt.at, self._halt.skip - 1)
            return Fate.FINE
        self._tally["pauses", kind] += 1
        self.pending = kind
        self._hand.pause()
        self.pending = None
        if self._is_dead:
            raise Crash
        return self._fate

    def crash(self) -> Crash:
        self._is_dead = True
        return Crash()
