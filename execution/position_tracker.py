"""The pure fold of fills into positions: amount, entry, realised and unrealised profit, fees.

Only fills move a position. Amounts and costs are exact: where a partial close needs a division,
the share that leaves is rounded once and subtracted, so that nothing is created or lost.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal, InvalidOperation, localcontext

from execution.decimals import EXACT, ZERO, Money, to_decimal
from execution.orders import Fee, Fill, Side

# A closed share of the cost is rounded to this grid; finer than any exchange's tick times lot.
COST_GRID = Decimal("1e-18")


@dataclass(frozen=True, slots=True)
class Position:
    """What an account holds of one symbol through its fills.

    `amount` is signed, in base units; `cost` is what it was entered for, signed alike, in quote;
    `realised_pnl` and `turnover` are in quote; `fees` are tallied per asset. `opened_at` is None
    while nothing is held.
    """

    account: str
    symbol: str
    amount: Money = ZERO
    cost: Money = ZERO
    realised_pnl: Money = ZERO
    turnover: Money = ZERO
    fees: dict[str, Money] = field(default_factory=dict)
    opened_at: datetime | None = None
    updated_at: datetime | None = None
    version: int = 0
    revision: str = ""

    @property
    def entry_price(self) -> Decimal | None:
        """The average price of what is held now, None for nothing held."""
        return (self.cost / self.amount).normalize() if self.amount else None

    def unrealised_pnl(self, mark_price: Decimal) -> Decimal:
        """What closing all of it at `mark_price` would add, before fees, in quote."""
        with localcontext(EXACT):
            return self.amount * mark_price - self.cost


def fold(position: Position, fills: Iterable[Fill]) -> Position:
    """Return the position after `fills`, in their order. The caller hands in each fill once."""
    with localcontext(EXACT):
        after = position
        for fill in fills:
            after = _apply(after, fill)
    return after if after is position else replace(after, version=position.version + 1)


def _apply(position: Position, fill: Fill) -> Position:
    signed = fill.amount if fill.side is Side.BUY else -fill.amount
    position = _trade(position, signed, fill.price, fill.time)
    position = replace(
        position, turnover=position.turnover + fill.amount * fill.price, updated_at=fill.time
    )
    for fee in fill.fees:
        position = _charge(position, fee, fill)
    return position


def _trade(position: Position, signed: Decimal, price: Decimal, time: datetime) -> Position:
    """Add `signed` base units at `price`: open, add to, reduce, close or flip."""
    held = position.amount
    closing = _closing_part(held, signed)
    closed_cost = (position.cost * closing / -held).quantize(COST_GRID) if closing else ZERO
    if closing == -held:
        closed_cost = position.cost
    amount = held + signed
    opens = bool(amount) and (not held or held * amount < 0)
    return replace(
        position,
        amount=amount,
        cost=position.cost - closed_cost + (signed - closing) * price,
        realised_pnl=position.realised_pnl - closing * price - closed_cost,
        opened_at=None if not amount else time if opens else position.opened_at,
    )


def _closing_part(held: Decimal, signed: Decimal) -> Decimal:
    """How much of `signed` works against what is held; the rest opens or adds."""
    if held * signed >= 0:
        return ZERO
    return -held if abs(signed) > abs(held) else signed


def _charge(position: Position, fee: Fee, fill: Fill) -> Position:
    """Take a fee: quote reduces profit, base reduces the amount held, others are only tallied.

    A base fee is that much sold at the fill's price with the proceeds given away, so that cost,
    amount and profit stay in step with the cash that really moved.
    """
    fees = {**position.fees, fee.asset: position.fees.get(fee.asset, ZERO) + fee.amount}
    base, quote = assets_of(position.symbol)
    lost = ZERO
    if fee.asset == base:
        position = _trade(position, -fee.amount, fill.price, fill.time)
        lost = fee.amount * fill.price
    elif fee.asset == quote:
        lost = fee.amount
    return replace(position, fees=fees, realised_pnl=position.realised_pnl - lost)


def assets_of(symbol: str) -> tuple[str, str]:
    """Split "BTC/USDT" (or "BTC/USDT:USDT") into its base and its quote asset."""
    base, _, rest = symbol.partition("/")
    return base, rest.partition(":")[0]


@dataclass(frozen=True, slots=True)
class TrackedPosition:
    """One holding seen at one price: values and profit in quote, before fees."""

    symbol: str
    amount: Decimal
    entry_price: Decimal
    current_price: Decimal
    value: Decimal
    unrealised_pnl: Decimal
    unrealised_pnl_pct: Decimal


def track_position(
    symbol: str,
    amount: Decimal | str,
    entry_price: Decimal | str,
    current_price: Decimal | str,
) -> TrackedPosition:
    """Value a holding of `amount` (signed, base units) entered at `entry_price`, both as exact
    decimals or decimal strings, at `current_price`.

    Raises ValueError with a sentence that names the argument for anything that is not a decimal
    or for a price that is not above zero.
    """
    values: dict[str, Decimal] = {}
    given = {"amount": amount, "entry_price": entry_price, "current_price": current_price}
    for name, text in given.items():
        try:
            values[name] = to_decimal(text)
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from None
        if name != "amount" and values[name] <= 0:
            raise ValueError(f"{name}: {text!r} is not above zero")
    held, entry, current = values["amount"], values["entry_price"], values["current_price"]
    with localcontext(EXACT):
        profit = held * (current - entry)
        basis = abs(held) * entry
        try:
            percent = (profit / basis * 100).quantize(Decimal("0.0001")) if basis else ZERO
        except InvalidOperation:
            raise ValueError(f"current_price: {current_price!r} is out of all proportion") from None
        return TrackedPosition(symbol, held, entry, current, held * current, profit, percent)
