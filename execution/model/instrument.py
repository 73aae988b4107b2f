"""What a symbol is: its assets, and how money follows from an amount and a price."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

# Every quotient is rounded to this grid of the settle asset, once, and what is left is found by
# subtraction. It is finer than any exchange's tick times lot.
COST_GRID = Decimal("1e-18")


class Kind(StrEnum):
    """What the amount of a position counts, and in which asset its profit comes."""

    SPOT = "spot"  # Base units; profit in quote.
    LINEAR = "linear"  # Contracts of so much base; profit in quote.
    INVERSE = "inverse"  # Contracts worth so much quote; profit in base.


@dataclass(frozen=True, slots=True)
class Instrument:
    """The terms on which a symbol trades.

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
        """1 where a long gains as its value rises; -1 for inverse, whose value falls as the price
        rises: so much quote is then worth less base."""
        return Decimal(-1) if self.kind is Kind.INVERSE else Decimal(1)

    def value(self, amount: Decimal, price: Decimal) -> Decimal:
        """What `amount` (signed) is worth at `price`, in the settle asset, signed like the amount.

        To be called in the exact context. Raises ValueError for an inverse contract at a price
        that is not above zero.
        """
        if self.kind is not Kind.INVERSE:
            return amount * price * self.contract_size
        if price <= 0:
            raise ValueError(f"price: {price} is not above zero, and {self.kind} contracts need it")
        return (amount * self.contract_size / price).quantize(COST_GRID)


def assets_of(symbol: str) -> tuple[str, str]:
    """Split "BTC/USDT" (or "BTC/USDT:USDT") into its base and its quote asset."""
    base, _, rest = symbol.partition("/")
    return base, rest.partition(":")[0]


def instrument_of(symbol: str, contract_size: Decimal) -> Instrument:
    """Read the terms off ccxt's unified symbol: "BTC/USDT" is spot, "BTC/USDT:USDT" linear and
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
