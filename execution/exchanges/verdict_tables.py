"""What each exchange's answers prove about a placement; data only.

A table is read from the top, and the first row that fits decides; so codes that prove nothing come
first, whatever the HTTP status they arrive with. Whatever has no row is UNKNOWN:
it is looked up, and never sent again on a guess. So a row stands here only where the exchange's own
code or HTTP status is proof, or where something that sounds like a refusal is none. Each table
names the pages that its codes are from.
"""

from execution.exchanges.verdict_codes import BINANCE_REFUSED, BYBIT_REFUSED, OKX_REFUSED
from execution.exchanges.verdicts import Row, each
from execution.model.order import Verdict

_REJECTED, _UNKNOWN, _NOT_SENT = Verdict.REJECTED, Verdict.UNKNOWN, Verdict.NOT_SENT
_4XX = range(400, 500)
_5XX = range(500, 600)
_401, _403, _418, _429 = (range(status, status + 1) for status in (401, 403, 418, 429))

# An order with our id is there: which one, and how it stands, only a lookup can tell.
_STANDS = "an order with this id stands"

EVERY_EXCHANGE = (
    Row(_NOT_SENT, "the connection was never made", reached=False),
    Row(_UNKNOWN, "the server broke while it held the request", status=_5XX),
)

# binance-spot-api-docs: errors.md, and HTTP return codes in rest-api.md.
BINANCE = (
    *each(_UNKNOWN, "an unknown error while the request was processed", "-1000"),
    *each(_UNKNOWN, "an internal error", "-1001"),
    *each(_UNKNOWN, "an unexpected answer from the matching engine", "-1006"),
    *each(_UNKNOWN, "timed out inside the exchange", "-1007"),
    # Neither page says whether the order was carried out.
    *each(_UNKNOWN, "the server is overloaded", "-1008"),
    *each(_UNKNOWN, "the service is shutting down", "-1016"),
    Row(_NOT_SENT, "too many requests", status=_429),
    Row(_NOT_SENT, "banned for a while", status=_418),
    Row(_NOT_SENT, "blocked by the firewall", status=_403),
    *each(_NOT_SENT, "outside the receive window", "-1021", status=_4XX),
    *each(_NOT_SENT, "too many orders", "-1015", status=_4XX),
    *each(_NOT_SENT, "too many requests", "-1003", status=_4XX),
    Row(_UNKNOWN, _STANDS, status=_4XX, message="Duplicate order"),
    *each(_REJECTED, "refused by a filter", "-1013", status=_4XX),
    *each(_REJECTED, "refused by the matching engine", "-2010", status=_4XX),
    *each(_REJECTED, "the key is not accepted", "-2014", "-2015", status=_4XX),
    *each(_REJECTED, "the signature is wrong", "-1022", status=_4XX),
    *each(_REJECTED, "unauthorized", "-1002", status=_4XX),
    *each(_REJECTED, "an illegal character", "-1100", status=_4XX),
    *each(_REJECTED, "too many parameters", "-1101", status=_4XX),
    *each(_REJECTED, "a parameter is missing or malformed", "-1102", status=_4XX),
    *each(_REJECTED, "an unknown parameter", "-1103", status=_4XX),
    *each(_REJECTED, "an unread parameter", "-1104", status=_4XX),
    *each(_REJECTED, "an empty parameter", "-1105", status=_4XX),
    *each(_REJECTED, "a parameter that is not wanted", "-1106", status=_4XX),
    *each(_REJECTED, "too much precision", "-1111", status=_4XX),
    *each(_REJECTED, "no orders on the book", "-1112", status=_4XX),
    *each(_REJECTED, "an invalid time in force", "-1115", status=_4XX),
    *each(_REJECTED, "an invalid order type", "-1116", status=_4XX),
    *each(_REJECTED, "an invalid side", "-1117", status=_4XX),
    *each(_REJECTED, "an invalid symbol", "-1121", status=_4XX),
    *BINANCE_REFUSED,
)

