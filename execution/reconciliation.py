"""Makes our orders and positions agree with what the exchange says happened.

Only well-formed answers count; a question that fails ends the run with what was repaired so far,
and the next run goes on from the same cursor.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from uuid import uuid4

from execution.events import Reported
from execution.journal import Journal
from execution.orders import Fill, Order, OrderReport, OrderState
from execution.ports import AccountFill, Clock, Exchange, Store

LEASE_MS = 30_000
# Trades are asked for from this long before the oldest order, in case clocks disagree.
LOOKBACK_MS = 60_000
BOOK_DEPTH = 5


class AlreadyRunning(Exception):
    """Another reconciliation of this account is under way."""


@dataclass(slots=True)
class Reconciliation:
    """What one run looked at, found and repaired."""

    account: str
    started_at: datetime
    took_ms: int = 0
    symbols: list[str] = field(default_factory=list)
    fills_applied: int = 0
    orders_settled: list[str] = field(default_factory=list)
    external_orders: list[str] = field(default_factory=list)


class Reconciler:
    """Reconciles one account at a time; two runs on one account never overlap."""

    def __init__(self, store: Store, journal: Journal, clock: Clock) -> None:
        self._store = store
        self._journal = journal
        self._clock = clock

    def run(self, account: str, exchange: Exchange) -> Reconciliation:
        """Raises AlreadyRunning, and ExchangeUnavailable where a question got no usable answer."""
        owner = uuid4().hex
        name = f"reconcile:{account}"
        if not self._store.lease(name, owner, LEASE_MS):
            raise AlreadyRunning(f"account: a reconciliation of {account!r} is under way")
        started_ms = self._clock.now_ms()
        found = Reconciliation(account, self._clock.now())
        try:
            live = [o for o in self._store.live_orders(account) if o.state is OrderState.OPEN]
            held = [p.symbol for p in self._store.positions(account) if p.amount]
            found.symbols = sorted({order.symbol for order in live} | set(held))
            for symbol in found.symbols:
                orders = [order for order in live if order.symbol == symbol]
                self._apply_fills(found, symbol, orders, exchange)
                self._settle_ended(found, symbol, orders, exchange)
                self._mark(account, symbol, exchange)
        finally:
            self._store.release(name, owner)
        found.took_ms = self._clock.now_ms() - started_ms
        return found

    def _apply_fills(
        self, found: Reconciliation, symbol: str, orders: list[Order], exchange: Exchange
    ) -> None:
        """Apply the trades since the cursor, then move the cursor past them."""
        account = found.account
        cursor = self._store.cursor(account, symbol)
        started = min((o.created_at for o in orders), default=found.started_at)
        since_ms = int(started.timestamp() * 1000) - LOOKBACK_MS
        trades = exchange.fills_since(symbol, cursor, since_ms)
        exchange_ids = {trade.exchange_order_id for trade in trades}
        ours = self._store.order_ids_by_exchange_id(account, symbol, exchange_ids)
        for exchange_id, fills in _runs(trades):
            if exchange_id in ours:
                found.fills_applied += self._apply(ours[exchange_id], exchange_id, fills)
            elif exchange_id not in found.external_orders and not self._is_being_placed(
                account, symbol
            ):
                found.external_orders.append(exchange_id)
        if trades:
            self._store.set_cursor(account, symbol, trades[-1].fill.trade_id)

    def _apply(self, order_id: str, exchange_id: str, fills: tuple[Fill, ...]) -> int:
        order = self._journal.load(order_id)
        report = OrderReport(
            exchange_id, order.client_order_id, order.symbol, order.state, fills=fills
        )
        after = self._journal.record(order, Reported(report))
        return len(after.fills) - len(order.fills)

    def _is_being_placed(self, account: str, symbol: str) -> bool:
        """An order whose answer is still out has no exchange id yet; its trades may be these."""
        return any(
            order.symbol == symbol and order.state is OrderState.SUBMITTING
            for order in self._store.live_orders(account)
        )

    def _settle_ended(
        self, found: Reconciliation, symbol: str, orders: list[Order], exchange: Exchange
    ) -> None:
        """Ask after each order that we think open and the exchange does not list as such."""
        if not orders:
            return
        listed = {report.exchange_order_id: report for report in exchange.open_orders(symbol)}
        for order in orders:
            report = listed.get(order.exchange_order_id or "") or exchange.lookup(order)
            # Reads may lag behind placements: an order that cannot be found is asked after again.
            if report is None:
                continue
            after = self._journal.record(self._journal.load(order.order_id), Reported(report))
            if not after.is_live:
                found.orders_settled.append(order.order_id)

    def _mark(self, account: str, symbol: str, exchange: Exchange) -> None:
        mid = exchange.order_book(symbol, BOOK_DEPTH).mid
        if mid is not None:
            self._store.set_mark(account, symbol, mid, self._clock.now_ms())


def _runs(trades: list[AccountFill]) -> Iterator[tuple[str, tuple[Fill, ...]]]:
    """Trades that follow each other and are of one order, together. The order in which trades
    happened is kept, because profit depends on it."""
    for exchange_id, run in groupby(trades, key=lambda trade: trade.exchange_order_id):
        yield exchange_id, tuple(trade.fill for trade in run)
