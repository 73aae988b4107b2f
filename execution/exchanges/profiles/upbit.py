"""Upbit's guarantees for ids and late requests, and what its answers prove."""

from execution.exchanges.guarantees import ENGINE_BOUND_MS, ExchangeGuarantees, Uniqueness
from execution.exchanges.verdicts import (
    NOT_SENT,
    REJECTED,
    STATUS_4XX,
    STATUS_401,
    STATUS_418,
    STATUS_429,
    UNKNOWN,
    VerdictRule,
    each,
)

GUARANTEES = ExchangeGuarantees(
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

# docs.upbit.com: REST API guide with its error codes; request rate limits; create order, where an
# identifier that was ever sent, even with an order that failed, is refused.
VERDICTS = (
    VerdictRule(NOT_SENT, "too many requests", status=STATUS_429),
    VerdictRule(NOT_SENT, "banned for a while", status=STATUS_418),
    *each(NOT_SENT, "the token was used before", "nonce_used", status=STATUS_401),
    VerdictRule(
        UNKNOWN, "an order with this id was sent before", status=STATUS_4XX, message="identifier"
    ),
    *each(REJECTED, "a parameter is wrong", "create_ask_error", status=STATUS_4XX),
    *each(REJECTED, "a parameter is wrong", "create_bid_error", status=STATUS_4XX),
    *each(REJECTED, "a parameter is wrong", "validation_error", status=STATUS_4XX),
    *each(REJECTED, "a price off the grid", "invalid_price_bid", status=STATUS_4XX),
    *each(REJECTED, "a price off the grid", "invalid_price_ask", status=STATUS_4XX),
    *each(REJECTED, "too little balance", "insufficient_funds_ask", status=STATUS_4XX),
    *each(REJECTED, "too little balance", "insufficient_funds_bid", status=STATUS_4XX),
    *each(REJECTED, "too small a value", "under_min_total_ask", status=STATUS_4XX),
    *each(REJECTED, "too small a value", "under_min_total_bid", status=STATUS_4XX),
    *each(REJECTED, "the key is not accepted", "invalid_access_key", status=STATUS_4XX),
    *each(REJECTED, "the key is not accepted", "expired_access_key", status=STATUS_4XX),
    *each(REJECTED, "the signature is wrong", "jwt_verification", status=STATUS_4XX),
    *each(REJECTED, "the signature is wrong", "invalid_query_payload", status=STATUS_4XX),
    *each(REJECTED, "the address is not allowed", "no_authorization_i_p", status=STATUS_4XX),
    *each(REJECTED, "the address is not allowed", "no_authorization_ip", status=STATUS_4XX),
    *each(REJECTED, "the key may not do this", "out_of_scope", status=STATUS_4XX),
)
