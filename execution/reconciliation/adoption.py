"""Makes records of orders that are at the exchange and not in the store."""

from datetime import datetime

from execution.model.errors import NotAdoptable
from execution.model.order import EXTERNAL, Order, OrderReport
from execution.orders.identifiers import is_ours
from oneorder.identifiers import order_id_of


def adopted_order(account: str, report: OrderReport, now: datetime) -> Order:
    """The record, not stored yet, of an order with one of our ids, of which only the exchange's
    report is known. A repeated signal finds it by the id.

    Raises NotAdoptable.
    """
    client_order_id = report.client_order_id
    if client_order_id is None or not is_ours(client_order_id):
        raise NotAdoptable(f"order {report.exchange_order_id} does not carry an id of ours")
    return _order(account, report, client_order_id, "", now)


def external_order(account: str, report: OrderReport, now: datetime) -> Order:
    """The record, not stored yet, of an external order on the account.

    Raises NotAdoptable.
    """
    signal_id = f"{EXTERNAL}:{account}:{report.symbol}:{report.exchange_order_id}"
    return _order(account, report, order_id_of(signal_id), signal_id, now)


def _order(
    account: str, report: OrderReport, order_id: str, signal_id: str, now: datetime
) -> Order:
    terms = report.terms
    if terms is None:
        raise NotAdoptable(
            f"order {report.exchange_order_id} in {report.symbol} is of an unsupported kind"
        )
    return Order(
        order_id=order_id,
        signal_id=signal_id,
        account=account,
        symbol=report.symbol,
        side=terms.side,
        type=terms.type,
        time_in_force=terms.time_in_force,
        amount=terms.amount,
        price=terms.price,
        client_order_id=report.client_order_id or order_id,
        created_at=now,
        updated_at=now,
        strategy=EXTERNAL if signal_id else None,
    )
