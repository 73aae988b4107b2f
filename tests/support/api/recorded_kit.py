"""Recorded orders put into every answer in which their exchange could tell them.

An order and its trades, as the exchange has written them, become the answers to each question that
an adapter may ask about them. The markets are made up, so that any symbol can be spoken of.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from execution.api.binance_api import BinanceExchange, binance_client
from execution.api.other_exchange_api import ADAPTERS
from execution.api.strict.ccxt_exchange import CcxtExchange
from execution.exchanges.account import Account
from execution.exchanges.registry import GUARANTEES
from tests.support.api.canned_server import CannedServer, Reply, Request
from tests.support.api.kit import DATA, SECRET
from tests.support.clock import FakeClock

Raw = dict[str, Any]
RECORDED: dict[str, list[Raw]] = json.loads((DATA / "recorded_orders.json").read_text())
IDS: dict[str, Callable[[str, str], str]] = {
    "binance": lambda base, quote: base + quote,
    "bybit": lambda base, quote: base + quote,
    "okx": lambda base, quote: f"{base}-{quote}",
    "kraken": lambda base, quote: base.replace("BTC", "XBT") + quote,
    "coinbase": lambda base, quote: f"{base}-{quote}",
    "upbit": lambda base, quote: f"{quote}-{base}",
}


def market(exchange: str, symbol: str) -> Raw:
    """A spot market as ccxt has it, with steps as fine as any."""
    base, quote = symbol.split("/")
    bounds = {name: {"min": None, "max": None} for name in ("amount", "price", "cost")}
    id_ = IDS[exchange](base, quote)
    return {
        "id": id_,
        "altname": id_,
        "symbol": symbol,
        "base": base,
        "quote": quote,
        "baseId": base,
        "quoteId": quote,
        "type": "spot",
        "spot": True,
        **dict.fromkeys(("margin", "swap", "future", "option", "contract"), False),
        **dict.fromkeys(("linear", "inverse", "settle", "settleId", "contractSize")),
        "active": True,
        "precision": {"amount": "0.00000001", "price": "0.00000001"},
        "limits": bounds,
        "info": {"orderTypes": ["LIMIT", "MARKET"]},
    }


def adapter(exchange: str, url: str, symbols: Iterable[str]) -> CcxtExchange:
    """The real adapter, in front of the server at `url`."""
    secret = "the-secret" if exchange == "coinbase" else SECRET
    account = Account("main", exchange, "the-key", secret, "the-password", url)
    binance = exchange == "binance"
    client = (
        binance_client("the-key", secret, url) if binance else ADAPTERS[exchange].client(account)
    )
    client.set_markets([market(exchange, symbol) for symbol in symbols])
    kind = BinanceExchange if binance else ADAPTERS[exchange].adapter
    return kind(client, GUARANTEES[exchange], FakeClock())


def tell(server: CannedServer, exchange: str, case: Raw) -> None:
    """Let the server answer every question about orders and trades with the case's."""
    is_open = case["expected"]["status"] == "open"
    server.reset(_ANSWERS[exchange](case["raw"], case.get("trades", []), is_open))


def _binance(order: Raw, trades: list[Raw], is_open: bool) -> Raw:
    canceled = {**order, "clientOrderId": "the-cancels-own", "origClientOrderId": ""}
    canceled["origClientOrderId"] = order["clientOrderId"]
    return {
        "GET /api/v3/order": order,
        "POST /api/v3/order": {**order, "fills": []},
        "DELETE /api/v3/order": canceled,
        "GET /api/v3/openOrders": [order] if is_open else [],
        "GET /api/v3/myTrades": trades,
    }


def _bybit(order: Raw, trades: list[Raw], is_open: bool) -> Raw:
    def said(result: Any) -> Raw:
        return {"retCode": 0, "retMsg": "OK", "result": result, "time": 1}

    def listed(rows: list[Raw]) -> Callable[[Request], Raw]:
        def answer(request: Request) -> Raw:
            lists_open = "limit" in request.params and request.route.endswith("/realtime")
            hides = "endTime" in request.params or (lists_open and not is_open)
            return said({"list": [] if hides else rows, "nextPageCursor": ""})

        return answer

    acknowledged = said({"orderId": order["orderId"], "orderLinkId": order["orderLinkId"]})
    return {
        "GET /v5/order/realtime": listed([order]),
        "GET /v5/order/history": listed([order]),
        "GET /v5/execution/list": listed(trades),
        "POST /v5/order/create": acknowledged,
        "POST /v5/order/cancel": acknowledged,
    }


