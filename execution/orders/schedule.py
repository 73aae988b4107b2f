"""The schedule of orders: when the sweep processes each again."""

from dataclasses import dataclass
from datetime import timedelta

from execution.exchanges.clocks import ExchangeClocks
from execution.model.clock import Clock
from execution.model.order import Attempt, Order, OrderState
from execution.model.waiting import Wait
from execution.orders.signal_age import unsent_ends_ms

# Longer waits are checked meanwhile: their cause may end sooner.
WAIT_MAX_MS = 60_000


@dataclass(frozen=True, slots=True)
class RetrySchedule:
    """How often the sweep processes an order. Times in ms, on our own clock.

    An order whose outcome is unknown is looked up after `look_ms`, and then at intervals equal to
    the attempt's age, until its absence is proof. One that still waits unsent for the same cause is
    checked at intervals equal to the time waited, `wait_max_ms` at most.
    """

    recheck_ms: int = 1_000
    look_ms: int = 1_500
    backoff_ms: int = 500
    backoff_max_ms: int = 30_000
    wait_max_ms: int = 15_000

    def backoff_after(self, attempts: int) -> int:
        """The pause before the next attempt: doubled each time, up to the maximum."""
        return min(self.backoff_ms << min(attempts, 16), self.backoff_max_ms)


@dataclass(frozen=True, slots=True)
class Schedule:
    """Computes when an order is due, on our clock, in ms since 1970.

    No unsent order waits beyond the time after which it is not sent any more, which for a market
    order may be its maximum age, `market_age_max_s`: it ends then, whether or not the exchange
    answers again.
    """

    clock: Clock
    clocks: ExchangeClocks
    retries: RetrySchedule
    market_age_max_s: int | None = None

    def due_ms(self, order: Order) -> int | None:
        """When the order's state asks for another look; None for never."""
        now_ms = self.clock.now_ms()
        match order.state:
            case OrderState.RECEIVED:
                return now_ms + self.retries.backoff_after(len(order.attempts))
            case OrderState.SUBMITTING if order.attempt is not None:
                return self._next_look_ms(order.account, order.attempt, now_ms)
        unended = order.cancel_requested or not order.may_rest
        wanting = order.fills_missing or (order.is_live and unended)
        return now_ms + self.retries.recheck_ms if wanting else None

    def due_after_wait_ms(self, order: Order, wait: Wait) -> int | None:
        """When an order with this wait is due again."""
        if wait.until_ms is not None:
            return wait.until_ms
        if not wait.cause and not wait.wait_s:
            return self.due_ms(order)
        now_ms = self.clock.now_ms()
        due_ms = now_ms + (min(wait.wait_s * 1_000, WAIT_MAX_MS) or self._pause_ms(order))
        ends_ms = unsent_ends_ms(order, self.market_age_max_s)
        return due_ms if ends_ms is None or not now_ms < ends_ms < due_ms else ends_ms

    def _pause_ms(self, order: Order) -> int:
        """The longer an unsent order has waited, the less often it is checked: many of them, each
        woken all the time, would take the time of the reachable accounts."""
        if order.state is not OrderState.RECEIVED:
            return self.retries.recheck_ms
        # The record was written when this wait began.
        waited_ms = (self.clock.now() - order.updated_at) // timedelta(milliseconds=1)
        backoff_ms = self.retries.backoff_after(len(order.attempts))
        return max(min(waited_ms, self.retries.wait_max_ms), backoff_ms)

    def _next_look_ms(self, account: str, attempt: Attempt, now_ms: int) -> int:
        """What is found settles the order at any time, so it is looked for early, and less often
        the longer it is not found; what is not found is proof only at the last of these times."""
        provable_ms = self.clocks.local_ms(account, attempt.provable_at_ms)
        valid_until_ms = self.clocks.local_ms(account, attempt.valid_until_ms)
        if attempt.verdict is None and now_ms < valid_until_ms:
            # Its answer most likely still comes.
            return valid_until_ms
        age_ms = now_ms - self.clocks.local_ms(account, attempt.stamp_ms)
        return min(provable_ms, now_ms + max(self.retries.look_ms, age_ms))
