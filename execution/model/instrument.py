"""The terms of a symbol: its assets, and the value of an amount at a price."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

# Every quotient is rounded to this grid of the settle asset, once, and the rest is computed by
# subtraction. It is finer than any exchange's tick times lot.
COST_GRID = Decimal("1e-18")


class Kind(StrEnum):
    """The unit of a position's amount, and the asset of its profit."""

    SPOT = "spot"  # Base units; profit in quote.
    LINEAR = "linear"  # Contracts with a size in base; profit in quote.
    INVERSE = "inverse"  # Contracts with a value in quote; profit in base.


@dataclass(frozen=True, slots=True)
class Instrument:
    """The terms of a symbol.

    `contract_size` is in base units for a linear contract, in quote for an inverse one, and 1 for
    spot. `settle` is the asset of value, cost and profit.
    """

    kind: Kind
    base: str
    quote: str
    settle: str
    contract_size: Decimal

    @property
    def profit_sign(self) -> Decimal:
        """1 if a long position gains as its value rises; -1 for inverse contracts, whose value in
        base falls as the price rises."""
        return Decimal(-1) if self.kind is Kind.INVERSE else Decimal(1)

    def value(self, amount: Decimal, price: Decimal) -> Decimal:
        """The value of `amount` (signed) at `price`, in the settle asset, signed like the amount.

        Must be called in the exact context. Raises ValueError for an inverse contract at a price
        that is not above zero.
        """
        if self.kind is not Kind.INVERSE:
            return amount * price * self.contract_size
        if price <= 0:
            raise ValueError(f"price: {price} is not above zero, and {self.kind} contracts need it")
        return (amount * self.contract_size / price).quantize(COST_GRID)


def assets_of(symbol: str) -> tuple[str, str]:
    """The base and quote asset of "BTC/USDT" (or "BTC/USDT:USDT")."""
    base, _, rest = symbol.partition("/")
    return base, rest.partition(":")[0]


def instrument_of(symbol: str, contract_size: Decimal) -> Instrument:
    """Parse the terms from ccxt's unified symbol: "BTC/USDT" is spot, "BTC/USDT:USDT" linear and
    "BTC/USD:BTC" inverse; a delivery date may follow ("BTC/USD:BTC-261225").

    Raises ValueError for an option, and for a contract that settles in neither of its assets.
    """
    base, quote = assets_of(symbol)
    settle, *terms = symbol.partition(":")[2].split("-")
    if not settle:
        return Instrument(Kind.SPOT, base, quote, quote, contract_size)
    if len(terms) > 1:
        raise ValueError(f"symbol: {symbol!r} is an option, whose value does not follow its price")
    if settle == quote:
        return Instrument(Kind.LINEAR, base, quote, settle, contract_size)
    if settle == base:
        return Instrument(Kind.INVERSE, base, quote, settle, contract_size)
    raise ValueError(f"symbol: {symbol!r} settles in neither {base} nor {quote}")
