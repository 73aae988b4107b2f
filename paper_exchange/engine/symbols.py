"""The listed symbols with their trading rules."""

from dataclasses import dataclass, field
from decimal import Decimal

# Balances and fees have eight decimals, as on Binance and Bybit spot.
ASSET_DECIMALS = 8
ASSET_UNIT = Decimal(1).scaleb(-ASSET_DECIMALS)


@dataclass(frozen=True, slots=True, eq=False)
class Symbol:
    """One pair and its rules: prices in quote per base, quantities in base.

    Prices are multiples of `tick`, quantities multiples of `step`. Together they have at most
    eight decimals, so that every price times quantity is an exact amount of the quote asset.
    """

    base: str
    quote: str
    tick: Decimal
    step: Decimal
    start_price: Decimal
    price_max: Decimal
    qty_max: Decimal
    market_qty_max: Decimal
    notional_min: Decimal
    notional_max: Decimal
    # The bounds of an order's price, as factors of the reference price.
    price_factor_up: Decimal = Decimal(5)
    price_factor_down: Decimal = Decimal("0.2")
    name: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", self.base + self.quote)
        decimals = _decimals(self.tick) + _decimals(self.step)
        if decimals > ASSET_DECIMALS:
            raise ValueError(f"{self.name}: tick and step have {decimals} decimals, over 8")


def _decimals(number: Decimal) -> int:
    exponent = number.as_tuple().exponent
    if not isinstance(exponent, int):
        raise TypeError(f"{number} is not a finite number")
    return max(0, -exponent)


def _against_usdt(base: str, tick: str, step: str, start: str, qty_max: str) -> Symbol:
    return Symbol(
        base=base,
        quote="USDT",
        tick=Decimal(tick),
        step=Decimal(step),
        start_price=Decimal(start),
        price_max=Decimal(1_000_000),
        qty_max=Decimal(qty_max),
        market_qty_max=Decimal(qty_max) / 10,
        notional_min=Decimal(5),
        notional_max=Decimal(9_000_000),
    )


DEFAULT_SYMBOLS = (
    _against_usdt("BTC", "0.01", "0.00001", "50000.00", "9000"),
    _against_usdt("ETH", "0.01", "0.0001", "3000.00", "90000"),
    Symbol(
        base="ETH",
        quote="BTC",
        tick=Decimal("0.00001"),
        step=Decimal("0.001"),
        start_price=Decimal("0.06000"),
        price_max=Decimal(1000),
        qty_max=Decimal(90_000),
        market_qty_max=Decimal(9000),
        notional_min=Decimal("0.0001"),
        notional_max=Decimal(9_000_000),
    ),
    _against_usdt("SOL", "0.01", "0.001", "150.00", "900000"),
    _against_usdt("XRP", "0.0001", "0.1", "0.6000", "9000000"),
)
