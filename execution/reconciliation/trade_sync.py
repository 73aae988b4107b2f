"""Applies an account's trades since the last run to its orders, and so to its positions."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from itertools import groupby

from execution.exchanges.port import AccountFill
from execution.model.errors import IllegalTransition, Undecided, UnknownOrder
from execution.model.events import Reported
from execution.model.order import Fill, Order, OrderReport
from execution.positions.balance_sheet import (
    already_read,
    moved_by_trade,
    with_external_trades,
    with_read,
)
from execution.reconciliation.context import AccountRun
from execution.reconciliation.order_owners import OrderOwners
from execution.reconciliation.run import DriftPolicy

# Trades are read from this long before the oldest order, in case clocks differ.
LOOKBACK_MS = 60_000


class TradeSync:
    """Writes its findings to the run's record. `live` are the orders that could trade when it
    began."""

    def __init__(self, run: AccountRun, owners: OrderOwners, live: list[Order]) -> None:
        self._run = run
        self._context = run.context
        self._owners = owners
        self._live = live
        # Trades of the current symbol that are read again.
        self._old: set[str] = set()

    def read(self, symbol: str, again_since: datetime | None) -> bool:
        """Apply the trades since the cursor, or all from `again_since` on, and move the cursor past
        all whose order is known; returns whether that were all. After a trade with an unknown
        order, our own trades are still applied; they are read again, and known then."""
        account, runs = self._run.account, self._context.runs
        cursor = runs.cursor(account, symbol) if again_since is None else None
        since_ms = self._since_ms(symbol, again_since)
        trades = self._run.asked("trades").fills_since(symbol, cursor, since_ms)
        self._run.record.trades_read += len(trades)
        self._old = already_read(self._run.sheet, symbol, [trade.fill.trade_id for trade in trades])
        exchange_ids = {trade.exchange_order_id for trade in trades}
        ours = self._context.orders.order_ids_by_exchange_id(account, symbol, exchange_ids)
        is_stuck = False
        for exchange_id, fills in _by_order(trades):
            if is_stuck and exchange_id not in ours:
                continue
            try:
                self._take(symbol, exchange_id, fills, ours.get(exchange_id))
            except Undecided:
                is_stuck = True
            if not is_stuck:
                last = fills[-1].trade_id
                if last not in self._old:
                    self._run.sheet = with_read(self._run.sheet, symbol, last)
                runs.set_cursor(account, symbol, last, self._run.sheet)
        return not is_stuck

    def _since_ms(self, symbol: str, again_since: datetime | None) -> int:
        """The time from which trades are read if none was read before, or all are read again."""
        begin = again_since or self._run.sheet.opened_at or self._run.record.started_at
        times = [order.created_at for order in self._live if order.symbol == symbol]
        return int(min([begin, *times]).timestamp() * 1000) - LOOKBACK_MS

    def _take(
        self, symbol: str, exchange_id: str, fills: tuple[Fill, ...], order_id: str | None
    ) -> None:
        record = self._run.record
        order, report = self._owners.of_trade(symbol, exchange_id, order_id, fills[-1].time)
        if order is not None and order.symbol != symbol:
            # An order of ours has the id, and cannot have traded here.
            order, report = None, None
        if order is None and report is not None and self._run.policy is DriftPolicy.ADOPT:
            order = self._owners.external(report)
        if order is None:
            self._note_external(symbol, exchange_id, fills)
            return
        if report is None:
            report = OrderReport(exchange_id, order.client_order_id, symbol, order.state)
        if order.version == 0:
            # Only these trades are certainly new: others may be counted already.
            report = replace(report, filled=None)
        try:
            after = self._context.journal.record(order, Reported(replace(report, fills=fills)))
        except (IllegalTransition, UnknownOrder):
            # Of two orders at the exchange only one is ours, and one that oneorder refused is not.
            self._note_external(symbol, exchange_id, fills)
            return
        if order.is_live and not after.is_live:
            record.orders_settled.append(after.order_id)
        record.fills_applied += len(after.fills) - (len(order.fills) if order.version else 0)

    def _note_external(self, symbol: str, exchange_id: str, fills: tuple[Fill, ...]) -> None:
        fresh = [fill for fill in fills if fill.trade_id not in self._old]
        if not fresh:
            return
        name = f"{symbol} {exchange_id}"
        if self._run.policy is DriftPolicy.HALT:
            # Before the cursor moves past it; later runs would not see it again.
            self._run.halt(f"external orders: {name}")
        if name not in self._run.record.external_orders:
            self._run.record.external_orders.append(name)
        moved = [
            (f"{symbol} {fill.side} {fill.trade_id}", moved_by_trade(symbol, fill))
            for fill in fresh
            if self._counts(fill.time)
        ]
        self._run.sheet = with_external_trades(self._run.sheet, moved)

    def _counts(self, time: datetime) -> bool:
        """Trades before the opening balances are included in them."""
        opened_at = self._run.sheet.opened_at
        return opened_at is not None and time >= opened_at


def _by_order(trades: list[AccountFill]) -> Iterator[tuple[str, tuple[Fill, ...]]]:
    """Groups consecutive trades of one order. The order of trades is kept, because profit depends
    on it."""
    for exchange_id, group in groupby(trades, key=lambda trade: trade.exchange_order_id):
        yield exchange_id, tuple(trade.fill for trade in group)
