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


def read_prices(
    exchange: PriceSource, symbols: Collection[str]
) -> tuple[dict[str, Decimal], dict[str, str]]:
    """The prices, and for each symbol that spoils a question, why. A symbol without a market price
    is in neither. Raises ExchangeUnavailable where the exchange does not answer.

    All are asked for at once; of a question that is refused, each part.
    """
    prices: dict[str, Decimal] = {}
    unpriced: dict[str, str] = {}
    questions, left = [sorted(symbols)] if symbols else [], QUESTIONS_MAX
    while questions:
        asked = questions.pop()
        if not left:
            why = f"not asked: {QUESTIONS_MAX} questions were not enough"
            unpriced.update(dict.fromkeys(asked, why))
            continue
        left -= 1
        try:
            prices |= exchange.prices(asked)
        except RequestRefused as error:
            if len(asked) == 1 or error.retry_after_s:
                unpriced.update(dict.fromkeys(asked, str(error)))
            else:
                first, second = _parts(exchange, asked)
                questions += [second, first]
    return prices, unpriced


def _parts(exchange: PriceSource, symbols: list[str]) -> tuple[list[str], list[str]]:
    """Those that are traded, and those that are not, which are the likeliest to spoil a question;
    halves where they are all alike."""
    listed = [symbol for symbol in symbols if exchange.market(symbol) is not None]
    if 0 < len(listed) < len(symbols):
        return listed, [symbol for symbol in symbols if symbol not in listed]
    middle = len(symbols) // 2
    return symbols[:middle], symbols[middle:]
