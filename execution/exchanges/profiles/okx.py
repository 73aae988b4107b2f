"""OKX's guarantees for ids and late requests, and what its answers prove."""

from execution.exchanges.guarantees import ENGINE_BOUND_MS, HOUR_MS, ExchangeGuarantees, Uniqueness
from execution.exchanges.verdicts import (
    NOT_SENT,
    REJECTED,
    STANDS,
    STATUS_429,
    UNKNOWN,
    VerdictRule,
    each,
    refused_by_rules,
)

GUARANTEES = ExchangeGuarantees(
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

# www.okx.com/docs-v5/en, error codes of the REST API: general class (50xxx), trade class (51xxx)
# and trading restrictions (54xxx).
_REFUSED = refused_by_rules(
    """
    50005 50009 50010 50017..50023 50025 50041 50044 50064 50067 50072
    51002..51004 51007 51012 51014 51017 51023 51026..51037 51044..51053 51056 51100 51101
    51103..51112 51123..51126 51128 51129 51135 51136 51139..51148 51186..51197 51205 51206
    51250..51255 51286 51507
    54005..54049 54072 54073
    """
)

# www.okx.com/docs-v5/en: error codes of the REST API, general, API and trade class, with their HTTP
# statuses; transaction timeouts, for expTime. The code is the order's sCode if there is one.
VERDICTS = (
    # Also with status 429, but "try again later" does not prove that nothing was done.
    *each(UNKNOWN, "the systems are busy", "50013", "50026"),
    # With status 400, although the documentation says that the outcome is not known.
    *each(UNKNOWN, "timed out", "50004"),
    *each(UNKNOWN, "out of service for a while", "50001", "50046", "50062"),
    *each(UNKNOWN, "expired, and whether before it was taken or after is not said", "50037"),
    *each(UNKNOWN, "the request came twice", "50042"),
    *each(UNKNOWN, STANDS, "50071", "51016"),
    *each(UNKNOWN, "timed out inside the exchange", "51054", "51149"),
    VerdictRule(NOT_SENT, "too many requests", status=STATUS_429),
    *each(NOT_SENT, "too many requests", "50011", "50040", "50061"),
    *each(NOT_SENT, "the timestamp has expired", "50102"),
    *each(NOT_SENT, "the timestamp is not accepted", "50112"),
    *each(NOT_SENT, "expTime has passed", "50036"),
    *each(REJECTED, "a malformed request", "50000", "50002", "50006"),
    *each(REJECTED, "a parameter is wrong", "50014", "50015", "50016", "50024", "51000", "51015"),
    *each(REJECTED, "the account may not trade", "50007", "50008", "50012", "50027", "50028"),
    *each(REJECTED, "the account may not trade", "50029", "51009", "51010", "51024"),
    *each(REJECTED, "the account may not trade this", "50032", "50033"),
    *each(REJECTED, "not allowed where the account is", "50051", "50052", "51155"),
    *each(REJECTED, "the account must be verified first", "50059", "50060"),
    *each(REJECTED, "the key may not do this", "50030", "50035", "50100", "50101", "50120"),
    *each(REJECTED, "the key is not accepted", "50108", "50109", "50115", "50118"),
    *each(REJECTED, "the key is not accepted", "50103", "50104", "50105", "50111", "50119"),
    *each(REJECTED, "the signature is not accepted", "50106", "50107", "50113", "50114"),
    *each(REJECTED, "the address is not allowed", "50110", "50121"),
    *each(REJECTED, "an unknown symbol", "51001"),
    *each(REJECTED, "the symbol is not traded now", "51021", "51022", "51087"),
    *each(REJECTED, "too little balance", "51008", "51127", "51131"),
    *each(REJECTED, "too large an amount", "51005", "51185", "51201", "51202", "51203"),
    *each(REJECTED, "too small an amount", "50122", "51020", "51120"),
    *each(REJECTED, "too fine an amount or price", "51121", "51150"),
    *each(REJECTED, "the price is out of its limits", "51006", "51116", "51137", "51138"),
    *each(REJECTED, "too low a price", "51122"),
    *each(REJECTED, "a limit order without a price", "51204"),
    *each(REJECTED, "too many open orders", "51025", "51102", "51174"),
    *_REFUSED,
)
