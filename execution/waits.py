"""Leaves an order for later, with the reason on its record and the time at which to come back."""

from execution.errors import ExchangeUnavailable
from execution.journal import Journal
from execution.orders import Order
from execution.ports import Clock, Store
from execution.waiting import HELD, UNREACHABLE, time_text_ms

# Longer waits are looked into meanwhile: the order may expire.
WAIT_MAX_MS = 15_000


class Waits:
    """What is done with an order while its exchange, or a thread for its account, is missing."""

    def __init__(self, store: Store, journal: Journal, clock: Clock) -> None:
        self._store = store
        self._journal = journal
        self._clock = clock

    def for_exchange(
        self, order: Order, error: ExchangeUnavailable, due_ms: int | None = None
    ) -> Order:
        """Leave the order until the exchange may be asked again, with the reason on its record."""
        due_ms = self.due_after(error) if due_ms is None else due_ms
        if not error.retry_after_s:
            return self._journal.delay(order, UNREACHABLE, str(error), due_ms)
        self.hold(order.account, error.retry_after_s)
        until = time_text_ms(self._clock.now_ms() + error.retry_after_s * 1_000)
        return self._journal.delay(order, HELD, f"until {until}, {error}", due_ms)

    def due_after(self, error: ExchangeUnavailable) -> int | None:
        """When to look again at what failed so; None for when the order's state asks for it."""
        wait_ms = min(error.wait_s * 1_000, WAIT_MAX_MS)
        return self._clock.now_ms() + wait_ms if wait_ms else None

    def hold(self, account: str, seconds: int) -> None:
        """Let nothing new be sent on the account for so long, if the exchange asked for that."""
        if seconds:
            self._store.hold(account, seconds)
