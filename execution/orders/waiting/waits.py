"""Leaves an order for later, with the reason on its record and the time at which to come back."""

from execution.model.clock import Clock
from execution.model.errors import ExchangeUnavailable
from execution.model.order import Order
from execution.model.waiting import HELD, UNREACHABLE, time_text_ms
from execution.orders.journal import Journal
from execution.orders.store import AccountHoldStore
from execution.orders.waiting.signal_age import unsent_ends_ms

# Longer waits are looked into meanwhile: what they wait for may be over sooner.
WAIT_MAX_MS = 60_000


class Waits:
    """What is done with an order while its exchange, or a thread for its account, is missing.

    No order waits beyond the moment from which on it is not sent any more, which a market order's
    age, at most `market_age_max_s`, may decide: it ends then, whether or not the exchange is back.
    """

    def __init__(
        self,
        holds: AccountHoldStore,
        journal: Journal,
        clock: Clock,
        market_age_max_s: int | None = None,
    ) -> None:
        self._holds = holds
        self._journal = journal
        self._clock = clock
        self._market_age_max_s = market_age_max_s

    def for_exchange(
        self, order: Order, error: ExchangeUnavailable, due_ms: int | None = None
    ) -> Order:
        """Leave the order until the exchange may be asked again, with the reason on its record."""
        wait_ms = None if due_ms is None else due_ms - self._clock.now_ms()
        due_ms = self.due_after(order, error, wait_ms)
        if not error.retry_after_s:
            return self._journal.delay(order, UNREACHABLE, str(error), due_ms)
        self.hold(order.account, error.retry_after_s)
        until = time_text_ms(self._clock.now_ms() + error.retry_after_s * 1_000)
        return self._journal.delay(order, HELD, f"until {until}, {error}", due_ms)

    def due_after(
        self, order: Order, error: ExchangeUnavailable | None, wait_ms: int | None = None
    ) -> int | None:
        """When to look again at an order that is held up by this: as late as the error says, else
        after `wait_ms`, else the less often the longer it has waited."""
        if error is not None and error.wait_s:
            wait_ms = min(error.wait_s * 1_000, WAIT_MAX_MS)
        now_ms = self._clock.now_ms()
        due_ms = self._journal.due_still_ms(order) if wait_ms is None else now_ms + wait_ms
        ends_ms = unsent_ends_ms(order, self._market_age_max_s)
        if due_ms is None or ends_ms is None or not now_ms < ends_ms < due_ms:
            return due_ms
        return ends_ms

    def hold(self, account: str, seconds: int) -> None:
        """Let nothing new be sent on the account for so long, if the exchange asked for that."""
        if seconds:
            self._holds.hold(account, seconds)
