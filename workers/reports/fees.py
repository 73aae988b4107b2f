"""The fees of a fill in its settle asset, and those without a known price."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from execution.model.decimals import ZERO, Money, total_by
from execution.model.instrument import COST_GRID, Instrument, Kind
from execution.model.order import Fee, Fill

# The price of one asset in another by symbol: {"BNB/USDT": Decimal(600)}.
Rates = Mapping[str, Decimal]


@dataclass(frozen=True, slots=True)
class ValuedFees:
    """One fill's fees in the asset that its instrument settles in.

    `borne` are those already in the position's profit: in the settle asset, and for spot in base.
    `other` are the other fees with a known price, and `unvalued` those without one, amounts by
    asset.
    """

    borne: Money
    other: Money
    unvalued: dict[str, Money]

    @property
    def known(self) -> Money:
        return self.borne + self.other


def value_fees(fill: Fill, terms: Instrument, rates: Rates) -> ValuedFees:
    """Value fees in base and quote at the fill's own price, and those in other assets by `rates`.
    Must be called in the exact context."""
    borne = other = ZERO
    unvalued: dict[str, Money] = {}
    for fee in fill.fees:
        value = _in_settle_asset(fee, fill.price, terms, rates)
        if value is None:
            unvalued[fee.asset] = unvalued.get(fee.asset, ZERO) + fee.amount
        elif fee.asset == terms.settle or (fee.asset == terms.base and terms.kind is Kind.SPOT):
            borne += value
        else:
            other += value
    return ValuedFees(borne, other, unvalued)


def _in_settle_asset(fee: Fee, price: Decimal, terms: Instrument, rates: Rates) -> Decimal | None:
    if fee.asset == terms.settle or not fee.amount:
        return fee.amount
    if fee.asset == terms.base:
        return fee.amount * price
    if fee.asset == terms.quote:
        return (fee.amount / price).quantize(COST_GRID)
    rate = rates.get(f"{fee.asset}/{terms.settle}")
    return None if rate is None else fee.amount * rate


def fees_by_asset(fill: Fill) -> dict[str, Money]:
    """The fees as paid; two in one asset are added."""
    return total_by((fee.asset, fee.amount) for fee in fill.fees)
