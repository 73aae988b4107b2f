"""The order: its terms, attempts, fills and states.

Everything here is a frozen value. `transitions.transition(order, event)` makes the changed order.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from execution.model.decimals import ZERO, Money, total
from oneorder.records import LIVE as LIVE
from oneorder.records import OrderState as OrderState
from oneorder.records import OrderType as OrderType
from oneorder.records import Side as Side
from oneorder.records import TimeInForce as TimeInForce


class Verdict(StrEnum):
    """The outcome of one attempt to place an order."""

    ACCEPTED = "accepted"  # The exchange has the order.
    REJECTED = "rejected"  # The exchange refused it.
    UNKNOWN = "unknown"  # It may have arrived.
    NOT_SENT = "not_sent"  # It did not arrive and cannot any more; another may follow.


@dataclass(frozen=True, slots=True)
class Fee:
    asset: str
    amount: Money


@dataclass(frozen=True, slots=True)
class Fill:
    """One trade of one order. `trade_id` is the exchange's, unique within symbol and side.

    `sequence` is its place among all fills that moved the account's position of the symbol, from 1;
    0 until it has moved it.
    """

    trade_id: str
    side: Side
    price: Money
    amount: Money
    fees: tuple[Fee, ...]
    time: datetime
    sequence: int = 0


@dataclass(frozen=True, slots=True)
class Attempt:
    """One journaled request to place the order, on the exchange's clock.

    The request is signed with `stamp_ms`; after `valid_until_ms` the exchange refuses it. A lookup
    that finds nothing proves the attempt dead only if it began after `provable_at_ms`.
    """

    number: int
    stamp_ms: int
    valid_until_ms: int
    provable_at_ms: int
    verdict: Verdict | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Terms:
    """The terms of an order, as the exchange has them."""

    side: Side
    type: OrderType
    amount: Money
    price: Money | None
    time_in_force: TimeInForce | None


@dataclass(frozen=True, slots=True)
class OrderReport:
    """An exchange's report of one order: its own id, the status, and fills if the answer has them.

    `status` is one of open, filled, canceled, expired, rejected. `filled` is None if the answer
    does not have it (an acknowledgement only). `terms` is None if the answer does not have them, or
    the kind of order is not supported.
    """

    exchange_order_id: str
    client_order_id: str | None
    symbol: str
    status: OrderState
    filled: Money | None = None
    average: Money | None = None
    fills: tuple[Fill, ...] = ()
    terms: Terms | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Order:
    """One signal's one order.

    `version` counts its changes, 0 means not stored yet; with `revision`, a new random value at
    each change, it guards every write. `entry_id` is the signal's entry in the stream, if it came
    through the stream. `published_at` is when the signal was published, if known, and `created_at`
    when the record was made. `reference_price` is the market price when the signal came, in quote,
    None if not known; what the order cost beyond it is slippage.
    """

    order_id: str
    signal_id: str
    account: str
    symbol: str
    side: Side
    type: OrderType
    time_in_force: TimeInForce | None
    amount: Money
    price: Money | None
    client_order_id: str
    created_at: datetime
    updated_at: datetime
    expires_at: datetime | None = None
    strategy: str | None = None
    reference_price: Money | None = None
    state: OrderState = OrderState.RECEIVED
    reason: str | None = None
    exchange_order_id: str | None = None
    filled: Money = ZERO
    average: Money | None = None
    cancel_requested: bool = False
    attempts: tuple[Attempt, ...] = ()
    fills: tuple[Fill, ...] = ()
    entry_id: str | None = None
    published_at: datetime | None = None
    version: int = 0
    revision: str = ""

    @property
    def is_live(self) -> bool:
        return self.state in LIVE

    @property
    def may_still_trade(self) -> bool:
        """There may be trades that are not on the record yet. A quarantined order may exist at the
        exchange."""
        return self.is_live or self.fills_missing or self.state is OrderState.QUARANTINED

    @property
    def may_rest(self) -> bool:
        """It may rest in the book, instead of ending on arrival."""
        ends = (TimeInForce.IOC, TimeInForce.FOK)
        return self.type is OrderType.LIMIT and self.time_in_force not in ends

    @property
    def attempt(self) -> Attempt | None:
        """The latest attempt: the only one that may still be alive."""
        return self.attempts[-1] if self.attempts else None

    @property
    def fills_missing(self) -> bool:
        """The exchange reported a larger filled amount than the sum of the known fills."""
        return self.filled > total(fill.amount for fill in self.fills)

    @property
    def fees(self) -> dict[str, Money]:
        paid = [fee for fill in self.fills for fee in fill.fees]
        assets = dict.fromkeys(fee.asset for fee in paid)
        return {asset: total(fee.amount for fee in paid if fee.asset == asset) for asset in assets}

    def asks_the_same_as(self, other: "Order") -> bool:
        """Whether both have the same intent, regardless of times and progress.

        An order that was adopted from the exchange has no signal id, but the same order id.
        """
        intent = ["account", "symbol", "side", "amount", "price"]
        if self.signal_id and other.signal_id:
            intent += ["signal_id", "type", "time_in_force", "expires_at", "strategy"]
        return all(getattr(self, name) == getattr(other, name) for name in intent)


def merge_fills(known: tuple[Fill, ...], reported: Iterable[Fill]) -> tuple[Fill, ...]:
    """Add new fills, by trade id; a fill reported twice counts once."""
    ids = {fill.trade_id for fill in known}
    fresh = {fill.trade_id: fill for fill in reported if fill.trade_id not in ids}
    return known + tuple(fresh.values())


def with_verdict(order: Order, number: int, verdict: Verdict, reason: str | None) -> Order:
    """Return the order with the verdict written on attempt `number` alone."""
    return replace(
        order,
        attempts=tuple(
            replace(attempt, verdict=verdict, reason=reason)
            if attempt.number == number
            else attempt
            for attempt in order.attempts
        ),
    )


# The strategy of external trades that were adopted.
EXTERNAL = "external"
