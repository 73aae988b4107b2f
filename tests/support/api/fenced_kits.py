"""What the exchanges say that refuse a late request: Bybit, OKX and Kraken."""

from collections.abc import Callable, Iterable
from typing import Any

from tests.support.api.canned_server import Request
from tests.support.api.kit import ORDER_ID, Kit, Told, Trade, paged
from tests.support.clock import START_MS


class Bybit(Kit):
    name = "bybit"
    markets = "GET /v5/market/instruments-info"
    new_order = "POST /v5/order/create"
    cancel_order = "POST /v5/order/cancel"
    balances = "GET /v5/account/wallet-balance"
    book = "GET /v5/market/orderbook"
    lookups = ("GET /v5/order/realtime", "GET /v5/order/history")
    gone = ((200, "170213"), (200, "170142"), (200, "110001"), (200, "110008"))
    words = (
        ("New", "open", "0"),
        ("PartiallyFilled", "open", "0.4"),
        ("Filled", "filled", "1"),
        ("Cancelled", "canceled", "0"),
        ("PartiallyFilledCanceled", "canceled", "0.4"),
        ("Rejected", "rejected", "0"),
    )

    def answer(self, result: Any, code: int = 0, message: str = "OK") -> Any:
        return {"retCode": code, "retMsg": message, "result": result, "time": START_MS}

    def accepted(self, client_order_id: str) -> Any:
        return self.answer({"orderId": ORDER_ID, "orderLinkId": client_order_id})

    def refused(self, code: str, message: str) -> Any:
        return self.answer({}, int(code), message)

    def canceled(self) -> Any:
        return self.accepted("whatever")

    def told(self, told: Told) -> Any:
        return {
            "orderId": told.order_id,
            "orderLinkId": told.client_order_id,
            "symbol": "BTCUSDT",
            "side": "Buy",
            "orderType": "Limit",
            "orderStatus": told.word,
            "price": "100",
            "qty": "1",
            "cumExecQty": told.filled,
            "cumExecValue": "40" if told.filled == "0.4" else "0",
            "avgPrice": "100" if told.filled != "0" else "",
            "leavesQty": "0",
            "createdTime": str(START_MS),
        }

    def finds(self, orders: Iterable[Told]) -> dict[str, Any]:
        """In the history alone, where orders that ended long ago are."""
        none = self.answer({"list": [], "nextPageCursor": "", "category": "spot"})
        told = [self.told(order) for order in orders]
        found = self.answer({"list": told, "nextPageCursor": "a%3A1", "category": "spot"})
        return {self.lookups[0]: none, self.lookups[1]: found if told else none}

    def opens(self, orders: list[Told]) -> dict[str, Any]:
        return {self.lookups[0]: self._listed([self.told(order) for order in orders], 50)}

    def trades(self, trades: list[Trade]) -> dict[str, Any]:
        rows = [
            {
                "symbol": "BTCUSDT",
                "orderId": trade.order_id,
                "orderLinkId": "",
                "side": "Buy",
                "execId": f"t-{trade.number}",
                "execPrice": "100",
                "execQty": "0.001",
                "execFee": "0.0001",
                "feeCurrency": "USDT",
                "feeCoin": "USDT",
                "execType": "Trade",
                "execTime": str(trade.time_ms),
            }
            for trade in trades
        ]
        return {"GET /v5/execution/list": self._listed(rows, 60)}

    def _listed(self, rows: list[Any], size: int) -> Callable[[Request], Any]:
        page = paged(rows, size, lambda request: int(request.params.get("cursor", 0)))

        def answer(request: Request) -> Any:
            told, following = page(request)
            older = int(request.params.get("endTime", START_MS)) < START_MS
            cursor = "" if following is None else str(following)
            return self.answer({"list": [] if older else told, "nextPageCursor": cursor})

        return answer


class Okx(Kit):
    name = "okx"
    markets = "GET /api/v5/public/instruments"
    new_order = "POST /api/v5/trade/order"
    cancel_order = "POST /api/v5/trade/cancel-order"
    balances = "GET /api/v5/account/balance"
    book = "GET /api/v5/market/books"
    lookups = ("GET /api/v5/trade/order",)
    gone = ((200, "51400"), (200, "51401"), (200, "51402"), (200, "51603"))
    words = (
        ("live", "open", "0"),
        ("partially_filled", "open", "0.4"),
        ("filled", "filled", "1"),
        ("canceled", "canceled", "0.4"),
        ("mmp_canceled", "canceled", "0"),
    )

    def answer(self, data: list[Any], code: str = "0", message: str = "") -> Any:
        return {"code": code, "data": data, "msg": message}

    def accepted(self, client_order_id: str) -> Any:
        told = {"clOrdId": client_order_id, "ordId": ORDER_ID, "sCode": "0", "sMsg": ""}
        return self.answer([told])

    def refused(self, code: str, message: str) -> Any:
        if not code.startswith("51") and code not in ("50011", "50061", "50071"):
            return self.answer([], code, message)
        told = {"clOrdId": "", "ordId": "", "sCode": code, "sMsg": message, "tag": ""}
        return self.answer([told], "1", "All operations failed")

    def canceled(self) -> Any:
        return self.accepted("")

    def told(self, told: Told) -> Any:
        return {
            "ordId": told.order_id,
            "clOrdId": told.client_order_id,
            "instId": "BTC-USDT",
            "instType": "SPOT",
            "side": "buy",
            "ordType": "limit",
            "state": told.word,
            "px": "100",
            "sz": "1",
            "accFillSz": told.filled,
            "avgPx": "100" if told.filled != "0" else "",
            "fee": "-0.04",
            "feeCcy": "USDT",
            "cTime": str(START_MS),
        }

    def finds(self, orders: Iterable[Told]) -> dict[str, Any]:
        told = [self.told(order) for order in orders]
        none = self.answer([], "51603", "Order does not exist")
        return {self.lookups[0]: self.answer(told) if told else none}

    def opens(self, orders: list[Told]) -> dict[str, Any]:
        rows = [self.told(order) for order in orders]
        return {"GET /api/v5/trade/orders-pending": self._listed(rows, "ordId")}

    def trades(self, trades: list[Trade]) -> dict[str, Any]:
        rows = [
            {
                "tradeId": f"t-{trade.number}",
                "billId": f"b-{trade.number}",
                "ordId": trade.order_id,
                "clOrdId": "",
                "instId": "BTC-USDT",
                "instType": "SPOT",
                "side": "buy",
                "fillPx": "100",
                "fillSz": "0.001",
                "fee": "-0.0001",
                "feeCcy": "USDT",
                "ts": str(trade.time_ms),
            }
            for trade in trades
        ]
        return {"GET /api/v5/trade/fills-history": self._listed(rows, "billId")}

    def _listed(self, rows: list[Any], key: str) -> Callable[[Request], Any]:
        ids = [row[key] for row in rows]

        def start(request: Request) -> int:
            after = request.params.get("after")
            return 0 if after is None else ids.index(after) + 1

        page = paged(rows, 100, start)
        return lambda request: self.answer(page(request)[0])


