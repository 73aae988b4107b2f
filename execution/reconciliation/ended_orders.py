"""Orders that have ended on record, and stand at the exchange all the same."""

from datetime import datetime, timedelta

from execution.model.order import Order, OrderState

# A list of open orders may lag behind the end of one, but not as long as this.
LISTED_AFTER = timedelta(minutes=10)


def stands_though_ended(order: Order, exchange_order_id: str, now: datetime) -> str | None:
    """Say in one sentence that an order which the exchange lists as open ended long ago, as by a
    person's word: no cancel of ours reaches it any more. None where it did not."""
    may_stand = order.is_live or order.state is OrderState.QUARANTINED
    if may_stand or now - order.updated_at < LISTED_AFTER:
        return None
    return (
        f"order {order.order_id} is {order.state} on record and open at the exchange, as "
        f"{exchange_order_id} in {order.symbol}; cancel it there"
    )
