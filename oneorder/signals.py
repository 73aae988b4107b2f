"""The messages that producers publish, and the sentence that refuses an invalid one.

Numbers are decimal strings, never JSON numbers, because a float is not exactly the number that was
typed. Unknown fields are refused, so that a misspelt `price` is not a market order.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self, TypeVar

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    StringConstraints,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_core import PydanticCustomError

from oneorder.broker import ARBITRAGE, CANCEL, EXECUTE
from oneorder.errors import InvalidSignal
from oneorder.sentences import WHOLE, name_of, sentence_of, short
from oneorder.symbols import checked_symbol

DIGITS_MAX = 40
# A signal has some hundred bytes; a longer text than this is refused.
BODY_MAX = 65_536
SIGNAL_ID_MAX = 128
_PLAIN = re.compile(r"[0-9]{1,20}(\.[0-9]{1,20})?")
# pydantic would also accept a number in a string, as seconds or, if it is large, as milliseconds.
_ISO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d")
_NAME = r"^[A-Za-z0-9][A-Za-z0-9_.-]*$"
_VISIBLE = r"^[\x21-\x7e]+$"


def _decimal(value: object) -> Decimal:
    """Parse a positive plain decimal string, or a Decimal from Python code."""
    if isinstance(value, Decimal):
        # A number with a large exponent would fill the memory when written out.
        is_plain = value.is_finite() and abs(value.adjusted()) <= DIGITS_MAX
        value = format(value, "f") if is_plain else str(value)
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
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("is in UTC before the year 1 or after the year 9999") from None


def _refused(sentence: str) -> PydanticCustomError:
    """An error of a field that depends on another field; the sentence is shown unchanged."""
    # The sentence may contain braces, which the template must not.
    return PydanticCustomError(WHOLE, "{sentence}", {"sentence": sentence})


@contextmanager
def _invalid_signal() -> Iterator[None]:
    """Convert pydantic's error to ours."""
    try:
        yield
    except ValidationError as error:
        raise InvalidSignal(sentence_of(error)) from None


Amount = Annotated[
    Decimal, BeforeValidator(_decimal), PlainSerializer(_text, return_type=str, when_used="json")
]
Name = Annotated[str, StringConstraints(pattern=_NAME, max_length=64)]
SignalId = Annotated[str, StringConstraints(pattern=_VISIBLE, max_length=SIGNAL_ID_MAX)]
Symbol = Annotated[str, AfterValidator(checked_symbol)]


