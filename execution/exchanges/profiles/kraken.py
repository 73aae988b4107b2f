"""Kraken's guarantees for ids and late requests, and what its answers prove."""

from execution.exchanges.guarantees import ENDED_KEPT_MS, ExchangeGuarantees, Uniqueness
from execution.exchanges.verdicts import NOT_SENT, REJECTED, STANDS, UNKNOWN, VerdictRule, each

GUARANTEES = ExchangeGuarantees(
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

# docs.kraken.com: spot error messages; spot client order identifiers; AddOrder. Every error comes
# with status 200. The code is an error's category and type, without the rest; an answer with
# several errors has all of them in its code, which matches no row.
VERDICTS = (
    VerdictRule(UNKNOWN, STANDS, message="cl_ord_id"),
    VerdictRule(UNKNOWN, STANDS, message="duplicate"),
    # A late request's deadline may be too near. That refuses the attempt, not the order.
    VerdictRule(
        UNKNOWN,
        "the deadline is not accepted",
        code="EGeneral:Invalid arguments",
        message="deadline",
    ),
    *each(NOT_SENT, "the nonce is not above the last one", "EAPI:Invalid nonce"),
    *each(NOT_SENT, "too many requests", "EAPI:Rate limit exceeded", "EAuth:Rate limit exceeded"),
    *each(NOT_SENT, "too many requests", "EGeneral:Too many requests", "EAuth:Too many requests"),
    *each(NOT_SENT, "too many orders", "EOrder:Rate limit exceeded"),
    *each(NOT_SENT, "too many orders", "EOrder:Domain rate limit exceeded"),
    *each(NOT_SENT, "locked out for a while", "EGeneral:Temporary lockout"),
    *each(REJECTED, "only cancels now", "EService:Market in cancel_only mode"),
    *each(REJECTED, "only post-only orders now", "EService:Market in post_only mode"),
    # "The request timed out": the engine refuses requests after the deadline, but the answer to one
    # just before it may have been lost.
    *each(UNKNOWN, "timed out", "EService:Deadline elapsed", "EService:Timeout"),
    *each(UNKNOWN, "out of service", "EService:Unavailable", "EService:Busy"),
    *each(UNKNOWN, "the server broke", "EGeneral:Internal error", "EDatabase:Internal error"),
    *each(REJECTED, "the key is not accepted", "EAPI:Invalid key"),
    *each(REJECTED, "the signature is wrong", "EAPI:Invalid signature"),
    *each(REJECTED, "the key may not do this", "EGeneral:Permission denied"),
    *each(REJECTED, "the account may not trade", "EAccount:Invalid permissions"),
    *each(REJECTED, "the account may not trade", "EAuth:Account temporary disabled"),
    *each(REJECTED, "the account may not trade", "EAuth:Account unconfirmed"),
    *each(REJECTED, "the account may not trade", "ETrade:User Locked"),
    *each(REJECTED, "a parameter is wrong", "EGeneral:Invalid arguments"),
    *each(REJECTED, "a parameter is wrong", "ETrade:Invalid request"),
    *each(REJECTED, "an unknown pair", "EQuery:Unknown asset pair", "EQuery:Invalid asset pair"),
    *each(REJECTED, "too little balance", "EOrder:Insufficient funds"),
    *each(REJECTED, "too little margin", "EOrder:Insufficient margin"),
    *each(REJECTED, "too little margin", "EOrder:Margin allowance exceeded"),
    *each(REJECTED, "too little margin", "EOrder:Margin level too low"),
    *each(REJECTED, "too large a position", "EOrder:Margin position size exceeded"),
    *each(REJECTED, "the position is not allowed", "EOrder:Cannot open position"),
    *each(REJECTED, "the position is not allowed", "EOrder:Cannot open opposing position"),
    *each(REJECTED, "there is no such position", "EOrder:Unknown position", "EOrder:Reduce only"),
    *each(REJECTED, "too many positions", "EOrder:Positions limit exceeded"),
    *each(REJECTED, "too many orders for later", "EOrder:Scheduled orders limit exceeded"),
    *each(REJECTED, "too small an amount", "EOrder:Order minimum not met"),
    *each(REJECTED, "too small a value", "EOrder:Cost minimum not met"),
    *each(REJECTED, "too fine a price", "EOrder:Tick size check failed"),
    *each(REJECTED, "the price is not accepted", "EOrder:Invalid price"),
    *each(REJECTED, "a post-only order would trade", "EOrder:Post only order"),
    *each(REJECTED, "too many open orders", "EOrder:Orders limit exceeded"),
    *each(REJECTED, "a purchase limit", "EBM:limit exceeded"),
)
