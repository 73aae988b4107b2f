"""What the exchanges say that refuse no late request, but a repeated id: Coinbase and Upbit."""

from collections.abc import Callable, Iterable
from typing import Any

from tests.support.api.canned_server import Reply, Request
from tests.support.api.kit import DATA, ORDER_ID, Kit, Told, Trade, iso, paged
from tests.support.clock import START_MS


class Coinbase(Kit):
    name = "coinbase"
    markets = "GET /api/v3/brokerage/market/products"
    new_order = "POST /api/v3/brokerage/orders"
    cancel_order = "POST /api/v3/brokerage/orders/batch_cancel"
    balances = "GET /api/v3/brokerage/accounts"
    book = "GET /api/v3/brokerage/market/product_book"
    lookups = ("GET /api/v3/brokerage/orders/historical/batch",)
    gone = ((200, "UNKNOWN_CANCEL_ORDER"),)
    words = (
        ("PENDING", "open", "0"),
        ("OPEN", "open", "0.4"),
        ("QUEUED", "open", "0"),
        ("CANCEL_QUEUED", "open", "0.4"),
        ("FILLED", "filled", "1"),
        ("CANCELLED", "canceled", "0.4"),
        ("EXPIRED", "expired", "0"),
        ("FAILED", "rejected", "0"),
    )
    # A key of the old kind, which costs no arithmetic.
    secret = "the-secret"

    def at_start(self) -> dict[str, Any]:
        fees = {"fee_tier": {"taker_fee_rate": "0.006", "maker_fee_rate": "0.004"}}
        products = (DATA / "coinbase_markets.json").read_text()
        return {
            self.markets: lambda request: (
                {"products": []} if "product_type" in request.params else products
            ),
            "GET /api/v3/brokerage/transaction_summary": fees,
        }

    def accepted(self, client_order_id: str) -> Any:
        told = {
            "order_id": ORDER_ID,
            "product_id": "BTC-USDT",
            "side": "BUY",
            "client_order_id": client_order_id,
        }
        return {"success": True, "success_response": told, "order_configuration": {}}

    def refused(self, code: str, message: str) -> Any:
        if code in ("INVALID_ARGUMENT", "PERMISSION_DENIED") or code.islower():
            return {"error": code, "error_details": message, "message": message}
        preview, failure = code.startswith("PREVIEW_"), "UNKNOWN_FAILURE_REASON"
        return {
            "success": False,
            "error_response": {
                "error": failure if preview else code,
                "message": message,
                "error_details": "",
                "preview_failure_reason": code if preview else "UNKNOWN_PREVIEW_FAILURE_REASON",
                "new_order_failure_reason": failure,
            },
        }

    def canceled(self) -> Any:
        return {"results": [{"success": True, "failure_reason": "", "order_id": ORDER_ID}]}

    def cannot_cancel(self, code: str) -> Any:
        return {"results": [{"success": False, "failure_reason": code, "order_id": ORDER_ID}]}

    def told(self, told: Told) -> Any:
        return {
            "order_id": told.order_id,
            "client_order_id": told.client_order_id,
            "product_id": "BTC-USDT",
            "side": "BUY",
            "status": told.word,
            "order_type": "LIMIT",
            "order_configuration": {"limit_limit_gtc": {"base_size": "1", "limit_price": "100"}},
            "created_time": iso(START_MS),
            "filled_size": told.filled,
            "average_filled_price": "100" if told.filled != "0" else "0",
            "total_fees": "0",
        }

    def finds(self, orders: Iterable[Told]) -> dict[str, Any]:
        """On the second page of its list, behind somebody else's order."""
        told = [self.told(Told("another", "OPEN", order_id="O-1")), *map(self.told, orders)]
        return {self.lookups[0]: self._listed("orders", told, 1)}

    def opens(self, orders: list[Told]) -> dict[str, Any]:
        return {self.lookups[0]: self._listed("orders", [self.told(order) for order in orders], 60)}

    def trades(self, trades: list[Trade]) -> dict[str, Any]:
        rows = [
            {
                "entry_id": f"e-{trade.number}",
                "trade_id": f"t-{trade.number}",
                "order_id": trade.order_id,
                "trade_time": iso(trade.time_ms),
                "trade_type": "FILL",
                "price": "100",
                "size": "0.001",
                "commission": "0.0001",
                "product_id": "BTC-USDT",
                "size_in_quote": False,
                "side": "BUY",
            }
            for trade in trades
        ]
        return {
            "GET /api/v3/brokerage/orders/historical/fills": self._listed("fills", rows, 60),
        }

    def _listed(self, name: str, rows: list[Any], size: int) -> Callable[[Request], Any]:
        page = paged(rows, size, lambda request: int(request.params.get("cursor", 0)))

        def answer(request: Request) -> Any:
            told, following = page(request)
            return {name: told, "cursor": "" if following is None else str(following)}

        return answer


