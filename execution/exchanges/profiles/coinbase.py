"""Coinbase's guarantees for ids and late requests, and what its answers prove."""

from execution.exchanges.guarantees import (
    ENDED_KEPT_MS,
    ENGINE_BOUND_MS,
    ExchangeGuarantees,
    Uniqueness,
)
from execution.exchanges.verdicts import (
    NOT_SENT,
    REJECTED,
    STANDS,
    STATUS_4XX,
    STATUS_401,
    STATUS_429,
    UNKNOWN,
    VerdictRule,
    each,
)

GUARANTEES = ExchangeGuarantees(
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

# docs.cdp.coinbase.com: Create Order, with its lists of failure reasons; rate limits; API key
# authentication, where a token is valid for two minutes. Refusals come with status 200 and
# `success: false`, "whether the order was created".
VERDICTS = (
    VerdictRule(NOT_SENT, "too many requests", status=STATUS_429),
    VerdictRule(NOT_SENT, "not authorized, or by a token that has expired", status=STATUS_401),
    *each(UNKNOWN, STANDS, "DUPLICATE_CLIENT_ORDER_ID"),
    *each(UNKNOWN, "failed, and why is not said", "UNKNOWN_FAILURE_REASON"),
    *each(REJECTED, "a parameter is wrong", "INVALID_ARGUMENT", "NOT_FOUND", status=STATUS_4XX),
    *each(REJECTED, "the key may not do this", "PERMISSION_DENIED", status=STATUS_4XX),
    *each(REJECTED, "too little balance", "INSUFFICIENT_FUND", "PREVIEW_INSUFFICIENT_FUND"),
    *each(REJECTED, "too little balance", "INSUFFICIENT_FUNDS", "INVALID_LEDGER_BALANCE"),
    *each(REJECTED, "a parameter is wrong", "INVALID_REQUEST", "UNSUPPORTED_ORDER_CONFIGURATION"),
    *each(REJECTED, "a parameter is wrong", "PREVIEW_INVALID_ORDER_CONFIG"),
    *each(REJECTED, "an invalid side", "INVALID_SIDE", "PREVIEW_INVALID_SIDE"),
    *each(REJECTED, "an invalid symbol", "INVALID_PRODUCT_ID", "PREVIEW_INVALID_PRODUCT_ID"),
    *each(REJECTED, "too fine an amount", "INVALID_SIZE_PRECISION"),
    *each(REJECTED, "too fine an amount", "PREVIEW_INVALID_SIZE_PRECISION"),
    *each(REJECTED, "too fine a price", "INVALID_PRICE_PRECISION"),
    *each(REJECTED, "too fine a price", "PREVIEW_INVALID_PRICE_PRECISION"),
    *each(REJECTED, "too large an amount", "PREVIEW_INVALID_BASE_SIZE_TOO_LARGE"),
    *each(REJECTED, "too small an amount", "PREVIEW_INVALID_BASE_SIZE_TOO_SMALL"),
    *each(REJECTED, "the price is not accepted", "INVALID_LIMIT_PRICE"),
    *each(REJECTED, "the price is not accepted", "PREVIEW_INVALID_LIMIT_PRICE"),
    *each(REJECTED, "the price is out of its limits", "LIMIT_PRICE_TOO_FAR_FROM_MARKET"),
    *each(REJECTED, "the price is out of its limits", "PREVIEW_BREACHED_PRICE_LIMIT"),
    *each(REJECTED, "a post-only order would trade", "INVALID_LIMIT_PRICE_POST_ONLY"),
    *each(REJECTED, "a post-only order would trade", "PREVIEW_INVALID_LIMIT_PRICE_POST_ONLY"),
    *each(REJECTED, "nothing to trade with", "INVALID_NO_LIQUIDITY"),
    *each(REJECTED, "the pair is not traded now", "INELIGIBLE_PAIR", "UNTRADABLE_PRODUCT"),
    *each(REJECTED, "the pair is not traded now", "ORDER_ENTRY_DISABLED", "TRADING_DISABLED"),
    *each(REJECTED, "not allowed where the account is", "GEOFENCING_RESTRICTION"),
    *each(REJECTED, "refused by the matching engine", "COMMANDER_REJECTED_NEW_ORDER"),
    *each(REJECTED, "the account is in liquidation", "IN_LIQUIDATION"),
    *each(REJECTED, "refused before it was sent to the engine", "PREVIEW_*"),
)
