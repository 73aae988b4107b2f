"""Binance's limits: request weight by address and minute, new orders by account and 10 s."""

from collections.abc import Callable
from dataclasses import dataclass

from paper_exchange.binance.errors import ApiError

MINUTE_MS = 60_000
ORDER_WINDOW_MS = 10_000
# Binance bans an address that goes on after a 429, for two minutes at first.
REFUSALS_BEFORE_BAN = 5
BAN_MS = 120_000


@dataclass(slots=True)
class Usage:
    """What was used in a window, how often more was asked for, and until when there is a ban."""

    window: int = -1
    used: int = 0
    refused: int = 0
    banned_until_ms: int = 0

    def enter(self, window: int) -> None:
        """Start from nothing if a new window has begun."""
        if window != self.window:
            self.window, self.used, self.refused = window, 0, 0


class Limits:
    """Counts and refuses. A limit of 0 is no limit."""

    def __init__(
        self, weight_per_minute: int, orders_per_10s: int, now_ms: Callable[[], int]
    ) -> None:
        self.weight_per_minute = weight_per_minute
        self.orders_per_10s = orders_per_10s
        self._now_ms = now_ms
        self._weights: dict[str, Usage] = {}
        self._orders: dict[str, Usage] = {}

    def spend_weight(self, client: str, weight: int) -> None:
        """Count a request's weight, or refuse it: 429, and 418 for those who go on."""
        usage = self._current_weight(client)
        now_ms = self._now_ms()
        if now_ms < usage.banned_until_ms:
            raise self._banned(usage, now_ms)
        if self.weight_per_minute and usage.used + weight > self.weight_per_minute:
            usage.refused += 1
            if usage.refused > REFUSALS_BEFORE_BAN:
                usage.banned_until_ms = now_ms + BAN_MS
                raise self._banned(usage, now_ms)
            raise self._too_much(now_ms)
        usage.used += weight

    def refund_weight(self, client: str, weight: int) -> None:
        """Take back the weight of a request that turned out to cost nothing."""
        usage = self._current_weight(client)
        usage.used = max(0, usage.used - weight)

    def used_weight(self, client: str) -> int:
        """What an address has used in this minute."""
        return self._current_weight(client).used

    def count_order(self, account: str) -> None:
        """Count a new order, or refuse it."""
        usage = self._current_orders(account)
        if self.orders_per_10s and usage.used >= self.orders_per_10s:
            message = (
                f"Too many new orders; current limit is {self.orders_per_10s} orders per 10 SECOND."
            )
            left_ms = ORDER_WINDOW_MS - self._now_ms() % ORDER_WINDOW_MS
            raise ApiError(-1015, message, 429, retry_after_s=_seconds(left_ms))
        usage.used += 1

    def uncount_order(self, account: str) -> None:
        """Take back an order that was refused."""
        usage = self._current_orders(account)
        usage.used = max(0, usage.used - 1)

    def used_orders(self, account: str) -> int:
        """How many orders an account has placed in these ten seconds."""
        return self._current_orders(account).used

    def _current_weight(self, client: str) -> Usage:
        usage = self._weights.setdefault(client, Usage())
        usage.enter(self._now_ms() // MINUTE_MS)
        return usage

    def _current_orders(self, account: str) -> Usage:
        usage = self._orders.setdefault(account, Usage())
        usage.enter(self._now_ms() // ORDER_WINDOW_MS)
        return usage

    def _too_much(self, now_ms: int) -> ApiError:
        message = (
            f"Too much request weight used; current limit is {self.weight_per_minute} request "
            "weight per 1 MINUTE. Please use WebSocket Streams for live updates to avoid "
            "polling the API."
        )
        left_ms = MINUTE_MS - now_ms % MINUTE_MS
        return ApiError(-1003, message, 429, retry_after_s=_seconds(left_ms))

    def _banned(self, usage: Usage, now_ms: int) -> ApiError:
        message = (
            f"Way too much request weight used; IP banned until {usage.banned_until_ms}. "
            "Please use WebSocket Streams for live updates to avoid bans."
        )
        left_ms = usage.banned_until_ms - now_ms
        return ApiError(-1003, message, 418, retry_after_s=_seconds(left_ms))


def _seconds(ms: int) -> int:
    return max(1, -(-ms // 1000))
