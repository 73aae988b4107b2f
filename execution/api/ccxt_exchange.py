"""One account at one exchange, spoken to through a strict ccxt class."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any, TypeVar

import ccxt

from execution.api.failures import failure_of, without_signature
from execution.api.parse import fill_of, market_of, report_of
from execution.books import Book
from execution.contracts import Contract
from execution.decimals import to_decimal
from execution.error_handler import verdict_of
from execution.markets import Market
from execution.orders import Attempt, Fill, Order, OrderReport, OrderType, TimeInForce, Verdict
from execution.ports import AccountFill, Clock, ClockOffset, ExchangeUnavailable, Outcome

T = TypeVar("T")


class CcxtExchange:
    """What all exchanges that ccxt knows have in common; see ports.Exchange for the meaning.

    `client` is a ccxt class with StrictTransport mixed in, its markets loaded. Whatever ccxt
    raises, ends here: it becomes an Outcome, or an ExchangeUnavailable.
    """

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
        self.client.forget(attempt.stamp_ms)
        try:
            report = report_of(self._send(order, attempt))
        except Exception as error:  # noqa: BLE001  # Whatever it was, it is judged, never lost.
            failure = failure_of(error, self.client)
            verdict = verdict_of(failure, self._contract.exchange)
            reason = f"{failure.kind}: {failure.message}"
            return Outcome(verdict, reason=reason, retry_after_s=failure.retry_after_s)
        finally:
            self.client.stamp_ms = None
        if report.client_order_id not in (None, order.client_order_id):
            reason = f"the answer speaks of order {report.client_order_id}"
            return Outcome(Verdict.UNKNOWN, reason=reason)
        return Outcome(Verdict.ACCEPTED, report)

    def _send(self, order: Order, attempt: Attempt) -> Any:
        params: dict[str, Any] = {
            "clientOrderId": order.client_order_id,
            "recvWindow": attempt.valid_until_ms - attempt.stamp_ms,
        }
        if order.time_in_force is TimeInForce.PO:
            params["postOnly"] = True
        elif order.time_in_force is not None:
            params["timeInForce"] = order.time_in_force.value
        # A market order with a price would be sent as an amount of quote currency instead.
        price = None if order.type is OrderType.MARKET else order.price
        return self.client.create_order(
            order.symbol, order.type.value, order.side.value, order.amount, price, params
        )

    def cancel(self, order: Order) -> OrderReport | None:
        return self._ask(lambda: self._cancel(order), nothing=ccxt.OrderNotFound)

    def _cancel(self, order: Order) -> OrderReport:
        return report_of(self.client.cancel_order(order.exchange_order_id, order.symbol))

    def lookup(self, order: Order) -> OrderReport | None:
        report = self._ask(lambda: self._lookup(order), nothing=ccxt.OrderNotFound)
        if report is not None and report.client_order_id not in (None, order.client_order_id):
            raise ExchangeUnavailable(
                f"asked for order {order.client_order_id}, told of {report.client_order_id}"
            )
        return report

    def _lookup(self, order: Order) -> OrderReport:
        params = {"clientOrderId": order.client_order_id}
        return report_of(self.client.fetch_order(None, order.symbol, params))

    def open_orders(self, symbol: str) -> list[OrderReport]:
        return self._read(lambda: [report_of(o) for o in self.client.fetch_open_orders(symbol)])

    def order_fills(self, order: Order) -> list[Fill]:
        return self._read(
            lambda: [
                fill_of(trade)
                for trade in self.client.fetch_order_trades(order.exchange_order_id, order.symbol)
            ]
        )

    def fills_since(self, symbol: str, cursor: str | None, since_ms: int) -> list[AccountFill]:
        raise NotImplementedError

    def balances(self) -> dict[str, Decimal]:
        return self._read(
            lambda: {
                asset: to_decimal(total)
                for asset, total in self.client.fetch_balance()["total"].items()
            }
        )

    def order_book(self, symbol: str, depth: int) -> Book:
        raise NotImplementedError

    def measure_clock(self) -> ClockOffset:
        """Half the round trip is as far as the exchange's clock can be from the middle of it."""
        before = self._clock.now_ms()
        server = self._read(lambda: int(self.client.fetch_time()))
        after = self._clock.now_ms()
        middle = (before + after) // 2
        # One more ms on either side, because all three readings are whole milliseconds.
        return ClockOffset(server - middle, (after - before) // 2 + 2, after)

    def _read(self, question: Callable[[], T]) -> T:
        with self._questions():
            return question()

    def _ask(self, question: Callable[[], T], nothing: type[Exception]) -> T | None:
        """Like _read; None where the exchange said, with its own code, that nothing is there."""
        try:
            with self._questions():
                return question()
        except ExchangeUnavailable as error:
            if isinstance(error.__cause__, nothing) and self.client.exchange_code is not None:
                return None
            raise

    @contextmanager
    def _questions(self) -> Iterator[None]:
        self.client.forget()
        try:
            yield
        except (ccxt.BaseError, ValueError, KeyError, TypeError) as error:
            reason = f"{type(error).__name__}: {without_signature(str(error))}"
            raise ExchangeUnavailable(reason, self.client.retry_after_s) from error
