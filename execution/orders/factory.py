"""Makes the order of a signal, or of a call without one."""

from datetime import UTC, datetime
from decimal import Decimal
from uuid import uuid4

from execution.exchanges.registry import client_order_id_of
from execution.model.decimals import to_decimal
from execution.model.order import Order, OrderType, Side, TimeInForce
from execution.orders.signal_age import publication_time
from oneorder.identifiers import order_id_of

# The most digits that a signal may have before and after the point.
DIGITS_MAX = 20


def new_order(
    *,
    signal_id: str,
    account: str,
    symbol: str,
    side: Side,
    type: OrderType,  # noqa: A002  # The field's own name, here and in every message.
    amount: Decimal,
    price: Decimal | None,
    now: datetime,
    time_in_force: TimeInForce | None = None,
    expires_at: datetime | None = None,
    strategy: str | None = None,
    reference_price: Decimal | None = None,
    entry_id: str | None = None,
    exchange: str = "",
) -> Order:
    """A new order, not stored yet; the same signal id always gives the same ids.

    `exchange` is the ccxt id of the account's exchange, which may require its own format of client
    order ids.
    """
    order_id = order_id_of(signal_id)
    if type is OrderType.LIMIT and time_in_force is None:
        time_in_force = TimeInForce.GTC
    return Order(
        order_id=order_id,
        signal_id=signal_id,
        account=account,
        symbol=symbol,
        side=side,
        type=type,
        time_in_force=time_in_force,
        amount=amount,
        price=price,
        client_order_id=client_order_id_of(order_id, exchange),
        created_at=now,
        updated_at=now,
        expires_at=expires_at,
        strategy=strategy,
        reference_price=reference_price,
        entry_id=entry_id,
        published_at=publication_time(entry_id, now),
    )


def one_off_order(
    symbol: str,
    side: str,
    amount: Decimal | str,
    price: Decimal | str | None,
    time_in_force: TimeInForce | None = None,
) -> Order:
    """An order with a new signal id: limit, or market if `price` is None.

    Raises ValueError, with a sentence that names the argument and the value, for bad input.
    """
    if side not in list(Side):
        raise ValueError(f"side: {side!r} is not one of buy, sell")
    return new_order(
        signal_id=f"one-off-{uuid4()}",
        account="one-off",
        symbol=symbol,
        side=Side(side),
        type=OrderType.MARKET if price is None else OrderType.LIMIT,
        amount=_positive("amount", amount),
        price=None if price is None else _positive("price", price),
        now=datetime.now(UTC),
        time_in_force=time_in_force,
    )


def _positive(name: str, given: Decimal | str) -> Decimal:
    try:
        number = to_decimal(given)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None
    if number <= 0:
        raise ValueError(f"{name}: {given!r} is not above zero")
    if number.adjusted() >= DIGITS_MAX or int(number.as_tuple().exponent) < -DIGITS_MAX:
        raise ValueError(f"{name}: {given!r} has more than {DIGITS_MAX} digits before or behind")
    return number