def _okx(order: Raw, trades: list[Raw], is_open: bool) -> Raw:
    def said(rows: list[Raw]) -> Raw:
        return {"code": "0", "data": rows, "msg": ""}

    ids = {"ordId": order["ordId"], "clOrdId": order["clOrdId"]}
    acknowledged = said([{**ids, "sCode": "0", "sMsg": "", "tag": ""}])
    return {
        "GET /api/v5/trade/order": said([order]),
        "POST /api/v5/trade/order": acknowledged,
        "POST /api/v5/trade/cancel-order": acknowledged,
        "GET /api/v5/trade/orders-pending": said([order] if is_open else []),
        "GET /api/v5/trade/fills-history": said(trades),
    }


def _kraken(order: Raw, trades: list[Raw], is_open: bool) -> Raw:
    def said(result: Any) -> Raw:
        return {"error": [], "result": result}

    def keyed(rows: list[Raw]) -> Raw:
        return {row["id"]: {k: v for k, v in row.items() if k != "id"} for row in rows}

    return {
        "POST /0/private/QueryOrders": said(keyed([order])),
        "POST /0/private/OpenOrders": said({"open": keyed([order] if is_open else [])}),
        "POST /0/private/ClosedOrders": said({"closed": keyed([] if is_open else [order])}),
        "POST /0/private/AddOrder": said({"txid": [order["id"]], "descr": {"order": ""}}),
        "POST /0/private/CancelOrder": said({"count": 1}),
        "POST /0/private/QueryTrades": said(keyed(trades)),
        "POST /0/private/TradesHistory": said({"trades": keyed(trades), "count": len(trades)}),
    }


def _coinbase(order: Raw, trades: list[Raw], is_open: bool) -> Raw:
    ids = {"order_id": order["order_id"], "client_order_id": order["client_order_id"]}
    placed = {**ids, "product_id": order["product_id"], "side": order["side"]}
    base = "/api/v3/brokerage/orders"
    return {
        f"GET {base}/historical/batch": lambda request: {
            "orders": [] if "order_status" in request.params and not is_open else [order],
            "cursor": "",
        },
        f"GET {base}/historical/{order['order_id']}": {"order": order},
        f"GET {base}/historical/fills": {"fills": trades, "cursor": ""},
        f"POST {base}": {"success": True, "success_response": placed},
        f"POST {base}/batch_cancel": {"results": [{"success": True, **ids}]},
    }


def _upbit(order: Raw, trades: list[Raw], is_open: bool) -> Raw:
    del trades  # They come with the order.
    bare = {key: value for key, value in order.items() if key != "trades"}
    return {
        "GET /v1/order": order,
        "POST /v1/orders": bare,
        "DELETE /v1/order": bare,
        "GET /v1/orders/open": [bare] if is_open else [],
        "GET /v1/orders/closed": [] if is_open else [bare],
    }


