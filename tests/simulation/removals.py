"""The safeguards, each taken out by handing in another part. Every one must be missed.

A part without its safeguard is written as the plausible shortcut that it would be in real code.
"""

from dataclasses import dataclass, replace
from itertools import count
from typing import Any

from execution.exchanges.clocks import ExchangeClocks
from execution.exchanges.port import ClockOffset, Exchange, Outcome
from execution.exchanges.profiles import binance
from execution.model.errors import ExchangeUnavailable, VersionConflict
from execution.model.events import AttemptBegan, AttemptDied, AttemptUnknown, Event, Rejected
from execution.model.order import (
    Attempt,
    Order,
    OrderReport,
    OrderState,
    Verdict,
)
from execution.model.position import Position, fold
from execution.model.waiting import Wait
from execution.orders.journal import Decision, Journal
from execution.orders.manager import OrderManager
from execution.orders.placement.resolution import Resolution
from execution.orders.store import Change, Committed, Epoch
from tests.support.exchange import Request

from .baton import Crew
from .doors import ExchangeDoor
from .histories import History, replay, simulate
from .steps import Fate
from .watch import WatchedStore
from .worker import WHOLE, Parts


class NeverWaits(ExchangeClocks):
    """Takes every fence for passed: not found is dead, at once."""

    def earliest_now_ms(self, account: str, exchange: Exchange) -> int:
        return super().earliest_now_ms(account, exchange) + 10**9


class KnowsTheTimeExactly(ExchangeClocks):
    """Takes the measured time for the true one."""

    def _error_ms(self, offset: ClockOffset) -> int:
        return 0


class NeverWaitsForTheForgotten(ExchangeClocks):
    """Takes whatever a restart made the store forget for long past its fence."""

    def exchange_ms(self, account: str, exchange: Exchange, local_ms: int) -> int:
        return super().exchange_ms(account, exchange, local_ms) - 10**9


class LooksBeforeTheClock(Resolution):
    """Looks first, and reads the clock when the answer is there."""

    def look_up(self, order: Order, exchange: Exchange) -> Event | Wait:
        return super().look_up(order, Answered(exchange, order))


class Answered:
    """An exchange that has been asked for the order already, and answers what it was told then."""

    def __init__(self, exchange: Exchange, order: Order) -> None:
        self._exchange = exchange
        self._report = exchange.lookup(order)

    def lookup(self, order: Order) -> OrderReport | None:
        return self._report

    def __getattr__(self, name: str) -> Any:
        return getattr(self._exchange, name)


class WritesAfterwards(Journal):
    """Records an attempt when its answer is there."""

    _unwritten: tuple[Order, AttemptBegan] | None = None

    def decide(self, order: Order, decision: Decision, epoch: Epoch) -> Order:
        if not isinstance(decision, AttemptBegan):
            return super().decide(order, decision, epoch)
        self._unwritten = (order, decision)
        return self._after(order, decision)

    def record(self, order: Order, fact: Event, epoch: Epoch | None = None) -> Order:
        if self._unwritten is not None:
            (before, began), self._unwritten = self._unwritten, None
            order = super().record(before, began)
        return super().record(order, fact, epoch)


class AnyAttemptsVerdict(Journal):
    """Takes a verdict for one about whatever attempt is the latest by now."""

    def _after(self, order: Order, event: Event) -> Order:
        if isinstance(event, (AttemptDied, AttemptUnknown, Rejected)) and order.attempt:
            latest = order.attempt
            event = replace(event, number=latest.number, stamp_ms=latest.stamp_ms)
        return super()._after(order, event)


class FactsOfAnyEpoch(Journal):
    """Takes a no from before a restart of the store for one that still counts."""

    def record(self, order: Order, fact: Event, epoch: Epoch | None = None) -> Order:
        return super().record(order, fact)


class CountsFillsAgain(WatchedStore):
    """Moves the position with an order's fills at every change of the order."""

    def commit(self, change: Change) -> Committed:
        if change.position is None and change.before.fills:
            held = self.position(change.after.account, change.after.symbol)
            moved = fold(held, change.before.fills)
            change = replace(change, position=moved, position_before=held)
        return super().commit(change)


class LastWriterWins(WatchedStore):
    """Stores what it is given, whatever has changed meanwhile."""

    def commit(self, change: Change) -> Committed:
        before = self.order(change.after.order_id) or replace(change.before, version=0)
        return super().commit(replace(change, before=before, position_before=self._held(change)))

    def _held(self, change: Change) -> Position | None:
        if change.position is None:
            return None
        return self.position(change.position.account, change.position.symbol)


class VersionsAlone(LastWriterWins):
    """Takes a record of the same version for the same record, and a position likewise."""

    def commit(self, change: Change) -> Committed:
        stored, held = self.order(change.after.order_id), self._held(change)
        if (stored.version if stored else 0) != change.before.version:
            return Committed.CONFLICT
        expected = change.position_before
        if held is not None and expected is not None and held.version != expected.version:
            return Committed.CONFLICT
        return super().commit(change)


class NeverRestarted(WatchedStore):
    """Says of every epoch that it is the first."""

    def epoch(self) -> Epoch:
        return replace(super().epoch(), since_ms=0)


class AnyEpoch(WatchedStore):
    """Makes every change, whatever epoch it was decided in."""

    def commit(self, change: Change) -> Committed:
        epoch = None if change.epoch is None else super().epoch()
        return super().commit(replace(change, epoch=epoch))


