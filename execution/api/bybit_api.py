"""Bybit spot, on a unified trading account: its strict client and its lookups.

Sources: bybit-exchange.github.io/docs/v5, and the bybit class of ccxt. A placement and a cancel are
only acknowledged; a lookup tells their outcome.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, ClassVar

import ccxt

from execution.api.http.transport import (
    Shape,
    StrictTransport,
    list_of,
    record_with,
    some,
    within,
)
from execution.api.strict.ccxt_exchange import CcxtExchange
from execution.api.strict.parse import sized_by_value
from execution.exchanges.port import AccountFill
from execution.model.order import Attempt, Order, OrderReport, Side
from execution.orders.identifiers import is_ours

ORDERS_A_PAGE, TRADES_A_PAGE = 50, 100
# Trades are listed for a week at most, up to now by default.
WEEK_MS = 7 * 86_400_000
# Weeks overlap by this much, because "now" is by the exchange's clock.
OVERLAP_MS = 60_000
# docs/v5/order/create-order: the unit of a spot market order's quantity.
BASE, QUOTE = "baseCoin", "quoteCoin"
# docs/v5/rate-limit: the code of an account's limit, and the header with the time of its end.
TOO_MANY_REQUESTS = "10006"
RESET_HEADER = "x-bapi-limit-reset-timestamp"
# Limits are per second; a longer wait than this means a wrong clock.
RESET_S_MAX = 60

_ACKNOWLEDGED = within("result", record_with("orderId", "orderLinkId"))
_ORDER = record_with("orderId", "orderLinkId", "symbol", "orderStatus", "cumExecQty")
_TRADE = record_with("execId", "orderId", "symbol", "side", "execPrice", "execQty", "execTime")
_WALLET = record_with("accountType", "coin")
_SYMBOL = record_with("symbol", "baseCoin", "quoteCoin", "status")
_TICKER = record_with("symbol", "lastPrice")
_ORDERS = within("result", within("list", list_of(_ORDER)))


class StrictBybit(StrictTransport, ccxt.bybit):
    """ccxt.bybit that accepts only Bybit's own answers."""

    client_options: ClassVar[Mapping[str, Any]] = {
        # That the account is a unified one; otherwise ccxt would request it from endpoints that a
        # trading key may not be allowed to use.
        "enableUnifiedMargin": False,
        "enableUnifiedAccount": True,
        "unifiedMarginStatus": 6,
        "fetchMarkets": {"types": ["spot"]},
    }
    shapes: ClassVar[Mapping[str, Shape]] = {
        "/order/create": _ACKNOWLEDGED,
        "/order/cancel": _ACKNOWLEDGED,
        "/order/realtime": _ORDERS,
        "/order/history": _ORDERS,
        "/execution/list": within("result", within("list", list_of(_TRADE))),
        "/account/wallet-balance": within("result", within("list", some(list_of(_WALLET)))),
        "/market/instruments-info": within("result", within("list", some(list_of(_SYMBOL)))),
        "/market/orderbook": within("result", record_with("a", "b")),
        "/market/tickers": within("result", within("list", some(list_of(_TICKER)))),
        "/market/time": record_with("time"),
    }

    def code_of(self, answer: Mapping[str, Any]) -> str | None:
        """Almost every error has status 200; the code distinguishes them."""
        return str(answer["retCode"]) if "retCode" in answer else None

    def read_answer(
        self, code: int, url: str, headers: Mapping[str, str], body: str, response: Any
    ) -> None:
        super().read_answer(code, url, headers, body, response)
        if self.exchange_code == TOO_MANY_REQUESTS:
            self.retry_after_s = max(self.retry_after_s, self._reset_s(headers))

    def _reset_s(self, headers: Mapping[str, str]) -> int:
        """Bybit has no Retry-After; it gives the time, on its own clock, when a limit ends."""
        reset_ms = {name.lower(): value for name, value in headers.items()}.get(RESET_HEADER, "")
        if not reset_ms.isdigit():
            return 0
        if self.line is None:
            now_ms: int = self.milliseconds() - self.options["timeDifference"]
        else:
            now_ms = self.line.likely_ms()
        return min(RESET_S_MAX, max(1, -((now_ms - int(reset_ms)) // 1000)))


class BybitExchange(CcxtExchange):
    """One Bybit unified trading account, its spot side."""

    # docs/v5/error: orders that are canceled, filled, rejected or not known any more.
    gone: ClassVar[frozenset[str]] = frozenset(
        ("110001", "110008", "110010", "170139", "170142", "170143", "170190", "170213")
    )
    gone_statuses: ClassVar[range] = range(200, 500)
    # docs/v5/error: a time limit, a fault or the load of the server, or of its backend.
    outages: ClassVar[frozenset[str]] = frozenset(
        ("429", "10000", "10016", "170001", "170007", "170032")
    )
    id_key: ClassVar[str | None] = "orderId"
    client_id_key: ClassVar[str | None] = "orderLinkId"

    def _send(self, order: Order, attempt: Attempt) -> Any:
        """Sign with the attempt's window, which ccxt reads from an option."""
        usual = self.client.options["recvWindow"]
        self.client.options["recvWindow"] = attempt.valid_until_ms - attempt.stamp_ms
        try:
            return super()._send(order, attempt)
        finally:
            self.client.options["recvWindow"] = usual

    def _report(self, symbol: str, order: Any) -> OrderReport:
        return super()._report(symbol, {**order, "marketUnit": _unit_of(order)})

    def _corrected(self, parsed: Any, raw: Any) -> Any:
        by_value = raw.get("marketUnit") == QUOTE and raw.get("orderType") == "Market"
        return sized_by_value(parsed) if by_value else parsed

    def _lookup(self, order: Order) -> OrderReport | None:
        return self._searched(order.symbol, {"orderLinkId": order.client_order_id})

    def _fetched(self, symbol: str, exchange_order_id: str) -> OrderReport | None:
        # ccxt's own fetch_order requires an acknowledgement that it searches only the latest
        # orders.
        return self._searched(symbol, {"orderId": exchange_order_id})

    def _searched(self, symbol: str, wanted: dict[str, str]) -> OrderReport | None:
        """Search the open and the latest ended orders, then all ended orders."""
        request = {"category": "spot", **wanted}
        for ask in (
            self.client.private_get_v5_order_realtime,
            self.client.private_get_v5_order_history,
        ):
            for order_info in ask(request)["result"]["list"]:
                return self._report(symbol, order_info)
        return None

    def _open(self, symbol: str) -> Iterable[OrderReport]:
        market_id = self.client.market_id(symbol)
        request = {"category": "spot", "symbol": market_id, "limit": ORDERS_A_PAGE}
        for page in _pages(self.client.private_get_v5_order_realtime, request):
            yield from (self._report(symbol, order) for order in page)

    def _fills(self, order: Order) -> Iterable[AccountFill]:
        from_ms = int(order.created_at.timestamp() * 1000) - OVERLAP_MS
        pages = self._trades({"orderId": order.exchange_order_id}, from_ms)
        return self._fills_in(order.symbol, pages)

    def _pages(self, symbol: str, from_ms: int) -> Iterable[list[AccountFill]]:
        request = {"symbol": self.client.market_id(symbol)}
        for page in self._trades(request, from_ms):
            yield self._account_fills(symbol, page)

    def _trades(self, request: dict[str, Any], from_ms: int) -> Iterator[list[Any]]:
        """Pages of trades, week after week into the past, until `from_ms` is reached."""
        request = {"category": "spot", "execType": "Trade", "limit": TRADES_A_PAGE, **request}
        end_ms = self._clock.now_ms()
        yield from _pages(self.client.private_get_v5_execution_list, request)
        while end_ms - WEEK_MS + OVERLAP_MS > from_ms:
            end_ms -= WEEK_MS - OVERLAP_MS
            week = {"startTime": end_ms - WEEK_MS, "endTime": end_ms}
            yield from _pages(self.client.private_get_v5_execution_list, {**request, **week})


def _unit_of(order: Mapping[str, Any]) -> str:
    """The unit of an order's quantity. If the answer omits it, our own orders are sized in base,
    and another's market buy in quote, which is Bybit's default."""
    said = order.get("marketUnit")
    if said:
        return str(said)
    is_buy = str(order.get("side", "")).lower() == Side.BUY
    return QUOTE if is_buy and not is_ours(order.get("orderLinkId")) else BASE


def _pages(ask: Callable[[dict[str, Any]], Any], request: dict[str, Any]) -> Iterator[list[Any]]:
    """Read pages until one is empty or names no next page."""
    while True:
        result = ask(request)["result"]
        if result["list"]:
            yield result["list"]
        if not result["list"] or not result.get("nextPageCursor"):
            return
        request = {**request, "cursor": result["nextPageCursor"]}
