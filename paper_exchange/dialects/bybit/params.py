"""Request parameters: a query string or a JSON body, read by name and type."""

import json
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import TypeVar
from urllib.parse import parse_qsl

from paper_exchange.dialects.bybit.errors import ApiError, wrong
from paper_exchange.engine.symbols import ASSET_DECIMALS

Choice = TypeVar("Choice")

SPOT = "spot"
PLAIN_ORDERS = "Order"

_is_decimal = re.compile(r"[0-9]{1,20}(\.[0-9]{0,20})?").fullmatch
_is_whole = re.compile(r"[0-9]{1,18}").fullmatch
_is_client_id = re.compile(r"[a-zA-Z0-9_-]{1,36}").fullmatch


def parse_query(query: str) -> dict[str, str]:
    """Decode a query string; if a name occurs twice, the last value counts."""
    return dict(parse_qsl(query, keep_blank_values=True))


def parse_body(body: bytes) -> dict[str, str]:
    """Decode a JSON object; numbers keep their digits as sent."""
    try:
        sent = json.loads(body, parse_float=str, parse_int=str)
    except (ValueError, RecursionError):
        raise ApiError(10001, "Request parameter error: the body is not JSON.") from None
    if not isinstance(sent, dict):
        raise ApiError(10001, "Request parameter error: the body is not a JSON object.")
    return {name: _plain(name, value) for name, value in sent.items() if value is not None}


def _plain(name: str, value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str):
        raise wrong(name)
    return value


class Params:
    """The parameters of one request. One that is sent but empty counts as not sent, as on Bybit."""

    __slots__ = ("_values",)

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = values

    def allow(self, known: frozenset[str]) -> None:
        """Refuse parameters that are not implemented here: Bybit may act on them or ignore them,
        and the paper exchange does not guess which."""
        for name, value in self._values.items():
            if value and name not in known:
                raise wrong(name, "is not a parameter that this exchange reads here")

    def text(self, name: str) -> str | None:
        """A parameter as sent, or None."""
        return self._values.get(name) or None

    def must_text(self, name: str) -> str:
        """A mandatory parameter, as sent."""
        value = self.text(name)
        if value is None:
            raise wrong(name)
        return value

    def must_be_spot(self) -> None:
        """Refuse every category but spot."""
        category = self.must_text("category")
        if category != SPOT:
            raise wrong("category", f"must be {SPOT} on this exchange")

    def must_be_plain(self) -> None:
        """Refuse order filters other than plain orders, the only kind here."""
        if self.text("orderFilter") not in (None, PLAIN_ORDERS):
            raise wrong("orderFilter", f"must be {PLAIN_ORDERS} on this exchange")

    def decimal(self, name: str, too_fine: int) -> Decimal | None:
        """A plain decimal number above zero; `too_fine` is the error code for too many decimals."""
        value = self.text(name)
        if value is None:
            return None
        if not _is_decimal(value):
            raise ApiError(170130, f"Data sent for parameter '{name}' is not valid.")
        number = Decimal(value)
        if not number:
            raise wrong(name, "must be above zero")
        if len(value.rstrip("0").partition(".")[2]) > ASSET_DECIMALS:
            raise ApiError(too_fine, f"Parameter '{name}' has too many decimals.")
        return number

    def whole(self, name: str) -> int | None:
        """An integer, not negative."""
        value = self.text(name)
        if value is not None and not _is_whole(value):
            raise wrong(name)
        return None if value is None else int(value)

    def limit(self, default: int, most: int) -> int:
        """The requested number of items."""
        value = self.whole("limit")
        if value is None:
            return default
        if not 1 <= value <= most:
            raise wrong("limit", f"must be from 1 to {most}")
        return value

    def choice(self, name: str, words: Mapping[str, Choice], refusal: ApiError) -> Choice | None:
        """The meaning of one of the allowed words."""
        value = self.text(name)
        if value is not None and value not in words:
            raise refusal
        return None if value is None else words[value]

    def client_id(self) -> str | None:
        """The orderLinkId of a new order."""
        value = self.text("orderLinkId")
        if value is not None and not _is_client_id(value):
            raise wrong("orderLinkId", "must be up to 36 letters, digits, - and _")
        return value
