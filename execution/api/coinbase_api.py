"""Coinbase spot (Advanced Trade): its strict client and its lookups.

Sources: docs.cdp.coinbase.com, and the coinbase class of ccxt. A placement and a cancel are only
acknowledged. Late placements are not refused, but a repeated client_order_id makes no second order:
the answer then has the first one.
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
from execution.model.order import Attempt, Order, OrderReport, OrderType, Side

A_PAGE = 250
# The margin for our clock's error when orders are searched from their creation on.
CREATED_MARGIN_MS = 3_600_000

_PLACED = within("success_response", record_with("order_id"))
_ORDER = record_with("order_id", "client_order_id", "product_id", "status", "filled_size")
_TRADE = record_with("trade_id", "order_id", "product_id", "trade_time", "price", "size", "side")
_ACCOUNT = record_with("currency", "type", "available_balance", "hold")
_STATUSES = {
    "PENDING": "open",
    "QUEUED": "open",
    "OPEN": "open",
    "EDIT_QUEUED": "open",
    "CANCEL_QUEUED": "open",
    "FILLED": "closed",
    "CANCELLED": "canceled",
    "EXPIRED": "expired",
    "FAILED": "rejected",
}


class StrictCoinbase(StrictTransport, ccxt.coinbase):
    """ccxt.coinbase that accepts only Coinbase's own answers."""

    client_options: ClassVar[Mapping[str, Any]] = {
        "fetchBalance": "v3PrivateGetBrokerageAccounts",
        # For the stable pairs ccxt has built-in fees, as floats.
        "stablePairs": [],
    }
    shapes: ClassVar[Mapping[str, Shape]] = {
        "POST /brokerage/orders": lambda answer: answer.get("success") is True and _PLACED(answer),
        "/orders/batch_cancel": within("results", some(list_of(record_with("success")))),
        "/orders/historical/batch": within("orders", list_of(_ORDER)),
        "/orders/historical/fills": within("fills", list_of(_TRADE)),
        "/brokerage/accounts": within("accounts", list_of(_ACCOUNT)),
        "/market/products": within("products", list_of(record_with("product_id"))),
        "/brokerage/transaction_summary": record_with("fee_tier"),
        "/market/product_book": within("pricebook", record_with("bids", "asks")),
        "/brokerage/time": record_with("epochMillis"),
    }

    def _shape_of(self, method: str, path: str) -> Shape | None:
        """One order's own path ends with its id."""
        known = super()._shape_of(method, path)
        is_by_id = known is None and "/orders/historical/" in path
        return within("order", _ORDER) if is_by_id else known

    def seconds(self) -> int:
        """The time in a token: the journaled stamp if there is one, else the exchange's time."""
        if self.stamp_ms is None and self.line is None:
            return int(super().seconds())
        return self.nonce() // 1000

    def parse_trade(self, trade: Any, market: Any = None) -> Any:
        """With the trade's own price, which ccxt recomputes if its size is in quote."""
        return {**super().parse_trade(trade, market), "price": trade["price"]}

    def code_of(self, answer: Mapping[str, Any]) -> str | None:
        """The first name more specific than "failed", in a refusal, in an error or in the first
        result of a cancel."""
        refusal = answer.get("error_response")
        if isinstance(refusal, dict):
            names = [
                refusal.get(key)
                for key in ("error", "new_order_failure_reason", "preview_failure_reason")
            ]
            said = [str(name) for name in names if name]
            return next((name for name in said if "UNKNOWN" not in name), next(iter(said), None))
        results = answer.get("results")
        if isinstance(results, list) and results and isinstance(results[0], dict):
            return str(results[0].get("failure_reason"))
        return str(answer["error"]) if answer.get("error") else None


