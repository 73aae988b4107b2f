"""The arbitrage: its legs, its states, and its results in base and in quote.

Everything here is a frozen value; nothing here uses an exchange or a store.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal, localcontext
from enum import StrEnum

from execution.model.decimals import EXACT, ZERO, Money
from execution.model.instrument import assets_of
from execution.model.order import Fill, Order, OrderState, Side

# An average price is a quotient; the imbalance is valued with this many digits.
PRICE_GRID = Decimal("1e-18")


class ArbitrageState(StrEnum):
    """The state of an arbitrage."""

    RECEIVED = "received"  # Nothing was sent yet.
    OPEN = "open"  # Both legs are journaled; either may be in flight or have an unknown outcome.
    BALANCING = "balancing"  # Both legs have ended unequally, and the excess is being hedged.
    CLOSED = "closed"  # As much was sold as bought, except for dust.
    REFUSED = "refused"  # Nothing was sent, and nothing will be.
    IMBALANCED = "imbalanced"
    """The rest could not be hedged within `max_loss_bps`. It needs manual intervention."""


ENDED = frozenset({ArbitrageState.CLOSED, ArbitrageState.REFUSED, ArbitrageState.IMBALANCED})


class LegRole(StrEnum):
    BUY = "buy"  # The leg that buys.
    SELL = "sell"  # The leg that sells.
    COMPLETION = "completion"  # A hedge: what one leg missed, traded at its own exchange.
    UNWIND = "unwind"  # A hedge: what the other leg traded too much, reversed at its exchange.


FIRST_LEGS = (LegRole.BUY, LegRole.SELL)


@dataclass(frozen=True, slots=True)
class Leg:
    """One order of an arbitrage."""

    role: LegRole
    account: str
    order_id: str


@dataclass(frozen=True, slots=True)
class Result:
    """The totals of an arbitrage's fills.

    `bought` and `sold` are base units; `fees` are summed per asset. `net_profit` is in quote, after
    fees in quote and base, a base fee being valued at its fill's price; fees in a third asset are
    in `fees` alone. The imbalance is valued at its average price, so that it is neither profit nor
    loss. `skew_ms` is between the first fills of the two legs, by the exchanges' clocks. `unknown`
    names the orders in quarantine, whose fills are not known.
    """

    bought: Money = ZERO
    sold: Money = ZERO
    net_profit: Money = ZERO
    fees: dict[str, Money] = field(default_factory=dict)
    skew_ms: int | None = None
    unknown: tuple[str, ...] = ()

    @property
    def imbalance(self) -> Decimal:
        """The amount bought minus the amount sold, in base."""
        return EXACT.subtract(self.bought, self.sold)


@dataclass(frozen=True, slots=True)
class Arbitrage:
    """One signal's one arbitrage.

    `amount` is the most to buy and to sell, in base. `min_profit_bps` is of the buy notional, after
    both fees; `max_loss_bps`, of the imbalance, is the most that hedging it may cost beyond its
    price. `expected_profit` is in quote, after fees, for what was sent. `is_announced` says that
    the imbalance was alerted. `version` and `revision` guard every write, as they do for an order.
    """

    arbitrage_id: str
    signal_id: str
    symbol: str
    buy_account: str
    sell_account: str
    amount: Money
    min_profit_bps: Money
    max_loss_bps: Money
    created_at: datetime
    updated_at: datetime
    expires_at: datetime | None = None
    strategy: str | None = None
    entry_id: str | None = None
    state: ArbitrageState = ArbitrageState.RECEIVED
    reason: str | None = None
    expected_profit: Money | None = None
    legs: tuple[Leg, ...] = ()
    result: Result = field(default_factory=Result)
    is_announced: bool = False
    version: int = 0
    revision: str = ""

    @property
    def has_ended(self) -> bool:
        return self.state in ENDED

    @property
    def bought(self) -> Decimal:
        return self.result.bought

    @property
    def sold(self) -> Decimal:
        return self.result.sold

    @property
    def imbalance(self) -> Decimal:
        return self.result.imbalance

    @property
    def net_profit(self) -> Decimal:
        return self.result.net_profit

    @property
    def hedges(self) -> tuple[Leg, ...]:
        """The legs after the first two."""
        return self.legs[2:]

    def order_id(self, role: LegRole) -> str | None:
        """The order of the first leg with that role."""
        return next((leg.order_id for leg in self.legs if leg.role is role), None)

    def asks_the_same_as(self, other: "Arbitrage") -> bool:
        """Whether both have the same intent."""
        intent = ("signal_id", "symbol", "buy_account", "sell_account", "amount")
        return all(getattr(self, name) == getattr(other, name) for name in intent)


def result_of(symbol: str, legs: Iterable[Leg], orders: Mapping[str, Order]) -> Result:
    """Sum the trades of the legs' orders, each fill by its own side."""
    legs = tuple(legs)
    fills = [fill for leg in legs for fill in orders[leg.order_id].fills]
    with localcontext(EXACT):
        bought, paid = _traded(fills, Side.BUY)
        sold, received = _traded(fills, Side.SELL)
        cash = received - paid - sum((_cost(symbol, fill) for fill in fills), ZERO)
        rest = bought - sold
        price = _average(paid, bought) if rest > 0 else _average(received, sold)
        return Result(
            bought=bought,
            sold=sold,
            net_profit=cash + rest * price,
            fees=_fees(fills),
            skew_ms=_skew_ms(legs, orders),
            unknown=tuple(
                leg.order_id for leg in legs if orders[leg.order_id].state is OrderState.QUARANTINED
            ),
        )


def average_price(legs: Iterable[Leg], orders: Mapping[str, Order], side: Side) -> Decimal:
    """The average price of the legs' trades on that side; 0 without trades."""
    with localcontext(EXACT):
        amount, value = _traded([f for leg in legs for f in orders[leg.order_id].fills], side)
        return _average(value, amount)


def _traded(fills: Iterable[Fill], side: Side) -> tuple[Decimal, Decimal]:
    """Base and quote of the fills on one side."""
    mine = [fill for fill in fills if fill.side is side]
    amount = sum((fill.amount for fill in mine), ZERO)
    return amount, sum((fill.amount * fill.price for fill in mine), ZERO)


def _average(value: Decimal, amount: Decimal) -> Decimal:
    return (value / amount).quantize(PRICE_GRID) if amount else ZERO


def _cost(symbol: str, fill: Fill) -> Decimal:
    """The fill's fees in quote, as far as they are in its own two assets."""
    base, quote = assets_of(symbol)
    worth = {quote: Decimal(1), base: fill.price}
    return sum((fee.amount * worth.get(fee.asset, ZERO) for fee in fill.fees), ZERO)


def _fees(fills: Iterable[Fill]) -> dict[str, Decimal]:
    fees: dict[str, Decimal] = {}
    for fill in fills:
        for fee in fill.fees:
            fees[fee.asset] = fees.get(fee.asset, ZERO) + fee.amount
    return fees


def _skew_ms(legs: tuple[Leg, ...], orders: Mapping[str, Order]) -> int | None:
    firsts = [min((f.time for f in orders[leg.order_id].fills), default=None) for leg in legs[:2]]
    times = [time for time in firsts if time is not None]
    if len(times) < len(FIRST_LEGS):
        return None
    return abs(times[0] - times[1]) // timedelta(milliseconds=1)