class KnowsNobody(OrderManager):
    """Makes another record, under another id, for a signal that has one."""

    def submit(self, order: Order) -> Order:
        for number in count(2):
            try:
                return self._path.follow(order)
            except VersionConflict:
                name = f"{order.order_id[:24]}{number:02}"
                order = replace(order, order_id=name, client_order_id=name)
        raise AssertionError


class SignsWithNow(ExchangeDoor):
    """Signs a request with the time at which it leaves."""

    def _send(self, order: Order, attempt: Attempt) -> Request:
        window_ms = attempt.valid_until_ms - attempt.stamp_ms
        now_ms = self._exchange.now_ms()
        return super()._send(
            order, replace(attempt, stamp_ms=now_ms, valid_until_ms=now_ms + window_ms)
        )


class BelievesGarbage(ExchangeDoor):
    """Takes any answer to a placement for an order."""

    def _judged(self, fate: Fate, order: Order) -> Outcome:
        if fate is not Fate.GARBAGE:
            return super()._judged(fate, order)
        told = OrderReport("None", order.client_order_id, order.symbol, OrderState.OPEN)
        return Outcome(Verdict.ACCEPTED, told)


class TakesSilenceForNo(ExchangeDoor):
    """Takes a placement without an answer for one that never arrived."""

    def _judged(self, fate: Fate, order: Order) -> Outcome:
        return Outcome(Verdict.NOT_SENT, reason="no answer")


class TakesGarbageForNothing(ExchangeDoor):
    """Takes an answer without an order in it for one that says that there is none."""

    def lookup(self, order: Order) -> OrderReport | None:
        try:
            return super().lookup(order)
        except ExchangeUnavailable as error:
            if str(Fate.GARBAGE) in str(error):
                return None
            raise


@dataclass(frozen=True)
class Removal:
    """One safeguard less. `within` is how many histories may pass before it is missed; `whole` has
    the safeguard, in the same world."""

    name: str
    parts: Parts
    within: int
    whole: Parts = WHOLE


_NO_MARGIN = Parts(guarantees=replace(binance.GUARANTEES, engine_bound_ms=0, read_lag_ms=0))
_HALF_A_MARGIN = Parts(guarantees=replace(binance.GUARANTEES, engine_bound_ms=0))
_A_QUICK_ENGINE = Parts(guarantees=replace(binance.GUARANTEES, engine_bound_ms=9_000))
# An exchange that keeps orders that ended for less time than it is believed to.
_FORGETFUL = replace(binance.GUARANTEES, ended_kept_ms=30_000)
_NEVER_FORGETS = Parts(guarantees=binance.GUARANTEES, true_contract=_FORGETFUL)
_KNOWS_IT = Parts(guarantees=_FORGETFUL, true_contract=_FORGETFUL)
REMOVALS = (
    Removal("no fence wait", Parts(clocks=NeverWaits), 200),
    Removal("no margin", _NO_MARGIN, 500),
    Removal("half a margin", _HALF_A_MARGIN, 1_000),
    Removal("margin below the engine's bound", _A_QUICK_ENGINE, 2_000),
    Removal("not found counts however late", _NEVER_FORGETS, 2_000, _KNOWS_IT),
    Removal("no margin for clock error", Parts(clocks=KnowsTheTimeExactly), 2_000),
    Removal("lookup before clock", Parts(resolution=LooksBeforeTheClock), 2_000),
    Removal("no write-ahead", Parts(journal=WritesAfterwards), 100),
    Removal("stamp not fixed", Parts(exchange=SignsWithNow), 2_000),
    Removal("verdict of any attempt", Parts(journal=AnyAttemptsVerdict), 500),
    Removal("no compare-and-set", Parts(store=LastWriterWins), 100),
    Removal("versions compared alone", Parts(store=VersionsAlone), 3_000),
    Removal("no dedupe", Parts(manager=KnowsNobody), 100),
    Removal("fills counted whenever told", Parts(store=CountsFillsAgain), 200),
    Removal("no look back after a restart", Parts(store=NeverRestarted), 500),
    Removal("no fence wait after a restart", Parts(clocks=NeverWaitsForTheForgotten), 1_000),
    Removal("changes made in any epoch", Parts(store=AnyEpoch), 1_000),
    Removal("a no counts in any epoch", Parts(journal=FactsOfAnyEpoch), 3_000),
    Removal("garbage is an order", Parts(exchange=BelievesGarbage), 500),
    Removal("garbage means not found", Parts(exchange=TakesGarbageForNothing), 1_500),
    Removal("silence means no", Parts(exchange=TakesSilenceForNo), 200),
    Removal("no intent before the message", Parts(writes_intents=False), 200),
)


@dataclass(frozen=True)
class Missed:
    """A history that fails without the safeguard and holds with it, and how many it took."""

    history: History
    histories: int


def miss(removal: Removal, crew: Crew, first_seed: int = 0) -> Missed | None:
    """Play histories without the safeguard until one fails that holds with it."""
    for number in range(removal.within):
        history = simulate(first_seed + number, crew, removal.parts)
        if history.violation is None:
            continue
        if replay(history.setting, history.steps, crew, removal.whole).violation is None:
            return Missed(history, number + 1)
    return None
