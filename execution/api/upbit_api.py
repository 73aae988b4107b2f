"""Upbit spot: its strict client and its lookups.

Sources: docs.upbit.com, and the upbit class of ccxt. Late placements are not refused, but an
identifier is valid for one order only, ever. Requests carry no time: each token has a random nonce.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any, ClassVar

import ccxt

from execution.api.http.transport import (
    Shape,
    StrictTransport,
    list_of,
    record_with,
    some,
)
from execution.api.strict.ccxt_exchange import CcxtExchange
from execution.api.strict.parse import account_fill_of, date_ms, sized_by_value
from execution.exchanges.port import AccountFill
from execution.model.decimals import EXACT, ZERO, to_decimal, to_text
from execution.model.order import Order, OrderReport, OrderType, Side
from execution.model.trading_rules import Market

OPEN_A_PAGE, CLOSED_A_PAGE = 100, 1_000
# Ended orders are listed for a week at most, by creation; by default the latest week.
WEEK_MS = 7 * 86_400_000
# Weeks overlap by this much, because "now" is by the exchange's clock.
OVERLAP_MS = 60_000
# Fees are listed by order; a trade's share is computed to this precision.
FEE_STEP = Decimal("1e-12")

_ORDER = record_with("uuid", "side", "ord_type", "state", "market", "executed_volume")
_BALANCE = record_with("currency", "balance", "locked")


# docs.upbit.com: krw-market-info (of 2025-07-31, read in the edition of 2026-05-04),
# usdt-market-info and btc-market-info. In each band, from the price on, prices are multiples of the
# tick, and an order has at least this value in quote.
_KRW_TICKS = (
    ("0", "0.00000001"),
    ("0.00001", "0.0000001"),
    ("0.0001", "0.000001"),
    ("0.001", "0.00001"),
    ("0.01", "0.0001"),
    ("0.1", "0.001"),
    ("1", "0.01"),
    ("10", "0.1"),
    ("100", "1"),
    ("5000", "5"),
    ("10000", "10"),
    ("50000", "50"),
    ("100000", "100"),
    ("500000", "500"),
    ("1000000", "1000"),
)
_USDT_TICKS = (
    ("0", "0.00000001"),
    ("0.0001", "0.0000001"),
    ("0.001", "0.000001"),
    ("0.01", "0.00001"),
    ("0.1", "0.0001"),
    ("1", "0.001"),
    ("10", "0.01"),
)
_TICKS = {"KRW": _KRW_TICKS, "USDT": _USDT_TICKS, "BTC": (("0", "0.00000001"),)}
_TOTALS_MIN = {"KRW": "5000", "USDT": "0.5", "BTC": "0.00005"}
# Two pairs have a finer tick between 1,000 and 10,000 KRW (changelog of 2025-03-21).
_FINE_PAIRS = ("USDT/KRW", "USDC/KRW")
_FINE_FROM, _FINE_TO = 1_000, 10_000
_FINE_TICK = "0.5"


class StrictUpbit(StrictTransport, ccxt.upbit):
    """ccxt.upbit that accepts only Upbit's own answers."""

    shapes: ClassVar[Mapping[str, Shape]] = {
        "POST /v1/orders": _ORDER,
        "GET /v1/order": lambda answer: _ORDER(answer) and record_with("trades")(answer),
        "DELETE /v1/order": record_with("uuid"),
        "/v1/orders/open": list_of(_ORDER),
        "/v1/orders/closed": list_of(_ORDER),
        "/v1/accounts": some(list_of(_BALANCE)),
        "/v1/market/all": some(list_of(record_with("market"))),
        "/v1/ticker": some(list_of(record_with("market", "trade_price"))),
        "/v1/orderbook": some(list_of(record_with("market", "orderbook_units"))),
    }

    def code_of(self, answer: Mapping[str, Any]) -> str | None:
        """The error's name."""
        error = answer.get("error")
        return str(error["name"]) if isinstance(error, dict) and "name" in error else None


