"""OKX spot: its strict client and its lookups.

Sources: www.okx.com/docs-v5/en, and the okx class of ccxt. A placement and a cancel are only
acknowledged; a lookup tells their outcome.
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

A_PAGE = 100

_ACKNOWLEDGED = within("data", some(list_of(record_with("ordId", "clOrdId", "sCode"))))
_ORDER = record_with("ordId", "clOrdId", "instId", "state", "accFillSz", "sz", "side")
_TRADE = record_with("tradeId", "ordId", "billId", "instId", "fillPx", "fillSz", "side", "ts")


class StrictOkx(StrictTransport, ccxt.okx):
    """ccxt.okx that accepts only OKX's own answers.

    `expires_ms` is the time after which OKX must not process a placement any more.
    """

    expires_ms: int | None = None
    client_options: ClassVar[Mapping[str, Any]] = {
        # ccxt would send a list of one order, and judge an answer by the list's code.
        "createOrder": "privatePostTradeOrder",
        "fetchMarkets": {"types": ["spot"]},
    }
    shapes: ClassVar[Mapping[str, Shape]] = {
        "POST /trade/order": _ACKNOWLEDGED,
        "POST /trade/cancel-order": _ACKNOWLEDGED,
        "GET /trade/order": within("data", some(list_of(_ORDER))),
        "/trade/orders-pending": within("data", list_of(_ORDER)),
        "/trade/fills-history": within("data", list_of(_TRADE)),
        "/account/balance": within("data", some(list_of(record_with("details")))),
        "/public/instruments": within("data", some(list_of(record_with("instId", "state")))),
        "/market/tickers": within("data", some(list_of(record_with("instId", "last")))),
        "/market/books": within("data", some(list_of(record_with("asks", "bids")))),
        "/public/time": within("data", some(list_of(record_with("ts")))),
    }

    def code_of(self, answer: Mapping[str, Any]) -> str | None:
        """The order's own code if there is one: the answer's code only means "failed"."""
        data = answer.get("data")
        first = data[0] if isinstance(data, list) and data else None
        code = first.get("sCode") if isinstance(first, dict) else None
        return str(code) if code not in (None, "", "0") else super().code_of(answer)

    def sign(
        self, path: str, api: Any = ("public",), method: str = "GET", params: Any = None
    ) -> dict[str, Any]:
        request: dict[str, Any] = super().sign(path, api, method, params or {})
        if self.expires_ms is not None and (method, path) == ("POST", "trade/order"):
            request["headers"]["expTime"] = str(self.expires_ms)
        return request


class OkxExchange(CcxtExchange):
    """One OKX account, its spot side."""

    # Error codes of the trade class: orders already canceled or completed. ccxt knows 51603.
    gone: ClassVar[frozenset[str]] = frozenset(("51400", "51401", "51402", "51410"))
    gone_statuses: ClassVar[range] = range(200, 500)
    # ccxt would use `algoId` as the order's id if an algo order has made it.
    id_key: ClassVar[str | None] = "ordId"
    client_id_key: ClassVar[str | None] = "clOrdId"

    def _corrected(self, parsed: Any, raw: Any) -> Any:
        if not _is_by_value(raw):
            return parsed
        # For a buy, ccxt counts the whole requested value as spent.
        return sized_by_value({**parsed, "average": raw.get("avgPx") or None})

    # General class: an invalid OK-ACCESS-TIMESTAMP. ccxt knows 50102.
    clock_codes: ClassVar[frozenset[str]] = frozenset(("50112",))

    def _send(self, order: Order, attempt: Attempt) -> Any:
        """Send with the fence, a header that ccxt does not support."""
        self.client.expires_ms = attempt.valid_until_ms
        return super()._send(order, attempt)

    def _open(self, symbol: str) -> Iterable[OrderReport]:
        request = {"instType": "SPOT", "instId": self.client.market_id(symbol)}
        for page in _pages(self.client.private_get_trade_orders_pending, request, "ordId"):
            yield from (self._report(symbol, order) for order in page)

    def _fills(self, order: Order) -> Iterable[AccountFill]:
        market_id = self.client.market_id(order.symbol)
        pages = self._trades({"ordId": order.exchange_order_id, "instId": market_id})
        return self._fills_in(order.symbol, pages)

    def _pages(self, symbol: str, from_ms: int) -> Iterable[list[AccountFill]]:
        request = {"instId": self.client.market_id(symbol), "begin": from_ms}
        for page in self._trades(request):
            yield self._account_fills(symbol, page)

    def _trades(self, request: dict[str, Any]) -> Iterator[list[Any]]:
        return _pages(
            self.client.private_get_trade_fills_history, {"instType": "SPOT", **request}, "billId"
        )


def _is_by_value(order: Mapping[str, Any]) -> bool:
    """Whether `sz` is in quote. Without `tgtCcy` that is OKX's default for a market buy; ours are
    always sized in base."""
    if order.get("ordType") != "market":
        return False
    said = order.get("tgtCcy")
    is_buy = order.get("side") == Side.BUY
    return said == "quote_ccy" or (
        not said and is_buy and not is_ours(order.get("clOrdId") or None)
    )


def _pages(
    ask: Callable[[dict[str, Any]], Any], request: dict[str, Any], key: str
) -> Iterator[list[Any]]:
    """Read pages of what is older than the last item, until a page is not full."""
    request = {**request, "limit": A_PAGE}
    while True:
        page = ask(request)["data"]
        if page:
            yield page
        if len(page) < A_PAGE:
            return
        request = {**request, "after": page[-1][key]}
