"""Any spot exchange that ccxt knows, for accounts that accept quarantine.

The documentation of such an exchange has not been checked: what its answers prove is not known, and
no rule of the exchange is known to prevent a duplicate order. So every failure except one of the
connection is UNKNOWN, and an order that cannot be fills needs manual intervention.
"""

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

import ccxt

from execution.api.http.transport import Shape, StrictTransport, strict_client
from execution.api.strict.ccxt_exchange import CcxtExchange
from execution.api.strict.parse import account_fill_of, date_ms
from execution.api.wire.wire_check import wire_of
from execution.exchanges.account import Account
from execution.exchanges.port import AccountFill
from execution.model.order import Order, OrderReport, OrderType, Side

# The margin for our clock's error when trades are searched from an order's creation on.
CREATED_MARGIN_MS = 3_600_000
# The field of an order's id at relatives of supported exchanges; ccxt prefers another id to it.
_OWN_IDS = ((ccxt.binance, "orderId"), (ccxt.okx, "ordId"), (ccxt.bybit, "orderId"))


class StrictGeneric(StrictTransport):
    """Mixin before any ccxt class: the only known rule for an answer is that it must be JSON."""

    shapes: ClassVar[Mapping[str, Shape]] = {
        "": lambda answer: isinstance(answer, list) or (isinstance(answer, dict) and bool(answer)),
    }

    def code_of(self, answer: Mapping[str, Any]) -> str:
        """The answer's code, or a placeholder, so that every answer has one."""
        return super().code_of(answer) or "unnamed"


class GenericExchange(CcxtExchange):
    """One account at an unsupported exchange, through ccxt's unified methods."""

    gone_statuses: ClassVar[range] = range(200, 500)
    may_leave_out_id: ClassVar[bool] = True
    clock_step_ms: ClassVar[int] = 1_000

    def _corrected(self, parsed: Any, raw: Any) -> Any:
        """With the order's own id, and with our client order id without the prefix that ccxt sends
        and the exchange returns."""
        own = next((key for kind, key in _OWN_IDS if isinstance(self.client, kind)), None)
        ids = {"id": str(raw[own])} if own is not None and raw.get(own) else {}
        client_id = parsed.get("clientOrderId")
        if client_id:
            prefix = wire_of(self._guarantees.exchange).prefix
            ids["clientOrderId"] = str(client_id).removeprefix(prefix)
        return {**parsed, **ids}

    def _refusal(self, order: Order) -> str | None:
        if order.type is OrderType.MARKET and order.side is Side.BUY:
            name = self._guarantees.exchange
            return f"type: whether {name} sizes a market buy in base or in quote is not known"
        is_market = order.type is OrderType.MARKET
        named, value = ("type", order.type) if is_market else ("time_in_force", order.time_in_force)
        excluded = wire_of(self._guarantees.exchange).excluded.get(str(value))
        return (
            f"{named}: {value} cannot be sent to {self._guarantees.exchange}: {excluded}"
            if excluded
            else None
        )

    def _lookup(self, order: Order) -> OrderReport | None:
        if order.exchange_order_id is not None and self.client.has["fetchOrder"]:
            return self._checked(order.symbol, order.exchange_order_id)
        for method in ("fetchOpenOrders", "fetchClosedOrders", "fetchCanceledOrders"):
            if self.client.has[method] is True:
                for order_info in getattr(self.client, method)(order.symbol):
                    report = self._read_order(order.symbol, order_info)
                    if _is(report, order):
                        return report
        return None

    def _open(self, symbol: str) -> Iterable[OrderReport]:
        """Some exchanges list the orders of all symbols, whatever the request."""
        return [report for report in super()._open(symbol) if report.symbol == symbol]

    def _fills(self, order: Order) -> Iterable[AccountFill]:
        """Only trades that name the order: some exchanges return others, too."""
        if self.client.has["fetchOrderTrades"] is True:
            asked = {"order": order.exchange_order_id}
            trades = self.client.fetch_order_trades(order.exchange_order_id, order.symbol)
            fills = [
                account_fill_of(trade if trade["order"] else trade | asked) for trade in trades
            ]
        else:
            created_ms = int(order.created_at.timestamp() * 1000)
            [fills] = self._pages(order.symbol, created_ms - CREATED_MARGIN_MS)
        return [fill for fill in fills if fill.exchange_order_id == order.exchange_order_id]

    def _pages(self, symbol: str, from_ms: int) -> Iterable[list[AccountFill]]:
        """Reads forward from `from_ms` until there is nothing new, then yields all trades as one
        page."""
        fills: dict[str, AccountFill] = {}
        while True:
            trades = self.client.fetch_my_trades(symbol, from_ms)
            fresh = [trade for trade in trades if trade["id"] not in fills]
            if not fresh:
                break
            fills |= {trade["id"]: account_fill_of(trade) for trade in fresh}
            from_ms = max(trade["timestamp"] for trade in fresh)
        yield sorted(fills.values(), key=lambda trade: trade.fill.time)[::-1]

    def _server_ms(self) -> int:
        if self.client.has["fetchTime"] is True:
            return super()._server_ms()
        self.client.fetch_order_book(self.client.symbols[0])
        return date_ms(self.client.last_response_headers)


def _is(report: OrderReport, order: Order) -> bool:
    if order.exchange_order_id is not None:
        return report.exchange_order_id == order.exchange_order_id
    return report.client_order_id == order.client_order_id


def is_known(exchange: str) -> bool:
    """Whether ccxt has a class for that exchange with spot markets, and with fixed steps for prices
    and amounts: a few have significant digits instead."""
    if exchange not in ccxt.exchanges:
        return False
    client = getattr(ccxt, exchange)()
    return bool(client.has["spot"]) and client.precisionMode == ccxt.TICK_SIZE


def generic_client(account: Account) -> Any:
    """Make a client of ccxt's class for the account's exchange, without loading markets."""
    kind = getattr(ccxt, account.exchange)
    return strict_client(type(f"Strict_{account.exchange}", (StrictGeneric, kind), {}), account)