# bybit-exchange.github.io/docs/v5/error: HTTP codes, UTA and spot trade. Most errors come with
# status 200 and a retCode.
BYBIT = (
    *each(_UNKNOWN, "timed out inside the exchange", "10000", "170001", "170007", "170032"),
    *each(_UNKNOWN, "the request came twice", "10014"),
    *each(_UNKNOWN, "the server broke", "10016"),
    *each(_UNKNOWN, "the engine is loaded, and whether it took the order is not said", "429"),
    *each(_UNKNOWN, _STANDS, "170141", "110072"),
    *each(_UNKNOWN, "the order is processed already, or being processed", "110079", "170035"),
    *each(_UNKNOWN, "creating the order timed out", "170146"),
    *each(_UNKNOWN, "creating the order failed, and how far it got is not said", "170149"),
    *each(_UNKNOWN, "the system broke", "170234"),
    Row(_NOT_SENT, "too many requests for the system", status=_429),
    Row(_NOT_SENT, "too many requests from this address", status=_403),
    *each(_NOT_SENT, "outside the receive window", "10002", "-1"),
    *each(_NOT_SENT, "too many requests", "10006", "10018", "170222"),
    *each(_NOT_SENT, "too many orders", "170005"),
    *each(_REJECTED, "a parameter is wrong", "10001", "170105", "170130"),
    *each(_REJECTED, "the key is not accepted", "10003", "10007", "-2015", "33004"),
    *each(_REJECTED, "the signature is wrong", "10004"),
    *each(_REJECTED, "the key may not do this", "10005", "10008", "10028", "10029"),
    *each(_REJECTED, "the address is not allowed", "10009", "10010"),
    *each(_REJECTED, "there is no such route", "10017"),
    *each(_REJECTED, "trading is not allowed", "10024", "10027", "170031"),
    *each(_REJECTED, "too little balance", "110004", "110007", "110012", "110045"),
    *each(_REJECTED, "too little balance", "170033", "170131"),
    *each(_REJECTED, "an invalid time in force", "170115"),
    *each(_REJECTED, "an invalid order type", "170116"),
    *each(_REJECTED, "an invalid side", "170117"),
    *each(_REJECTED, "an invalid symbol", "170121", "170221"),
    *each(_REJECTED, "too large an amount", "170124", "170135", "170197", "170198"),
    *each(_REJECTED, "too large an amount", "170228", "170229", "170381", "170382"),
    *each(_REJECTED, "too small an amount", "170136", "170140"),
    *each(_REJECTED, "too fine an amount", "170137", "170148"),
    *each(_REJECTED, "too high a price", "170132", "170192", "170193", "170372"),
    *each(_REJECTED, "too low a price", "170133", "170194", "170371"),
    *each(_REJECTED, "too fine a price", "170134"),
    *each(_REJECTED, "the pair is not open to such orders", "170151", "170157", "170159"),
    *each(_REJECTED, "refused by the matching engine", "170210"),
    *each(_REJECTED, "only post-only orders now", "170217"),
    *each(_REJECTED, "a post-only order would trade", "170218"),
    *each(_REJECTED, "not supported", "170227"),
    *each(_REJECTED, "too many open orders", "170810"),
    *BYBIT_REFUSED,
)