class UpbitExchange(CcxtExchange):
    """One Upbit account."""

    may_leave_out_id: ClassVar[bool] = True
    clock_step_ms: ClassVar[int] = 1_000
    id_key: ClassVar[str | None] = "uuid"
    client_id_key: ClassVar[str | None] = "identifier"

    def _rules(self, market: Market) -> Market:
        """With the ticks of the price bands: ccxt has only the finest one. For the quotes of other
        countries they are not known, and so not checked; Upbit refuses prices off the grid."""
        quote = market.symbol.rpartition("/")[2]
        bands = price_bands_of(market.symbol, quote)
        least = _TOTALS_MIN.get(quote)
        notional_min = market.notional_min if least is None else Decimal(least)
        return replace(market, price_tick=None, price_bands=bands, notional_min=notional_min)

    def _refusal(self, order: Order) -> str | None:
        if order.type is OrderType.MARKET and order.side is Side.BUY:
            return "type: Upbit takes a market buy only by the amount of quote currency to spend"
        return None

    def _lookup(self, order: Order) -> OrderReport:
        request = {"identifier": order.client_order_id}
        return self._report(order.symbol, self.client.private_get_order(request))

    def _fetched(self, symbol: str, exchange_order_id: str) -> OrderReport | None:
        return self._report(symbol, self.client.private_get_order({"uuid": exchange_order_id}))

    def _report(self, symbol: str, order: Any) -> OrderReport:
        # The trades in an order's answer have no fees; another request lists them with their fees.
        return super()._report(symbol, {**order, "trades": []})

    def _corrected(self, parsed: Any, raw: Any) -> Any:
        kind, is_buy = raw.get("ord_type"), raw.get("side") == "bid"
        if kind not in ("price", "market", "best"):
            return parsed
        order = {**parsed, "type": OrderType.MARKET.value}
        if kind == "market" or not is_buy:
            return order
        # A buy sized in quote: the remainder is canceled when the order has filled.
        done = raw["state"] == "cancel" and to_decimal(raw["executed_volume"])
        status = "closed" if done else order["status"]
        # ccxt counts the whole requested value as spent.
        return sized_by_value({**order, "status": status, "average": None})

    def _open(self, symbol: str) -> Iterable[OrderReport]:
        for order in self._waiting(self.client.market_id(symbol)):
            yield self._report(symbol, order)

    def _waiting(self, market_id: str) -> Iterator[Any]:
        number = 1
        while True:
            request = {"market": market_id, "limit": OPEN_A_PAGE, "page": number}
            page = self.client.private_get_orders_open(request)
            yield from page
            if len(page) < OPEN_A_PAGE:
                return
            number += 1

    def _closed(self, market_id: str, from_ms: int) -> Iterator[Any]:
        """The latest first, week by week; a full answer may omit older ones."""
        request = {"market": market_id, "limit": CLOSED_A_PAGE}
        start_ms = self._clock.now_ms() - WEEK_MS
        page = self.client.private_get_orders_closed(request)
        while True:
            yield from page
            full = len(page) == CLOSED_A_PAGE
            if start_ms <= from_ms and not full:
                return
            oldest_ms = int(self.client.parse8601(page[-1]["created_at"])) if full else start_ms
            end_ms = oldest_ms + (0 if full else OVERLAP_MS)
            start_ms = end_ms - WEEK_MS
            week = {"start_time": start_ms, "end_time": end_ms}
            page = self.client.private_get_orders_closed({**request, **week})

    def _fills(self, order: Order) -> Iterable[AccountFill]:
        return map(account_fill_of, self._trades(order.exchange_order_id, order.symbol))

    def _pages(self, symbol: str, from_ms: int) -> Iterable[list[AccountFill]]:
        """Upbit has no list of trades: they are read order by order."""
        market_id = self.client.market_id(symbol)
        orders = [*self._waiting(market_id), *self._closed(market_id, from_ms)]
        traded = {order["uuid"] for order in orders if to_decimal(order["executed_volume"])}
        fills = [account_fill_of(t) for uuid in traded for t in self._trades(uuid, symbol)]
        yield sorted(fills, key=lambda trade: trade.fill.time)[::-1]

    def _trades(self, uuid: Any, symbol: str) -> list[Any]:
        market = self.client.market(symbol)
        order = self.client.private_get_order({"uuid": uuid})
        paid = to_decimal(order["paid_fee"])
        trades = [self.client.parse_trade(trade, market) for trade in order["trades"]]
        shares = _shares(paid, [to_decimal(trade["cost"]) for trade in trades])
        for trade, share in zip(trades, shares, strict=True):
            trade["order"] = order["uuid"]
            trade["fees"] = [{"currency": market["quote"], "cost": to_text(share)}]
        return trades

    def _server_ms(self) -> int:
        """Upbit has no request for the time, so the date header of another answer is used."""
        self.client.public_get_orderbook({"markets": self.client.ids[0]})
        return date_ms(self.client.last_response_headers)


def price_bands_of(symbol: str, quote: str) -> tuple[tuple[Decimal, Decimal], ...]:
    """The ticks of the symbol by price, empty if they are not known."""
    bands = [(Decimal(start), Decimal(tick)) for start, tick in _TICKS.get(quote, ())]
    if symbol in _FINE_PAIRS:
        outside = [band for band in bands if not _FINE_FROM <= band[0] < _FINE_TO]
        bands = sorted([*outside, (Decimal(_FINE_FROM), Decimal(_FINE_TICK))])
    return tuple(bands)


def _shares(paid: Decimal, costs: list[Decimal]) -> list[Decimal]:
    """Split a fee by the trades' costs, so that the shares add up to it."""
    if not costs:
        return []
    total = sum(costs, ZERO)
    shares = [EXACT.divide(EXACT.multiply(paid, cost), total) for cost in costs]
    rounded = [EXACT.quantize(share, FEE_STEP) for share in shares[:-1]]
    return [*rounded, EXACT.subtract(paid, sum(rounded, ZERO))]
