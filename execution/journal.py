"""The order's record: every change of it goes through here, whole or not at all."""

from dataclasses import dataclass, replace

from execution.clock import ExchangeClocks
from execution.events import AttemptBegan, Event, Quarantined, Refused, Withdrawn
from execution.orders import Order, OrderState
from execution.ports import Change, Clock, Committed, Epoch, Observer, Store
from execution.position_tracker import Position, fold
from execution.transitions import transition

Decision = AttemptBegan | Refused | Quarantined | Withdrawn


class UnknownOrder(Exception):
    """No order of that id is known."""


class Overtaken(Exception):
    """Another worker changed the order first; what was decided about the old one is void."""


class StoreRestarted(Exception):
    """The store's server is a new one, and what was decided did not reckon with what it lost."""


class AccountHeld(Exception):
    """The exchange asked to be left alone on this account for a while."""


@dataclass(frozen=True, slots=True)
class Patience:
    """When the sweep looks at an order again. Times in ms, on our own clock."""

    recheck_ms: int = 1_000
    backoff_ms: int = 500
    backoff_max_ms: int = 30_000

    def backoff_after(self, attempts: int) -> int:
        """How long to wait before the next attempt: doubled each time, up to the maximum."""
        return min(self.backoff_ms << min(attempts, 16), self.backoff_max_ms)


class Journal:
    """Writes events onto orders, moves positions with their fills, and tells the observer."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        clocks: ExchangeClocks,
        observe: Observer,
        patience: Patience,
    ) -> None:
        self._store = store
        self._clock = clock
        self._clocks = clocks
        self._observe = observe
        self._patience = patience

    def load(self, order_id: str) -> Order:
        """Raises UnknownOrder."""
        order = self._store.order(order_id)
        if order is None:
            raise UnknownOrder(f"order_id: {order_id!r} is not known")
        return order

    def keep(self, order: Order, due_ms: int | None = None) -> Order:
        """Store a new order as it is, due at once or then. Raises Overtaken if it is there."""
        kept = replace(order, version=1)
        change = Change(order, kept, due_ms=self._clock.now_ms() if due_ms is None else due_ms)
        if self._store.commit(change) is not Committed.DONE:
            raise Overtaken(order.order_id)
        return kept

    def decide(self, order: Order, decision: Decision, epoch: Epoch | None) -> Order:
        """Write what we chose to do with the order as it stands; an attempt names its epoch.

        A choice holds only for the order that it was made about: raises Overtaken if that has
        changed meanwhile. For an attempt it raises AccountHeld while nothing may be sent, and
        StoreRestarted if the epoch is over.
        """
        after = self._after(order, decision)
        change = Change(order, after, due_ms=self._due_ms(after), epoch=epoch)
        match self._store.commit(change):
            case Committed.CONFLICT:
                raise Overtaken(order.order_id)
            case Committed.HELD:
                raise AccountHeld(order.account)
            case Committed.RESTARTED:
                raise StoreRestarted
        self._observe(after, decision, order.state)
        return after

    def record(self, order: Order, fact: Event) -> Order:
        """Write what happened to the order, with the position that new fills move.

        A fact stays true: if the order or the position changed meanwhile, it is weighed again
        against what is there now. Raises IllegalTransition.
        """
        while True:
            after = self._after(order, fact)
            if after is order and order.version:
                return order
            after = replace(after, version=order.version + 1)
            position = self._moved_position(order, after)
            change = Change(order, after, self._due_ms(after), position)
            if self._store.commit(change) is Committed.DONE:
                self._observe(after, fact, order.state)
                return after
            # A server that came back without the order must hear of it again: the fact stands,
            # and so does all that we know of the order but its fills, which are told once more.
            order = self._store.order(order.order_id) or replace(order, version=0, fills=())

    def postpone(self, order: Order, due_ms: int | None = None) -> None:
        """Let the sweep come back then, on our clock, or when the order's state asks for it."""
        due_ms = self._due_ms(order) if due_ms is None else due_ms
        if due_ms is not None:
            self._store.postpone(order.order_id, due_ms)

    def _after(self, order: Order, event: Event) -> Order:
        after = transition(order, event)
        return after if after is order else replace(after, updated_at=self._clock.now())

    def _moved_position(self, before: Order, after: Order) -> Position | None:
        """The position with those fills that this very change adds to the order.

        A fill is on the position exactly if it is on its order, because one commit writes both.
        """
        fresh = after.fills[len(before.fills) :]
        if not fresh:
            return None
        return fold(self._store.position(after.account, after.symbol), fresh)

    def _due_ms(self, order: Order) -> int | None:
        now_ms = self._clock.now_ms()
        match order.state:
            case OrderState.RECEIVED:
                return now_ms + self._patience.backoff_after(len(order.attempts))
            case OrderState.SUBMITTING if order.attempt is not None:
                return self._clocks.local_ms(order.account, order.attempt.provable_at_ms)
        wanting = order.fills_missing or (order.is_live and order.cancel_requested)
        return now_ms + self._patience.recheck_ms if wanting else None
