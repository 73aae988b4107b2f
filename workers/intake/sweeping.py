"""The sweep: wakes workers for what is due, and records signals that no worker took."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

from execution.model.clock import Clock, steady_ms
from execution.store.stores import Stores
from workers.intake.deferrals import LeftToOthers
from workers.intake.intake import Intake

T = TypeVar("T")

# The sweep leaves an intent this long to the message that was sent with it.
INTENT_GRACE_MS = 1_000
INTENTS_A_SWEEP = 500
# How often waiting signals are checked, if at most this many wait.
WAITING_A_SWEEP = 200
WAITING_LEASE_MS = 2_000
ORDERS_A_SWEEP = 200
# The distance of an account's orders that are made due together, which leaves places in each sweep
# for other accounts.
APART_MS = 8
# A worker that was woken for an order has this long before another one is woken for it.
WAKE_LEASE_MS = 5_000
# A killed sweep must not delay the next one for long.
SWEEP_LEASE_MS = 5_000
# The time limit in one sweep for recording new intents, and for checking waiting ones: then due
# orders are woken again, and no second sweep begins concurrently. The rest follows in the next
# sweep.
SHARE_MS = 1_500


@dataclass(frozen=True, slots=True)
class Wakes:
    """How a worker is woken: for an order, an arbitrage, or an intent that this one cannot take;
    and how many messages are wanted, since more would only queue up."""

    order: Callable[[str], None]
    arbitrage: Callable[[str], None]
    intent: Callable[[str], None]
    wanted: Callable[[], int]


@dataclass(frozen=True, slots=True)
class Sweeper:
    """One sweep at a time among all workers. No error of an item ends it early; if the store does
    not answer it raises StoreUnavailable."""

    stores: Stores
    clock: Clock
    intake: Intake
    wakes: Wakes
    steady_ms: Callable[[], int] = steady_ms

    def run(self, owner: str) -> None:
        """Sweep once, unless another worker is at it."""
        leases = self.stores.leases
        if not leases.lease("sweep", owner, SWEEP_LEASE_MS):
            return
        try:
            # Orders come before intents: what may stand at an exchange cannot wait for what is new.
            self._wake_due(min(ORDERS_A_SWEEP, self.wakes.wanted()))
            intents = self.stores.intents.take_intents(INTENTS_A_SWEEP, INTENT_GRACE_MS)
            self._for_its_share(intents, self.intake.drain)
            now_ms = self.clock.now_ms()
            waiting = self.stores.waiting.take(now_ms, WAITING_A_SWEEP, WAITING_LEASE_MS)
            self._for_its_share(waiting, self.intake.look_again)
        finally:
            leases.release("sweep", owner)

    def _for_its_share(self, found: Iterable[T], act: Callable[[T], None]) -> None:
        end_ms = self.steady_ms() + SHARE_MS
        for each in found:
            try:
                act(each)
            except LeftToOthers as left:
                self.wakes.intent(left.entry_id)
            if self.steady_ms() >= end_ms:
                return

    def _wake_due(self, count: int) -> None:
        if count <= 0:
            return
        now_ms = self.clock.now_ms()
        for order_id in self.stores.orders.due(now_ms, count, WAKE_LEASE_MS):
            self.wakes.order(order_id)
        for arbitrage_id in self.stores.arbitrages.due(now_ms, count, WAKE_LEASE_MS):
            self.wakes.arbitrage(arbitrage_id)
