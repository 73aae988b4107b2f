"""Request parameters: decoding, and parsing each by its type."""

import json
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import TypeVar
from urllib.parse import unquote_plus

from paper_exchange.dialects.binance.errors import ApiError, illegal_characters, invalid, missing
from paper_exchange.engine.symbols import ASSET_DECIMALS

Choice = TypeVar("Choice")

# Patterns as Binance quotes them in its messages, each with the compiled equivalent.
DECIMAL_LEGAL = "^([0-9]{1,20})(\\.[0-9]{1,20})?$"
INTEGER_LEGAL = "^[0-9]{1,20}$"
SYMBOL_LEGAL = "^[A-Z0-9-_.]{1,20}$"
SYMBOLS_LEGAL = '^\\[("[A-Z0-9-_.]{1,20}"(,"[A-Z0-9-_.]{1,20}"){0,}){0,1}\\]$'
CLIENT_ID_LEGAL = "^[a-zA-Z0-9-_]{1,36}$"

_is_decimal = re.compile(r"[0-9]{1,20}(\.[0-9]{1,20})?").fullmatch
_is_integer = re.compile(r"[0-9]{1,20}").fullmatch
_is_symbol = re.compile(r"[A-Z0-9_.-]{1,20}").fullmatch
_is_symbols = re.compile(r'\[("[A-Z0-9_.-]{1,20}"(,"[A-Z0-9_.-]{1,20}")*)?\]').fullmatch
_is_client_id = re.compile(r"[a-zA-Z0-9_-]{1,36}").fullmatch


def parse_pairs(query: str, body: str) -> dict[str, str]:
    """Decode a query string and a form; the query string takes precedence.

    A name that occurs twice in one of them is an error.
    """
    pairs = _parse_part(body) if body else {}
    pairs.update(_parse_part(query))
    return pairs


def _parse_part(text: str) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for part in text.split("&"):
        if not part:
            continue
        name, _, value = part.partition("=")
        if "%" in part or "+" in part:
            name, value = unquote_plus(name), unquote_plus(value)
        if name in pairs:
            raise ApiError(-1101, f"Duplicate values for parameter '{name}' detected.")
        pairs[name] = value
    return pairs


class Params:
    """The parameters of one request, read by name and type.

    A method without `must_` returns None for a missing parameter; an empty one is always an error.
    """

    __slots__ = ("_pairs",)

    def __init__(self, pairs: dict[str, str]) -> None:
        self._pairs = pairs

    def __contains__(self, name: str) -> bool:
        return name in self._pairs

    def allow(self, known: frozenset[str]) -> None:
        """Refuse parameters that the endpoint does not read."""
        if self._pairs.keys() <= known:
            return
        sent, read = len(self._pairs), len(self._pairs.keys() & known)
        if not known:
            message = f"Too many parameters; expected '0' and received '{sent}'."
            raise ApiError(-1101, message)
        raise ApiError(
            -1104,
            f"Not all sent parameters were read; read '{read}' parameter(s) but was sent '{sent}'.",
        )

    def text(self, name: str) -> str | None:
        """A parameter as sent."""
        value = self._pairs.get(name)
        if value == "":
            raise ApiError(-1105, f"Parameter '{name}' was empty.")
        return value

    def must_text(self, name: str) -> str:
        """A mandatory parameter, as sent."""
        value = self._pairs.get(name)
        if not value:
            raise missing(name)
        return value

    def decimal(self, name: str) -> Decimal | None:
        """A plain decimal number, not negative, with at most as many decimals as an asset has."""
        value = self._matching(name, _is_decimal, DECIMAL_LEGAL)
        if value is None:
            return None
        if len(value.partition(".")[2]) > ASSET_DECIMALS:
            raise ApiError(-1111, f"Parameter '{name}' has too much precision.")
        return Decimal(value)

    def integer(self, name: str) -> int | None:
        """An integer, not negative."""
        value = self._matching(name, _is_integer, INTEGER_LEGAL)
        return None if value is None else int(value)

    def must_integer(self, name: str) -> int:
        """A mandatory integer."""
        if not self._pairs.get(name):
            raise missing(name)
        return self.integer(name) or 0

    def limit(self, default: int, most: int) -> int:
        """The requested number of items."""
        value = self.integer("limit")
        if value is None:
            return default
        if value == 0:
            raise invalid("limit")
        if value > most:
            message = f"'limit' contains unexpected value. Cannot be greater than '{most}'."
            raise ApiError(-1102, message)
        return value

    def symbol(self) -> str | None:
        """The symbol; the engine checks whether it is listed."""
        return self._matching("symbol", _is_symbol, SYMBOL_LEGAL)

    def must_symbol(self) -> str:
        """The mandatory symbol."""
        if not self._pairs.get("symbol"):
            raise missing("symbol")
        return self.symbol() or ""

    def symbols(self) -> list[str] | None:
        """A JSON list of symbols."""
        value = self._matching("symbols", _is_symbols, SYMBOLS_LEGAL)
        if value is None:
            return None
        names: list[str] = json.loads(value)
        if len(set(names)) < len(names):
            raise ApiError(-1151, "Symbol is present multiple times in the list.")
        return names

    def client_id(self, name: str) -> str | None:
        """A client order id."""
        return self._matching(name, _is_client_id, CLIENT_ID_LEGAL)

    def choice(self, name: str, words: Mapping[str, Choice], refusal: ApiError) -> Choice | None:
        """The meaning of one of the allowed words."""
        value = self.text(name)
        if value is not None and value not in words:
            raise refusal
        return None if value is None else words[value]

    def flag(self, name: str) -> bool:
        """`true` or `false`; missing means false."""
        value = self.text(name)
        if value not in (None, "true", "false", "TRUE", "FALSE"):
            raise invalid(name)
        return value in ("true", "TRUE")

    def _matching(self, name: str, matches: Callable[[str], object], legal: str) -> str | None:
        value = self.text(name)
        if value is not None and not matches(value):
            raise illegal_characters(name, legal)
        return value