_ANSWERS: Mapping[str, Callable[[Raw, list[Raw], bool], Raw]] = {
    "binance": _binance,
    "bybit": _bybit,
    "okx": _okx,
    "kraken": _kraken,
    "coinbase": _coinbase,
    "upbit": _upbit,
}
# What each exchange says of the account and of the market BTC/USDT: 1.5 BTC of which 0.5 are held,
# 20 USDT, and a book of 99 to 101.
_LEVELS = {"bids": [["99", "1"]], "asks": [["101", "2"]]}
ACCOUNTS: dict[str, Raw] = {
    "binance": {
        "GET /api/v3/account": {"canTrade": True, "balances": [
            {"asset": "BTC", "free": "1.0", "locked": "0.5"},
            {"asset": "USDT", "free": "20", "locked": "0"}]},
        "GET /api/v3/ticker/24hr": [{"symbol": "BTCUSDT", "lastPrice": "100", "bidPrice": "99",
                                     "askPrice": "101"}],
        "GET /api/v3/depth": {"lastUpdateId": 1, **_LEVELS},
    },
    "bybit": {
        "GET /v5/account/wallet-balance": {"retCode": 0, "result": {"list": [
            {"accountType": "UNIFIED", "coin": [
                {"coin": "BTC", "walletBalance": "1.5", "locked": "0.5"},
                {"coin": "USDT", "walletBalance": "20", "locked": "0"}]}]}},
        "GET /v5/market/tickers": {"retCode": 0, "result": {"category": "spot", "list": [
            {"symbol": "BTCUSDT", "lastPrice": "100", "bid1Price": "99", "ask1Price": "101"}]}},
        "GET /v5/market/orderbook": {"retCode": 0, "result": {
            "s": "BTCUSDT", "b": _LEVELS["bids"], "a": _LEVELS["asks"]}},
    },
    "okx": {
        "GET /api/v5/account/balance": {"code": "0", "data": [{"details": [
            {"ccy": "BTC", "eq": "1.5", "cashBal": "1.5", "availBal": "1", "availEq": "1",
             "frozenBal": "0.5"},
            {"ccy": "USDT", "eq": "20", "cashBal": "20", "availBal": "20", "availEq": "20",
             "frozenBal": "0"}]}]},
        "GET /api/v5/market/tickers": {"code": "0", "data": [
            {"instType": "SPOT", "instId": "BTC-USDT", "last": "100", "bidPx": "99",
             "askPx": "101", "ts": "1"}]},
        "GET /api/v5/market/books": {"code": "0", "data": [{**_LEVELS, "ts": "1"}]},
    },
    "kraken": {
        "POST /0/private/BalanceEx": {"error": [], "result": {
            "XXBT": {"balance": "1.5", "hold_trade": "0.5"},
            "USDT": {"balance": "20", "hold_trade": "0"}}},
        "GET /0/public/Ticker": {"error": [], "result": {"XBTUSDT": {
            "a": ["101", "1", "1"], "b": ["99", "1", "1"], "c": ["100", "1"], "v": ["1", "1"],
            "p": ["1", "1"], "t": [1, 1], "l": ["1", "1"], "h": ["1", "1"], "o": "1"}}},
        "GET /0/public/Depth": {"error": [], "result": {"XBTUSDT": _LEVELS}},
    },
    "coinbase": {
        "GET /api/v3/brokerage/accounts": {"accounts": [
            {"currency": "BTC", "available_balance": {"value": "1", "currency": "BTC"},
             "hold": {"value": "0.5", "currency": "BTC"}, "type": "ACCOUNT_TYPE_CRYPTO"},
            {"currency": "USDT", "available_balance": {"value": "20", "currency": "USDT"},
             "hold": {"value": "0", "currency": "USDT"}, "type": "ACCOUNT_TYPE_CRYPTO"}]},
        "GET /api/v3/brokerage/market/products": {"products": [
            {"product_id": "BTC-USDT", "price": "100"}]},
        "GET /api/v3/brokerage/market/product_book": {"pricebook": {
            "product_id": "BTC-USDT", "bids": [{"price": "99", "size": "1"}],
            "asks": [{"price": "101", "size": "2"}]}},
    },
    "upbit": {
        "GET /v1/accounts": [{"currency": "BTC", "balance": "1", "locked": "0.5"},
                             {"currency": "USDT", "balance": "20", "locked": "0"}],
        "GET /v1/ticker": [{"market": "USDT-BTC", "trade_price": 100, "trade_timestamp": 1}],
        "GET /v1/orderbook": Reply([{"market": "USDT-BTC", "timestamp": 1, "orderbook_units": [
            {"bid_price": 99, "bid_size": 1, "ask_price": 101, "ask_size": 2}]}], 200,
            {"Date": "Fri, 15 Jan 2027 08:00:00 GMT"}),
    },
}  # fmt: skip
