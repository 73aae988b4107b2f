"""Determines the outcome of attempts: of the latest one, and of one that a restart lost.

A found order settles it at any time. "Not found" counts only once the exchange can no longer accept
the attempt, and while it would still list the order.
"""

from execution.exchanges.clocks import ExchangeClocks
from execution.exchanges.port import Exchange
from execution.model.clock import Clock
from execution.model.events import Event, Quarantined, Reported
from execution.model.order import Order
from execution.model.waiting import RESTARTED, Wait
from execution.orders.decisions import judge_absence
from execution.orders.placement.proof import published_too_long_ago
from execution.orders.placement.rules import OrderRules
from execution.orders.store import Epoch


class Resolution:
    """Looks orders up at their exchange. Both methods raise ExchangeUnavailable."""

    def __init__(self, clock: Clock, clocks: ExchangeClocks, rules: OrderRules) -> None:
        self._clock = clock
        self._clocks = clocks
        self._rules = rules

    def look_up(self, order: Order, exchange: Exchange) -> Event | Wait:
        """The outcome of the order's latest attempt."""
        # The clock is read first: a lookup that began before the fence proves nothing, however late
        # its answer is read.
        began_ms = self._clocks.earliest_now_ms(order.account, exchange)
        report = exchange.lookup(order)
        if report is not None:
            return Reported(report)
        now_ms = self._clocks.exchange_ms(order.account, exchange, self._clock.now_ms())
        return judge_absence(order, exchange.guarantees, began_ms, now_ms)

    def look_back(
        self, order: Order, exchange: Exchange, epoch: Epoch
    ) -> Reported | Quarantined | Wait | None:
        """The outcome of an attempt that a restart of the store may have lost; None if there is
        none, and none that could become a second order. It was stamped before the epoch began."""
        guarantees, account = exchange.guarantees, order.account
        fence_ms = self._clocks.exchange_ms(account, exchange, epoch.since_ms)
        provable_ms = fence_ms + self._rules.window_ms(account, guarantees) + guarantees.margin_ms
        began_ms = self._clocks.earliest_now_ms(account, exchange)
        report = exchange.lookup(order)
        if report is not None:
            return Reported(report)
        forgotten = "a restart may have lost an attempt"
        if not guarantees.is_resolvable:
            return Quarantined(f"{forgotten}, and {guarantees.exchange} cannot say")
        too_late = published_too_long_ago(order, guarantees, self._clock.now_ms())
        if too_late is not None:
            return Quarantined(f"{forgotten}; {too_late}")
        if guarantees.is_fenced and began_ms <= provable_ms:
            return Wait(RESTARTED, until_ms=self._clocks.local_ms(account, provable_ms))
        return None
