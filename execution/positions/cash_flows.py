"""What the fills of a position did to its account's balances."""

from decimal import Decimal, localcontext

from execution.model.decimals import EXACT
from execution.model.instrument import Kind
from execution.model.position import Position


def cash_flows(position: Position) -> dict[str, Decimal]:
    """Return, by asset, how much more the account owns through all the fills of the position.

    Spot moves base by the amount held, and quote by the profit less what is still invested; a
    contract moves its settle asset by the profit alone; fees in other assets leave. It follows
    exactly from the position: what a base fee was worth is booked as a loss and was never part of
    the cost, which cancels out. Base and quote, or the settle asset, are named even at zero.

    Raises ValueError for a symbol whose terms are not known.
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
