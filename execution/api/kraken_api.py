"""Kraken spot: its strict client and its lookups.

Sources: docs.kraken.com, and the kraken class of ccxt. A placement is only acknowledged.

The fence is AddOrder's `deadline`, which the matching engine checks. The stamp is not signed; the
nonce is, which must grow with every request of a key.
"""

import threading
import time
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

import ccxt

from execution.api.http.transport import (
    Shape,
    StrictTransport,
    is_text,
    list_of,
    map_of,
    record_with,
    some,
    within,
)
from execution.api.strict.ccxt_exchange import CcxtExchange
from execution.exchanges.port import AccountFill
from execution.model.decimals import EXACT, to_text, total
from execution.model.order import Attempt, Fill, Order, OrderReport, OrderState

TRADES_A_PAGE, TRADES_A_QUESTION = 50, 20

_ORDER = record_with("status", "descr", "vol", "vol_exec")
_TRADE = record_with("ordertxid", "pair", "time", "type", "price", "fee", "vol")
_PAIR = record_with("altname", "base", "quote", "status")
_CANCELED = within("result", record_with("count"))


class _Nonces:
    """The last nonce of every key in this process; each thread has its own client."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last: dict[str, int] = {}

    def next(self, key: str) -> int:
        """Microseconds, so that two processes with one key seldom collide; if they do, Kraken
        refuses the later request, which is then repeated."""
        with self._lock:
            self._last[key] = max(time.time_ns() // 1000, self._last.get(key, 0) + 1)
            return self._last[key]


_nonces = _Nonces()


class StrictKraken(StrictTransport, ccxt.kraken):
    """ccxt.kraken that accepts only Kraken's own answers."""

    shapes: ClassVar[Mapping[str, Shape]] = {
        "/private/AddOrder": within("result", within("txid", some(list_of(is_text)))),
        "/private/CancelOrder": _CANCELED,
        "/private/OpenOrders": within("result", within("open", map_of(_ORDER))),
        "/private/ClosedOrders": within("result", within("closed", map_of(_ORDER))),
        "/private/QueryOrders": within("result", some(map_of(_ORDER))),
        "/private/QueryTrades": within("result", some(map_of(_TRADE))),
        "/private/TradesHistory": within("result", within("trades", map_of(_TRADE))),
        "/private/BalanceEx": within("result", map_of(record_with("balance"))),
        "/public/AssetPairs": within("result", some(map_of(_PAIR))),
        "/public/Ticker": within("result", some(map_of(record_with("c")))),
        "/public/Depth": within("result", some(map_of(record_with("asks", "bids")))),
        "/public/Time": within("result", record_with("unixtime")),
    }

    def code_of(self, answer: Mapping[str, Any]) -> str | None:
        """An error's category and type. Several errors are joined, and match no row."""
        errors = answer.get("error")
        if not isinstance(errors, list):
            return None
        return ", ".join(":".join(str(error).split(":")[:2]) for error in errors)

    def incrementing_nonce(self) -> int:
        return _nonces.next(self.apiKey)


