"""The order's record: every change is made here, atomically."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from secrets import token_hex

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
    AttemptDied,
    AttemptUnknown,
    Delayed,
    Event,
    Quarantined,
    Refused,
    Rejected,
    Reported,
    SettledByHand,
    Withdrawn,
)
from execution.model.order import Fill, Order
from execution.model.position import fold
from execution.model.transitions import transition
from execution.model.waiting import Wait, since
from execution.orders.observer import Observer
from execution.orders.schedule import Schedule
from execution.orders.store import Change, Committed, Epoch, OrderStores

Decision = AttemptBegan | Refused | Quarantined | Withdrawn | SettledByHand
No = AttemptDied | Rejected


Recall = Callable[[str], Order | None]


def never(order_id: str) -> Order | None:
    """The recall of a process without a history."""
    del order_id
    return None


def new_revision() -> str:
    """A random value that no other change has, not even one that the store has lost."""
    return token_hex(8)


@dataclass(frozen=True, slots=True)
class Journal:
    """Applies events to orders, applies their fills to positions, and calls the observer."""

    stores: OrderStores
    clock: Clock
    observe: Observer
    schedule: Schedule
    recall: Recall = never

    def load(self, order_id: str) -> Order:
        """The order's record, recalled from history if it has left. Raises UnknownOrder."""
        order = self.stores.orders.order(order_id) or self.recall(order_id)
        if order is None:
            raise UnknownOrder(f"order_id: {order_id!r} is not known")
        return order

    def create(self, order: Order, due_ms: int | None = None) -> Order:
        """Store a new order, due at once or at `due_ms`. Raises VersionConflict if it exists
        already."""
        kept = replace(order, version=1, revision=new_revision())
        due_ms = self.clock.now_ms() if due_ms is None else due_ms
        self._commit(Change(order, kept, due_ms=due_ms, is_from_signal=True))
        return kept

    def apply(self, order: Order, event: Event, epoch: Epoch) -> Order:
        """Write a decision or a fact, in the epoch in which it was made or found. Raises as
        `decide` and `record` do."""
        if isinstance(event, Decision):
            return self.decide(order, event, epoch)
        # A negative result is valid only if every attempt is known; a positive one always is.
        return self.record(order, event, epoch if isinstance(event, No) else None)

    def decide(self, order: Order, decision: Decision, epoch: Epoch) -> Order:
        """Write a decision about the current version of the order, made in this epoch.

        A decision is valid only for the version that it was made about: raises VersionConflict if
        that has changed meanwhile, StoreRestarted if the epoch is over, and AccountHeld or
        AccountHalted for an attempt while nothing may be sent on the account or to its address.
        """
        after = self._after(order, decision)
        change = Change(
            order,
            after,
            self.schedule.due_ms(after),
            epoch=epoch,
            begins_attempt=isinstance(decision, AttemptBegan),
            is_from_signal=order.version == 0,
            address=decision.address if isinstance(decision, AttemptBegan) else "",
        )
        self._commit(change)
        self.observe(after, decision, order.state)
        return after

    def record(self, order: Order, fact: Event, epoch: Epoch | None = None) -> Order:
        """Write a fact about the order, with the position that new fills change.

        A fact stays true: if the order or the position changed meanwhile, it is applied to the
        current version. A fact that is true only if every attempt is known, such as that an attempt
        is dead, names the epoch, and raises StoreRestarted if that is over. Raises
        IllegalTransition, and UnknownOrder.
        """
        while True:
            after = self._after(order, fact)
            if after is order and order.version:
                return order
            after = replace(after, version=order.version + 1, revision=new_revision())
            change = self._change(order, after, epoch)
            if self.stores.orders.commit(change) is Committed.DONE:
                self.observe(change.after, fact, order.state)
                return change.after
            if epoch is not None and self.stores.epochs.epoch() != epoch:
                raise StoreRestarted
            order = self._reloaded(order, fact)

    def _change(self, order: Order, after: Order, epoch: Epoch | None) -> Change:
        """A fill is in the position exactly if it is on its order: one commit writes both."""
        fresh = after.fills[len(order.fills) :]
        if not fresh:
            return Change(order, after, self.schedule.due_ms(after), epoch=epoch)
        position = self.stores.positions.position(after.account, after.symbol)
        moved = replace(fold(position, fresh), revision=new_revision())
        after = replace(after, fills=order.fills + _numbered(fresh, position.version + 1))
        return Change(order, after, self.schedule.due_ms(after), moved, position, epoch)

    def _reloaded(self, order: Order, fact: Event) -> Order:
        """The order as it is now. One that its store has forgotten must hear of what we know again:
        that it may stand, or does; all but its fills, which are read once more."""
        stored = self.stores.orders.order(order.order_id) or self.recall(order.order_id)
        if stored is None and order.version and isinstance(fact, (Reported, AttemptUnknown)):
            return replace(order, version=0, fills=())
        return stored or self.load(order.order_id)

    def delay(self, order: Order, wait: Wait) -> Order:
        """Postpone the order, with the reason and the start of the wait on its record. The record
        is written when the cause changes; while it stays the same, only the due time changes.

        Raises VersionConflict if the order changed meanwhile.
        """
        due_ms = self.schedule.due_after_wait_ms(order, wait)
        event = Delayed(since(wait.cause, self.clock.now(), wait.detail))
        if not order.version:
            return self.create(replace(order, reason=event.reason), due_ms)
        is_said = (order.reason or "").startswith(wait.cause)
        after = order if is_said else self._after(order, event)
        if after is not order:
            self._commit(Change(order, after, due_ms))
            self.observe(after, event, order.state)
        elif due_ms is not None:
            self.stores.orders.postpone(order.order_id, due_ms)
        return after

    def _commit(self, change: Change) -> None:
        """Make the change; raises as `decide` does."""
        order = change.before
        match self.stores.orders.commit(change):
            case Committed.CONFLICT:
                raise VersionConflict(order.order_id)
            case Committed.HELD:
                raise AccountHeld(order.account)
            case Committed.HALTED:
                raise AccountHalted(order.account)
            case Committed.RESTARTED:
                raise StoreRestarted

    def _after(self, order: Order, event: Event) -> Order:
        after = transition(order, event)
        if after is order:
            return order
        # Never earlier than before, whatever the host's clock says: the ledger keeps the later one.
        updated_at = max(self.clock.now(), order.updated_at)
        return replace(after, updated_at=updated_at, revision=new_revision())


def _numbered(fills: tuple[Fill, ...], first: int) -> tuple[Fill, ...]:
    """Give each fill its sequence on the position, so that history can be recomputed in the same
    order."""
    return tuple(replace(fill, sequence=first + i) for i, fill in enumerate(fills))
