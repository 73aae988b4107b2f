"""Bybit's limits: requests by address, new orders by account."""

from collections.abc import Callable

from paper_exchange.dialects.bybit.errors import ApiError, of_status
from paper_exchange.dialects.limits import Quota

MINUTE_MS = 60_000
ORDER_WINDOW_MS = 10_000


class Limits:
    """Counts and refuses. A limit of 0 is no limit; every request counts as one."""

    def __init__(
        self, requests_per_minute: int, orders_per_10s: int, now_ms: Callable[[], int]
    ) -> None:
        self._now_ms = now_ms
        self._requests = Quota(requests_per_minute, MINUTE_MS, now_ms)
        self._orders = Quota(orders_per_10s, ORDER_WINDOW_MS, now_ms)

    def count_request(self, client: str) -> None:
        """Count a request of an address, or refuse it with HTTP status 403."""
        if not self._requests.spend(client):
            raise of_status(403)

    def count_order(self, account: str) -> None:
        """Count a request for a new order, whatever its outcome, or refuse it with 10006."""
        if not self._orders.spend(account):
            raise ApiError(10006, "Too many visits. Exceeded the API Rate Limit.")

    def order_headers(self, account: str) -> dict[str, str]:
        """The rate limit headers of responses to new orders, if there is a limit."""
        limit = self._orders.limit
        if not limit:
            return {}
        return {
            "X-Bapi-Limit": str(limit),
            "X-Bapi-Limit-Status": str(max(0, limit - self._orders.used(account))),
            "X-Bapi-Limit-Reset-Timestamp": str(self._now_ms() + self._orders.left_ms()),
        }
