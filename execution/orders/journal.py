"""The order's record: every change of it goes through here, whole or not at all."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from secrets import token_hex

from execution.exchanges.clocks import ExchangeClocks
from execution.model.clock import Clock
from execution.model.errors import (
    AccountHalted,
    AccountHeld,
    StoreRestarted,
    UnknownOrder,
    VersionConflict,
)
from execution.model.events import (
    AttemptBegan,
    AttemptUnknown,
    Delayed,
    Event,
    Quarantined,
    Refused,
    Reported,
    SettledByHand,
    Withdrawn,
)
from execution.model.order import Attempt, Fill, Order, OrderState
from execution.model.position import fold
from execution.model.transitions import transition
from execution.model.waiting import since
from execution.orders.observer import Observer
from execution.orders.store import Change, Committed, Epoch, OrderStores

Decision = AttemptBegan | Refused | Quarantined | Withdrawn | SettledByHand


@dataclass(frozen=True, slots=True)
class RetrySchedule:
    """When the sweep looks at an order again. Times in ms, on our own clock.

    An order whose outcome is unknown is looked up after `look_ms`, and then each time after as long
    again as the attempt is old, until its absence is proof. One that waits unsent for the same
    cause still is looked at after as long again as it has waited, `wait_max_ms` at most.
    """

    recheck_ms: int = 1_000
    look_ms: int = 1_500
    backoff_ms: int = 500
    backoff_max_ms: int = 30_000
    wait_max_ms: int = 15_000

    def backoff_after(self, attempts: int) -> int:
        """How long to wait before the next attempt: doubled each time, up to the maximum."""
        return min(self.backoff_ms << min(attempts, 16), self.backoff_max_ms)


Recall = Callable[[str], Order | None]


def never(order_id: str) -> Order | None:
    """The recall of somebody who keeps no history."""
    del order_id
    return None


def new_revision() -> str:
    """What no earlier change of anything had, nor one that was forgotten."""
    return token_hex(8)


class Journal:
    """Writes events onto orders, moves positions with their fills, and tells the observer."""

    def __init__(
        self,
        stores: OrderStores,
        clock: Clock,
        clocks: ExchangeClocks,
        observe: Observer,
        patience: RetrySchedule,
        recall: Recall = never,
    ) -> None:
        self._stores = stores
        self._clock = clock
        self._clocks = clocks
        self._observe = observe
        self._patience = patience
        self._recall = recall

    def load(self, order_id: str) -> Order:
        """The order's record, recalled from history if it has left. Raises UnknownOrder."""
        order = self._stores.orders.order(order_id) or self._recall(order_id)
        if order is None:
            raise UnknownOrder(f"order_id: {order_id!r} is not known")
        return order

    def create(self, order: Order, due_ms: int | None = None) -> Order:
        """Store a new order as it is, due at once or then. Raises VersionConflict if there is one
        already."""
        kept = replace(order, version=1, revision=new_revision())
        due_ms = self._clock.now_ms() if due_ms is None else due_ms
        change = Change(order, kept, due_ms=due_ms, is_from_signal=True)
        if self._stores.orders.commit(change) is not Committed.DONE:
            raise VersionConflict(order.order_id)
        return kept

    def decide(self, order: Order, decision: Decision, epoch: Epoch, address: str = "") -> Order:
        """Write what we chose to do with the order as it stands, in the epoch that we know of.

        A choice holds only for the order that it was made about: raises VersionConflict if that has
        changed meanwhile, StoreRestarted if the epoch is over, and AccountHeld or AccountHalted for
        an attempt while nothing may be sent on the account or to the `address`.
        """
        after = self._after(order, decision)
        begins = isinstance(decision, AttemptBegan)
        due_ms = self.due_ms(after)
        change = Change(
            order,
            after,
            due_ms,
            epoch=epoch,
            begins_attempt=begins,
            is_from_signal=order.version == 0,
            address=address,
        )
        match self._stores.orders.commit(change):
            case Committed.CONFLICT:
                raise VersionConflict(order.order_id)
            case Committed.HELD:
                raise AccountHeld(order.account)
            case Committed.HALTED:
                raise AccountHalted(order.account)
            case Committed.RESTARTED:
                raise StoreRestarted
        self._observe(after, decision, order.state)
        return after

    def record(self, order: Order, fact: Event, epoch: Epoch | None = None) -> Order:
        """Write what happened to the order, with the position that new fills move.

        A fact stays true: if the order or the position changed meanwhile, it is weighed again
        against what is there now. A fact that is true only as far as we know of everything that
        was done, such as that an attempt is dead, names the epoch, and raises StoreRestarted if
        that is over. Raises IllegalTransition, and UnknownOrder.
        """
        while True:
            after = self._after(order, fact)
            if after is order and order.version:
                return order
            after = replace(after, version=order.version + 1, revision=new_revision())
            change = self._change(order, after, epoch)
            if self._stores.orders.commit(change) is Committed.DONE:
                self._observe(change.after, fact, order.state)
                return change.after
            if epoch is not None and self._stores.epochs.epoch() != epoch:
                raise StoreRestarted
            order = self._reloaded(order, fact)

    def _change(self, order: Order, after: Order, epoch: Epoch | None) -> Change:
        """A fill is on the position exactly if it is on its order: one commit writes both."""
        fresh = self._fresh_fills(order, after)
        if not fresh:
            return Change(order, after, self.due_ms(after), epoch=epoch)
        position = self._stores.positions.position(after.account, after.symbol)
        moved = replace(fold(position, fresh), revision=new_revision())
        after = replace(after, fills=order.fills + _numbered(fresh, position.version + 1))
        return Change(order, after, self.due_ms(after), moved, position, epoch)

    def _fresh_fills(self, before: Order, after: Order) -> tuple[Fill, ...]:
        """The fills that this very change adds to the order."""
        return after.fills[len(before.fills) :]

    def _reloaded(self, order: Order, fact: Event) -> Order:
        """The order as it is now. One that its store has forgotten must hear of what we know again:
        that it may stand, or does; all but its fills, which are told once more."""
        stored = self._stores.orders.order(order.order_id) or self._recall(order.order_id)
        if stored is None and order.version and isinstance(fact, (Reported, AttemptUnknown)):
            return replace(order, version=0, fills=())
        return stored or self.load(order.order_id)

    def postpone(self, order: Order, due_ms: int | None = None) -> None:
        """Let the sweep come back then, on our clock, or when the order's state asks for it."""
        due_ms = self.due_ms(order) if due_ms is None else due_ms
        if due_ms is not None:
            self._stores.orders.postpone(order.order_id, due_ms)

    def delay(self, order: Order, cause: str, detail: str = "", due_ms: int | None = None) -> Order:
        """Leave the order for later, and say on its record why and since when. It is written when
        the cause changes; while that stays, only the time at which to come back moves.

        Raises VersionConflict if the order changed meanwhile.
        """
        if order.version and order.reason is not None and order.reason.startswith(cause):
            self.postpone(order, self.due_still_ms(order) if due_ms is None else due_ms)
            return order
        event = Delayed(since(cause, self._clock.now(), detail))
        after = self._after(order, event)
        if not order.version:
            return self.create(replace(order, reason=event.reason), due_ms)
        if after is order:
            self.postpone(order, due_ms)
            return order
        due_ms = self.due_ms(after) if due_ms is None else due_ms
        if self._stores.orders.commit(Change(order, after, due_ms)) is not Committed.DONE:
            raise VersionConflict(order.order_id)
        self._observe(after, event, order.state)
        return after

    def due_still_ms(self, order: Order) -> int | None:
        """The longer an unsent order has waited, the less often it is looked at: many of them, each
        woken all the time, would take the time of the accounts that can be reached."""
        if order.state is not OrderState.RECEIVED:
            return self.due_ms(order)
        now_ms, backoff_ms = self._clock.now_ms(), self._patience.backoff_after(len(order.attempts))
        # The record was written when this wait began.
        waited_ms = (self._clock.now() - order.updated_at) // timedelta(milliseconds=1)
        return now_ms + max(min(waited_ms, self._patience.wait_max_ms), backoff_ms)

    def _after(self, order: Order, event: Event) -> Order:
        after = transition(order, event)
        if after is order:
            return order
        # Never earlier than before, whatever the host's clock says: the ledger keeps the later one.
        updated_at = max(self._clock.now(), order.updated_at)
        return replace(after, updated_at=updated_at, revision=new_revision())

    def due_ms(self, order: Order) -> int | None:
        """When the sweep shall look at the order, on our clock; None for never."""
        now_ms = self._clock.now_ms()
        match order.state:
            case OrderState.RECEIVED:
                return now_ms + self._patience.backoff_after(len(order.attempts))
            case OrderState.SUBMITTING if order.attempt is not None:
                return self._next_look_ms(order.account, order.attempt, now_ms)
        unended = order.cancel_requested or not order.may_rest
        wanting = order.fills_missing or (order.is_live and unended)
        return now_ms + self._patience.recheck_ms if wanting else None

    def _next_look_ms(self, account: str, attempt: Attempt, now_ms: int) -> int:
        """What is found settles the order at any time, so it is looked for early, and less often
        the longer it is not found; what is not found is proof only at the last of these times."""
        provable_ms = self._clocks.local_ms(account, attempt.provable_at_ms)
        valid_until_ms = self._clocks.local_ms(account, attempt.valid_until_ms)
        if attempt.verdict is None and now_ms < valid_until_ms:
            # Its answer is most likely still to come.
            return valid_until_ms
        age_ms = now_ms - self._clocks.local_ms(account, attempt.stamp_ms)
        return min(provable_ms, now_ms + max(self._patience.look_ms, age_ms))


def _numbered(fills: tuple[Fill, ...], first: int) -> tuple[Fill, ...]:
    """Give each fill its place on the position, so that history can be folded again as it was."""
    return tuple(replace(fill, sequence=first + i) for i, fill in enumerate(fills))
