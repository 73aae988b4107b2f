"""Distinguishes the failure of one symbol from an exchange that does not answer at all."""

from collections.abc import Callable

from execution.model.errors import (
    ExchangeUnavailable,
    IllegalTransition,
    RequestRefused,
    UnknownOrder,
    UnknownSymbol,
)

# After this many refused symbols in a row, the exchange is not called for the next.
REFUSED_IN_A_ROW_MAX = 5
SILENT_IN_A_ROW_MAX = 2


class SymbolFailures:
    """Records why symbols could not be read, in `sentences` by symbol.

    `unlisted` are those that the exchange does not list (any more), in which nothing trades now;
    all others in `sentences` may have unread trades.
    """

    def __init__(self, sentences: dict[str, str]) -> None:
        self.sentences = sentences
        self.unlisted: set[str] = set()
        self._refused = 0
        self._silent = 0
        self._first_silence: ExchangeUnavailable | None = None

    @property
    def unread(self) -> set[str]:
        return set(self.sentences) - self.unlisted

    def attempt(self, symbol: str, step: Callable[[], bool]) -> bool:
        """Run a step of reading the symbol, and return its result; False if it failed.

        Raises ExchangeUnavailable if the exchange does not answer for others either, or has
        requested a pause.
        """
        try:
            result = step()
        except (IllegalTransition, UnknownOrder) as error:
            self.sentences[symbol] = str(error)
            return False
        except ExchangeUnavailable as error:
            self._count(symbol, error)
            return False
        self._refused = self._silent = 0
        return result

    def _count(self, symbol: str, error: ExchangeUnavailable) -> None:
        self.sentences[symbol] = str(error)
        if isinstance(error, UnknownSymbol):
            # It failed without a request, or the exchange has answered.
            self.unlisted.add(symbol)
            return
        if isinstance(error, RequestRefused):
            self._refused += 1
            self._silent = 0
        else:
            self._silent += 1
            self._first_silence = self._first_silence or error
        dead = self._silent >= SILENT_IN_A_ROW_MAX or self._refused >= REFUSED_IN_A_ROW_MAX
        if dead or error.retry_after_s:
            raise error

    def raise_silence(self) -> None:
        """Raises ExchangeUnavailable if a request got no answer at all; for the end of a run."""
        if self._first_silence is not None:
            raise self._first_silence
