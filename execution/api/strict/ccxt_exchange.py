"""One account at one exchange, accessed through a strict ccxt class."""

from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from itertools import chain
from typing import Any, ClassVar, TypeVar

import ccxt

from execution.api.accounts.key_rights import may_withdraw
from execution.api.strict.answers import in_symbol, of_order, other_order, with_id
from execution.api.strict.base import ExchangeBase
from execution.api.strict.failures import failure_of, kind_of_failure, reason_of
from execution.api.strict.parse import (
    account_fill_of,
    book_of,
    price_of,
    report_of,
)
from execution.api.strict.trade_pages import walk_back
from execution.exchanges.port import AccountFill, ClockOffset, Outcome
from execution.exchanges.registry import verdict_of
from execution.model.book import Book
from execution.model.decimals import to_decimal
from execution.model.errors import ExchangeUnavailable
from execution.model.order import Attempt, Fill, Order, OrderReport, OrderType, TimeInForce, Verdict

T = TypeVar("T")
# The errors of reading a malformed answer.
UNREADABLE = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)


class CcxtExchange(ExchangeBase):
    """The common part of all ccxt exchanges; see ports.Exchange for the meaning.

    `client` is a ccxt class with StrictTransport mixed in, its markets loaded. Every error of ccxt
    is converted here to an Outcome, or to an ExchangeUnavailable.
    """

    # Codes for "nothing to cancel" in addition to those that ccxt maps to OrderNotFound, and the
    # HTTP statuses of such answers.
    gone: ClassVar[frozenset[str]] = frozenset()
    gone_statuses: ClassVar[range] = range(400, 500)
    # Codes for "no such order" in a lookup by the exchange's id.
    missing: ClassVar[frozenset[str]] = frozenset()
    # The fields of an order's id and client order id in the exchange's own answer. ccxt would use
    # another id of the answer if there is one, as that of a strategy or of an algo order.
    id_key: ClassVar[str | None] = None
    client_id_key: ClassVar[str | None] = None
    # Codes for a wrong timestamp, in addition to those that ccxt maps to InvalidNonce.
    clock_codes: ClassVar[frozenset[str]] = frozenset()
    # Codes for "the exchange cannot answer now", with any status.
    outages: ClassVar[frozenset[str]] = frozenset()
    # Whether an order found by its client order id may omit it.
    may_leave_out_id: ClassVar[bool] = False
    # The resolution of the exchange's time, in ms.
    clock_step_ms: ClassVar[int] = 1

    def place(self, order: Order, attempt: Attempt) -> Outcome:
        refused = self._refusal(order)
        if refused is not None:
            return Outcome(Verdict.REJECTED, reason=refused)
        self.client.forget(attempt.stamp_ms)
        try:
            report = self._accepted(order, self._send(order, attempt))
        except Exception as error:  # noqa: BLE001  # Every error is judged, none is lost.
            failure = failure_of(error, self.client)
            if self._is_about_time(error):
                self._account.clock_refused()
            verdict = verdict_of(failure, self._guarantees.exchange)
            reason = f"{failure.kind}: {failure.message}"
            return Outcome(verdict, reason=reason, retry_after_s=failure.retry_after_s)
        finally:
            self.client.stamp_ms = None
        other = other_order(order, report, may_leave_out_id=True)
        if other is not None:
            return Outcome(Verdict.UNKNOWN, reason=f"the answer speaks of order {other}")
        return Outcome(Verdict.ACCEPTED, report)

    def _refusal(self, order: Order) -> str | None:
        """The reason why the exchange does not support such orders, None if it does."""
        del order
        return None

    def _send(self, order: Order, attempt: Attempt) -> Any:
        params = self._terms(order, attempt)
        if order.time_in_force is TimeInForce.PO:
            params["postOnly"] = True
        elif order.time_in_force is not None:
            params["timeInForce"] = order.time_in_force.value
        # ccxt would send a market order with a price as an amount of quote currency.
        price = None if order.type is OrderType.MARKET else order.price
        return self.client.create_order(
            order.symbol, order.type.value, order.side.value, order.amount, price, params
        )

    def _terms(self, order: Order, attempt: Attempt) -> dict[str, Any]:
        """The client order id and the fence, as far as ccxt accepts them as parameters."""
        del attempt
        return {"clientOrderId": order.client_order_id}

    def _accepted(self, order: Order, answer: Any) -> OrderReport:
        """Read the answer to the placement of `order`."""
        return self._read_order(order.symbol, answer)

    def cancel(self, order: Order) -> OrderReport | None:
        return self._ask(lambda: self._cancel(order), self.gone)

    def _cancel(self, order: Order) -> OrderReport:
        self.client.cancel_order(order.exchange_order_id, order.symbol)
        return self._found(order)

    def _found(self, order: Order) -> OrderReport:
        """The order after its cancel, which most exchanges only acknowledge."""
        try:
            report = self._looked_up(order)
        except ccxt.OrderNotFound:
            report = None
        if report is None:
            raise ValueError(f"order {order.client_order_id} was canceled and is not found")
        return report

    def lookup(self, order: Order) -> OrderReport | None:
        return self._ask(lambda: self._looked_up(order))

    def _looked_up(self, order: Order) -> OrderReport | None:
        report = self._lookup(order)
        other = None if report is None else other_order(order, report, self.may_leave_out_id)
        if other is not None:
            asked = f"asked for order {order.client_order_id}"
            raise ValueError(f"{asked}, and the answer is about {other}")
        return report

    def _lookup(self, order: Order) -> OrderReport | None:
        params = {"clientOrderId": order.client_order_id}
        return report_of(self.client.fetch_order(None, order.symbol, params))

    def fetch(self, symbol: str, exchange_order_id: str) -> OrderReport | None:
        return self._ask(lambda: self._checked(symbol, exchange_order_id), self.missing)

    def _checked(self, symbol: str, exchange_order_id: str) -> OrderReport | None:
        report = self._fetched(symbol, exchange_order_id)
        return None if report is None else with_id(symbol, exchange_order_id, report)

    def _fetched(self, symbol: str, exchange_order_id: str) -> OrderReport | None:
        return self._read_order(symbol, self.client.fetch_order(exchange_order_id, symbol))

    def open_orders(self, symbol: str) -> list[OrderReport]:
        return self._read(lambda: [in_symbol(symbol, report) for report in self._open(symbol)])

    def _open(self, symbol: str) -> Iterable[OrderReport]:
        return [
            self._read_order(symbol, order_info)
            for order_info in self.client.fetch_open_orders(symbol)
        ]

    def order_fills(self, order: Order) -> list[Fill]:
        return self._read(lambda: [of_order(order, trade) for trade in self._fills(order)])

    def _fills(self, order: Order) -> Iterable[AccountFill]:
        trades = self.client.fetch_order_trades(order.exchange_order_id, order.symbol)
        return map(account_fill_of, trades)

    def fills_since(self, symbol: str, cursor: str | None, since_ms: int) -> list[AccountFill]:
        def pages_from(from_ms: int) -> Iterable[list[AccountFill]]:
            return self._pages(symbol, from_ms)

        return self._read(lambda: walk_back(pages_from, cursor, since_ms))

    def _pages(self, symbol: str, from_ms: int) -> Iterable[list[AccountFill]]:
        """The account's trades of the symbol, newest first, page by page, at least back to
        `from_ms`."""
        raise NotImplementedError

    def _fills_in(self, symbol: str, pages: Iterable[list[Any]]) -> Iterable[AccountFill]:
        """Parse pages of an order's trades in the exchange's format."""
        market = self.client.market(symbol)
        for trade in chain.from_iterable(pages):
            yield account_fill_of(self.client.parse_trade(trade, market))

    def _account_fills(self, symbol: str, trades: Iterable[Any]) -> list[AccountFill]:
        """Parse trades in the exchange's format."""
        market = self.client.market(symbol)
        parsed = [self.client.parse_trade(trade, market) for trade in trades]
        return [account_fill_of(trade) for trade in parsed if trade["symbol"] == symbol]

    def _report(self, symbol: str, order: Any) -> OrderReport:
        """Parse an order in the exchange's format."""
        return self._read_order(symbol, self.client.parse_order(order, self.client.market(symbol)))

    def _read_order(self, symbol: str, parsed: Any) -> OrderReport:
        """Parse ccxt's order, with the exchange's own values where ccxt errs."""
        raw = parsed.get("info") or {}
        ids: dict[str, Any] = {}
        if self.id_key is not None and raw.get(self.id_key):
            ids["id"] = str(raw[self.id_key])
        if self.client_id_key is not None:
            ids["clientOrderId"] = raw.get(self.client_id_key)
        return report_of({**self._corrected(parsed, raw), **ids}, symbol)

    def _corrected(self, parsed: Any, _: Any) -> Any:
        """Correct ccxt's reading of the exchange's answer, above all amounts in base."""
        return parsed

    def balances(self) -> dict[str, Decimal]:
        return self._read(lambda: self._balances("total"))

    def free_balances(self) -> dict[str, Decimal]:
        return self._read(lambda: self._balances("free"))

    def may_trade(self) -> bool | None:
        # Binance tells it with the balances; for the other exchanges it is not implemented.
        account = self._read(lambda: self.client.fetch_balance()["info"])
        return (
            bool(account["canTrade"])
            if isinstance(account, dict) and "canTrade" in account
            else None
        )

    def may_withdraw(self) -> bool | None:
        return self._read(lambda: may_withdraw(self.client, self._guarantees.exchange))

    def _balances(self, part: str) -> dict[str, Decimal]:
        held = self.client.fetch_balance()[part]
        return {asset: to_decimal(amount) for asset, amount in held.items() if amount is not None}

    def prices(self, symbols: Collection[str]) -> dict[str, Decimal]:
        return self._read(lambda: self._prices(sorted(symbols)))

    def _prices(self, symbols: list[str]) -> dict[str, Decimal]:
        tickers = self.client.fetch_tickers(symbols)
        prices = {symbol: price_of(tickers[symbol]) for symbol in symbols if symbol in tickers}
        return {symbol: price for symbol, price in prices.items() if price}

    def order_book(self, symbol: str, depth: int) -> Book:
        return self._read(lambda: book_of(symbol, self.client.fetch_order_book(symbol, depth)))

    def measure_clock(self) -> ClockOffset:
        """The exchange's time is at most half the round trip away from its middle."""
        before = self._clock.now_ms()
        self.client.is_measuring = True
        try:
            server = self._read(self._server_ms) + self.clock_step_ms // 2
        finally:
            self.client.is_measuring = False
        after = self._clock.now_ms()
        middle = (before + after) // 2
        # One more ms on either side, because all three readings are whole milliseconds.
        uncertainty_ms = (after - before) // 2 + self.clock_step_ms // 2 + 2
        return ClockOffset(server - middle, uncertainty_ms, after)

    def _server_ms(self) -> int:
        return int(self.client.fetch_time())

    def _read(self, request: Callable[[], T]) -> T:
        """Make the request; repeat it once if the exchange refused our timestamp and the clock was
        measured again."""
        try:
            with self._errors_converted():
                return request()
        except ExchangeUnavailable as error:
            cause = error.__cause__
            if cause is None or not self._is_about_time(cause) or not self._account.clock_refused():
                raise
        with self._errors_converted():
            return request()

    def _is_about_time(self, error: BaseException) -> bool:
        """Whether the exchange refused the request because of its timestamp."""
        is_named = self.client.exchange_code in self.clock_codes
        return is_named or isinstance(error, ccxt.InvalidNonce)

    def _ask(self, request: Callable[[], T], gone: frozenset[str] = frozenset()) -> T | None:
        """Like _read; None if the exchange said, with its own code, that there is no such order."""
        try:
            return self._read(request)
        except ExchangeUnavailable as error:
            code, status = self.client.exchange_code, self.client.http_status
            missing = isinstance(error.__cause__, ccxt.OrderNotFound) or code in gone
            if missing and code is not None and status in self.gone_statuses:
                return None
            raise

    @contextmanager
    def _errors_converted(self) -> Iterator[None]:
        self.client.forget()
        try:
            yield
        except (ccxt.BaseError, *UNREADABLE) as error:
            reason = reason_of(error)
            client = self.client
            is_outage = client.exchange_code in self.outages
            kind = kind_of_failure(error, client.http_status, is_outage=is_outage)
            raise kind(reason, client.retry_after_s) from error
