"""The messages: what may be asked for, and the sentence that refuses everything else.

Numbers are decimal strings, never JSON numbers, because a binary fraction is not the number that
somebody typed. Unknown fields are refused, so that a misspelt `price` is not a market order.
"""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import (
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    StringConstraints,
    ValidationError,
    field_validator,
    model_validator,
)

DIGITS_MAX = 40
_PLAIN = re.compile(r"[0-9]{1,20}(\.[0-9]{1,20})?")
# pydantic would also take a number in a string, as seconds or, if it is large, as milliseconds.
_ISO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d")
_SYMBOL = r"^[A-Z0-9]{1,20}/[A-Z0-9]{1,20}(:[A-Z0-9]{1,20})?$"
_NAME = r"^[A-Za-z0-9][A-Za-z0-9_.-]*$"
_VISIBLE = r"^[\x21-\x7e]+$"


class InvalidSignal(ValueError):
    """The message cannot be taken; the sentence names the field and the value."""


def _decimal(value: object) -> Decimal:
    """Read a positive plain decimal string, or a Decimal from Python code."""
    if isinstance(value, Decimal):
        value = format(value, "f") if value.is_finite() else str(value)
    if not isinstance(value, str):
        raise ValueError('must be a decimal string such as "0.25"')  # noqa: TRY004  # For pydantic.
    if len(value) > DIGITS_MAX + 1 or not _PLAIN.fullmatch(value):
        raise ValueError('must be a plain positive decimal string such as "0.25"')
    number = Decimal(value)
    if not number:
        raise ValueError("must be above zero")
    return number


def _text(number: Decimal) -> str:
    return format(number, "f")


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC)


Amount = Annotated[
    Decimal, BeforeValidator(_decimal), PlainSerializer(_text, return_type=str, when_used="json")
]
Name = Annotated[str, StringConstraints(pattern=_NAME, max_length=64)]
SignalId = Annotated[str, StringConstraints(pattern=_VISIBLE, max_length=128)]
Symbol = Annotated[str, StringConstraints(pattern=_SYMBOL)]


class _Message(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    def to_body(self) -> dict[str, Any]:
        """The JSON object as it travels; fields that were not set are left out."""
        return self.model_dump(mode="json", exclude_none=True)


class _Signal(_Message):
    signal_id: SignalId
    expires_at: Annotated[AwareDatetime, Field(strict=False)] | None = None
    strategy: Name | None = None

    @field_validator("expires_at", mode="before")
    @classmethod
    def _expires_at_is_iso(cls, value: object) -> object:
        if isinstance(value, str) and not _ISO.match(value):
            raise ValueError('must be an ISO 8601 time such as "2030-01-31T12:00:00Z"')
        if value is not None and not isinstance(value, (str, datetime)):
            raise ValueError('must be an ISO 8601 time such as "2030-01-31T12:00:00Z"')
        return value

    @field_validator("expires_at", mode="after")
    @classmethod
    def _expires_at_in_utc(cls, value: datetime | None) -> datetime | None:
        return None if value is None else _utc(value)


M = TypeVar("M", bound=_Message)


class OrderSignal(_Signal):
    """One intent to trade. `signal_id` is the idempotency key: the same id is the same order.

    `reference_price` is what the market was at when the producer decided; reports measure slippage
    against it.
    """

    account: Name
    symbol: Symbol
    side: Literal["buy", "sell"]
    type: Literal["market", "limit"]
    amount: Amount
    price: Amount | None = None
    time_in_force: Literal["GTC", "IOC", "FOK", "PO"] | None = None
    reference_price: Amount | None = None

    @model_validator(mode="after")
    def _price_fits_type(self) -> Self:
        if self.type == "limit" and self.price is None:
            raise ValueError("price: is required for a limit order")
        if self.type == "market" and self.price is not None:
            raise ValueError(f"price: {_text(self.price)!r} is not for a market order")
        if self.type == "market" and self.time_in_force is not None:
            raise ValueError(f"time_in_force: {self.time_in_force!r} is not for a market order")
        return self


class ArbitrageSignal(_Signal):
    """One intent to buy on one account and sell on another at the same time.

    `amount` is the most to trade, in base; it is sized down to what pays `min_profit_bps` of the
    buy notional after both fees. What one leg does more than the other is worked off at no more
    than `max_loss_bps`. Both have defaults in the workers' settings.
    """

    buy_account: Name
    sell_account: Name
    symbol: Symbol
    amount: Amount
    min_profit_bps: Amount | None = None
    max_loss_bps: Amount | None = None

    @model_validator(mode="after")
    def _two_accounts(self) -> Self:
        if self.buy_account == self.sell_account:
            raise ValueError(f"sell_account: {self.sell_account!r} is the buy_account too")
        return self


class CancelRequest(_Message):
    """The wish that an order be gone."""

    order_id: Annotated[str, StringConstraints(pattern=_VISIBLE, max_length=64)]


TASKS: dict[str, type[_Message]] = {
    "orders.execute": OrderSignal,
    "orders.cancel": CancelRequest,
    "arbitrage.execute": ArbitrageSignal,
}


def parse_message(task: str, body: object) -> _Message:
    """Read a body, a JSON text or a mapping, as the task's message. Raises InvalidSignal."""
    model = TASKS.get(task)
    if model is None:
        raise InvalidSignal(f"task: {task!r} is not one of {', '.join(TASKS)}")
    return parse_as(model, body)


def parse_signal(body: object) -> OrderSignal | ArbitrageSignal:
    """Read one signal, told apart by its account fields. Raises InvalidSignal."""
    fields = _mapping(body)
    if "buy_account" in fields or "sell_account" in fields:
        return parse_as(ArbitrageSignal, fields)
    return parse_as(OrderSignal, fields)


def _mapping(body: object) -> Mapping[str, Any]:
    if isinstance(body, (str, bytes)):
        body = _from_json(body)
    if not isinstance(body, Mapping):
        raise InvalidSignal(f"body: {_short(body)} is not a JSON object")
    return body


def _from_json(text: str | bytes) -> object:
    try:
        return json.loads(text, object_pairs_hook=_once)
    except InvalidSignal:
        raise
    except (ValueError, RecursionError):
        raise InvalidSignal(f"body: {_short(text)} is not JSON") from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A field that is there twice could mean either value, so it means neither."""
    fields = dict(pairs)
    if len(fields) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise InvalidSignal(f"{twice}: is there twice")
    return fields


def parse_as(model: type[M], body: object) -> M:
    """Read a body, a JSON text or a mapping, as that message. Raises InvalidSignal."""
    fields = _mapping(body)
    try:
        return model.model_validate(fields)
    except ValidationError as error:
        raise InvalidSignal(_sentence(error)) from None


def _sentence(error: ValidationError) -> str:
    """The first thing that is wrong, as one sentence: field, value, and what it should be."""
    first = error.errors(include_url=False)[0]
    reason = first["msg"].removeprefix("Value error, ")
    if not first["loc"]:
        return reason
    field = ".".join(str(part) for part in first["loc"])
    match first["type"]:
        case "missing":
            return f"{field}: is required"
        case "extra_forbidden":
            return f"{field}: is not a known field"
        case "string_too_long":
            return f"{field}: {_short(first['input'])} is longer than {first['ctx']['max_length']}"
        case "string_pattern_mismatch":
            return f"{field}: {_short(first['input'])} is not a valid {field}"
        case "literal_error":
            return f"{field}: {_short(first['input'])} is not one of {first['ctx']['expected']}"
    return f"{field}: {_short(first['input'])} {reason[:1].lower()}{reason[1:]}"


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."
