"""One account at one exchange, spoken to through a strict ccxt class."""

from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from itertools import chain
from typing import Any, ClassVar, TypeVar

import ccxt

from execution.api.failures import failure_of, without_signature
from execution.api.key_rights import may_withdraw
from execution.api.parse import (
    account_fill_of,
    book_of,
    fill_of,
    market_of,
    price_of,
    report_of,
    time_of,
)
from execution.books import Book
from execution.contracts import Contract
from execution.decimals import to_decimal
from execution.error_handler import verdict_of
from execution.markets import Market
from execution.orders import Attempt, Fill, Order, OrderReport, OrderType, TimeInForce, Verdict
from execution.ports import AccountFill, Clock, ClockOffset, ExchangeUnavailable, Outcome

T = TypeVar("T")
# A trade id that is no place to begin from is looked for this far back.
LOOKBACK_MAX_MS = 7 * 86_400_000
# What comes of reading an answer that is not what it should be.
UNREADABLE = (
    ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError
)  # fmt: skip


class CcxtExchange:
    """What all exchanges that ccxt knows have in common; see ports.Exchange for the meaning.

    `client` is a ccxt class with StrictTransport mixed in, its markets loaded. Whatever ccxt
    raises, ends here: it becomes an Outcome, or an ExchangeUnavailable.
    """

    # Codes that say that nothing is left to cancel, besides those that ccxt knows as OrderNotFound,
    # and the HTTP statuses with which the exchange says such things.
    gone: ClassVar[frozenset[str]] = frozenset()
    gone_statuses: ClassVar[range] = range(400, 500)
    # What is found by a client order id need not say it.
    may_leave_out_id: ClassVar[bool] = False
    # The exchange tells its time in steps of so many ms.
    clock_step_ms: ClassVar[int] = 1

    def __init__(self, client: Any, contract: Contract, clock: Clock) -> None:
        self.client = client
        self._contract = contract
        self._clock = clock
        self._markets: dict[str, Market] = {}

    @property
    def contract(self) -> Contract:
        return self._contract

    def market(self, symbol: str) -> Market | None:
        if symbol not in self._markets:
            unified = self.client.markets.get(symbol)
            if unified is None or not unified["spot"] or not unified["active"]:
                return None
            self._markets[symbol] = market_of(unified)
        return self._markets[symbol]

    def place(self, order: Order, attempt: Attempt) -> Outcome:
        refused = self._refusal(order)
        if refused is not None:
            return Outcome(Verdict.REJECTED, reason=refused)
        self.client.forget(attempt.stamp_ms)
        try:
            report = self._accepted(order, self._send(order, attempt))
        except Exception as error:  # noqa: BLE001  # Whatever it was, it is judged, never lost.
            failure = failure_of(error, self.client)
            verdict = verdict_of(failure, self._contract.exchange)
            reason = f"{failure.kind}: {failure.message}"
            return Outcome(verdict, reason=reason, retry_after_s=failure.retry_after_s)
        finally:
            self.client.stamp_ms = None
        stranger = _stranger(order, report, may_leave_out_id=True)
        if stranger is not None:
            return Outcome(Verdict.UNKNOWN, reason=f"the answer speaks of order {stranger}")
        return Outcome(Verdict.ACCEPTED, report)

    def _refusal(self, order: Order) -> str | None:
        """Say why the exchange has no such orders, None where it has."""
        del order
        return None

    def _send(self, order: Order, attempt: Attempt) -> Any:
        params = self._terms(order, attempt)
        if order.time_in_force is TimeInForce.PO:
            params["postOnly"] = True
        elif order.time_in_force is not None:
            params["timeInForce"] = order.time_in_force.value
        # A market order with a price would be sent as an amount of quote currency instead.
        price = None if order.type is OrderType.MARKET else order.price
        return self.client.create_order(
            order.symbol, order.type.value, order.side.value, order.amount, price, params
        )

    def _terms(self, order: Order, attempt: Attempt) -> dict[str, Any]:
        """The client order id and the fence, as far as ccxt takes them with an order."""
        del attempt
        return {"clientOrderId": order.client_order_id}

    def _accepted(self, order: Order, answer: Any) -> OrderReport:
        """Read what came back for a placement; `order` is what it answers."""
        del order
        return report_of(answer)

    def cancel(self, order: Order) -> OrderReport | None:
        return self._ask(lambda: self._cancel(order), self.gone)

    def _cancel(self, order: Order) -> OrderReport:
        self.client.cancel_order(order.exchange_order_id, order.symbol)
        return self._found(order)

    def _found(self, order: Order) -> OrderReport:
        """The order as it stands after its cancel, which most exchanges only acknowledge."""
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
        stranger = None if report is None else _stranger(order, report, self.may_leave_out_id)
        if stranger is not None:
            raise ValueError(f"asked for order {order.client_order_id}, told of {stranger}")
        return report

    def _lookup(self, order: Order) -> OrderReport | None:
        params = {"clientOrderId": order.client_order_id}
        return report_of(self.client.fetch_order(None, order.symbol, params))

    def fetch(self, symbol: str, exchange_order_id: str) -> OrderReport | None:
        return self._ask(lambda: report_of(self.client.fetch_order(exchange_order_id, symbol)))

    def open_orders(self, symbol: str) -> list[OrderReport]:
        return self._read(lambda: list(self._open(symbol)))

    def _open(self, symbol: str) -> Iterable[OrderReport]:
        return map(report_of, self.client.fetch_open_orders(symbol))

    def order_fills(self, order: Order) -> list[Fill]:
        return self._read(lambda: list(self._fills(order)))

    def _fills(self, order: Order) -> Iterable[Fill]:
        return map(fill_of, self.client.fetch_order_trades(order.exchange_order_id, order.symbol))

    def fills_since(self, symbol: str, cursor: str | None, since_ms: int) -> list[AccountFill]:
        return self._read(lambda: self._walk_back(symbol, cursor, since_ms))

    def _walk_back(self, symbol: str, cursor: str | None, since_ms: int) -> list[AccountFill]:
        """Read from the newest trade back to the cursor's, or to `since_ms`."""
        from_ms = since_ms if cursor is None else since_ms - LOOKBACK_MAX_MS
        found: dict[tuple[str, str], AccountFill] = {}
        oldest = time_of(max(0, from_ms))
        for page in self._pages(symbol, max(0, from_ms)):
            for told in page:
                if told.fill.trade_id == cursor:
                    # Trades of the same moment come in no order: they are told again, never lost.
                    oldest = told.fill.time
                else:
                    found[told.fill.trade_id, told.fill.side] = told
            if page and page[-1].fill.time < oldest:
                break
        recent = (told for told in found.values() if told.fill.time >= oldest)
        return sorted(recent, key=lambda told: told.fill.time)

    def _pages(self, symbol: str, from_ms: int) -> Iterable[list[AccountFill]]:
        """The account's trades of the symbol, the newest first, page by page, back to `from_ms` or
        beyond it."""
        raise NotImplementedError

    def _fills_in(self, symbol: str, pages: Iterable[list[Any]]) -> Iterable[Fill]:
        """Read pages of an order's trades as the exchange has written them."""
        market = self.client.market(symbol)
        for trade in chain.from_iterable(pages):
            yield fill_of(self.client.parse_trade(trade, market))

    def _account_fills(self, symbol: str, trades: Iterable[Any]) -> list[AccountFill]:
        """Read trades as the exchange has written them."""
        market = self.client.market(symbol)
        parsed = [self.client.parse_trade(trade, market) for trade in trades]
        return [account_fill_of(trade) for trade in parsed if trade["symbol"] == symbol]

    def _report(self, symbol: str, order: Any) -> OrderReport:
        """Read an order as the exchange has written it."""
        return report_of(self.client.parse_order(order, self.client.market(symbol)))

    def balances(self) -> dict[str, Decimal]:
        return self._read(lambda: self._balances("total"))

    def free_balances(self) -> dict[str, Decimal]:
        return self._read(lambda: self._balances("free"))

    def may_trade(self) -> bool | None:
        # Binance tells it with the balances; of the others, nobody has looked for it yet.
        told = self._read(lambda: self.client.fetch_balance()["info"])
        return bool(told["canTrade"]) if isinstance(told, dict) and "canTrade" in told else None

    def may_withdraw(self) -> bool | None:
        return self._read(lambda: may_withdraw(self.client, self._contract.exchange))

    def _balances(self, part: str) -> dict[str, Decimal]:
        found = self.client.fetch_balance()[part]
        return {asset: to_decimal(amount) for asset, amount in found.items() if amount is not None}

    def prices(self, symbols: Collection[str]) -> dict[str, Decimal]:
        return self._read(lambda: self._prices(sorted(symbols)))

    def _prices(self, symbols: list[str]) -> dict[str, Decimal]:
        tickers = self.client.fetch_tickers(symbols)
        told = {symbol: price_of(tickers[symbol]) for symbol in symbols if symbol in tickers}
        return {symbol: price for symbol, price in told.items() if price}

    def order_book(self, symbol: str, depth: int) -> Book:
        return self._read(lambda: book_of(symbol, self.client.fetch_order_book(symbol, depth)))

    def measure_clock(self) -> ClockOffset:
        """Half the round trip is as far as the exchange's clock can be from the middle of it."""
        before = self._clock.now_ms()
        server = self._read(self._server_ms) + self.clock_step_ms // 2
        after = self._clock.now_ms()
        middle = (before + after) // 2
        # One more ms on either side, because all three readings are whole milliseconds.
        uncertainty_ms = (after - before) // 2 + self.clock_step_ms // 2 + 2
        return ClockOffset(server - middle, uncertainty_ms, after)

    def _server_ms(self) -> int:
        return int(self.client.fetch_time())

    def _read(self, question: Callable[[], T]) -> T:
        with self._questions():
            return question()

    def _ask(self, question: Callable[[], T], gone: frozenset[str] = frozenset()) -> T | None:
        """Like _read; None where the exchange said, with its own code, that nothing is there."""
        try:
            with self._questions():
                return question()
        except ExchangeUnavailable as error:
            code, status = self.client.exchange_code, self.client.http_status
            missing = isinstance(error.__cause__, ccxt.OrderNotFound) or code in gone
            if missing and code is not None and status in self.gone_statuses:
                return None
            raise

    @contextmanager
    def _questions(self) -> Iterator[None]:
        self.client.forget()
        try:
            yield
        except (ccxt.BaseError, *UNREADABLE) as error:
            reason = f"{type(error).__name__}: {without_signature(str(error))}"
            raise ExchangeUnavailable(reason, self.client.retry_after_s) from error


def _stranger(order: Order, report: OrderReport, may_leave_out_id: bool) -> str | None:
    """Name the order that the report is about, None where that is the one that was meant."""
    left_out = may_leave_out_id and report.client_order_id is None
    if not left_out and report.client_order_id != order.client_order_id:
        return str(report.client_order_id)
    return None if report.symbol == order.symbol else f"{order.client_order_id} in {report.symbol}"