# www.okx.com/docs-v5/en: error codes of the REST API, general, API and trade class, with their HTTP
# statuses; transaction timeouts, for expTime. The code is the order's sCode where there is one.
OKX = (
    # With status 429 too, but "try again later" does not say that nothing was done.
    *each(_UNKNOWN, "the systems are busy", "50013", "50026"),
    # With status 400, although its page says that it is neither yes nor no.
    *each(_UNKNOWN, "timed out", "50004"),
    *each(_UNKNOWN, "out of service for a while", "50001", "50046", "50062"),
    *each(_UNKNOWN, "expired, and whether before it was taken or after is not said", "50037"),
    *each(_UNKNOWN, "the request came twice", "50042"),
    *each(_UNKNOWN, _STANDS, "50071", "51016"),
    *each(_UNKNOWN, "timed out inside the exchange", "51054", "51149"),
    Row(_NOT_SENT, "too many requests", status=_429),
    *each(_NOT_SENT, "too many requests", "50011", "50040", "50061"),
    *each(_NOT_SENT, "the timestamp has expired", "50102"),
    *each(_NOT_SENT, "the timestamp is not accepted", "50112"),
    *each(_NOT_SENT, "expTime has passed", "50036"),
    *each(_REJECTED, "a malformed request", "50000", "50002", "50006"),
    *each(_REJECTED, "a parameter is wrong", "50014", "50015", "50016", "50024", "51000", "51015"),
    *each(_REJECTED, "the account may not trade", "50007", "50008", "50012", "50027", "50028"),
    *each(_REJECTED, "the account may not trade", "50029", "51009", "51010", "51024"),
    *each(_REJECTED, "the account may not trade this", "50032", "50033"),
    *each(_REJECTED, "not allowed where the account is", "50051", "50052", "51155"),
    *each(_REJECTED, "the account must be verified first", "50059", "50060"),
    *each(_REJECTED, "the key may not do this", "50030", "50035", "50100", "50101", "50120"),
    *each(_REJECTED, "the key is not accepted", "50108", "50109", "50115", "50118"),
    *each(_REJECTED, "the key is not accepted", "50103", "50104", "50105", "50111", "50119"),
    *each(_REJECTED, "the signature is not accepted", "50106", "50107", "50113", "50114"),
    *each(_REJECTED, "the address is not allowed", "50110", "50121"),
    *each(_REJECTED, "an unknown symbol", "51001"),
    *each(_REJECTED, "the symbol is not traded now", "51021", "51022", "51087"),
    *each(_REJECTED, "too little balance", "51008", "51127", "51131"),
    *each(_REJECTED, "too large an amount", "51005", "51185", "51201", "51202", "51203"),
    *each(_REJECTED, "too small an amount", "50122", "51020", "51120"),
    *each(_REJECTED, "too fine an amount or price", "51121", "51150"),
    *each(_REJECTED, "the price is out of its limits", "51006", "51116", "51137", "51138"),
    *each(_REJECTED, "too low a price", "51122"),
    *each(_REJECTED, "a limit order without a price", "51204"),
    *each(_REJECTED, "too many open orders", "51025", "51102", "51174"),
    *OKX_REFUSED,
)

