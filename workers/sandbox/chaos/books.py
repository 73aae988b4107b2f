"""Sets the books of two paper exchanges, with or without a spread."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, localcontext
from typing import Any

from execution.model.decimals import EXACT, to_text
from workers.sandbox.local_stack import LocalStack

BPS = Decimal(10_000)
# The distance from the mid price to the best price, and from one level to the next.
HALF_SPREAD_BPS = Decimal(1)
GAP_BPS = Decimal(2)


@dataclass(frozen=True, slots=True)
class Listed:
    """A symbol of the paper exchanges: its price in quote, its tick, and an amount in base worth
    some hundred of quote."""

    symbol: str
    price: Decimal
    tick: Decimal
    lot: Decimal

    @property
    def name(self) -> str:
        """The symbol's name at the paper exchanges."""
        return self.symbol.replace("/", "")


BTC = Listed("BTC/USDT", Decimal(50_000), Decimal("0.01"), Decimal("0.01"))
ETH = Listed("ETH/USDT", Decimal(3_000), Decimal("0.01"), Decimal("0.1"))
SOL = Listed("SOL/USDT", Decimal(150), Decimal("0.01"), Decimal(2))
XRP = Listed("XRP/USDT", Decimal("0.6"), Decimal("0.0001"), Decimal(500))


def book_of(listed: Listed, shift_bps: Decimal, depths: Sequence[Decimal]) -> dict[str, Any]:
    """A book as a paper exchange's control call takes it: shifted from the listed price by a number
    of bps, with `depths` in base on both sides, the best price first."""
    return {
        "symbol": listed.name,
        "bids": _side(listed, shift_bps, depths, Decimal(-1)),
        "asks": _side(listed, shift_bps, depths, Decimal(1)),
    }


def _side(
    listed: Listed, shift_bps: Decimal, depths: Sequence[Decimal], sign: Decimal
) -> list[list[str]]:
    levels = []
    with localcontext(EXACT):
        for number, depth in enumerate(depths):
            away_bps = shift_bps + sign * (HALF_SPREAD_BPS + number * GAP_BPS)
            ticks = listed.price * (1 + away_bps / BPS) / listed.tick
            price = ticks.to_integral_value(ROUND_HALF_UP) * listed.tick
            levels.append([to_text(price), to_text(depth)])
    return levels


def open_spread(
    stack: LocalStack, listed: Listed, spread_bps: Decimal, depths: Sequence[Decimal]
) -> None:
    """Set the books so that the second account's prices are `spread_bps` above the first one's;
    below them if it is negative."""
    for account, shift_bps in zip(stack.dialects, (-spread_bps / 2, spread_bps / 2), strict=True):
        set_book(stack, account, listed, shift_bps, depths)


def set_book(
    stack: LocalStack, account: str, listed: Listed, shift_bps: Decimal, depths: Sequence[Decimal]
) -> None:
    """Set one account's book of one symbol."""
    stack.paper("POST", "/paper/book", book_of(listed, shift_bps, depths), account=account)
