"""Small histories for the tests of the reports, in few words."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from execution.ledger.port import Snapshot
from execution.model.order import Attempt, Fill, Order, OrderState, OrderType, Side
from tests.support.exchange import SYMBOL
from tests.support.fakes import ACCOUNT, fill

START = datetime(2026, 9, 1, 12, tzinfo=UTC)
START_MS = 1_788_264_000_000
NOW = START + timedelta(days=10)


def at(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


def traded(
    number: int,
    side: str,
    *pieces: tuple[str, str],
    fees: Iterable[tuple[str, str]] = (),
    minutes: float | None = None,
    symbol: str = SYMBOL,
    account: str = ACCOUNT,
    strategy: str | None = None,
    reference: str | None = None,
) -> Order:
    """Order `number`, filled whole in (amount, price) `pieces` at `minutes` (default: its number),
    each with the `fees`."""
    time = at(number if minutes is None else minutes)
    fills = tuple(
        replace(fill(f"{number}.{place}", side, amount, price, fees), time=time)
        for place, (amount, price) in enumerate(pieces)
    )
    amount = sum((one.amount for one in fills), Decimal(0))
    return Order(
        order_id=f"order-{number}",
        signal_id=f"signal-{number}",
        account=account,
        symbol=symbol,
        side=Side(side),
        type=OrderType.MARKET,
        time_in_force=None,
        amount=amount,
        price=None,
        client_order_id=f"order-{number}",
        created_at=time,
        updated_at=time,
        strategy=strategy,
        reference_price=None if reference is None else Decimal(reference),
        state=OrderState.FILLED,
        filled=amount,
        fills=fills,
    )


def numbered(orders: Iterable[Order]) -> list[Order]:
    """The orders of one position with their fills numbered in this order, as the journal does."""
    sequence = 0
    done = []
    for order in orders:
        fills: list[Fill] = []
        for one in order.fills:
            sequence += 1
            fills.append(replace(one, sequence=sequence))
        done.append(replace(order, fills=tuple(fills)))
    return done


def timed(order: Order, *, sent_ms: int | None, filled_ms: int | None) -> Order:
    """The order with its signal published at START_MS, and so many ms until what came next."""
    attempts = () if sent_ms is None else (Attempt(1, START_MS + sent_ms, 0, 0),)
    fills = (
        ()
        if filled_ms is None
        else (replace(order.fills[0], time=START + timedelta(milliseconds=filled_ms)),)
    )
    return replace(order, entry_id=f"{START_MS}-0", attempts=attempts, fills=fills)


def snapshot(
    minutes: float, realised: str, unrealised: str, account: str = ACCOUNT, quote: str = "USDT"
) -> Snapshot:
    return Snapshot(
        account, quote, at(minutes), Decimal(realised), Decimal(unrealised), Decimal(50)
    )
