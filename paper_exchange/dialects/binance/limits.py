"""Binance's limits: request weight by address and minute, new orders by account and 10 s."""

from collections.abc import Callable

from paper_exchange.dialects.binance.errors import ApiError
from paper_exchange.dialects.limits import Quota

MINUTE_MS = 60_000
ORDER_WINDOW_MS = 10_000
# Binance bans an address that continues after a 429, for two minutes at first.
REFUSALS_BEFORE_BAN = 5
BAN_MS = 120_000


class Limits:
    """Counts and refuses. A limit of 0 is no limit."""

    def __init__(
        self, weight_per_minute: int, orders_per_10s: int, now_ms: Callable[[], int]
    ) -> None:
        self.weight_per_minute = weight_per_minute
        self.orders_per_10s = orders_per_10s
        self._now_ms = now_ms
        self._weights = Quota(weight_per_minute, MINUTE_MS, now_ms)
        self._orders = Quota(orders_per_10s, ORDER_WINDOW_MS, now_ms)
        self._banned_until_ms: dict[str, int] = {}

    def spend_weight(self, client: str, weight: int) -> None:
        """Count a request's weight, or refuse it: with 429, then 418 if the address continues."""
        now_ms = self._now_ms()
        until_ms = self._banned_until_ms.get(client, 0)
        if now_ms < until_ms:
            raise _banned(until_ms, now_ms)
        if self._weights.spend(client, weight):
            return
        if self._weights.refused(client) > REFUSALS_BEFORE_BAN:
            self._banned_until_ms[client] = now_ms + BAN_MS
            raise _banned(now_ms + BAN_MS, now_ms)
        raise self._too_much()

    def refund_weight(self, client: str, weight: int) -> None:
        """Subtract the weight of a request that cost nothing."""
        self._weights.refund(client, weight)

    def used_weight(self, client: str) -> int:
        """The weight that an address has used in this minute."""
        return self._weights.used(client)

    def count_order(self, account: str) -> None:
        """Count a new order, or refuse it."""
        if not self._orders.spend(account):
            message = (
                f"Too many new orders; current limit is {self.orders_per_10s} orders per 10 SECOND."
            )
            retry_after_s = _seconds(self._orders.left_ms())
            raise ApiError(-1015, message, 429, retry_after_s=retry_after_s)

    def uncount_order(self, account: str) -> None:
        """Subtract an order that was refused."""
        self._orders.refund(account)

    def used_orders(self, account: str) -> int:
        """How many orders an account has placed in these ten seconds."""
        return self._orders.used(account)

    def _too_much(self) -> ApiError:
        message = (
            f"Too much request weight used; current limit is {self.weight_per_minute} request "
            "weight per 1 MINUTE. Please use WebSocket Streams for live updates to avoid "
            "polling the API."
        )
        return ApiError(-1003, message, 429, retry_after_s=_seconds(self._weights.left_ms()))


def _banned(until_ms: int, now_ms: int) -> ApiError:
    message = (
        f"Way too much request weight used; IP banned until {until_ms}. "
        "Please use WebSocket Streams for live updates to avoid bans."
    )
    return ApiError(-1003, message, 418, retry_after_s=_seconds(until_ms - now_ms))


def _seconds(ms: int) -> int:
    return max(1, -(-ms // 1000))
