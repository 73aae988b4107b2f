"""The changes of an account's balances by the fills of a position."""

from decimal import Decimal, localcontext

from execution.model.decimals import EXACT
from execution.model.instrument import Kind
from execution.model.position import Position


def cash_flows(position: Position) -> dict[str, Decimal]:
    """The change of the account's balances by all fills of the position, by asset.

    Spot changes base by the amount held, and quote by the profit less what is still invested; a
    contract changes its settle asset by the profit alone; fees in other assets are subtracted. It
    follows exactly from the position: the value of a base fee is booked as a loss and was never
    part of the cost, which cancels out. Base and quote, or the settle asset, are included even at
    zero.

    Raises ValueError for an unsupported instrument.
    """
    terms = position.instrument
    with localcontext(EXACT):
        if terms.kind is Kind.SPOT:
            traded = {
                terms.base: position.amount,
                terms.quote: position.realised_pnl - position.cost,
            }
        else:
            traded = {terms.settle: position.realised_pnl}
        return {**{asset: -fee for asset, fee in position.fees.items()}, **traded}
