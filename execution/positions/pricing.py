"""Asks the prices of many symbols in few questions, though one of them may spoil a question."""

from collections.abc import Collection
from decimal import Decimal
from typing import Protocol

from execution.exchanges.port import MarketSource
from execution.model.errors import RequestRefused

# So many questions at most; an exchange that refuses them all is not asked for each symbol.
QUESTIONS_MAX = 16


class PriceSource(MarketSource, Protocol):
    """Where prices are read. Raises ExchangeUnavailable unless the answer is well-formed."""

    def prices(self, symbols: Collection[str]) -> dict[str, Decimal]:
        """Current prices of the symbols, in one call where the exchange has one. A symbol without a
        market price is left out."""


class Pricing:
    """One reading of prices at one exchange."""

    def __init__(self, exchange: PriceSource) -> None:
        self._exchange = exchange
        self._left = QUESTIONS_MAX
        self._prices: dict[str, Decimal] = {}
        self._unpriced: dict[str, str] = {}

    def read(self, symbols: Collection[str]) -> tuple[dict[str, Decimal], dict[str, str]]:
        """The prices, and for each symbol that spoils a question, why. A symbol without a market
        price is in neither. Raises ExchangeUnavailable where the exchange does not answer."""
        self._ask(sorted(symbols))
        return self._prices, self._unpriced

    def _ask(self, symbols: list[str]) -> None:
        """Ask for all at once; of a question that is refused, for each part."""
        if not symbols:
            return
        if not self._left:
            why = f"not asked: {QUESTIONS_MAX} questions were not enough"
            self._unpriced.update(dict.fromkeys(symbols, why))
            return
        self._left -= 1
        try:
            self._prices |= self._exchange.prices(symbols)
        except RequestRefused as error:
            if len(symbols) == 1 or error.retry_after_s:
                self._unpriced.update(dict.fromkeys(symbols, str(error)))
                return
            for part in self._parts(symbols):
                self._ask(part)

    def _parts(self, symbols: list[str]) -> tuple[list[str], list[str]]:
        """Those that are traded, and those that are not, which are the likeliest to spoil a
        question; halves where they are all alike."""
        listed = [symbol for symbol in symbols if self._exchange.market(symbol) is not None]
        if 0 < len(listed) < len(symbols):
            return listed, [symbol for symbol in symbols if symbol not in listed]
        middle = len(symbols) // 2
        return symbols[:middle], symbols[middle:]
