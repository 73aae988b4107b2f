"""When an order comes back: the one place that says when the sweep looks at it again."""

from dataclasses import dataclass
from datetime import timedelta

from execution.exchanges.clocks import ExchangeClocks
from execution.model.clock import Clock
from execution.model.order import Attempt, Order, OrderState
from execution.model.waiting import Wait
from execution.orders.signal_age import unsent_ends_ms

# Longer waits are looked into meanwhile: what they wait for may be over sooner.
WAIT_MAX_MS = 60_000


@dataclass(frozen=True, slots=True)
class RetrySchedule:
    """How often the sweep looks at an order again. Times in ms, on our own clock.

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


class Schedule:
    """Says when an order comes back, on our clock, in ms since 1970.

    No order waits beyond the moment from which on it is not sent any more, which a market order's
    age, at most `market_age_max_s`, may decide: it ends then, whether or not the exchange is back.
    """

    def __init__(
        self,
        clock: Clock,
        clocks: ExchangeClocks,
        retries: RetrySchedule,
        market_age_max_s: int | None = None,
    ) -> None:
        self._clock = clock
        self._clocks = clocks
        self._retries = retries
        self._market_age_max_s = market_age_max_s

    def due_ms(self, order: Order) -> int | None:
        """When the order's state asks for another look; None for never."""
        now_ms = self._clock.now_ms()
        match order.state:
            case OrderState.RECEIVED:
                return now_ms + self._retries.backoff_after(len(order.attempts))
            case OrderState.SUBMITTING if order.attempt is not None:
                return self._next_look_ms(order.account, order.attempt, now_ms)
        unended = order.cancel_requested or not order.may_rest
        wanting = order.fills_missing or (order.is_live and unended)
        return now_ms + self._retries.recheck_ms if wanting else None

    def due_after_wait_ms(self, order: Order, wait: Wait) -> int | None:
        """When to look again at an order that is held up by this."""
        if wait.until_ms is not None:
            return wait.until_ms
        if not wait.cause and not wait.wait_s:
            return self.due_ms(order)
        now_ms = self._clock.now_ms()
        due_ms = now_ms + (min(wait.wait_s * 1_000, WAIT_MAX_MS) or self._pause_ms(order))
        ends_ms = unsent_ends_ms(order, self._market_age_max_s)
        return due_ms if ends_ms is None or not now_ms < ends_ms < due_ms else ends_ms

    def _pause_ms(self, order: Order) -> int:
        """The longer an unsent order has waited, the less often it is looked at: many of them, each
        woken all the time, would take the time of the accounts that can be reached."""
        if order.state is not OrderState.RECEIVED:
            return self._retries.recheck_ms
        # The record was written when this wait began.
        waited_ms = (self._clock.now() - order.updated_at) // timedelta(milliseconds=1)
        backoff_ms = self._retries.backoff_after(len(order.attempts))
        return max(min(waited_ms, self._retries.wait_max_ms), backoff_ms)

    def _next_look_ms(self, account: str, attempt: Attempt, now_ms: int) -> int:
        """What is found settles the order at any time, so it is looked for early, and less often
        the longer it is not found; what is not found is proof only at the last of these times."""
        provable_ms = self._clocks.local_ms(account, attempt.provable_at_ms)
        valid_until_ms = self._clocks.local_ms(account, attempt.valid_until_ms)
        if attempt.verdict is None and now_ms < valid_until_ms:
            # Its answer is most likely still to come.
            return valid_until_ms
        age_ms = now_ms - self._clocks.local_ms(account, attempt.stamp_ms)
        return min(provable_ms, now_ms + max(self._retries.look_ms, age_ms))
