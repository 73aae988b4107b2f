"""Gets one order to the exchange, once: attempts, verdicts, and what became of the unknown ones.

A crash between any two lines leaves an order in a state from which the next call goes on. The
store's compare-and-set decides between workers; the exchange's fence decides about late requests.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace

from execution.exchanges.account import what_is_missing
from execution.exchanges.clocks import ExchangeClocks
from execution.exchanges.guarantees import Uniqueness
from execution.exchanges.port import Exchange, Outcome
from execution.model.clock import Clock
from execution.model.errors import (
    AccountHalted,
    AccountHeld,
    ExchangeUnavailable,
    StoreRestarted,
    UnknownAccount,
)
from execution.model.events import (
    AttemptBegan,
    AttemptDied,
    Quarantined,
    Refused,
    Rejected,
    Reported,
    Withdrawn,
)
from execution.model.order import Attempt, Order, OrderState, Verdict
from execution.model.report_faults import fault_reason, mismatches
from execution.model.transitions import transition
from execution.model.waiting import (
    ACCOUNT_UNKNOWN,
    HELD,
    RESTARTED,
    UNKNOWN,
    unknown,
)
from execution.orders.journal import Journal, new_revision
from execution.orders.rules import broken_rule
from execution.orders.store import Epoch, OrderStores
from execution.orders.waiting.attempts import Attempts, could_arrive, may_have_unknown_attempt
from execution.orders.waiting.waits import Waits

RECHECK_MS = 1_000


class Placement:
    """Begins attempts, makes them and resolves them.

    `exchange_of` gives the calling thread's own connection of an account; it raises UnknownAccount
    for one that is not configured and ExchangeUnavailable for one that cannot be reached.
    `windows` are the windows of single accounts in ms, `recv_window_ms` that of all others, None
    for the default of each exchange. A market order that was published longer ago than
    `market_age_max_s` is refused instead of sent.
    """

    def __init__(
        self,
        stores: OrderStores,
        journal: Journal,
        exchange_of: Callable[[str], Exchange],
        clock: Clock,
        clocks: ExchangeClocks,
        *,
        recv_window_ms: int | None,
        attempts_max: int,
        windows: Mapping[str, int] | None = None,
        market_age_max_s: int | None = None,
    ) -> None:
        self._stores = stores
        self._journal = journal
        self._exchange_of = exchange_of
        self._clock = clock
        self._clocks = clocks
        self._attempts = Attempts(clock, clocks, recv_window_ms, windows or {}, market_age_max_s)
        self._attempts_max = attempts_max
        self.waits = Waits(stores.holds, journal, clock, market_age_max_s)

    def begun(self, order: Order, exchange: Exchange) -> Order:
        """The order with its next attempt, to be journaled before `launch`. Measures the clock if
        need be. Raises ExchangeUnavailable."""
        stamp_ms = self._attempts.stamp_ms(order.account, exchange)
        begun = transition(order, AttemptBegan(self._attempts.next(order, stamp_ms, exchange)))
        return replace(begun, updated_at=self._clock.now(), revision=new_revision())

    def launch(self, begun: Order, exchange: Exchange, epoch: Epoch) -> Order:
        """Make the attempt that was journaled with the order, in the epoch in which it was.

        Raises VersionConflict as `send` does.
        """
        attempt = begun.attempts[-1]
        return self._judge(begun, attempt, exchange.place(begun, attempt), exchange, epoch)

    def send(self, order: Order) -> Order:
        """Begin the next attempt and make it, unless the order must not or cannot be sent now."""
        # The epoch comes before every look at the exchange that a decision rests on.
        epoch = self._stores.epochs.epoch()
        try:
            exchange = self._exchange_of(order.account)
            if self.may_have_unknown_attempt(order, epoch):
                found = self._remembered(order, epoch, exchange)
                if found is not None:
                    return found
            # Before the signal's expiry is looked at, because measuring a clock takes time.
            stamp_ms = self._attempts.stamp_ms(order.account, exchange)
            reason = self._reason_not_to_send(order, exchange)
            if reason is not None:
                return self._end_unsent(order, reason, epoch, exchange)
            not_kept = self._attempts.not_kept(order, exchange)
            if not_kept is not None:
                return self._journal.decide(order, Quarantined(not_kept), epoch)
            attempt = self._attempts.next(order, stamp_ms, exchange)
            try:
                # Written ahead: from here on the order may stand at the exchange.
                begun = self._journal.decide(order, AttemptBegan(attempt), epoch, exchange.address)
            except AccountHalted:
                return self._end_unsent(order, self._halt_reason(order), epoch, exchange)
        except UnknownAccount as error:
            return self._refuse_unknown_account(order, error, epoch)
        except ExchangeUnavailable as error:
            return self._wait_or_end(order, error, epoch)
        except AccountHeld:
            due_ms = self.waits.due_after(order, None)
            return self._journal.delay(order, HELD, due_ms=due_ms)
        except StoreRestarted:
            return self.send(order)
        return self._judge(begun, attempt, exchange.place(begun, attempt), exchange, epoch)

    def _wait_or_end(self, order: Order, error: ExchangeUnavailable, epoch: Epoch) -> Order:
        """Leave the order until its exchange may be asked; one that is over does not need it."""
        reason = self._attempts.reason_over(order)
        if reason is None or could_arrive(order, epoch):
            return self.waits.for_exchange(order, error)
        ending = Withdrawn(reason) if order.cancel_requested else Refused(reason)
        try:
            return self._journal.decide(order, ending, epoch)
        except StoreRestarted:
            return self.send(order)

    def _refuse_unknown_account(self, order: Order, error: UnknownAccount, epoch: Epoch) -> Order:
        if order.attempts or self.may_have_unknown_attempt(order, epoch):
            # It may stand on an account that was configured when it was sent.
            return self._journal.delay(order, ACCOUNT_UNKNOWN, what_is_missing(order.account))
        try:
            return self._journal.decide(order, Refused(f"account: {error}"), epoch)
        except StoreRestarted:
            return self.send(order)

    def may_have_unknown_attempt(self, order: Order, epoch: Epoch) -> bool:
        """The store restarted, and the signal may have been acted on before: an attempt that the
        record does not know of may stand at the exchange, or still arrive there."""
        return may_have_unknown_attempt(order, epoch)

    def _remembered(self, order: Order, epoch: Epoch, exchange: Exchange) -> Order | None:
        """Ask the exchange for an attempt that our record has lost; None if there is none, and none
        that could become a second order. A lost attempt was stamped before the epoch began."""
        provable_ms = self._attempts.provable_after_ms(order, epoch, exchange)
        began_ms = self._clocks.earliest_now_ms(order.account, exchange)
        report = exchange.lookup(order)
        if report is not None:
            return self._journal.record(order, Reported(report))
        guarantees = exchange.guarantees
        if not guarantees.is_resolvable:
            reason = (
                f"a restart may have forgotten an attempt, and {guarantees.exchange} cannot say"
            )
            return self._journal.decide(order, Quarantined(reason), epoch)
        too_late = self._attempts.published_too_long_ago(order, exchange)
        if too_late is not None:
            reason = f"a restart may have forgotten an attempt; {too_late}"
            return self._journal.decide(order, Quarantined(reason), epoch)
        if not guarantees.is_fenced or began_ms > provable_ms:
            return None
        due_ms = self._clocks.local_ms(order.account, provable_ms)
        return self._journal.delay(order, RESTARTED, due_ms=due_ms)

    def may_exist_at_exchange(self, order: Order, epoch: Epoch, exchange: Exchange) -> bool:
        """Say whether an attempt that a restart of the store made us forget is at the exchange, or
        may be at one that cannot say. Raises ExchangeUnavailable, also while it is too early to
        tell."""
        return self._attempts.may_exist_at_exchange(order, epoch, exchange)

    def _may_still_arrive(self, order: Order, epoch: Epoch, exchange: Exchange) -> bool:
        """An attempt before the latest one may yet become the order: nothing fences it off."""
        if exchange.guarantees.is_fenced:
            return False
        left_behind = any(a.verdict is Verdict.UNKNOWN for a in order.attempts)
        return left_behind or self.may_have_unknown_attempt(order, epoch)

    def _end_unsent(self, order: Order, reason: str, epoch: Epoch, exchange: Exchange) -> Order:
        """Let the order end without another attempt."""
        ending: Withdrawn | Refused | Quarantined = Refused(reason)
        if self._may_still_arrive(order, epoch, exchange):
            ending = Quarantined(f"{reason}; whether an earlier attempt arrives cannot be told")
        elif order.cancel_requested:
            ending = Withdrawn(reason)
        return self._journal.decide(order, ending, epoch)

    def _halt_reason(self, order: Order) -> str:
        reasons = [
            h.reason for h in self._stores.halts.halts() if h.account in (None, order.account)
        ]
        return f"halted: {'; '.join(reasons)}" if reasons else "halted"

    def _reason_not_to_send(self, order: Order, exchange: Exchange) -> str | None:
        over = self._attempts.reason_over(order) or self._attempts.reason_too_near(order, exchange)
        if over is not None:
            return over
        if len(order.attempts) >= self._attempts_max:
            last = order.attempts[-1].reason
            return f"not sent in {self._attempts_max} attempts, the last one because: {last}"
        return broken_rule(order, exchange, self._clock.now_ms())

    def _judge(
        self, order: Order, attempt: Attempt, outcome: Outcome, exchange: Exchange, epoch: Epoch
    ) -> Order:
        """Write down what an attempt came to, and look at once where that is unknown."""
        self.waits.hold(order.account, outcome.retry_after_s)
        number, stamp_ms, reason = attempt.number, attempt.stamp_ms, outcome.reason
        if outcome.verdict is Verdict.ACCEPTED and outcome.report is not None:
            differs = mismatches(order, outcome.report)
            if not differs:
                return self._journal.record(order, Reported(outcome.report))
            # The answer may be wrong, or the order: a lookup shows which.
            reason = fault_reason(differs)
        try:
            if outcome.verdict is Verdict.NOT_SENT:
                return self._journal.record(order, AttemptDied(number, reason, stamp_ms), epoch)
            if outcome.verdict is Verdict.REJECTED:
                if self._may_still_arrive(order, epoch, exchange):
                    reason = f"{reason}; whether an earlier attempt arrives cannot be told"
                    return self._journal.decide(order, Quarantined(reason), epoch)
                return self._journal.record(order, Rejected(number, reason, stamp_ms), epoch)
        except StoreRestarted:
            # A later attempt may have been made and forgotten: a no to this one is not the end.
            reason = f"{reason}; the store restarted meanwhile"
        return self.resolve(self._journal.record(order, unknown(attempt, reason)))

    def resolve(self, order: Order) -> Order:
        """Find out what became of the latest attempt. Found settles it at any time; not found
        counts only once the exchange can no longer accept it, and while it still would know."""
        attempt = order.attempt
        if order.state is not OrderState.SUBMITTING or attempt is None:
            return order
        epoch = self._stores.epochs.epoch()
        try:
            exchange = self._exchange_of(order.account)
            # The clock comes first: a lookup that began before the fence proves nothing,
            # however late its answer is read.
            began_ms = self._clocks.earliest_now_ms(order.account, exchange)
            report = exchange.lookup(order)
            if report is None:
                return self._resolve_not_found(order, attempt, began_ms, exchange, epoch)
        except UnknownAccount:
            due_ms = self._clock.now_ms() + RECHECK_MS
            missing = what_is_missing(order.account)
            return self._journal.delay(order, ACCOUNT_UNKNOWN, missing, due_ms)
        except ExchangeUnavailable as error:
            return self.waits.for_exchange(order, error, self._clock.now_ms() + RECHECK_MS)
        except StoreRestarted:
            self._journal.postpone(order)
            return order
        return self._journal.record(order, Reported(report))

    def _resolve_not_found(
        self, order: Order, attempt: Attempt, began_ms: int, exchange: Exchange, epoch: Epoch
    ) -> Order:
        """Weigh a lookup that found nothing, begun at the exchange's time `began_ms` or later."""
        number, stamp_ms, guarantees = attempt.number, attempt.stamp_ms, exchange.guarantees
        words = f" ({attempt.reason})" if attempt.reason else ""
        not_kept = self._attempts.not_kept(order, exchange)
        if not_kept is not None:
            return self._journal.decide(order, Quarantined(f"{not_kept}{words}"), epoch)
        if not guarantees.is_fenced and guarantees.uniqueness is Uniqueness.ALL_ORDERS:
            reason = f"not found, and its id works once{words}"
            died = AttemptDied(number, reason, stamp_ms, may_arrive=True)
            return self._journal.record(order, died, epoch)
        if began_ms <= attempt.provable_at_ms:
            if attempt.verdict is None or not (order.reason or "").startswith(UNKNOWN):
                known = attempt.reason or "no answer to it was recorded"
                return self._journal.record(order, unknown(attempt, known))
            self._journal.postpone(order)
            return order
        if guarantees.is_fenced:
            died = AttemptDied(number, f"it never arrived{words}", stamp_ms)
            return self._journal.record(order, died, epoch)
        reason = f"{guarantees.exchange} cannot say whether attempt {number} arrived{words}"
        return self._journal.decide(order, Quarantined(reason), epoch)
