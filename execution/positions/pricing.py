"""Reads the prices of many symbols in few requests, although one of them may make a request
fail."""

from collections.abc import Collection
from decimal import Decimal
from typing import Protocol

from execution.exchanges.port import MarketSource
from execution.model.errors import RequestRefused

# The most requests; an exchange that refuses them all is not called for each symbol.
QUESTIONS_MAX = 16


class PriceSource(MarketSource, Protocol):
    """The source of prices. Raises ExchangeUnavailable unless the answer is well-formed."""

    def prices(self, symbols: Collection[str]) -> dict[str, Decimal]:
        """Current prices of the symbols, in one request if the exchange has one. A symbol without a
        market price is left out."""


class Pricing:
    """One reading of prices at one exchange."""

    def __init__(self, exchange: PriceSource) -> None:
        self._exchange = exchange
        self._left = QUESTIONS_MAX
        self._prices: dict[str, Decimal] = {}
        self._unpriced: dict[str, str] = {}

    def read(self, symbols: Collection[str]) -> tuple[dict[str, Decimal], dict[str, str]]:
        """The prices, and the reason for each symbol that makes a request fail. A symbol without a
        market price is in neither. Raises ExchangeUnavailable if the exchange does not answer."""
        self._ask(sorted(symbols))
        return self._prices, self._unpriced

    def _ask(self, symbols: list[str]) -> None:
        """Read all at once; if a request is refused, read it in parts."""
        if not symbols:
            return
        if not self._left:
            why = f"not read: {QUESTIONS_MAX} requests were not enough"
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
        """The traded ones and the others, which are the most likely to make a request fail; halves
        if they are all alike."""
        listed = [symbol for symbol in symbols if self._exchange.market(symbol) is not None]
        if 0 < len(listed) < len(symbols):
            return listed, [symbol for symbol in symbols if symbol not in listed]
        middle = len(symbols) // 2
        return symbols[:middle], symbols[middle:]
