"""Reconciles the orders that are open on record with those that the exchange lists as open."""

from datetime import timedelta

from execution.model.events import Reported
from execution.model.order import Order, OrderReport, OrderState
from execution.reconciliation.context import AccountRun
from execution.reconciliation.order_owners import OrderOwners

# The most that a list of open orders may lag behind an order's end.
LISTED_AFTER = timedelta(minutes=10)
# States of records whose orders cannot be open at the exchange.
SAID_NO = frozenset({OrderState.REFUSED, OrderState.REJECTED})


class OpenOrderSync:
    """Writes its findings to the run's record."""

    def __init__(self, run: AccountRun, owners: OrderOwners) -> None:
        self._run = run
        self._context = run.context
        self._owners = owners

    def read(self, symbol: str) -> None:
        """Settle each order that is open on record and not listed by the exchange; find listed ones
        without a record."""
        # Read again: the trades that were just applied have ended some of them.
        live = self._run.live_orders()
        orders = [o for o in live if o.symbol == symbol and o.state is OrderState.OPEN]
        listed = {
            report.exchange_order_id: report
            for report in self._run.asked("open orders").open_orders(symbol)
        }
        for order in orders:
            report = listed.pop(order.exchange_order_id or "", None)
            # Reads may lag behind placements: an order that is not found is looked up again later.
            report = report or self._run.asked("order").lookup(order)
            if report is not None:
                self._settle(order, report)
        self._take_listed(symbol, listed)

    def _settle(self, order: Order, report: OrderReport) -> None:
        journal = self._context.journal
        after = journal.record(journal.load(order.order_id), Reported(report))
        if not after.is_live:
            self._run.record.orders_settled.append(order.order_id)

    def _take_listed(self, symbol: str, listed: dict[str, OrderReport]) -> None:
        """Adopt our open orders without a record; report external ones."""
        record = self._run.record
        known = self._context.orders.order_ids_by_exchange_id(self._run.account, symbol, listed)
        for exchange_id, report in listed.items():
            if exchange_id in known:
                self._note_if_ended(symbol, exchange_id, known[exchange_id])
                continue
            order = self._owners.of_report(report)
            if order is None or order.state in SAID_NO:
                record.external_open_orders.append(f"{symbol} {exchange_id}")
            elif order.version == 0:
                self._context.journal.record(order, Reported(report))

    def _note_if_ended(self, symbol: str, exchange_id: str, order_id: str) -> None:
        """Warn of an order that ended long ago on record, as by an operator's decision: no cancel
        of ours reaches it any more."""
        order = self._context.orders.order(order_id)
        if order is None or order.is_live or order.state is OrderState.QUARANTINED:
            return
        if self._context.clock.now() - order.updated_at < LISTED_AFTER:
            return
        self._run.record.external_open_orders.append(f"{symbol} {exchange_id}")
        self._run.record.warnings.append(
            f"order {order.order_id} is {order.state} on record and open at the exchange, as "
            f"{exchange_id} in {order.symbol}; cancel it there"
        )
