"""Binance's guarantees for ids and late requests, and what its answers prove."""

from execution.exchanges.guarantees import DAY_MS, ExchangeGuarantees, Uniqueness
from execution.exchanges.verdicts import (
    NOT_SENT,
    REJECTED,
    STANDS,
    STATUS_4XX,
    STATUS_403,
    STATUS_418,
    STATUS_429,
    UNKNOWN,
    VerdictRule,
    each,
    refused_by_rules,
)

GUARANTEES = ExchangeGuarantees(
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

# binance-spot-api-docs, errors.md: -1010 and -2010 are from the matching engine, -11xx and -12xx
# are faults of a request; all of them have a status 4xx.
_REFUSED = refused_by_rules(
    """
    -1010 -1014 -1020 -1108 -1114 -1118 -1122 -1128 -1130 -1134 -1135 -1145 -1158 -1160 -1165 -1166
    -1168 -1196 -1197 -1198 -1199 -1210 -1211 -1220 -1222 -1223 -1224 -1225 -2016
    """,
    status=STATUS_4XX,
)

# binance-spot-api-docs: errors.md, and HTTP return codes in rest-api.md.
VERDICTS = (
    *each(UNKNOWN, "an unknown error while the request was processed", "-1000"),
    *each(UNKNOWN, "an internal error", "-1001"),
    *each(UNKNOWN, "an unexpected answer from the matching engine", "-1006"),
    *each(UNKNOWN, "timed out inside the exchange", "-1007"),
    # Neither page says whether the order was executed.
    *each(UNKNOWN, "the server is overloaded", "-1008"),
    *each(UNKNOWN, "the service is shutting down", "-1016"),
    VerdictRule(NOT_SENT, "too many requests", status=STATUS_429),
    VerdictRule(NOT_SENT, "banned for a while", status=STATUS_418),
    VerdictRule(NOT_SENT, "blocked by the firewall", status=STATUS_403),
    *each(NOT_SENT, "outside the receive window", "-1021", status=STATUS_4XX),
    *each(NOT_SENT, "too many orders", "-1015", status=STATUS_4XX),
    *each(NOT_SENT, "too many requests", "-1003", status=STATUS_4XX),
    VerdictRule(UNKNOWN, STANDS, status=STATUS_4XX, message="Duplicate order"),
    *each(REJECTED, "refused by a filter", "-1013", status=STATUS_4XX),
    *each(REJECTED, "refused by the matching engine", "-2010", status=STATUS_4XX),
    *each(REJECTED, "the key is not accepted", "-2014", "-2015", status=STATUS_4XX),
    *each(REJECTED, "the signature is wrong", "-1022", status=STATUS_4XX),
    *each(REJECTED, "unauthorized", "-1002", status=STATUS_4XX),
    *each(REJECTED, "an illegal character", "-1100", status=STATUS_4XX),
    *each(REJECTED, "too many parameters", "-1101", status=STATUS_4XX),
    *each(REJECTED, "a parameter is missing or malformed", "-1102", status=STATUS_4XX),
    *each(REJECTED, "an unknown parameter", "-1103", status=STATUS_4XX),
    *each(REJECTED, "an unread parameter", "-1104", status=STATUS_4XX),
    *each(REJECTED, "an empty parameter", "-1105", status=STATUS_4XX),
    *each(REJECTED, "a parameter that is not wanted", "-1106", status=STATUS_4XX),
    *each(REJECTED, "too much precision", "-1111", status=STATUS_4XX),
    *each(REJECTED, "no orders on the book", "-1112", status=STATUS_4XX),
    *each(REJECTED, "an invalid time in force", "-1115", status=STATUS_4XX),
    *each(REJECTED, "an invalid order type", "-1116", status=STATUS_4XX),
    *each(REJECTED, "an invalid side", "-1117", status=STATUS_4XX),
    *each(REJECTED, "an invalid symbol", "-1121", status=STATUS_4XX),
    *_REFUSED,
)
