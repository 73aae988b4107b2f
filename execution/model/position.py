"""What an account holds of one symbol, and what it has made with it so far."""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Context, Decimal, localcontext

from execution.model.decimals import EXACT, ZERO, Money, to_text
from execution.model.instrument import Instrument, Kind, instrument_of

ONE = Decimal(1)

# An entry price is a quotient that people read; nothing is computed from it.
_SHOWN = Context(prec=28)


@dataclass(frozen=True, slots=True)
class Position:
    """What an account holds of one symbol through its fills.

    `amount` is signed: base units for spot, contracts else, of `contract_size` each. `cost` is what
    it was entered for, signed alike; with `realised_pnl` and `turnover` it is in the settle asset:
    quote for spot and linear contracts, base for inverse ones. `fees` are tallied per asset.
    `opened_at` is None while nothing is held. `version` counts the fills.

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
        """The terms on which the symbol trades. Raises ValueError if no fold knows such terms."""
        return instrument_of(self.symbol, self.contract_size)

    @property
    def entry_price(self) -> Decimal | None:
        """The average price, in quote, of what is held now: the one price at which all of it would
        have had the same cost, which is the harmonic average for inverse. None for nothing held.
        """
        with localcontext(EXACT):
            size = self.amount * self.contract_size
        if not size:
            return None
        if self.instrument.kind is not Kind.INVERSE:
            return _SHOWN.divide(self.cost, size).normalize(_SHOWN)
        return _SHOWN.divide(size, self.cost).normalize(_SHOWN) if self.cost else None

    def unrealised_pnl(self, mark_price: Decimal) -> Decimal:
        """What closing all of it at `mark_price` would add, before fees, in the settle asset.

        Raises ValueError for an inverse contract at a price that is not above zero.
        """
        terms = self.instrument
        with localcontext(EXACT):
            return terms.profit_sign * (terms.value(self.amount, mark_price) - self.cost)
