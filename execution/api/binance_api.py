"""Binance spot: its strict client, its lookups, and the plain functions.

Sources: binance-spot-api-docs, rest-api.md and errors.md; and the binance class of ccxt.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, ClassVar

import ccxt

from execution.api.http.transport import (
    Shape,
    StrictTransport,
    list_of,
    record_with,
    some,
    strict_client,
    within,
)
from execution.api.strict.ccxt_exchange import CcxtExchange
from execution.api.strict.failures import reason_of
from execution.api.strict.parse import account_fill_of, sized_by_value
from execution.exchanges.account import Account
from execution.exchanges.port import AccountFill, Exchange
from execution.exchanges.profiles import binance
from execution.model.clock import SystemClock
from execution.model.decimals import to_decimal
from execution.model.errors import ExchangeUnavailable, NotSent, OrderRejected, OutcomeUnknown
from execution.model.order import Attempt, Order, OrderReport, Verdict
from execution.model.trading_rules import refusal
from execution.orders.factory import one_off_order

TRADES_A_PAGE = 1000
_ORDER = record_with("orderId", "clientOrderId", "symbol", "status", "executedQty")
_FILLS = list_of(record_with("tradeId", "price", "qty", "commission", "commissionAsset"))
_CANCELED = record_with("origClientOrderId")
_TRADE = record_with(
    "symbol", "id", "orderId", "price", "qty", "commission", "commissionAsset", "time"
)


class StrictBinance(StrictTransport, ccxt.binance):
    """ccxt.binance that accepts only Binance's own answers, whatever its URL."""

    client_options: ClassVar[Mapping[str, Any]] = {
        "fetchMarkets": {"types": ["spot"]},
        "fetchMargins": False,
        "fetchCurrencies": False,
        "warnOnFetchOpenOrdersWithoutSymbol": False,
    }
    shapes: ClassVar[Mapping[str, Shape]] = {
        "POST /order": lambda answer: _ORDER(answer) and _FILLS(answer.get("fills") or []),
        "DELETE /order": lambda answer: _ORDER(answer) and _CANCELED(answer),
        "/order": _ORDER,
        "/openOrders": list_of(_ORDER),
        "/myTrades": list_of(_TRADE),
        "/account": within("balances", list_of(record_with("asset", "free", "locked"))),
        "/exchangeInfo": within("symbols", some(list_of(record_with("symbol", "status")))),
        "/depth": record_with("bids", "asks"),
        "/ticker/24hr": list_of(record_with("symbol", "lastPrice")),
        "/time": record_with("serverTime"),
    }

    def get_exceptions_by_url(self, url: str, exactOrBroad: str) -> Any:  # noqa: N803
        """Spot codes mean the same at another address: ccxt recognizes them by the host's name
        only."""
        del url
        return super().get_exceptions_by_url("https://api.binance.com/", exactOrBroad)


