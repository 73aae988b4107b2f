"""Producers meet the package's own errors only, whichever way they make a message or settings."""

import copy
import inspect
import pickle
import re
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from oneorder import (
    ArbitrageSignal,
    CancelRequest,
    InvalidSignal,
    OneOrderError,
    OrderSignal,
    PublishFailed,
    SettingsError,
)
from oneorder.settings import SignalSettings

ORDER: dict[str, Any] = {
    "signal_id": "s-1",
    "account": "main",
    "symbol": "BTC/USDT",
    "side": "buy",
    "type": "market",
    "amount": "0.25",
}
SIGNAL = OrderSignal(**ORDER)
ONLY_STRINGS = 'amount: 0.25 must be a decimal string such as "0.25"'


def pickled(value: Any) -> Any:
    """What another process gets that the value is sent to."""
    return pickle.loads(pickle.dumps(value))  # noqa: S301  # It is our own.


@pytest.mark.parametrize("kind", [InvalidSignal, SettingsError, PublishFailed])
def test_every_error_has_one_base(kind: type[Exception]) -> None:
    assert issubclass(kind, OneOrderError)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: OrderSignal(**{**ORDER, "amount": 0.25}), ONLY_STRINGS),
        (lambda: OrderSignal(**{**ORDER, "prise": "1"}), "prise: is not a known field"),
        (lambda: OrderSignal.model_validate({**ORDER, "amount": 0.25}), ONLY_STRINGS),
        (lambda: OrderSignal.model_validate(3), "body: 3 input should be a valid dictionary"),
        (lambda: OrderSignal.model_validate_json("{"), "body: '{' invalid JSON"),
        (lambda: OrderSignal.model_validate_json('{"price": 1}'), "price: 1 must be a decimal"),
        (lambda: OrderSignal.model_validate_strings({"side": "up"}), "side: 'up' is not one of"),
        (lambda: SIGNAL.model_copy(update={"amount": 0.25}), ONLY_STRINGS),
        (lambda: SIGNAL.model_copy(update={"prise": "1"}), "prise: is not a known field"),
        (lambda: setattr(SIGNAL, "amount", Decimal(9)), "amount: a message is frozen"),
        (lambda: delattr(SIGNAL, "amount"), "amount: a message is frozen"),
        (lambda: ArbitrageSignal(**ORDER), "account: is not a known field"),
        (lambda: CancelRequest(order_id="a b"), "order_id: 'a b' is not a valid order_id"),
    ],
)
def test_an_invalid_message_is_our_error_and_names_field_and_value(
    make: Callable[[], object], sentence: str
) -> None:
    with pytest.raises(InvalidSignal) as refused:
        make()
    assert type(refused.value) is InvalidSignal
    assert sentence in str(refused.value)
    assert SIGNAL.amount == Decimal("0.25")


def test_a_valid_message_is_copied_and_pickled_as_it_is() -> None:
    doubled = SIGNAL.model_copy(update={"amount": "0.5"})
    assert (doubled.amount, doubled.signal_id) == (Decimal("0.5"), "s-1")
    for copied in (SIGNAL.model_copy(), copy.deepcopy(SIGNAL), pickled(SIGNAL)):
        assert copied == SIGNAL
        assert copied.to_body() == ORDER
    error = pickled(InvalidSignal("amount: is required"))
    assert (type(error), str(error)) == (InvalidSignal, "amount: is required")


@pytest.mark.parametrize("kind", [OrderSignal, ArbitrageSignal, CancelRequest])
def test_the_types_of_a_constructor_are_those_of_its_fields(kind: type[OrderSignal]) -> None:
    source = inspect.getsource(kind)
    signature = source.partition("def __init__(")[2].partition(") -> None")[0]
    assert set(re.findall(r"\b(\w+): [A-Za-z]+[\[, |]?", signature.replace("noqa: ", ""))) == set(
        kind.model_fields
    )


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('redis_url = "nowhere"\n', "redis_url: is not of the form redis://HOST:PORT/NUMBER"),
        ("redis_url = 6379\n", "redis_url: input should be a valid string"),
        ('broker_url = "http://there"\n', "broker_url: does not begin with one of redis://"),
        ("redis_url = [\n", "Invalid value"),
    ],
)
def test_settings_that_a_producer_cannot_use_are_our_error(
    text: str, sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "oneorder.toml"
    path.write_text(text)
    monkeypatch.setenv("ONEORDER_CONFIG", str(path))
    with pytest.raises(SettingsError) as refused:
        SignalSettings()
    assert sentence in str(refused.value)
    assert str(path) in str(refused.value)


def test_a_producer_s_settings_name_the_variable_or_argument_and_repeat_no_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ONEORDER_CONFIG", raising=False)
    monkeypatch.setenv("ONEORDER_REDIS_URL", "redis://:hunter2@host:port")
    with pytest.raises(SettingsError) as refused:
        SignalSettings()
    assert str(refused.value) == (
        "redis_url: its port is not a number from 1 to 65535 (from the variable ONEORDER_REDIS_URL)"
    )
    with pytest.raises(SettingsError) as refused:
        SignalSettings(redis_url="redis://:hunter2@host:99999")
    assert str(refused.value) == "redis_url: its port is not a number from 1 to 65535"


def test_a_settings_file_that_is_not_there_or_no_text_is_our_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ONEORDER_CONFIG", str(tmp_path / "oneorder.tolm"))
    with pytest.raises(SettingsError, match="ONEORDER_CONFIG names a file that is not there"):
        SignalSettings()
    (tmp_path / "oneorder.tolm").write_bytes(b"\xff\xfe")
    with pytest.raises(SettingsError, match=r"is not UTF-8 \(byte 0\)"):
        SignalSettings()
