"""What each exchange promises about client order ids and late requests, with its source."""

from dataclasses import dataclass
from enum import StrEnum


class UnsupportedExchange(Exception):
    """There is no contract for this exchange, so exactly-once cannot be promised on it."""


class Uniqueness(StrEnum):
    """Among which orders an exchange refuses a client order id that was used before."""

    OPEN_ORDERS = "open orders"
    ALL_ORDERS = "all orders"


@dataclass(frozen=True, slots=True)
class Contract:
    """The part of an exchange's rules that exactly-once rests on.

    The fence: a request stamped s with window w is refused by the exchange after s + w on its own
    clock. `window_max_ms` bounds w. `forwarding_ms` is how long a request that passed the fence
    just in time may still take to become an order, and `read_lag_ms` how long a new order may stay
    invisible to a lookup.
    """

    exchange: str
    client_id_pattern: str
    uniqueness: Uniqueness
    window_max_ms: int
    forwarding_ms: int
    read_lag_ms: int
    source: str

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
    source="binance-spot-api-docs, rest-api.md, timing security and POST /api/v3/order; "
    "the window is checked on arrival and again before the matching engine since 2025-06-06",
)

CONTRACTS = {contract.exchange: contract for contract in (BINANCE,)}