class BinanceExchange(CcxtExchange):
    """One Binance spot account."""

    # ccxt would take `strategyId` for the order's id where an order has one.
    id_key: ClassVar[str | None] = "orderId"
    client_id_key: ClassVar[str | None] = "clientOrderId"

    def _corrected(self, parsed: Any, raw: Any) -> Any:
        # A market order sized by quoteOrderQty; the bought amount is in executedQty.
        by_value = to_decimal(raw.get("origQuoteOrderQty", "0"))
        return sized_by_value(parsed) if by_value else parsed

    def _terms(self, order: Order, attempt: Attempt) -> dict[str, Any]:
        window = {"recvWindow": attempt.valid_until_ms - attempt.stamp_ms}
        return super()._terms(order, attempt) | window

    def _lookup(self, order: Order) -> OrderReport:
        params = {"origClientOrderId": order.client_order_id}
        return self._read_order(order.symbol, self.client.fetch_order(None, order.symbol, params))

    def _cancel(self, order: Order) -> OrderReport:
        answer = self.client.cancel_order(order.exchange_order_id, order.symbol)
        # The answer's clientOrderId is that of the cancel; the order's is origClientOrderId.
        raw = {**answer["info"], "clientOrderId": answer["info"]["origClientOrderId"]}
        report = self._read_order(order.symbol, {**answer, "info": raw})
        if (
            report.exchange_order_id != order.exchange_order_id
            or report.client_order_id != order.client_order_id
        ):
            other = f"{report.client_order_id} ({report.exchange_order_id})"
            asked = f"asked to cancel order {order.client_order_id}"
            raise ValueError(f"{asked}, and the answer is about {other}")
        return report

    def _open(self, symbol: str) -> Iterable[OrderReport]:
        # Not by ccxt's own method: it drops orders of other symbols silently.
        request = {"symbol": self.client.market_id(symbol)}
        return [
            self._report(symbol, order_info)
            for order_info in self.client.private_get_openorders(request)
        ]

    def _fills(self, order: Order) -> Iterable[AccountFill]:
        return self._trades(order.symbol, {"orderId": order.exchange_order_id}, {"orderId"})

    def fills_since(self, symbol: str, cursor: str | None, since_ms: int) -> list[AccountFill]:
        start: dict[str, Any] = {"startTime": since_ms}
        if cursor is not None:
            start = {"fromId": int(cursor) + 1}
        return self._read(lambda: self._trades(symbol, start, set()))

    def _trades(self, symbol: str, start: dict[str, Any], kept: set[str]) -> list[AccountFill]:
        """Trades from `start` on, page by page by their ids; parameters in `kept` are sent with
        every page."""
        fills: list[AccountFill] = []
        request = start
        while True:
            page = self._page(symbol, request)
            page.sort(key=lambda trade: int(trade.fill.trade_id))
            fills += page
            if len(page) < TRADES_A_PAGE:
                return fills
            following = {"fromId": int(page[-1].fill.trade_id) + 1}
            request = {key: start[key] for key in kept} | following

    def _page(self, symbol: str, request: dict[str, Any]) -> list[AccountFill]:
        market = self.client.market(symbol)
        asked = {"symbol": market["id"], "limit": TRADES_A_PAGE, **request}
        trades = self.client.private_get_mytrades(asked)
        if any(trade["symbol"] != market["id"] for trade in trades):
            raise ValueError(f"asked for trades in {symbol}, and the answer has others")
        return [account_fill_of(self.client.parse_trade(trade, market)) for trade in trades]


def binance_client(
    api_key: str, secret_key: str, base_url: str | None = None, timeout_s: int = 10
) -> StrictBinance:
    """Make a client without loading markets. `base_url` replaces Binance's host, as
    "http://127.0.0.1:8801" for a paper exchange."""
    account = Account("", "binance", api_key, secret_key, base_url=base_url, timeout_s=timeout_s)
    client: StrictBinance = strict_client(StrictBinance, account)
    return client


def initialize_binance_api(
    api_key: str, secret_key: str, base_url: str | None = None
) -> BinanceExchange:
    """Connect to Binance spot and load its markets.

    Raises ExchangeUnavailable if Binance does not answer.
    """
    client = binance_client(api_key, secret_key, base_url)
    try:
        client.load_markets()
    except ccxt.BaseError as error:
        raise ExchangeUnavailable(reason_of(error)) from error
    return BinanceExchange(client, binance.GUARANTEES, SystemClock())


def place_order(
    exchange: Exchange,
    symbol: str,
    side: str,
    amount: Decimal | str,
    price: Decimal | str | None = None,
    recv_window_ms: int = binance.GUARANTEES.window_ms,
) -> OrderReport:
    """Make exactly one attempt at a limit order, or at a market order if `price` is None.

    Nothing is repeated here; `create_order` follows an order until it is open or ended. Raises
    ValueError for an order that breaks the symbol's rules, OrderRejected if the exchange rejected
    it, NotSent if the request did not reach it, and OutcomeUnknown if the outcome is not known:
    look the order up by the exception's client order id before you try again.
    """
    order = one_off_order(symbol, side, amount, price)
    refused = refusal(order, exchange.market(symbol))
    if refused is not None:
        raise ValueError(refused)
    offset = exchange.measure_clock()
    stamp_ms = offset.measured_at_ms + offset.offset_ms
    valid_until_ms = stamp_ms + recv_window_ms
    attempt = Attempt(1, stamp_ms, valid_until_ms, valid_until_ms + exchange.guarantees.margin_ms)
    outcome = exchange.place(order, attempt)
    if outcome.verdict is Verdict.ACCEPTED and outcome.report is not None:
        return outcome.report
    if outcome.verdict is Verdict.REJECTED:
        raise OrderRejected(outcome.reason)
    if outcome.verdict is Verdict.NOT_SENT:
        raise NotSent(outcome.reason)
    raise OutcomeUnknown(outcome.reason, order.client_order_id)