class _Message(BaseModel):
    """A frozen message. Making an invalid one raises InvalidSignal, or ValidationError if the
    message is a field of another pydantic model."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    def __init__(self, **fields: Any) -> None:
        with _invalid_signal():
            super().__init__(**fields)

    if not TYPE_CHECKING:  # Type checkers see pydantic's own signatures.

        @classmethod
        def model_validate(cls, *args, **options):
            with _invalid_signal():
                return super().model_validate(*args, **options)

        @classmethod
        def model_validate_json(cls, *args, **options):
            with _invalid_signal():
                return super().model_validate_json(*args, **options)

        @classmethod
        def model_validate_strings(cls, *args, **options):
            with _invalid_signal():
                return super().model_validate_strings(*args, **options)

        def __setattr__(self, name, value):
            raise InvalidSignal(f"{name_of(name)}: a message is frozen; use model_copy(update=...)")

        def __delattr__(self, name):
            raise InvalidSignal(f"{name_of(name)}: a message is frozen; use model_copy(update=...)")

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """A copy with the fields of `update`, validated like any other message."""
        del deep  # Its values cannot be changed.
        fields = {name: getattr(self, name) for name in self.model_fields_set}
        return self.model_validate({**fields, **(update or {})})

    def to_body(self) -> dict[str, Any]:
        """The JSON object as sent; unset fields are left out."""
        return self.model_dump(mode="json", exclude_none=True)


class _Signal(_Message):
    signal_id: SignalId
    """Up to 128 visible ASCII characters. The idempotency key: the same id is the same order."""
    expires_at: Annotated[AwareDatetime, Field(strict=False)] | None = None
    """ISO 8601 with a time zone. The order is never sent after it; an order that is open by
    then stays open."""
    strategy: Name | None = None
    """Up to 64 letters, digits, `_`, `.` and `-`; reports are grouped by it."""

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
    """One intent to trade."""

    account: Name
    """As in the settings of the workers."""
    symbol: Symbol
    """As ccxt writes it: `BTC/USDT`. Contracts (`BTC/USDT:USDT`) are not supported yet."""
    side: Literal["buy", "sell"]
    """`buy` or `sell`."""
    type: Literal["market", "limit"]
    """`market` or `limit`. A market order is not sent later than `limits.signal_max_age_s`
    after its publication."""
    amount: Amount
    """In base."""
    price: Annotated[Amount | None, Field(validate_default=True)] = None
    """In quote; required for a limit order, refused for a market order."""
    time_in_force: Literal["GTC", "IOC", "FOK", "PO"] | None = None
    """`GTC` (the default), `IOC`, `FOK` or `PO` (post only), of a limit order."""
    reference_price: Amount | None = None
    """The market price when the producer decided; reports measure slippage against it.
    Without it the worker takes the last mark, if that is not older than 15 s."""

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            signal_id: str,
            account: str,
            symbol: str,
            side: Literal["buy", "sell"],
            type: Literal["market", "limit"],  # noqa: A002  # The field's name.
            amount: Decimal | str,
            price: Decimal | str | None = None,
            time_in_force: Literal["GTC", "IOC", "FOK", "PO"] | None = None,
            reference_price: Decimal | str | None = None,
            expires_at: datetime | str | None = None,
            strategy: str | None = None,
        ) -> None: ...

    @field_validator("price", mode="after")
    @classmethod
    def _price_fits_type(cls, price: Decimal | None, info: ValidationInfo) -> Decimal | None:
        match info.data.get("type"), price:
            case "limit", None:
                raise _refused("is required for a limit order")
            case "market", Decimal():
                raise _refused(f"{_text(price)!r} is not for a market order")
        return price

    @field_validator("time_in_force", mode="after")
    @classmethod
    def _time_in_force_fits_type(
        cls, time_in_force: str | None, info: ValidationInfo
    ) -> str | None:
        if info.data.get("type") == "market" and time_in_force is not None:
            raise _refused(f"{time_in_force!r} is not for a market order")
        return time_in_force


class ArbitrageSignal(_Signal):
    """One intent to buy on one account and sell on another at the same time."""

    buy_account: Name
    """Where to buy."""
    sell_account: Name
    """Where to sell; another account."""
    symbol: Symbol
    """As for an order."""
    amount: Amount
    """The most to trade, in base; it is reduced to what is profitable."""
    min_profit_bps: Amount | None = None
    """Least profit, of the buy notional, after both fees; the default is
    `arbitrage.min_profit_bps`."""
    max_loss_bps: Amount | None = None
    """What hedging unequal fills may cost; the default is `arbitrage.max_loss_bps`."""

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            signal_id: str,
            buy_account: str,
            sell_account: str,
            symbol: str,
            amount: Decimal | str,
            min_profit_bps: Decimal | str | None = None,
            max_loss_bps: Decimal | str | None = None,
            expires_at: datetime | str | None = None,
            strategy: str | None = None,
        ) -> None: ...

    @field_validator("sell_account", mode="after")
    @classmethod
    def _two_accounts(cls, sell_account: str, info: ValidationInfo) -> str:
        if info.data.get("buy_account") == sell_account:
            raise _refused(f"{sell_account!r} is the buy_account too")
        return sell_account


class CancelRequest(_Message):
    """Requests cancellation of an order."""

    order_id: Annotated[str, StringConstraints(pattern=_VISIBLE, max_length=64)]
    """The order to cancel."""

    if TYPE_CHECKING:

        def __init__(self, *, order_id: str) -> None: ...


def is_signal_id(text: str) -> bool:
    """Whether the text may be a signal's id."""
    return len(text) <= SIGNAL_ID_MAX and re.search(_VISIBLE, text) is not None


Message = OrderSignal | ArbitrageSignal | CancelRequest

TASKS: dict[str, type[OrderSignal] | type[ArbitrageSignal] | type[CancelRequest]] = {
    EXECUTE: OrderSignal,
    CANCEL: CancelRequest,
    ARBITRAGE: ArbitrageSignal,
}


def parse_message(task: str, body: object) -> Message:
    """Parse a body, a JSON text or a mapping, as the task's message. Raises InvalidSignal."""
    model = TASKS.get(task)
    if model is None:
        raise InvalidSignal(f"task: {short(task)} is not one of {', '.join(TASKS)}")
    return parse_as(model, body)


def parse_signal(body: object) -> OrderSignal | ArbitrageSignal:
    """Parse one signal; its account fields determine its kind. Raises InvalidSignal."""
    fields = _mapping(body)
    if "buy_account" in fields or "sell_account" in fields:
        return parse_as(ArbitrageSignal, fields)
    return parse_as(OrderSignal, fields)


def _mapping(body: object) -> Mapping[str, Any]:
    if isinstance(body, (str, bytes)):
        body = _from_json(body)
    if not isinstance(body, Mapping):
        raise InvalidSignal(f"body: {short(body)} is not a JSON object")
    return body


def _from_json(text: str | bytes) -> object:
    if len(text) > BODY_MAX:
        raise InvalidSignal(f"body: {short(text)} is longer than {BODY_MAX:,}")
    try:
        return json.loads(text, object_pairs_hook=_once)
    except InvalidSignal:
        raise
    except (ValueError, RecursionError):
        raise InvalidSignal(f"body: {short(text)} is not JSON") from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A field that occurs twice is ambiguous, so it is refused."""
    fields = dict(pairs)
    if len(fields) < len(pairs):
        counts = Counter(name for name, _ in pairs)
        twice = next(name for name, count in counts.items() if count > 1)
        raise InvalidSignal(f"{name_of(twice)}: is there twice")
    return fields


def parse_as(model: type[M], body: object) -> M:
    """Parse a body, a JSON text or a mapping, as that message. Raises InvalidSignal."""
    return model.model_validate(_mapping(body))
