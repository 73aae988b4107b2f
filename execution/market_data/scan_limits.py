"""What a scan may take: which books count, what must be left, and the most of each symbol."""

from dataclasses import dataclass
from decimal import Decimal

from execution.market_data.spreads import UNLIMITED


@dataclass(frozen=True, slots=True)
class ScanLimits:
    """What counts. Raises ValueError for a limit that makes no sense.

    A book counts while it was received at most `age_ms_max` ago and, where its exchange stamps it,
    made at most `exchange_age_ms_max` ago (None: the same limit). `levels` of each side are looked
    at. At most `candidates_max` pairs, those that seem to pay most, are priced exactly in a scan.
    """

    min_profit_bps: Decimal = Decimal(10)
    age_ms_max: int = 2_000
    exchange_age_ms_max: int | None = None
    levels: int = 20
    candidates_max: int = 200

    def __post_init__(self) -> None:
        if self.min_profit_bps < 0:
            raise ValueError(f"min_profit_bps: {self.min_profit_bps} is below zero")
        for name in ("age_ms_max", "exchange_age_ms_max", "levels", "candidates_max"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ValueError(f"{name}: {value} is below 1")


@dataclass(frozen=True, slots=True)
class Cap:
    """The most to trade of one symbol at once: in base, and in quote for the buy leg at its limit
    price. Infinity is no cap. Raises ValueError for one below zero."""

    amount_max: Decimal = UNLIMITED
    notional_max: Decimal = UNLIMITED

    def __post_init__(self) -> None:
        for name in ("amount_max", "notional_max"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name}: {getattr(self, name)} is below zero")
