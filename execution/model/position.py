"""An account's position in one symbol, and the pure fold that applies fills to it.

Only fills change a position. Amounts and costs are exact: if a partial close needs a division, the
closed share is rounded once and subtracted, so that nothing is created or lost. The value of a fill
of an inverse contract is a quotient too, and is rounded once: profit and cost then agree with it
exactly, and each fill is off the true quotient by half a COST_GRID at most.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import ROUND_DOWN, Context, Decimal, localcontext

from execution.model.decimals import EXACT, ZERO, Money, to_text
from execution.model.instrument import COST_GRID, Instrument, Kind, instrument_of
from execution.model.order import Fill, Side

ONE = Decimal(1)

# An entry price is a quotient for display; nothing is computed from it.
_SHOWN = Context(prec=28)


@dataclass(frozen=True, slots=True)
class Position:
    """An account's position in one symbol by its fills.

    `amount` is signed: base units for spot, else contracts of `contract_size` each. `cost` is the
    entry value with the same sign; like `realised_pnl` and `turnover` it is in the settle asset:
    quote for spot and linear contracts, base for inverse ones. `fees` are summed per asset.
    `opened_at` is None while the amount is zero. `version` counts the fills.

    Raises ValueError for a contract size that is not above zero, or that is not 1 for spot.
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
    contract_size: Money = ONE

    def __post_init__(self) -> None:
        size = self.contract_size
        if size <= 0:
            raise ValueError(f"contract_size: {to_text(size)} is not above zero")
        if size != 1 and ":" not in self.symbol:
            raise ValueError(f"contract_size: {to_text(size)} is not 1, and {self.symbol} is spot")

    @property
    def instrument(self) -> Instrument:
        """The terms of the symbol. Raises ValueError for an unsupported instrument."""
        return instrument_of(self.symbol, self.contract_size)

    @property
    def entry_price(self) -> Decimal | None:
        """The average entry price, in quote: the price at which the whole position would have had
        the same cost, which is the harmonic average for inverse contracts. None without a position.
        """
        with localcontext(EXACT):
            size = self.amount * self.contract_size
        if not size:
            return None
        if self.instrument.kind is not Kind.INVERSE:
            return _SHOWN.divide(self.cost, size).normalize(_SHOWN)
        return _SHOWN.divide(size, self.cost).normalize(_SHOWN) if self.cost else None

    def unrealised_pnl(self, mark_price: Decimal) -> Decimal:
        """The profit of closing the position at `mark_price`, before fees, in the settle asset.

        Raises ValueError for an inverse contract at a price that is not above zero.
        """
        terms = self.instrument
        with localcontext(EXACT):
            return terms.profit_sign * (terms.value(self.amount, mark_price) - self.cost)


def fold(position: Position, fills: Iterable[Fill]) -> Position:
    """The position after `fills`, applied in order. The caller passes each fill once.

    The version rises by one per fill, so that each fill has a number on the position. Raises
    ValueError for an unsupported instrument, and for an inverse contract traded at a price that is
    not above zero.
    """
    running = _Running(position)
    with localcontext(EXACT):
        for fill in fills:
            running.take(fill)
    return running.result()


class _Running:
    """A position while fills are applied. It is mutable, since only `fold` uses it; a frozen copy
    for every fill would take most of the time."""

    __slots__ = (
        "_before",
        "_cash_fees",
        "_sign",
        "_sold_fees",
        "_value",
        "amount",
        "cost",
        "count",
        "fees",
        "opened_at",
        "realised_pnl",
        "turnover",
        "updated_at",
    )

    def __init__(self, before: Position) -> None:
        terms = before.instrument
        self._before = before
        self._value = terms.value
        self._sign = terms.profit_sign
        # The asset whose fees reduce profit, and the one whose fees reduce the amount.
        self._cash_fees = terms.settle
        self._sold_fees = terms.base if terms.kind is Kind.SPOT else None
        self.amount = before.amount
        self.cost = before.cost
        self.realised_pnl = before.realised_pnl
        self.turnover = before.turnover
        self.fees = dict(before.fees)
        self.opened_at = before.opened_at
        self.updated_at = before.updated_at
        self.count = 0

    def take(self, fill: Fill) -> None:
        """Apply one fill, net of the fees that were deducted from its amount."""
        signed = fill.amount if fill.side is Side.BUY else -fill.amount
        value = self._value(signed, fill.price)
        self.turnover += abs(value)
        if fill.fees:
            sold = self._charge(fill)
            if sold:
                signed -= sold
                value = self._value(signed, fill.price)
        self._trade(signed, value, fill)
        self.updated_at = fill.time
        self.count += 1

    def _charge(self, fill: Fill) -> Decimal:
        """Apply the fees; returns the base amount that they took, which is traded with the fill.

        A fee in the settle asset reduces profit. A base fee of spot counts as a sale at the fill's
        price without proceeds, so that amount, cost and profit agree with the actual cash flows.
        All others are only summed.
        """
        sold = ZERO
        for fee in fill.fees:
            self.fees[fee.asset] = self.fees.get(fee.asset, ZERO) + fee.amount
            if fee.asset == self._cash_fees:
                self.realised_pnl -= fee.amount
            elif fee.asset == self._sold_fees:
                sold += fee.amount
        if sold:
            self.realised_pnl -= self._value(sold, fill.price)
        return sold

    def _trade(self, signed: Decimal, value: Decimal, fill: Fill) -> None:
        """Add `signed` for `value` (same sign): open, increase, reduce, close or flip."""
        held = self.amount
        self.amount = held + signed
        if held * signed >= 0:
            self.cost += value
            if not held and signed:
                self.opened_at = fill.time
            return
        if abs(signed) < abs(held):
            # Rounded down, so that a share is never more than a whole cost that is below the grid.
            closed_cost = (self.cost * signed / -held).quantize(COST_GRID, ROUND_DOWN)
            closing_value = value
        else:
            closed_cost = self.cost
            closing_value = self._value(-held, fill.price)
            self.opened_at = fill.time if self.amount else None
        self.realised_pnl -= self._sign * (closing_value + closed_cost)
        self.cost += value - closing_value - closed_cost

    def result(self) -> Position:
        """The resulting position; the original object if there were no fills."""
        if not self.count:
            return self._before
        return replace(
            self._before,
            amount=self.amount,
            cost=self.cost,
            realised_pnl=self.realised_pnl,
            turnover=self.turnover,
            fees=self.fees,
            opened_at=self.opened_at,
            updated_at=self.updated_at,
            version=self._before.version + self.count,
        )