# docs.kraken.com: spot error messages; spot client order identifiers; AddOrder. Every error comes
# with status 200. The code is an error's category and type, without what may follow them; an answer
# with several errors has all of them in its code, which fits no row.
KRAKEN = (
    Row(_UNKNOWN, _STANDS, message="cl_ord_id"),
    Row(_UNKNOWN, _STANDS, message="duplicate"),
    # A late request's deadline may be too near. That refuses the attempt, and not the order.
    Row(
        _UNKNOWN,
        "the deadline is not accepted",
        code="EGeneral:Invalid arguments",
        message="deadline",
    ),
    *each(_NOT_SENT, "the nonce is not above the last one", "EAPI:Invalid nonce"),
    *each(_NOT_SENT, "too many requests", "EAPI:Rate limit exceeded", "EAuth:Rate limit exceeded"),
    *each(_NOT_SENT, "too many requests", "EGeneral:Too many requests", "EAuth:Too many requests"),
    *each(_NOT_SENT, "too many orders", "EOrder:Rate limit exceeded"),
    *each(_NOT_SENT, "too many orders", "EOrder:Domain rate limit exceeded"),
    *each(_NOT_SENT, "locked out for a while", "EGeneral:Temporary lockout"),
    *each(_REJECTED, "only cancels now", "EService:Market in cancel_only mode"),
    *each(_REJECTED, "only post-only orders now", "EService:Market in post_only mode"),
    # "The request timed out": the engine refuses what comes after the deadline, but the answer to
    # what came just before it may have been lost on its way.
    *each(_UNKNOWN, "timed out", "EService:Deadline elapsed", "EService:Timeout"),
    *each(_UNKNOWN, "out of service", "EService:Unavailable", "EService:Busy"),
    *each(_UNKNOWN, "the server broke", "EGeneral:Internal error", "EDatabase:Internal error"),
    *each(_REJECTED, "the key is not accepted", "EAPI:Invalid key"),
    *each(_REJECTED, "the signature is wrong", "EAPI:Invalid signature"),
    *each(_REJECTED, "the key may not do this", "EGeneral:Permission denied"),
    *each(_REJECTED, "the account may not trade", "EAccount:Invalid permissions"),
    *each(_REJECTED, "the account may not trade", "EAuth:Account temporary disabled"),
    *each(_REJECTED, "the account may not trade", "EAuth:Account unconfirmed"),
    *each(_REJECTED, "the account may not trade", "ETrade:User Locked"),
    *each(_REJECTED, "a parameter is wrong", "EGeneral:Invalid arguments"),
    *each(_REJECTED, "a parameter is wrong", "ETrade:Invalid request"),
    *each(_REJECTED, "an unknown pair", "EQuery:Unknown asset pair", "EQuery:Invalid asset pair"),
    *each(_REJECTED, "too little balance", "EOrder:Insufficient funds"),
    *each(_REJECTED, "too little margin", "EOrder:Insufficient margin"),
    *each(_REJECTED, "too little margin", "EOrder:Margin allowance exceeded"),
    *each(_REJECTED, "too little margin", "EOrder:Margin level too low"),
    *each(_REJECTED, "too large a position", "EOrder:Margin position size exceeded"),
    *each(_REJECTED, "the position is not allowed", "EOrder:Cannot open position"),
    *each(_REJECTED, "the position is not allowed", "EOrder:Cannot open opposing position"),
    *each(_REJECTED, "there is no such position", "EOrder:Unknown position", "EOrder:Reduce only"),
    *each(_REJECTED, "too many positions", "EOrder:Positions limit exceeded"),
    *each(_REJECTED, "too many orders for later", "EOrder:Scheduled orders limit exceeded"),
    *each(_REJECTED, "too small an amount", "EOrder:Order minimum not met"),
    *each(_REJECTED, "too small a value", "EOrder:Cost minimum not met"),
    *each(_REJECTED, "too fine a price", "EOrder:Tick size check failed"),
    *each(_REJECTED, "the price is not accepted", "EOrder:Invalid price"),
    *each(_REJECTED, "a post-only order would trade", "EOrder:Post only order"),
    *each(_REJECTED, "too many open orders", "EOrder:Orders limit exceeded"),
    *each(_REJECTED, "a purchase limit", "EBM:limit exceeded"),
)

