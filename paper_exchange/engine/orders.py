"""Orders and fills as the engine keeps them."""

from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from paper_exchange.engine.symbols import Symbol

ZERO = Decimal(0)


class Side(StrEnum):
    """Whether an order buys or sells the base asset."""

    BUY = "BUY"
    SELL = "SELL"

    @property
    def other(self) -> "Side":
        """The opposite side."""
        return Side.SELL if self is Side.BUY else Side.BUY


class OrderType(StrEnum):
    """The order type; a stop waits for its trigger first."""

    LIMIT = "LIMIT"
    MARKET = "MARKET"
    LIMIT_MAKER = "LIMIT_MAKER"
    STOP_LOSS = "STOP_LOSS"
    STOP_LOSS_LIMIT = "STOP_LOSS_LIMIT"
    TAKE_PROFIT = "TAKE_PROFIT"
    TAKE_PROFIT_LIMIT = "TAKE_PROFIT_LIMIT"


STOP_TYPES = frozenset(
    {
        OrderType.STOP_LOSS,
        OrderType.STOP_LOSS_LIMIT,
        OrderType.TAKE_PROFIT,
        OrderType.TAKE_PROFIT_LIMIT,
    }
)
TAKE_PROFIT_TYPES = frozenset({OrderType.TAKE_PROFIT, OrderType.TAKE_PROFIT_LIMIT})


class TimeInForce(StrEnum):
    """How long a limit order may rest."""

    GTC = "GTC"
    IOC = "IOC"
    FOK = "FOK"


class Status(StrEnum):
    """An order's status. NEW and PARTIALLY_FILLED are open, the others are final."""

    NEW = "NEW"
    PARTIALLY_FILLED = "PARTIALLY_FILLED"
    FILLED = "FILLED"
    CANCELED = "CANCELED"
    EXPIRED = "EXPIRED"


@dataclass(frozen=True, slots=True)
class NewOrder:
    """A request to place an order, already well-formed but not yet checked against the market.

    A market order gives either `qty` or `quote_qty`; an order with a price gives `qty`.
    """

    account: str
    symbol: str
    side: Side
    type: OrderType
    received_ms: int
    time_in_force: TimeInForce = TimeInForce.GTC
    qty: Decimal | None = None
    quote_qty: Decimal | None = None
    price: Decimal | None = None
    stop_price: Decimal | None = None
    client_id: str | None = None
    # A maker-only order that would take is accepted and ends immediately, instead of being refused.
    ends_if_taking: bool = False
    # The sender's own tags; they have no effect.
    strategy_id: int | None = None
    strategy_type: int | None = None


@dataclass(slots=True, eq=False)
class Order:
    """An accepted order. `hold` is the amount that it keeps locked."""

    id: int
    client_id: str
    account: str
    symbol: Symbol
    side: Side
    type: OrderType
    time_in_force: TimeInForce
    price: Decimal | None
    stop_price: Decimal | None
    qty: Decimal
    quote_qty: Decimal | None
    received_ms: int
    accepted_ms: int
    updated_ms: int
    hold: Decimal
    strategy_id: int | None = None
    strategy_type: int | None = None
    working_ms: int | None = None
    status: Status = Status.NEW
    executed: Decimal = ZERO
    executed_quote: Decimal = ZERO
    fills: list["Fill"] = field(default_factory=list)

    @property
    def is_open(self) -> bool:
        """Whether the order can still trade."""
        return self.status is Status.NEW or self.status is Status.PARTIALLY_FILLED

    @property
    def remaining(self) -> Decimal:
        """The untraded quantity, in base."""
        return self.qty - self.executed

    @property
    def hold_asset(self) -> str:
        """The asset that the order spends."""
        return self.symbol.quote if self.side is Side.BUY else self.symbol.base


@dataclass(frozen=True, slots=True, eq=False)
class Fill:
    """One account's side of one trade. `quote` is price times quantity."""

    trade_id: int
    order: Order
    price: Decimal
    qty: Decimal
    quote: Decimal
    commission: Decimal
    commission_asset: str
    is_maker: bool
    time_ms: int


@dataclass(frozen=True, slots=True, eq=False)
class Trade:
    """One trade as published."""

    id: int
    price: Decimal
    qty: Decimal
    quote: Decimal
    time_ms: int
    buyer_is_maker: bool
