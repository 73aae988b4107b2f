"""What must hold, at every moment and in the end."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from execution.exchanges.clocks import DRIFT_PPM, OFFSET_AGE_MAX_MS
from execution.exchanges.guarantees import DAY_MS
from execution.model.clock import Clock
from execution.model.decimals import EXACT
from execution.model.order import Fill, Order, OrderState
from execution.model.position import Position
from execution.orders.store import Change, Committed, Intent
from oneorder.identifiers import order_id_of
from tests.support.exchange import Standing
from tests.support.whole_stores import MemoryStore

from .exchange import SteppedExchange, signed

# As far as two clocks may drift apart while a measurement counts, and one for rounding.
DRIFT_MAX_MS = OFFSET_AGE_MAX_MS * DRIFT_PPM // 1_000_000 + 1
SAID_NO = frozenset({OrderState.REFUSED, OrderState.REJECTED})


class Violation(AssertionError):
    """Something that must never be so, is so."""


class WatchedStore(MemoryStore):
    """The store, with somebody who looks at every change of a record."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self.on_commit: Callable[[Order], None] = lambda _: None

    def commit(self, change: Change) -> Committed:
        committed = super().commit(change)
        if committed is Committed.DONE:
            self.on_commit(change.after)
        return committed

    def records(self, signal_id: str) -> list[Order]:
        """By the id, because a record that was adopted does not know its signal."""
        order_id = order_id_of(signal_id)
        return [order for order in self.all_records() if order.order_id == order_id]

    def all_records(self) -> list[Order]:
        return list(self.tables.orders.values())

    def waiting_intents(self) -> dict[str, Intent]:
        """Those in the stream, and those that were set aside."""
        waiting = {each.intent.entry_id: each.intent for each in self.tables.waiting.values()}
        return {**waiting, **self.tables.intents}

    def put_back(self, intents: dict[str, Intent]) -> None:
        """Intents that a restart has not lost after all."""
        self.tables.intents.update(intents)


def says_no(order: Order) -> bool:
    """The record says that nothing of this order is, or will be, at the exchange."""
    unsent = order.state is OrderState.CANCELED and order.exchange_order_id is None
    return unsent or order.state in SAID_NO


class Watch:
    """Compares what the project believes with what is true. Violations are kept, because the first
    one may be seen inside of a worker that is about to be stopped."""

    # Set once there is an exchange, because it reports to the watch what it accepts.
    exchange: SteppedExchange
    # How far the clock of one worker's host may be ahead of another's.
    host_skew_max_ms = 0

    def __init__(self, store: WatchedStore) -> None:
        self._store = store
        self._found: list[str] = []
        self._is_changed = False
        store.on_commit = self._on_commit

    def complain(self, what: str) -> None:
        self._found.append(what)

    def on_accepted(self, standing: Standing) -> None:
        signal_id = standing.order.signal_id
        if self.exchange.accepted[signal_id] > 1:
            self.complain(f"doubled: {signal_id} has {self.exchange.accepted[signal_id]} orders")
        for record in self._store.records(signal_id):
            if says_no(record):
                self.complain(f"denied: {signal_id} is {record.state}, and is accepted now")
        expires_at = standing.order.expires_at
        is_fenced = self.exchange.guarantees.is_fenced
        if (
            is_fenced
            and expires_at is not None
            and self.exchange.clock.ms > self._last_ms(expires_at)
        ):
            self.complain(f"late: {signal_id} is accepted after it has expired")

    def _last_ms(self, expires_at: datetime) -> int:
        """Until when a signal may be acted on, seen with a clock that is off and a slow engine."""
        off_ms = self.exchange.uncertainty_ms + self.host_skew_max_ms + DRIFT_MAX_MS
        return (
            int(expires_at.timestamp() * 1000) + self.exchange.guarantees.engine_bound_ms + off_ms
        )

    def _on_commit(self, after: Order) -> None:
        self._is_changed = True
        if says_no(after) and self.exchange.accepted[after.signal_id]:
            self.complain(f"denied: {after.signal_id} stands, and is recorded as {after.state}")

    def step(self) -> None:
        """Raise Violation if anything is wrong now."""
        if self._is_changed and not self._found:
            self._is_changed = False
            self._check_position()
        if self._found:
            raise Violation(self._found[0])

    def _check_position(self) -> None:
        """A fill is on the position exactly if it is on its order."""
        recorded = [fill for order in self._store.all_records() for fill in order.fills]
        for position in self._store.positions():
            self._compare(position, recorded, "its orders' fills")
        if recorded and not self._store.positions():
            self.complain("position: there are fills and no position")

    def _compare(self, position: Position, fills: list[Fill], what: str) -> None:
        amount = sum((signed(fill) for fill in fills), Decimal(0))
        turnover = sum((EXACT.multiply(f.amount, f.price) for f in fills), Decimal(0))
        paid = sum((EXACT.multiply(signed(f), f.price) for f in fills), Decimal(0))
        fees = sum((fee.amount for fill in fills for fee in fill.fees), Decimal(0))
        if position.amount != amount:
            self.complain(f"position: holds {position.amount}, {what} make {amount}")
        elif position.turnover != turnover or sum(position.fees.values()) != fees:
            self.complain(f"position: turnover or fees differ from {what}")
        elif position.cost - position.realised_pnl != paid + fees:
            self.complain(f"position: cost and profit differ from the cash that {what} moved")

    # The end.

    def unsettled(self, signal_id: str) -> str | None:
        """Why the signal is not settled yet, or None. Raises Violation for what cannot heal."""
        records = self._store.records(signal_id)
        if len(records) != 1:
            return f"lost: {signal_id} has {len(records)} records"
        order = records[0]
        if order.state is OrderState.QUARANTINED and self._may_stay_unknown():
            return None  # A person must look, where nothing else can find it out.
        standing = [s for s in self.exchange.standing if s.order.signal_id == signal_id]
        if order.state in (OrderState.RECEIVED, OrderState.SUBMITTING, OrderState.QUARANTINED):
            return f"stuck: {signal_id} is {order.state}"
        if not standing:
            return None if says_no(order) else f"invented: {signal_id} is {order.state}"
        return self._disagreement(order, standing[0])

    def _may_stay_unknown(self) -> bool:
        guarantees = self.exchange.guarantees
        return not guarantees.is_fenced or guarantees.may_have_forgotten(0, DAY_MS)

    def _disagreement(self, order: Order, standing: Standing) -> str | None:
        true = standing.report(self.exchange.now_ms(), with_fills=True)
        if order.exchange_order_id != true.exchange_order_id:
            return f"invented: {order.signal_id} is not {order.exchange_order_id}"
        if order.state is not true.status:
            return f"stale: {order.signal_id} is {order.state}, in truth {true.status}"
        told = {replace(fill, sequence=0) for fill in order.fills}
        if order.filled != true.filled or told != set(true.fills):
            return f"fills: {order.signal_id} lacks fills, or has too many"
        if order.state is OrderState.OPEN and order.cancel_requested:
            return f"cancel: {order.signal_id} is still open"
        return None

    def check_traded(self) -> None:
        """Raise Violation unless the position is the sum of all that was ever traded."""
        if any(order.state is OrderState.QUARANTINED for order in self._store.all_records()):
            return
        traded = [fill for standing in self.exchange.standing for fill in standing.fills]
        for position in self._store.positions():
            self._compare(position, traded, "the exchange's trades")
        if traded and not self._store.positions():
            self.complain("position: there were trades and is no position")
        self._is_changed = True
        self.step()
