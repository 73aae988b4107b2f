"""What each exchange promises about client order ids and late requests, with its source."""

from dataclasses import dataclass
from enum import StrEnum


class Uniqueness(StrEnum):
    """The orders among which an exchange refuses a client order id that was used before."""

    OPEN_ORDERS = "open orders"
    ALL_ORDERS = "all orders"
    NONE = "none"


SECOND_MS = 1_000
HOUR_MS = 3_600 * SECOND_MS
DAY_MS = 24 * HOUR_MS

# The assumption if no document says how long an accepted request may wait for the engine. It is the
# bound in Binance's documentation, the only one that any exchange documents.
ENGINE_BOUND_MS = 10 * SECOND_MS
# The assumption if no document says how long an order that ended without a fill can be found. It is
# the shortest documented time, OKX's.
ENDED_KEPT_MS = 2 * HOUR_MS


@dataclass(frozen=True, slots=True)
class ExchangeGuarantees:
    """The rules of an exchange on which exactly-once depends. Times in ms.

    The fence: a request stamped s with window w is refused by the exchange after s + w on its own
    clock. `window_max_ms` bounds w; 0 means that there is no fence. `window_min_ms` is the shortest
    w that it accepts, and `window_ms` the default.

    The engine bound: `engine_bound_ms` is how long a request that was accepted just before the
    fence may still take to become an order, and `read_lag_ms` how long a new order may stay
    invisible to a lookup. Before both have passed, an order that is not found may still appear.

    `ended_kept_ms` is how long an order that ended without a fill, the first kind to be deleted,
    can be found after its end, or its id is refused; None for ever. Later than that, an order that
    is not found may have existed.

    `lookup` describes how an order is found by its client order id. If no document gives a figure,
    `source` says that it is our own allowance.
    """

    exchange: str
    client_id_pattern: str
    uniqueness: Uniqueness
    window_ms: int
    window_min_ms: int
    window_max_ms: int
    engine_bound_ms: int
    read_lag_ms: int
    ended_kept_ms: int | None
    lookup: str
    source: str

    @property
    def is_fenced(self) -> bool:
        """The exchange refuses late requests."""
        return self.window_max_ms > 0

    @property
    def is_resolvable(self) -> bool:
        """Every unknown outcome can be determined: by the fence, or because sending the same id
        again cannot make a second order."""
        return self.is_fenced or self.uniqueness is Uniqueness.ALL_ORDERS

    @property
    def margin_ms(self) -> int:
        """The time after the fence before "not found" is proof (the clock error is added to it)."""
        return self.engine_bound_ms + self.read_lag_ms

    def within_window(self, window_ms: int) -> int:
        """The window nearest to `window_ms` that the exchange accepts."""
        return max(self.window_min_ms, min(window_ms, self.window_max_ms or window_ms))

    def may_have_forgotten(self, began_ms: int, now_ms: int) -> bool:
        """An order that began at `began_ms` may have ended and been deleted by `now_ms`; both on
        one clock, including its error."""
        return self.ended_kept_ms is not None and now_ms - began_ms >= self.ended_kept_ms
