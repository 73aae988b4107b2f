"""Suggests transfers so that every venue can take either leg of an arbitrage. Transfers nothing."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal, localcontext

from execution.model.decimals import EXACT, ZERO

# A transfer of less than this share of an asset's total is not worth its fee and its delay.
SHARE_MIN = Decimal("0.05")
GRID = Decimal("1e-8")


@dataclass(frozen=True, slots=True)
class Move:
    """A suggested transfer of an amount of an asset to another account."""

    asset: str
    from_account: str
    to_account: str
    amount: Decimal


def suggest_moves(asset: str, held: Mapping[str, Decimal]) -> list[Move]:
    """The fewest transfers after which all accounts hold the same amount of the asset, except for
    differences too small to transfer. `held` is by account, none below zero."""
    whole = sum(held.values(), ZERO)
    if not whole:
        return []
    with localcontext(EXACT) as context:
        context.rounding = ROUND_DOWN
        share = (whole / len(held)).quantize(GRID)
        rest = {account: amount - share for account, amount in held.items()}
        moves: list[Move] = []
        while True:
            giver = max(rest, key=lambda account: (rest[account], account))
            taker = min(rest, key=lambda account: (rest[account], account))
            amount = min(rest[giver], -rest[taker]).quantize(GRID)
            if amount < whole * SHARE_MIN:
                return moves
            moves.append(Move(asset, giver, taker, amount))
            rest[giver] -= amount
            rest[taker] += amount
