"""Begins attempts: when one may be made, and until when it may arrive.

This follows from the exchange's guarantees, its clock, and the window of the settings.
"""

from dataclasses import replace
from datetime import timedelta

from execution.exchanges.clocks import ExchangeClocks
from execution.exchanges.guarantees import ExchangeGuarantees
from execution.exchanges.port import Exchange
from execution.model.clock import Clock
from execution.model.errors import ExchangeUnavailable
from execution.model.events import AttemptBegan, Quarantined, Refused, Withdrawn
from execution.model.order import Attempt, Order
from execution.model.transitions import transition
from execution.orders.decisions import end_unsent
from execution.orders.journal import new_revision
from execution.orders.placement.proof import not_kept
from execution.orders.placement.rules import OrderRules, broken_rule
from execution.orders.signal_age import reason_over
from execution.orders.store import Epoch

# Binance and Bybit refuse a stamp that is further ahead than this, whatever the window.
AHEAD_MAX_MS = 1_000
# Half of a window is for the network; the uncertainty of the clock may use the other half.
UNCERTAINTY_SHARE = 2
_MS = timedelta(milliseconds=1)


class Sending:
    """Makes attempts, or the decision not to make one."""

    def __init__(self, clock: Clock, clocks: ExchangeClocks, rules: OrderRules) -> None:
        self._clock = clock
        self._clocks = clocks
        self._rules = rules

    def begin(
        self, order: Order, exchange: Exchange, epoch: Epoch
    ) -> AttemptBegan | Refused | Withdrawn | Quarantined:
        """The next attempt, or the end of an order that must not be sent. Raises
        ExchangeUnavailable."""
        # Before the signal's expiry is looked at, because measuring a clock takes time.
        stamp_ms = self._stamp_ms(order.account, exchange)
        reason = self._reason_not_to_send(order, exchange)
        if reason is not None:
            return end_unsent(order, reason, epoch, exchange.guarantees)
        now_ms = self._clocks.exchange_ms(order.account, exchange, self._clock.now_ms())
        too_late = not_kept(order, exchange.guarantees, now_ms)
        if too_late is not None:
            return Quarantined(too_late)
        return AttemptBegan(self._attempt(order, stamp_ms, exchange.guarantees), exchange.address)

    def with_first_attempt(self, order: Order, exchange: Exchange) -> Order:
        """A new order with its first attempt, to be written together with others. Measures the
        clock if needed. Raises ExchangeUnavailable."""
        stamp_ms = self._stamp_ms(order.account, exchange)
        attempt = self._attempt(order, stamp_ms, exchange.guarantees)
        begun = transition(order, AttemptBegan(attempt))
        return replace(begun, updated_at=self._clock.now(), revision=new_revision())

    def _stamp_ms(self, account: str, exchange: Exchange) -> int:
        """The time at the exchange, for the stamp of an attempt. Raises ExchangeUnavailable, also
        if the time is not known precisely enough for the exchange to accept the stamp: otherwise
        every attempt would be refused without a clear reason."""
        if exchange.guarantees.is_fenced:
            window_ms = self._rules.window_ms(account, exchange.guarantees)
            bound_ms = min(window_ms // UNCERTAINTY_SHARE, AHEAD_MAX_MS)
            if self._clocks.error_ms(account, exchange) > bound_ms:
                self._clocks.measure(account, exchange)
            error_ms = self._clocks.error_ms(account, exchange)
            if error_ms > bound_ms:
                raise ExchangeUnavailable(
                    f"its clock is known to within {error_ms} ms only, and a window of "
                    f"{window_ms} ms (window_ms) allows {bound_ms} ms"
                )
        return self._clocks.now_ms(account, exchange)

    def _attempt(self, order: Order, stamp_ms: int, guarantees: ExchangeGuarantees) -> Attempt:
        """An attempt that the exchange will not accept after the signal has expired."""
        window_ms = self._rules.window_ms(order.account, guarantees)
        if order.expires_at is not None:
            left_ms = (order.expires_at - self._clock.now()) // _MS
            window_ms = max(guarantees.window_min_ms, min(window_ms, left_ms))
        valid_until_ms = stamp_ms + window_ms
        return Attempt(
            number=len(order.attempts) + 1,
            stamp_ms=stamp_ms,
            valid_until_ms=valid_until_ms,
            provable_at_ms=valid_until_ms + guarantees.margin_ms,
        )

    def _reason_not_to_send(self, order: Order, exchange: Exchange) -> str | None:
        """Raises ExchangeUnavailable while the market's rules cannot be reloaded."""
        over = reason_over(order, self._clock.now(), self._rules.market_age_max_s)
        over = over or self._expires_too_soon(order, exchange.guarantees)
        if over is not None:
            return over
        if len(order.attempts) >= self._rules.attempts_max:
            last = order.attempts[-1].reason
            return f"not sent in {self._rules.attempts_max} attempts, the last one because: {last}"
        return broken_rule(order, exchange, self._clock.now_ms())

    def _expires_too_soon(self, order: Order, guarantees: ExchangeGuarantees) -> str | None:
        """The reason why no attempt can be made before the signal expires, None if one can."""
        if order.expires_at is None or not guarantees.is_fenced or guarantees.window_min_ms <= 1:
            return None
        if (order.expires_at - self._clock.now()) // _MS >= guarantees.window_min_ms:
            return None
        return (
            f"expires_at: {order.expires_at.isoformat()} is too near, because "
            f"{guarantees.exchange} takes no window below {guarantees.window_min_ms} ms"
        )
