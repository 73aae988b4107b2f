"""Makes the orders that we think open agree with those that the exchange lists as open."""

from datetime import timedelta

from execution.model.events import Reported
from execution.model.order import Order, OrderReport, OrderState
from execution.reconciliation.context import AccountRun
from execution.reconciliation.order_owners import OrderOwners

# A list of open orders may lag behind the end of one, but not as long as this.
LISTED_AFTER = timedelta(minutes=10)
# Records that say that no such order can stand at the exchange.
SAID_NO = frozenset({OrderState.REFUSED, OrderState.REJECTED})


class OpenOrderSync:
    """Writes what it finds into the run's record."""

    def __init__(self, run: AccountRun, owners: OrderOwners) -> None:
        self._run = run
        self._context = run.context
        self._owners = owners

    def read(self, symbol: str) -> None:
        """Settle each order that we think open and the exchange does not list as such; find those
        that it lists and we do not know."""
        # Read again: the trades that were just taken have ended some of them.
        live = self._run.live_orders()
        orders = [o for o in live if o.symbol == symbol and o.state is OrderState.OPEN]
        listed = {
            report.exchange_order_id: report
            for report in self._run.asked("open orders").open_orders(symbol)
        }
        for order in orders:
            report = listed.pop(order.exchange_order_id or "", None)
            # Reads may lag behind placements: an order that cannot be found is asked after again.
            report = report or self._run.asked("order").lookup(order)
            if report is not None:
                self._settle(order, report)
        self._take_listed(symbol, listed)

    def _settle(self, order: Order, report: OrderReport) -> None:
        journal = self._context.journal
        after = journal.record(journal.load(order.order_id), Reported(report))
        if not after.is_live:
            self._run.found.orders_settled.append(order.order_id)

    def _take_listed(self, symbol: str, listed: dict[str, OrderReport]) -> None:
        """Adopt open orders of ours that no record is left of; name those of others."""
        found = self._run.found
        known = self._context.orders.order_ids_by_exchange_id(self._run.account, symbol, listed)
        for exchange_id, report in listed.items():
            if exchange_id in known:
                self._note_if_ended(symbol, exchange_id, known[exchange_id])
                continue
            order = self._owners.of_report(report)
            if order is None or order.state in SAID_NO:
                found.external_open_orders.append(f"{symbol} {exchange_id}")
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
        self._run.found.external_open_orders.append(f"{symbol} {exchange_id}")
        self._run.found.warnings.append(
            f"order {order.order_id} is {order.state} on record and open at the exchange, as "
            f"{exchange_id} in {order.symbol}; cancel it there"
        )
