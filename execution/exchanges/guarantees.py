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


SECOND_MS = 1_000
HOUR_MS = 3_600 * SECOND_MS
DAY_MS = 24 * HOUR_MS

# What we take where no document says how long a request that was let in may wait for the engine.
# It is the bound that Binance's document names, the only one that any of them does.
ENGINE_BOUND_MS = 10 * SECOND_MS
# What we take where no document says how long an order that ended without a fill can be found. It
# is the shortest time that any of them names, which is OKX's.
ENDED_KEPT_MS = 2 * HOUR_MS


@dataclass(frozen=True, slots=True)
class Contract:
    """The part of an exchange's rules that exactly-once rests on. Times in ms.

    The fence: a request stamped s with window w is refused by the exchange after s + w on its own
    clock. `window_max_ms` bounds w; 0 means that there is no fence. `window_min_ms` is the shortest
    w that it takes, and `window_ms` the one that is used unless the settings say another.

    The engine bound: `engine_bound_ms` is how long a request that was let in just before the fence
    may still take to become an order, and `read_lag_ms` how long a new order may stay invisible to
    a lookup. Before both have passed, an order that is not found may still come.

    `ended_kept_ms` is how long an order that ended without a fill, the first kind to be forgotten,
    can be found after its end, or its id refused; None where for ever. Later than that, an order
    that is not found may have been there.

    `lookup` says how an order is found by its client order id, in words. Where no document gives a
    figure, `source` says that it is our own allowance.
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
        return self.engine_bound_ms + self.read_lag_ms

    def within_window(self, window_ms: int) -> int:
        """The window nearest to `window_ms` that the exchange takes."""
        return max(self.window_min_ms, min(window_ms, self.window_max_ms or window_ms))

    def may_have_forgotten(self, began_ms: int, now_ms: int) -> bool:
        """An order that began at `began_ms` may have ended and been forgotten by `now_ms`; both on
        one clock, with its errors counted in."""
        return self.ended_kept_ms is not None and now_ms - began_ms >= self.ended_kept_ms


BINANCE = Contract(
    exchange="binance",
    client_id_pattern=r"^[a-zA-Z0-9-_]{1,36}$",
    uniqueness=Uniqueness.OPEN_ORDERS,
    window_ms=2_000,
    window_min_ms=1,
    window_max_ms=60_000,
    engine_bound_ms=10_000,
    read_lag_ms=1_000,
    ended_kept_ms=90 * DAY_MS,
    lookup="GET /api/v3/order with origClientOrderId, the latest of several",
    source="binance-spot-api-docs: rest-api.md, timing security and POST /api/v3/order (the window "
    "is checked on arrival and again before the matching engine since 2025-06-06), general API "
    "information (the API waits up to 10 s for the matching engine; -1007 'does not always mean "
    "that the request failed'); errors.md, -2026 (canceled or expired without a fill, over 90 days "
    "ago); nothing there bounds the lag of reads, which is our allowance",
)

BYBIT = Contract(
    exchange="bybit",
    client_id_pattern=r"^[a-zA-Z0-9-_]{1,36}$",
    uniqueness=Uniqueness.ALL_ORDERS,
    window_ms=5_000,
    window_min_ms=1,
    window_max_ms=5_000,
    engine_bound_ms=ENGINE_BOUND_MS,
    read_lag_ms=2_000,
    ended_kept_ms=DAY_MS,
    lookup="GET /v5/order/realtime with orderLinkId (open orders and the latest 500 ended ones), "
    "then GET /v5/order/history",
    source="bybit-exchange.github.io/docs/v5: guide (server_time - recv_window <= timestamp, "
    "checked on arrival; 5000 ms is the only window that it names), order/create-order "
    "(orderLinkId of up to 36 characters, always unique; the answer only acknowledges, and the "
    "order is queued), order/open-order, order/order-list (canceled, rejected and deactivated "
    "orders: 24 hours); nothing there bounds the queue and the lag, which are our allowance, and "
    "that an id stays refused once its order is not kept any more is not relied on",
)

OKX = Contract(
    exchange="okx",
    client_id_pattern=r"^[a-zA-Z0-9]{1,32}$",
    uniqueness=Uniqueness.OPEN_ORDERS,
    window_ms=5_000,
    window_min_ms=1,
    window_max_ms=30_000,
    engine_bound_ms=ENGINE_BOUND_MS,
    read_lag_ms=2_000,
    ended_kept_ms=2 * HOUR_MS,
    lookup="GET /api/v5/trade/order with clOrdId, the latest of several",
    source="www.okx.com/docs-v5: transaction timeouts (the header expTime: not processed once the "
    "server's time is past it), REST authentication (a request expires 30 s after its timestamp), "
    "place order (clOrdId, unique among pending orders), order history (canceled without a fill: 2 "
    "hours, and never in the archive); nothing there bounds the engine and the lag, which are our "
    "allowance",
)

KRAKEN = Contract(
    exchange="kraken",
    client_id_pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$",
    uniqueness=Uniqueness.OPEN_ORDERS,
    window_ms=5_000,
    window_min_ms=3_000,
    window_max_ms=60_000,
    engine_bound_ms=1_000,
    read_lag_ms=2_000,
    ended_kept_ms=ENDED_KEPT_MS,
    lookup="OpenOrders, then ClosedOrders, with cl_ord_id",
    source="docs.kraken.com: AddOrder (after `deadline` the matching engine rejects, latency and "
    "queueing included, so that by the document nothing may become an order later, and the second "
    "here is our allowance for the engine's clock; 2 to 60 s ahead on arrival, of which the "
    "minimum leaves one second for the way there), spot client order identifiers (a UUID, or up to "
    "18 characters of text; unique among open orders), OpenOrders and ClosedOrders; nothing there "
    "bounds the lag, or says how long ended orders are kept: both are our assumptions",
)

COINBASE = Contract(
    exchange="coinbase",
    client_id_pattern=r"^[a-zA-Z0-9-]{1,41}$",
    uniqueness=Uniqueness.ALL_ORDERS,
    window_ms=5_000,
    window_min_ms=1,
    window_max_ms=0,
    engine_bound_ms=ENGINE_BOUND_MS,
    read_lag_ms=2_000,
    ended_kept_ms=ENDED_KEPT_MS,
    lookup="GET /api/v3/brokerage/orders/historical/batch, searched for client_order_id",
    source="docs.cdp.coinbase.com: Create Order (a client_order_id that is not unique makes no "
    "order, and the one that has it is returned), List Orders; the pattern is that of the ids that "
    "ccxt 4.5.90 makes itself; nothing there says how long an id is remembered, or bounds the lag: "
    "both are our assumptions",
)

UPBIT = Contract(
    exchange="upbit",
    client_id_pattern=r"^[a-zA-Z0-9-]{1,36}$",
    uniqueness=Uniqueness.ALL_ORDERS,
    window_ms=5_000,
    window_min_ms=1,
    window_max_ms=0,
    engine_bound_ms=ENGINE_BOUND_MS,
    read_lag_ms=2_000,
    ended_kept_ms=None,
    lookup="GET /v1/order with identifier",
    source="docs.upbit.com: create order (an identifier is unique among all orders of the user, "
    "and used up even by a request that failed, so that it is refused for ever), get order; the "
    "pattern is that of a UUID, since no charset is documented; nothing there bounds the lag, "
    "which is our allowance",
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
        window_ms=5_000,
        window_min_ms=1,
        window_max_ms=0,
        engine_bound_ms=ENGINE_BOUND_MS,
        read_lag_ms=2_000,
        ended_kept_ms=ENDED_KEPT_MS,
        lookup="none that proves anything",
        source="none: no document of this exchange was read; every figure is our assumption",
    )


def client_order_id_of(order_id: str, exchange: str) -> str:
    """Return the id by which `exchange` shall know the order; the same one every time.

    Where the order id does not fit, as on Kraken, it is a UUID made of the order id's hash.
    """
    if exchange != KRAKEN.exchange:
        return order_id
    digest = hashlib.blake2b(order_id.encode(), digest_size=16).digest()
    return str(UUID(bytes=digest, version=4))
