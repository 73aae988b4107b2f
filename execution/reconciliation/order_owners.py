"""Finds the recorded order of a trade or of an exchange's report."""

from datetime import datetime, timedelta

from execution.model.errors import LedgerUnavailable, NotAdoptable, Undecided, UnknownOrder
from execution.model.order import Order, OrderReport
from execution.orders.identifiers import is_ours, may_be_ours
from execution.reconciliation.adoption import adopted_order, external_order
from execution.reconciliation.context import AccountRun

# A trade whose order the exchange does not show after this time is an external one.
DECIDED_AFTER = timedelta(minutes=10)


class OrderOwners:
    """Finds orders of one account by the exchange's data."""

    def __init__(self, run: AccountRun) -> None:
        self._run = run
        self._context = run.context

    def of_trade(
        self, symbol: str, exchange_id: str, order_id: str | None, time: datetime
    ) -> tuple[Order | None, OrderReport | None]:
        """The order with an exchange's id, None for an external one; and the exchange's report, if
        it was requested. `order_id` is ours if known for that id, `time` that of the trade. Raises
        Undecided."""
        record = self._run.record
        if order_id is not None:
            try:
                return self._context.journal.load(order_id), None
            except UnknownOrder:
                record.repaired.append(f"the record of order {order_id}")
        try:
            recalled = self._context.history.recall_by_exchange_id(
                self._run.account, symbol, exchange_id
            )
        except LedgerUnavailable:
            raise Undecided(exchange_id) from None
        if recalled is not None:
            record.orders_recalled.append(recalled.order_id)
            return recalled, None
        report = self._run.asked("order").fetch(symbol, exchange_id)
        if report is None and self._context.clock.now() - time < DECIDED_AFTER:
            raise Undecided(exchange_id)
        return None if report is None else self.of_report(report), report

    def of_report(self, report: OrderReport) -> Order | None:
        """Our order with that client id: known, being placed now, or lost and adopted."""
        client_id = report.client_order_id or ""
        # An order is on record before its request is sent: every order of ours at the exchange is
        # among these.
        live = self._run.live_orders()
        placing = next((order for order in live if order.client_order_id == client_id), None)
        if placing is not None or not is_ours(client_id):
            return placing
        known = self._context.orders.order(client_id)
        if known is not None:
            return known
        try:
            adopted = adopted_order(self._run.account, report, self._context.clock.now())
        except NotAdoptable:
            return None
        self._run.record.orders_adopted.append(adopted.order_id)
        return adopted

    def external(self, report: OrderReport) -> Order | None:
        """A record of an external order, None where it may be ours or cannot be adopted."""
        if may_be_ours(report.client_order_id, self._run.exchange.guarantees.exchange):
            return None
        try:
            order = external_order(self._run.account, report, self._context.clock.now())
        except NotAdoptable:
            return None
        self._run.record.orders_adopted.append(order.order_id)
        return order