class Kraken(Kit):
    name = "kraken"
    markets = "GET /0/public/AssetPairs"
    new_order = "POST /0/private/AddOrder"
    cancel_order = "POST /0/private/CancelOrder"
    balances = "POST /0/private/BalanceEx"
    book = "GET /0/public/Depth"
    lookups = ("POST /0/private/OpenOrders", "POST /0/private/ClosedOrders")
    gone = ((200, "EOrder:Unknown order"),)
    words = (
        ("pending", "open", "0"),
        ("open", "open", "0.4"),
        ("closed", "filled", "1"),
        ("canceled", "canceled", "0.4"),
        ("expired", "expired", "0"),
    )
    clock_step_ms = 1_000

    def answer(self, result: Any) -> Any:
        return {"error": [], "result": result}

    def accepted(self, client_order_id: str) -> Any:
        del client_order_id
        descr = {"order": "buy 1.00000000 XBTUSDT @ limit 100.0"}
        return self.answer({"descr": descr, "txid": [ORDER_ID]})

    def refused(self, code: str, message: str) -> Any:
        del message
        return {"error": code.split(", ")}

    def canceled(self) -> Any:
        return self.answer({"count": 1})

    def told(self, told: Told) -> Any:
        return {
            "cl_ord_id": told.client_order_id,
            "userref": None,
            "status": told.word,
            "opentm": START_MS / 1000,
            "descr": {"pair": "XBTUSDT", "type": "buy", "ordertype": "limit", "price": "100.0"},
            "vol": "1.00000000",
            "vol_exec": told.filled,
            "cost": "0.0",
            "fee": "0.0",
            "price": "100.0" if told.filled != "0" else "0.0",
            "oflags": "fciq",
        }

    def finds(self, orders: Iterable[Told]) -> dict[str, Any]:
        told = {order.order_id: self.told(order) for order in orders}
        return {
            self.lookups[0]: self.answer({"open": {}}),
            self.lookups[1]: self.answer({"closed": told, "count": len(told)}),
        }

    def opens(self, orders: list[Told]) -> dict[str, Any]:
        told = {order.order_id: self.told(order) for order in orders}
        elsewhere = self.told(Told("another", "open"))
        elsewhere["descr"] = {**elsewhere["descr"], "pair": "XBTUSD"}
        return {self.lookups[0]: self.answer({"open": {**told, "O-USD": elsewhere}})}

    def trades(self, trades: list[Trade]) -> dict[str, Any]:
        rows = {
            f"t-{trade.number}": {
                "ordertxid": trade.order_id,
                "pair": "XBTUSDT",
                "time": trade.time_ms / 1000,
                "type": "buy",
                "ordertype": "limit",
                "price": "100.00000",
                "cost": "0.1",
                "fee": "0.0001",
                "vol": "0.00100000",
                "maker": True,
            }
            for trade in trades
        }
        usd = {**next(iter(rows.values()), {}), "pair": "XBTUSD", "time": START_MS / 1000 + 3_600}
        listed = [("t-usd", usd), *rows.items()] if rows else []
        page = paged(listed, 50, lambda request: int(request.params["ofs"]))
        told = {**self.told(Told("x", "closed", "1")), "trades": list(rows)}
        return {
            "POST /0/private/TradesHistory": lambda request: self.answer(
                {"trades": dict(page(request)[0]), "count": len(listed)}
            ),
            "POST /0/private/QueryOrders": self.answer({ORDER_ID: told}),
            "POST /0/private/QueryTrades": lambda request: self._some_of(rows, request),
        }

    def _some_of(self, rows: dict[str, Any], request: Request) -> Any:
        """The trades that are asked for, at most 20 at a time."""
        ids = request.params["txid"].split(",")
        if len(ids) > 20:
            return self.refused("EGeneral:Invalid arguments:txid", "")
        return self.answer({id_: rows[id_] for id_ in ids})
