"""What each exchange promises about client order ids and late requests, with its source."""

import hashlib
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID


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
    client order id, in words. Where no document bounds forwarding or lag, `source` says that the
    figure is our own allowance.
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

BYBIT = Contract(
    exchange="bybit",
    client_id_pattern=r"^[a-zA-Z0-9-_]{1,36}$",
    uniqueness=Uniqueness.ALL_ORDERS,
    window_max_ms=5_000,
    forwarding_ms=5_000,
    read_lag_ms=2_000,
    lookup="GET /v5/order/realtime with orderLinkId (open orders and the latest 500 ended ones), "
    "then GET /v5/order/history",
    source="bybit-exchange.github.io/docs/v5: guide (server_time - recv_window <= timestamp, "
    "checked on arrival; 5000 ms is the only window that it names), order/create-order "
    "(orderLinkId of up to 36 characters, always unique; the answer only acknowledges), "
    "order/open-order; nothing there bounds forwarding and lag, which are our allowance",
)

OKX = Contract(
    exchange="okx",
    client_id_pattern=r"^[a-zA-Z0-9]{1,32}$",
    uniqueness=Uniqueness.OPEN_ORDERS,
    window_max_ms=30_000,
    forwarding_ms=5_000,
    read_lag_ms=2_000,
    lookup="GET /api/v5/trade/order with clOrdId, the latest of several",
    source="www.okx.com/docs-v5: transaction timeouts (the header expTime: not processed once the "
    "server's time is past it), REST authentication (a request expires 30 s after its timestamp), "
    "place order (clOrdId, unique among pending orders); nothing there bounds forwarding and lag, "
    "which are our allowance",
)

KRAKEN = Contract(
    exchange="kraken",
    client_id_pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$",
    uniqueness=Uniqueness.OPEN_ORDERS,
    window_max_ms=60_000,
    forwarding_ms=1_000,
    read_lag_ms=2_000,
    lookup="OpenOrders, then ClosedOrders, with cl_ord_id",
    source="docs.kraken.com: AddOrder (after `deadline` the matching engine rejects; 2 to 60 s "
    "ahead), spot client order identifiers (a UUID, or up to 18 characters of text; unique among "
    "open orders), OpenOrders and ClosedOrders; nothing there bounds forwarding and lag, which are "
    "our allowance",
)

COINBASE = Contract(
    exchange="coinbase",
    client_id_pattern=r"^[a-zA-Z0-9-]{1,41}$",
    uniqueness=Uniqueness.ALL_ORDERS,
    window_max_ms=0,
    forwarding_ms=0,
    read_lag_ms=2_000,
    lookup="GET /api/v3/brokerage/orders/historical/batch, searched for client_order_id",
    source="docs.cdp.coinbase.com: Create Order (a client_order_id that is not unique makes no "
    "order, and the one that has it is returned), List Orders; the pattern is that of the ids that "
    "ccxt 4.5.90 makes itself; nothing there bounds the lag, which is our allowance",
)

UPBIT = Contract(
    exchange="upbit",
    client_id_pattern=r"^[a-zA-Z0-9-]{1,36}$",
    uniqueness=Uniqueness.ALL_ORDERS,
    window_max_ms=0,
    forwarding_ms=0,
    read_lag_ms=2_000,
    lookup="GET /v1/order with identifier",
    source="docs.upbit.com: create order (an identifier is unique among all orders of the user, "
    "and used up even by a request that failed), get order; the pattern is that of a UUID, since "
    "no charset is documented; nothing there bounds the lag, which is our allowance",
)

CONTRACTS = {
    contract.exchange: contract for contract in (BINANCE, BYBIT, OKX, KRAKEN, COINBASE, UPBIT)
}


def without_contract(exchange: str) -> Contract:
    """The contract of an exchange that promises nothing: its unknown outcomes are quarantined."""
    return Contract(
        exchange=exchange,
        client_id_pattern=r"^[a-zA-Z0-9]{1,26}$",
        uniqueness=Uniqueness.NONE,
        window_max_ms=0,
        forwarding_ms=0,
        read_lag_ms=0,
        lookup="none that proves anything",
        source="none: nobody has read this exchange's documents for it",
    )


def client_order_id_of(order_id: str, exchange: str) -> str:
    """Return the id by which `exchange` shall know the order; the same one every time.

    Where the order id does not fit, as on Kraken, it is a UUID made of the order id's hash.
    """
    if exchange != KRAKEN.exchange:
        return order_id
    digest = hashlib.blake2b(order_id.encode(), digest_size=16).digest()
    return str(UUID(bytes=digest, version=4))
