"""Bybit's guarantees for ids and late requests, and what its answers prove."""

from execution.exchanges.guarantees import DAY_MS, ENGINE_BOUND_MS, ExchangeGuarantees, Uniqueness
from execution.exchanges.verdicts import (
    NOT_SENT,
    REJECTED,
    STANDS,
    STATUS_403,
    STATUS_429,
    UNKNOWN,
    VerdictRule,
    each,
    refused_by_rules,
)

GUARANTEES = ExchangeGuarantees(
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

# bybit-exchange.github.io/docs/v5/error: unified trading account (110xxx), spot trade (170xxx) and
# risk control (30xxx).
_REFUSED = refused_by_rules(
    """
    30133 30134 30208 30209 30228 30256
    110003 110005 110006 110009 110017..110023 110032 110040 110042 110044 110051..110053 110063
    110066..110070 110074 110080 110088 110090 110092..110095 110098 110103 110118..110121
    110123..110125 110131 110132
    170010 170011 170019 170034 170036 170037 170195 170196 170199..170204 170206 170207 170209
    170215 170216 170219 170220 170223..170226 170230 170241 170341 170344 170346 170348 170355
    170358..170360 170709
    """
)

# bybit-exchange.github.io/docs/v5/error: HTTP codes, UTA and spot trade. Most errors come with
# status 200 and a retCode.
VERDICTS = (
    *each(UNKNOWN, "timed out inside the exchange", "10000", "170001", "170007", "170032"),
    *each(UNKNOWN, "the request came twice", "10014"),
    *each(UNKNOWN, "the server broke", "10016"),
    *each(UNKNOWN, "the engine is loaded, and whether it took the order is not said", "429"),
    *each(UNKNOWN, STANDS, "170141", "110072"),
    *each(UNKNOWN, "the order is processed already, or being processed", "110079", "170035"),
    *each(UNKNOWN, "creating the order timed out", "170146"),
    *each(UNKNOWN, "creating the order failed, and how far it got is not said", "170149"),
    *each(UNKNOWN, "the system broke", "170234"),
    VerdictRule(NOT_SENT, "too many requests for the system", status=STATUS_429),
    VerdictRule(NOT_SENT, "too many requests from this address", status=STATUS_403),
    *each(NOT_SENT, "outside the receive window", "10002", "-1"),
    *each(NOT_SENT, "too many requests", "10006", "10018", "170222"),
    *each(NOT_SENT, "too many orders", "170005"),
    *each(REJECTED, "a parameter is wrong", "10001", "170105", "170130"),
    *each(REJECTED, "the key is not accepted", "10003", "10007", "-2015", "33004"),
    *each(REJECTED, "the signature is wrong", "10004"),
    *each(REJECTED, "the key may not do this", "10005", "10008", "10028", "10029"),
    *each(REJECTED, "the address is not allowed", "10009", "10010"),
    *each(REJECTED, "there is no such route", "10017"),
    *each(REJECTED, "trading is not allowed", "10024", "10027", "170031"),
    *each(REJECTED, "too little balance", "110004", "110007", "110012", "110045"),
    *each(REJECTED, "too little balance", "170033", "170131"),
    *each(REJECTED, "an invalid time in force", "170115"),
    *each(REJECTED, "an invalid order type", "170116"),
    *each(REJECTED, "an invalid side", "170117"),
    *each(REJECTED, "an invalid symbol", "170121", "170221"),
    *each(REJECTED, "too large an amount", "170124", "170135", "170197", "170198"),
    *each(REJECTED, "too large an amount", "170228", "170229", "170381", "170382"),
    *each(REJECTED, "too small an amount", "170136", "170140"),
    *each(REJECTED, "too fine an amount", "170137", "170148"),
    *each(REJECTED, "too high a price", "170132", "170192", "170193", "170372"),
    *each(REJECTED, "too low a price", "170133", "170194", "170371"),
    *each(REJECTED, "too fine a price", "170134"),
    *each(REJECTED, "the pair is not open to such orders", "170151", "170157", "170159"),
    *each(REJECTED, "refused by the matching engine", "170210"),
    *each(REJECTED, "only post-only orders now", "170217"),
    *each(REJECTED, "a post-only order would trade", "170218"),
    *each(REJECTED, "not supported", "170227"),
    *each(REJECTED, "too many open orders", "170810"),
    *_REFUSED,
)
