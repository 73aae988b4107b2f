"""What each exchange promises about client order ids and late requests, with its source."""

from dataclasses import dataclass
from enum import StrEnum


class UnsupportedExchange(Exception):
    """There is no contract for this exchange, so exactly-once cannot be promised on it."""


class Uniqueness(StrEnum):
    """Among which orders an exchange refuses a client order id that was used before."""

    OPEN_ORDERS = "open orders"
    ALL_ORDERS = "all orders"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Contract:
    """The part of an exchange's rules that exactly-once rests on.

    The fence: a request stamped s with window w is refused by the exchange after s + w on its own
    clock. `window_max_ms` bounds w; 0 means that there is no fence. `forwarding_ms` is how long a
    request that passed the fence just in time may still take to become an order, and `read_lag_ms`
    how long a new order may stay invisible to a lookup. `lookup` says how an order is found by its
    client order id, in words.
    """

    exchange: str
    client_id_pattern: str
    uniqueness: Uniqueness
    window_max_ms: int
    forwarding_ms: int
    read_lag_ms: int
    lookup: str
    source: str

    @property
    def is_fenced(self) -> bool:
        """A request that has not arrived in time never will."""
        return self.window_max_ms > 0

    @property
    def is_resolvable(self) -> bool:
        """Every unknown outcome can be found out: by the fence, or because sending the same id
        again cannot make a second order."""
        return self.is_fenced or self.uniqueness is Uniqueness.ALL_ORDERS

    @property
    def margin_ms(self) -> int:
        """What must pass beyond the fence before "not found" is proof (clock error comes extra)."""
        return self.forwarding_ms + self.read_lag_ms


BINANCE = Contract(
    exchange="binance",
    client_id_pattern=r"^[a-zA-Z0-9-_]{1,36}$",
    uniqueness=Uniqueness.OPEN_ORDERS,
    window_max_ms=60_000,
    forwarding_ms=1_000,
    read_lag_ms=1_000,
    lookup="GET /api/v3/order with origClientOrderId, the latest of several",
    source="binance-spot-api-docs, rest-api.md, timing security and POST /api/v3/order; "
    "the window is checked on arrival and again before the matching engine since 2025-06-06",
)

CONTRACTS = {contract.exchange: contract for contract in (BINANCE,)}