class KrakenExchange(CcxtExchange):
    """One Kraken spot account."""

    gone: ClassVar[frozenset[str]] = frozenset(("EOrder:Unknown order",))
    gone_statuses: ClassVar[range] = range(200, 500)
    missing: ClassVar[frozenset[str]] = gone
    clock_step_ms: ClassVar[int] = 1_000
    # ccxt would use `userref` as the client order id, which is 0 if none was given.
    client_id_key: ClassVar[str | None] = "cl_ord_id"

    def _terms(self, order: Order, attempt: Attempt) -> dict[str, Any]:
        return {
            "clientOrderId": order.client_order_id,
            "deadline": self.client.iso8601(attempt.valid_until_ms),
            # Otherwise the fees of a sale are in the base currency, and no trade says so.
            "oflags": "fciq",
        }

    def _accepted(self, order: Order, answer: Any) -> OrderReport:
        return OrderReport(
            exchange_order_id=answer["info"]["txid"][0],
            client_order_id=answer["info"].get("cl_ord_id"),
            symbol=order.symbol,
            status=OrderState.OPEN,
        )

    def _cancel(self, order: Order) -> OrderReport:
        self.client.private_post_cancelorder({"txid": order.exchange_order_id})
        return self._found(order)

    def _lookup(self, order: Order) -> OrderReport | None:
        """Open orders first: an order that ends in between is in one answer or in both."""
        request = {"cl_ord_id": order.client_order_id}
        for ask, answer in (
            (self.client.private_post_openorders, "open"),
            (self.client.private_post_closedorders, "closed"),
        ):
            for order_info in _with_ids(ask(request)["result"][answer]):
                return self._report(order.symbol, order_info)
        return None

    def _fetched(self, symbol: str, exchange_order_id: str) -> OrderReport | None:
        order = self._queried(exchange_order_id)
        if not _is_by_value(order):
            return self._report(symbol, order)
        # Its volumes are in quote: only its trades tell the amount in base.
        trades = [trade.fill for trade in self._trades_of(symbol, order)]
        return self._report(symbol, _in_base(order, trades))

    def _report(self, symbol: str, order: Any) -> OrderReport:
        # An order has only the ids of its trades; the fees are in the list of trades.
        omitted = {"trades", *(("vol", "vol_exec", "price") if _is_by_value(order) else ())}
        kept = {key: value for key, value in order.items() if key not in omitted}
        return super()._report(symbol, kept)

    def _open(self, symbol: str) -> Iterable[OrderReport]:
        for order in _with_ids(self.client.private_post_openorders()["result"]["open"]):
            report = self._report(symbol, order)
            if report.symbol == symbol:
                yield report

    def _fills(self, order: Order) -> Iterable[AccountFill]:
        yield from self._trades_of(order.symbol, self._queried(order.exchange_order_id))

    def _queried(self, txid: str | None) -> dict[str, Any]:
        request = {"txid": txid, "trades": "true"}
        orders = self.client.private_post_queryorders(request)["result"]
        if set(orders) != {txid}:
            others = ", ".join(orders)
            raise ValueError(f"asked for order {txid}, and the answer is about {others}")
        return _with_ids(orders)[0]

    def _trades_of(self, symbol: str, order: Mapping[str, Any]) -> Iterable[AccountFill]:
        ids = order.get("trades") or []
        for start in range(0, len(ids), TRADES_A_QUESTION):
            asked = ",".join(ids[start : start + TRADES_A_QUESTION])
            trades = self.client.private_post_querytrades({"txid": asked})["result"]
            yield from self._fills_in(symbol, [_with_ids(trades)])

    def _pages(self, symbol: str, from_ms: int) -> Iterable[list[AccountFill]]:
        """Trades of all symbols are in one list. A new trade shifts the others, so that some are
        read twice and none is missed."""
        offset = 0
        while True:
            request = {"start": from_ms // 1000, "ofs": offset}
            trades = self.client.private_post_tradeshistory(request)["result"]["trades"]
            yield self._account_fills(symbol, _with_ids(trades))
            offset += len(trades)
            if len(trades) < TRADES_A_PAGE:
                return


def _is_by_value(order: Mapping[str, Any]) -> bool:
    """Whether the volumes of a market order are in quote, by its flag."""
    return "viqc" in str(order.get("oflags", "")).split(",")


def _in_base(order: Mapping[str, Any], fills: list[Fill]) -> dict[str, Any]:
    """An order sized in quote, as one in base whose amount is what it has filled."""
    filled = total(fill.amount for fill in fills)
    cost = total(EXACT.multiply(fill.amount, fill.price) for fill in fills)
    sizes = {"vol": to_text(filled), "vol_exec": to_text(filled), "oflags": ""}
    average = {"price": to_text(EXACT.divide(cost, filled))} if filled else {}
    return {**order, **sizes, **average}


def _with_ids(by_id: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The orders or trades of an answer, which are keyed by id."""
    return [{**fields, "id": id_} for id_, fields in by_id.items()]