class CoinbaseExchange(CcxtExchange):
    """One Coinbase account."""

    gone: ClassVar[frozenset[str]] = frozenset(("UNKNOWN_CANCEL_ORDER",))
    gone_statuses: ClassVar[range] = range(200, 500)
    id_key: ClassVar[str | None] = "order_id"
    client_id_key: ClassVar[str | None] = "client_order_id"

    def _refusal(self, order: Order) -> str | None:
        if order.type is OrderType.MARKET and order.side is Side.BUY:
            return "type: Coinbase takes a market buy only by the amount of quote currency to spend"
        return None

    def _terms(self, order: Order, attempt: Attempt) -> dict[str, Any]:
        del attempt
        # Under Coinbase's name: with ccxt's own name, ccxt would generate an id itself.
        return {"client_order_id": order.client_order_id}

    def _cancel(self, order: Order) -> OrderReport:
        request = {"order_ids": [order.exchange_order_id]}
        answer = self.client.v3_private_post_brokerage_orders_batch_cancel(request)
        if answer["results"][0]["success"] is not True:
            raise ccxt.ExchangeError(f"the cancel failed: {self.client.exchange_code}")
        return self._found(order)

    def _lookup(self, order: Order) -> OrderReport | None:
        """Coinbase has no lookup by client id, so its list of orders is searched."""
        created_ms = int(order.created_at.timestamp() * 1000)
        request = {
            "product_ids": [self.client.market_id(order.symbol)],
            "start_date": self.client.iso8601(created_ms - CREATED_MARGIN_MS),
        }
        for page in self._orders(request):
            for order_info in page:
                if order_info["client_order_id"] == order.client_order_id:
                    return self._report(order.symbol, order_info)
        return None

    def _fetched(self, symbol: str, exchange_order_id: str) -> OrderReport | None:
        request = {"order_id": exchange_order_id}
        answer = self.client.v3_private_get_brokerage_orders_historical_order_id(request)
        return self._report(symbol, answer["order"])

    def _corrected(self, parsed: Any, raw: Any) -> Any:
        """With Coinbase's own status, and with the size and price of every kind of order: ccxt
        supports only some kinds."""
        if "status" not in raw:
            return parsed
        kinds: Mapping[str, Any] = raw.get("order_configuration") or {}
        asked: Mapping[str, Any] = next(iter(kinds.values()), {})
        order = {
            **parsed,
            "status": _STATUSES[raw["status"]],
            "amount": asked.get("base_size"),
            "price": asked.get("limit_price"),
        }
        return order if asked.get("base_size") else sized_by_value(order)

    def _open(self, symbol: str) -> Iterable[OrderReport]:
        request = {"product_ids": [self.client.market_id(symbol)], "order_status": ["OPEN"]}
        for page in self._orders(request):
            yield from (self._report(symbol, order) for order in page)

    def _orders(self, request: dict[str, Any]) -> Iterator[list[Any]]:
        ask = self.client.v3_private_get_brokerage_orders_historical_batch
        return _pages(ask, request, "orders")

    def _fills(self, order: Order) -> Iterable[AccountFill]:
        return self._fills_in(order.symbol, self._trades({"order_ids": [order.exchange_order_id]}))

    def _pages(self, symbol: str, from_ms: int) -> Iterable[list[AccountFill]]:
        del from_ms
        for page in self._trades({"product_ids": [self.client.market_id(symbol)]}):
            yield self._account_fills(symbol, page)

    def _trades(self, request: dict[str, Any]) -> Iterator[list[Any]]:
        ask = self.client.v3_private_get_brokerage_orders_historical_fills
        return _pages(ask, request, "fills")

    def _server_ms(self) -> int:
        return int(self.client.v3_public_get_brokerage_time()["epochMillis"])


def _pages(
    ask: Callable[[dict[str, Any]], Any], request: dict[str, Any], name: str
) -> Iterator[list[Any]]:
    """Read pages, newest orders first, until one is empty or names no next page."""
    request = {**request, "limit": A_PAGE}
    while True:
        answer = ask(request)
        if answer[name]:
            yield answer[name]
        if not answer[name] or not answer.get("cursor"):
            return
        request = {**request, "cursor": answer["cursor"]}
