"""When an attempt may be made, until when it may arrive, and when its absence is proof.

All of it follows from the exchange's contract, its clock, and the window that the settings name.
"""

from collections.abc import Mapping
from datetime import timedelta

from execution.exchanges.clocks import ExchangeClocks
from execution.exchanges.port import Exchange
from execution.model.clock import Clock
from execution.model.errors import ExchangeUnavailable
from execution.model.order import Attempt, Order, Verdict
from execution.orders.store import Epoch
from execution.orders.waiting.signal_age import expired_by, published_at, too_old

# A stamp that is further ahead than this is refused by Binance and Bybit, whatever the window.
AHEAD_MAX_MS = 1_000
# Half of a window is left to the way there; the uncertainty of the clock may use the other half.
UNCERTAINTY_SHARE = 2
# Producers and Redis have clocks of their own, which may differ from the exchange's by so much.
PUBLISHED_SLACK_MS = 60_000
# After a restart of the store, a signal may be published once more for as long as this and is still
# looked for at the exchange before it is sent.
REPUBLISHED_MAX_MS = 600_000
_MS = timedelta(milliseconds=1)


class Attempts:
    """Makes attempts, and says what a lookup that found nothing proves about them.

    `windows` are the windows of single accounts, in ms; `window_ms` is that of all others, None for
    the default of each exchange. A market order may be `market_age_max_s` old, None for any age.
    """

    def __init__(
        self,
        clock: Clock,
        clocks: ExchangeClocks,
        window_ms: int | None,
        windows: Mapping[str, int],
        market_age_max_s: int | None = None,
    ) -> None:
        self._clock = clock
        self._clocks = clocks
        self._window_ms = window_ms
        self._windows = windows
        self._market_age_max_s = market_age_max_s

    def window_ms(self, account: str, exchange: Exchange) -> int:
        """How long a request may be accepted after its stamp."""
        wanted_ms = self._windows.get(account, self._window_ms)
        return exchange.guarantees.within_window(wanted_ms or exchange.guarantees.window_ms)

    def stamp_ms(self, account: str, exchange: Exchange) -> int:
        """The time at the exchange, to stamp an attempt with. Raises ExchangeUnavailable, also
        where the time is not known well enough for the exchange to accept what is stamped with it:
        else every attempt would be refused, and nothing would say why."""
        if exchange.guarantees.is_fenced:
            bound_ms = min(self.window_ms(account, exchange) // UNCERTAINTY_SHARE, AHEAD_MAX_MS)
            if self._clocks.error_ms(account, exchange) > bound_ms:
                self._clocks.measure(account, exchange)
            error_ms = self._clocks.error_ms(account, exchange)
            if error_ms > bound_ms:
                raise ExchangeUnavailable(
                    f"its clock is known to within {error_ms} ms only, and a window of "
                    f"{self.window_ms(account, exchange)} ms (window_ms) allows {bound_ms} ms"
                )
        return self._clocks.now_ms(account, exchange)

    def next(self, order: Order, stamp_ms: int, exchange: Exchange) -> Attempt:
        """Stamp an attempt that the exchange will not accept after the signal has expired."""
        window_ms = self.window_ms(order.account, exchange)
        left_ms = self._left_ms(order)
        if left_ms is not None:
            window_ms = max(exchange.guarantees.window_min_ms, min(window_ms, left_ms))
        valid_until_ms = stamp_ms + window_ms
        return Attempt(
            number=len(order.attempts) + 1,
            stamp_ms=stamp_ms,
            valid_until_ms=valid_until_ms,
            provable_at_ms=valid_until_ms + exchange.guarantees.margin_ms,
        )

    def reason_over(self, order: Order) -> str | None:
        """Say why the order is not to be sent any more, whatever its exchange is like; None where
        it is."""
        now = self._clock.now()
        if order.cancel_requested:
            return "canceled before it was sent"
        return expired_by(order, now) or too_old(order, now, self._market_age_max_s)

    def reason_too_near(self, order: Order, exchange: Exchange) -> str | None:
        """Say why no attempt can be made before the signal expires, None where one can."""
        left_ms, guarantees = self._left_ms(order), exchange.guarantees
        if order.expires_at is None or left_ms is None:
            return None
        if guarantees.is_fenced and left_ms < guarantees.window_min_ms > 1:
            return (
                f"expires_at: {order.expires_at.isoformat()} is too near, because "
                f"{guarantees.exchange} takes no window below {guarantees.window_min_ms} ms"
            )
        return None

    def _left_ms(self, order: Order) -> int | None:
        return None if order.expires_at is None else (order.expires_at - self._clock.now()) // _MS

    def provable_after_ms(self, order: Order, epoch: Epoch, exchange: Exchange) -> int:
        """When no attempt that the epoch's beginning made us forget can arrive unseen any more."""
        fence_ms = self._clocks.exchange_ms(order.account, exchange, epoch.since_ms)
        return fence_ms + self.window_ms(order.account, exchange) + exchange.guarantees.margin_ms

    def not_kept(self, order: Order, exchange: Exchange) -> str | None:
        """Say why an attempt of unknown outcome that is not found now may have become an order all
        the same, None where it cannot have. Ask only after the lookup."""
        unknown = [a.stamp_ms for a in order.attempts if a.verdict in (None, Verdict.UNKNOWN)]
        now_ms = self._clocks.exchange_ms(order.account, exchange, self._clock.now_ms())
        if not unknown or not exchange.guarantees.may_have_forgotten(min(unknown), now_ms):
            return None
        return _forgotten(exchange, "its request")

    def may_exist_at_exchange(self, order: Order, epoch: Epoch, exchange: Exchange) -> bool:
        """See Placement.could_stand."""
        if not may_have_unknown_attempt(order, epoch):
            return False
        guarantees = exchange.guarantees
        provable_ms = self.provable_after_ms(order, epoch, exchange)
        began_ms = self._clocks.earliest_now_ms(order.account, exchange)
        if exchange.lookup(order) is not None or not guarantees.is_resolvable:
            return True
        if self.published_too_long_ago(order, exchange) is not None:
            return True
        if guarantees.is_fenced and began_ms <= provable_ms:
            raise ExchangeUnavailable(f"order {order.order_id} may yet arrive at {order.account}")
        return False

    def published_too_long_ago(self, order: Order, exchange: Exchange) -> str | None:
        """Say why an attempt that a restart made us forget, and that is not found now, may have
        become an order all the same, None where it cannot have. Ask only after the lookup."""
        now_ms = self._clock.now_ms() + PUBLISHED_SLACK_MS
        if not exchange.guarantees.may_have_forgotten(published_ms(order), now_ms):
            return None
        return _forgotten(exchange, "its signal")


def could_arrive(order: Order, epoch: Epoch) -> bool:
    """An attempt that is known, or that a restart of the store made us forget, may yet become the
    order, or has: only the exchange can say."""
    dead = all(attempt.verdict is Verdict.NOT_SENT for attempt in order.attempts)
    return not dead or may_have_unknown_attempt(order, epoch)


def may_have_unknown_attempt(order: Order, epoch: Epoch) -> bool:
    """See Placement.may_be_forgotten."""
    lately = published_ms(order) <= epoch.since_ms + REPUBLISHED_MAX_MS
    return epoch.since_ms > 0 and (lately or not epoch.is_whole)


def published_ms(order: Order) -> int:
    """When the order's signal was published, in ms since 1970."""
    return int(published_at(order).timestamp() * 1000)


def _forgotten(exchange: Exchange, since: str) -> str:
    guarantees = exchange.guarantees
    hours = (guarantees.ended_kept_ms or 0) // 3_600_000
    return (
        f"not found, which proves nothing so late: {guarantees.exchange} may have forgotten an "
        f"order that ended, {hours} h or more after {since}"
    )
