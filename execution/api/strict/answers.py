"""Checks that an answer is about the requested order and symbol.

Each check raises ValueError if it is not; nothing may be concluded from such an answer.
"""

from execution.exchanges.port import AccountFill
from execution.model.order import Fill, Order, OrderReport


def with_id(symbol: str, exchange_order_id: str, report: OrderReport) -> OrderReport:
    """The report, if it is about the order with that id, in that symbol."""
    if (report.exchange_order_id, report.symbol) != (exchange_order_id, symbol):
        other = f"{report.exchange_order_id} in {report.symbol}"
        asked = f"{exchange_order_id} in {symbol}"
        raise ValueError(f"asked for order {asked}, and the answer is about {other}")
    return report


def in_symbol(symbol: str, report: OrderReport) -> OrderReport:
    """The report, if it is about an order in that symbol."""
    if report.symbol != symbol:
        other = f"{report.exchange_order_id} in {report.symbol}"
        raise ValueError(f"asked for open orders of {symbol}, and the answer is about {other}")
    return report


def of_order(order: Order, trade: AccountFill) -> Fill:
    """The fill, if it belongs to that order."""
    if trade.exchange_order_id != order.exchange_order_id:
        asked = f"trades of order {order.exchange_order_id}"
        raise ValueError(f"asked for {asked}, and the answer is about {trade.exchange_order_id}")
    return trade.fill


def other_order(order: Order, report: OrderReport, may_leave_out_id: bool) -> str | None:
    """The order that the report is about if it is another one; None if it is the requested one."""
    left_out = may_leave_out_id and report.client_order_id is None
    if not left_out and report.client_order_id != order.client_order_id:
        return str(report.client_order_id)
    return None if report.symbol == order.symbol else f"{order.client_order_id} in {report.symbol}"