# docs.cdp.coinbase.com: Create Order, with its lists of failure reasons; rate limits; API key
# authentication, where a token is good for two minutes. Refusals come with status 200 and
# `success: false`, "whether the order was created".
COINBASE = (
    Row(_NOT_SENT, "too many requests", status=_429),
    Row(_NOT_SENT, "not authorized, or by a token that has expired", status=_401),
    *each(_UNKNOWN, _STANDS, "DUPLICATE_CLIENT_ORDER_ID"),
    *each(_UNKNOWN, "failed, and why is not said", "UNKNOWN_FAILURE_REASON"),
    *each(_REJECTED, "a parameter is wrong", "INVALID_ARGUMENT", "NOT_FOUND", status=_4XX),
    *each(_REJECTED, "the key may not do this", "PERMISSION_DENIED", status=_4XX),
    *each(_REJECTED, "too little balance", "INSUFFICIENT_FUND", "PREVIEW_INSUFFICIENT_FUND"),
    *each(_REJECTED, "too little balance", "INSUFFICIENT_FUNDS", "INVALID_LEDGER_BALANCE"),
    *each(_REJECTED, "a parameter is wrong", "INVALID_REQUEST", "UNSUPPORTED_ORDER_CONFIGURATION"),
    *each(_REJECTED, "a parameter is wrong", "PREVIEW_INVALID_ORDER_CONFIG"),
    *each(_REJECTED, "an invalid side", "INVALID_SIDE", "PREVIEW_INVALID_SIDE"),
    *each(_REJECTED, "an invalid symbol", "INVALID_PRODUCT_ID", "PREVIEW_INVALID_PRODUCT_ID"),
    *each(_REJECTED, "too fine an amount", "INVALID_SIZE_PRECISION"),
    *each(_REJECTED, "too fine an amount", "PREVIEW_INVALID_SIZE_PRECISION"),
    *each(_REJECTED, "too fine a price", "INVALID_PRICE_PRECISION"),
    *each(_REJECTED, "too fine a price", "PREVIEW_INVALID_PRICE_PRECISION"),
    *each(_REJECTED, "too large an amount", "PREVIEW_INVALID_BASE_SIZE_TOO_LARGE"),
    *each(_REJECTED, "too small an amount", "PREVIEW_INVALID_BASE_SIZE_TOO_SMALL"),
    *each(_REJECTED, "the price is not accepted", "INVALID_LIMIT_PRICE"),
    *each(_REJECTED, "the price is not accepted", "PREVIEW_INVALID_LIMIT_PRICE"),
    *each(_REJECTED, "the price is out of its limits", "LIMIT_PRICE_TOO_FAR_FROM_MARKET"),
    *each(_REJECTED, "the price is out of its limits", "PREVIEW_BREACHED_PRICE_LIMIT"),
    *each(_REJECTED, "a post-only order would trade", "INVALID_LIMIT_PRICE_POST_ONLY"),
    *each(_REJECTED, "a post-only order would trade", "PREVIEW_INVALID_LIMIT_PRICE_POST_ONLY"),
    *each(_REJECTED, "nothing to trade with", "INVALID_NO_LIQUIDITY"),
    *each(_REJECTED, "the pair is not traded now", "INELIGIBLE_PAIR", "UNTRADABLE_PRODUCT"),
    *each(_REJECTED, "the pair is not traded now", "ORDER_ENTRY_DISABLED", "TRADING_DISABLED"),
    *each(_REJECTED, "not allowed where the account is", "GEOFENCING_RESTRICTION"),
    *each(_REJECTED, "refused by the matching engine", "COMMANDER_REJECTED_NEW_ORDER"),
    *each(_REJECTED, "the account is in liquidation", "IN_LIQUIDATION"),
    *each(_REJECTED, "refused before it was sent to the engine", "PREVIEW_*"),
)

# docs.upbit.com: REST API guide with its error codes; request rate limits; create order, where an
# identifier that was ever sent, even with an order that failed, is refused.
UPBIT = (
    Row(_NOT_SENT, "too many requests", status=_429),
    Row(_NOT_SENT, "banned for a while", status=_418),
    *each(_NOT_SENT, "the token was used before", "nonce_used", status=_401),
    Row(_UNKNOWN, "an order with this id was sent before", status=_4XX, message="identifier"),
    *each(_REJECTED, "a parameter is wrong", "create_ask_error", "create_bid_error", status=_4XX),
    *each(_REJECTED, "a parameter is wrong", "validation_error", status=_4XX),
    *each(_REJECTED, "a price off the grid", "invalid_price_bid", status=_4XX),
    *each(_REJECTED, "a price off the grid", "invalid_price_ask", status=_4XX),
    *each(_REJECTED, "too little balance", "insufficient_funds_ask", status=_4XX),
    *each(_REJECTED, "too little balance", "insufficient_funds_bid", status=_4XX),
    *each(_REJECTED, "too small a value", "under_min_total_ask", status=_4XX),
    *each(_REJECTED, "too small a value", "under_min_total_bid", status=_4XX),
    *each(_REJECTED, "the key is not accepted", "invalid_access_key", status=_4XX),
    *each(_REJECTED, "the key is not accepted", "expired_access_key", status=_4XX),
    *each(_REJECTED, "the signature is wrong", "jwt_verification", status=_4XX),
    *each(_REJECTED, "the signature is wrong", "invalid_query_payload", status=_4XX),
    *each(_REJECTED, "the address is not allowed", "no_authorization_i_p", status=_4XX),
    *each(_REJECTED, "the address is not allowed", "no_authorization_ip", status=_4XX),
    *each(_REJECTED, "the key may not do this", "out_of_scope", status=_4XX),
)

TABLES: dict[str, tuple[Row, ...]] = {
    "binance": BINANCE,
    "bybit": BYBIT,
    "okx": OKX,
    "kraken": KRAKEN,
    "coinbase": COINBASE,
    "upbit": UPBIT,
}