class Upbit(Kit):
    name = "upbit"
    markets = "GET /v1/market/all"
    new_order = "POST /v1/orders"
    cancel_order = "DELETE /v1/order"
    balances = "GET /v1/accounts"
    book = "GET /v1/orderbook"
    lookups = ("GET /v1/order",)
    gone = ((404, "order_not_found"),)
    words = (
        ("wait", "open", "0.4"),
        ("done", "filled", "1"),
        ("done", "canceled", "0.4"),
        ("cancel", "canceled", "0.4"),
    )
    clock_step_ms = 1_000

    def accepted(self, client_order_id: str) -> Any:
        told = self.told(Told(client_order_id, "wait"))
        del told["trades"]
        return told

    def refused(self, code: str, message: str) -> Any:
        return {"error": {"name": code, "message": message}}

    def canceled(self) -> Any:
        return self.accepted("whatever")

    def told(self, told: Told, trades: Iterable[Trade] = ()) -> Any:
        rows = [
            {
                "market": "USDT-BTC",
                "uuid": f"t-{trade.number}",
                "price": "100",
                "volume": "0.001",
                "funds": "0.1",
                "side": "bid",
                "created_at": iso(trade.time_ms).replace("Z", "+00:00"),
            }
            for trade in trades
        ]
        return {
            "uuid": told.order_id,
            "identifier": told.client_order_id,
            "market": "USDT-BTC",
            "side": "bid",
            "ord_type": "limit",
            "price": "100",
            "state": told.word,
            "created_at": "2027-01-15T17:00:00+09:00",
            "volume": "1",
            "executed_volume": told.filled,
            "remaining_volume": "0",
            "paid_fee": f"0.{len(rows):04}",
            "trades": rows,
        }

    def finds(self, orders: Iterable[Told]) -> dict[str, Any]:
        told = [self.told(order, [Trade(1, START_MS)]) for order in orders]
        none = Reply(self.refused("order_not_found", "주문을 찾지 못했습니다."), 404)
        return {self.lookups[0]: told[0] if told else none}

    def opens(self, orders: list[Told]) -> dict[str, Any]:
        rows = [self.told(order) for order in orders]
        page = paged(rows, 100, lambda request: 100 * (int(request.params["page"]) - 1))
        return {"GET /v1/orders/open": lambda request: page(request)[0]}

    def trades(self, trades: list[Trade]) -> dict[str, Any]:
        """One order is still open and partly filled, the others have ended."""
        ids = list(dict.fromkeys(trade.order_id for trade in trades))
        orders = {
            id_: self.told(
                Told("x", "wait" if id_ == ids[0] else "done", "0.4", id_),
                [trade for trade in trades if trade.order_id == id_],
            )
            for id_ in ids
        }
        untouched = self.told(Told("y", "cancel", "0", "O-empty"))
        return {
            "GET /v1/orders/open": [orders[id_] for id_ in ids[:1]],
            "GET /v1/orders/closed": [*(orders[id_] for id_ in ids[1:]), untouched],
            "GET /v1/order": lambda request: orders[request.params["uuid"]],
        }
