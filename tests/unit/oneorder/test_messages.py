"""Which messages are taken, and the one sentence that refuses every other."""

import json
import re
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest

from oneorder import (
    ArbitrageSignal,
    CancelRequest,
    InvalidSignal,
    OrderSignal,
    parse_signal,
)
from oneorder.signals import parse_as, parse_message

ORDER: dict[str, Any] = {
    "signal_id": "s-1",
    "account": "binance-main",
    "symbol": "BTC/USDT",
    "side": "buy",
    "type": "limit",
    "amount": "0.25",
    "price": "100.5",
}
MARKET_ORDER = {**{k: v for k, v in ORDER.items() if k != "price"}, "type": "market"}
ARBITRAGE: dict[str, Any] = {
    "signal_id": "a-1",
    "buy_account": "binance-main",
    "sell_account": "bybit-main",
    "symbol": "BTC/USDT",
    "amount": "1",
}


def refusal(body: object) -> str:
    with pytest.raises(InvalidSignal) as refused:
        parse_signal(body)
    return str(refused.value)


def test_an_order_is_read_with_exact_numbers() -> None:
    signal = parse_signal(json.dumps(ORDER))
    assert isinstance(signal, OrderSignal)
    assert (signal.amount, signal.price) == (Decimal("0.25"), Decimal("100.5"))
    assert (signal.time_in_force, signal.expires_at, signal.strategy) == (None, None, None)


def test_arbitrages_are_distinguished_by_their_accounts() -> None:
    assert isinstance(parse_signal(ARBITRAGE), ArbitrageSignal)
    without_buyer = {name: value for name, value in ARBITRAGE.items() if name != "buy_account"}
    assert refusal(without_buyer) == "buy_account: is required"


@pytest.mark.parametrize(
    "change",
    [
        {"amount": "1"},
        {"amount": "0.00000001"},
        {"amount": "12345678901234567890.12345678901234567890"},
        {"amount": "007.50"},
        {"symbol": "1INCH/USDT"},
        {"symbol": "币安人生/USDT"},
        {"symbol": "BTC/人民币"},
        {"symbol": "ШИБ/USDT"},
        {"symbol": "$AI/USDC"},
        {"symbol": "USDT.E/USD"},
        {"symbol": "kPEPE/USDC"},
        {"side": "sell"},
        {"time_in_force": "IOC"},
        {"time_in_force": "PO"},
        {"time_in_force": None},
        {"strategy": "mean.reversion-2_b"},
        {"signal_id": "x" * 128},
        {"signal_id": "!~/:@"},
        {"account": "A" * 64},
        {"expires_at": "2030-01-31T12:00:00Z"},
        {"expires_at": None},
    ],
    ids=str,
)
def test_these_are_taken(change: dict[str, Any]) -> None:
    assert isinstance(parse_signal({**ORDER, **change}), OrderSignal)


def test_an_expiry_in_any_zone_is_the_same_moment_in_utc() -> None:
    signal = parse_signal({**ORDER, "expires_at": "2030-01-31T14:30:00+02:30"})
    assert signal.expires_at == datetime(2030, 1, 31, 12, tzinfo=UTC)
    assert signal.expires_at.utcoffset() == UTC.utcoffset(None)


NOT_A_STRING = 'must be a decimal string such as "0.25"'
NOT_PLAIN = 'must be a plain positive decimal string such as "0.25"'


@pytest.mark.parametrize("field", ["amount", "price"])
@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (0.25, NOT_A_STRING),
        (1, NOT_A_STRING),
        (True, NOT_A_STRING),
        (float("nan"), NOT_A_STRING),
        (float("inf"), NOT_A_STRING),
        ([], NOT_A_STRING),
        ({"value": "1"}, NOT_A_STRING),
        ("NaN", NOT_PLAIN),
        ("Infinity", NOT_PLAIN),
        ("1e5", NOT_PLAIN),
        ("1E-5", NOT_PLAIN),
        ("-1", NOT_PLAIN),
        ("+1", NOT_PLAIN),
        ("", NOT_PLAIN),
        (" 1", NOT_PLAIN),
        ("1 ", NOT_PLAIN),
        ("1\n", NOT_PLAIN),
        ("1,5", NOT_PLAIN),
        ("1_000", NOT_PLAIN),
        (".5", NOT_PLAIN),
        ("5.", NOT_PLAIN),
        ("0x1", NOT_PLAIN),
        ("\u0661", NOT_PLAIN),
        ("1" * 21, NOT_PLAIN),
        ("0." + "1" * 21, NOT_PLAIN),
        ("1" * 1_000_000, NOT_PLAIN),
        (Decimal("NaN"), NOT_PLAIN),
        (Decimal("-1"), NOT_PLAIN),
        (Decimal("1e30"), NOT_PLAIN),
        ("0", "must be above zero"),
        ("0.000", "must be above zero"),
        (Decimal(0), "must be above zero"),
    ],
    ids=lambda value: repr(value)[:18],
)
def test_an_amount_or_price_that_is_no_plain_positive_number_is_refused(
    field: str, value: object, reason: str
) -> None:
    sentence = refusal({**ORDER, field: value})
    assert sentence.startswith(f"{field}: ")
    assert sentence.endswith(f" {reason}")
    assert len(sentence) < 200


@pytest.mark.parametrize("value", ["1E+999999999999999999", "1E-999999999999999", "1E+999999"])
def test_a_decimal_of_a_huge_exponent_is_refused_without_being_written_out(value: str) -> None:
    said = refusal({**ORDER, "amount": Decimal(value)})
    assert said == f"amount: {Decimal(value)!r} {NOT_PLAIN}"


def test_a_decimal_from_python_is_taken_whatever_its_exponent() -> None:
    signal = parse_signal({**ORDER, "amount": Decimal("1E+3"), "price": Decimal("1E-7")})
    assert isinstance(signal, OrderSignal)
    assert signal.to_body()["amount"] == "1000"
    assert signal.to_body()["price"] == "0.0000001"


FUTURE = "is a future: futures are not supported yet"


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"side": "hold"}, "side: 'hold' is not one of 'buy' or 'sell'"),
        ({"side": "BUY"}, "side: 'BUY' is not one of 'buy' or 'sell'"),
        ({"side": None}, "side: None is not one of 'buy' or 'sell'"),
        ({"type": "stop"}, None),
        ({"type": 1}, None),
        ({"time_in_force": "GTD"}, None),
        ({"symbol": "BTCUSDT"}, "symbol: 'BTCUSDT' is not a symbol: write BTC/USDT"),
        ({"symbol": "btcusdt"}, "symbol: 'btcusdt' is not a symbol: write BTC/USDT"),
        ({"symbol": "ETHBTC"}, "symbol: 'ETHBTC' is not a symbol: write ETH/BTC"),
        ({"symbol": "BTC-USD"}, "symbol: 'BTC-USD' is not a symbol: write BTC/USD"),
        ({"symbol": "BTC_USDT"}, "symbol: 'BTC_USDT' is not a symbol: write BTC/USDT"),
        ({"symbol": "btc/usdt"}, "symbol: 'btc/usdt' is not a symbol: write BTC/USDT"),
        ({"symbol": "btc/USDT"}, "symbol: 'btc/USDT' is not a symbol: write BTC/USDT"),
        ({"symbol": "BTC/usdt"}, "symbol: 'BTC/usdt' is not a symbol: write BTC/USDT"),
        ({"symbol": "BTC/USDT\n"}, "symbol: 'BTC/USDT\\n' is not a symbol: write BTC/USDT"),
        ({"symbol": " BTC/USDT"}, "symbol: ' BTC/USDT' is not a symbol: write BTC/USDT"),
        ({"symbol": "../../x"}, "symbol: '../../x' is not a symbol: write BASE/QUOTE"),
        ({"symbol": "BTC"}, "symbol: 'BTC' is not a symbol: write BASE/QUOTE"),
        ({"symbol": "/USDT"}, "symbol: '/USDT' is not a symbol: write BASE/QUOTE"),
        ({"symbol": "BTC/"}, "symbol: 'BTC/' is not a symbol: write BASE/QUOTE"),
        ({"symbol": ""}, "symbol: '' is not a symbol: write BASE/QUOTE"),
        ({"symbol": "B\x00/USDT"}, None),
        ({"symbol": "\ud800/USDT"}, None),
        ({"symbol": "A" * 33 + "/USDT"}, None),
        ({"symbol": "BTC/USDT:USDT"}, f"symbol: 'BTC/USDT:USDT' {FUTURE}"),
        ({"symbol": "BTC/USDT:USDT-261227"}, f"symbol: 'BTC/USDT:USDT-261227' {FUTURE}"),
        ({"symbol": "BTC/USD:BTC"}, f"symbol: 'BTC/USD:BTC' {FUTURE}"),
        ({"symbol": 5}, None),
        ({"account": ""}, "account: '' is not a valid account"),
        ({"account": "a b"}, "account: 'a b' is not a valid account"),
        ({"account": "a:b"}, "account: 'a:b' is not a valid account"),
        ({"account": "-a"}, "account: '-a' is not a valid account"),
        ({"account": "a" * 65}, None),
        ({"account": ["a"]}, None),
        ({"signal_id": ""}, "signal_id: '' is not a valid signal_id"),
        ({"signal_id": "a b"}, "signal_id: 'a b' is not a valid signal_id"),
        ({"signal_id": "ü"}, "signal_id: 'ü' is not a valid signal_id"),
        ({"signal_id": "a\x00"}, None),
        ({"signal_id": "x" * 129}, None),
        ({"signal_id": 7}, None),
        ({"strategy": "a b"}, "strategy: 'a b' is not a valid strategy"),
        ({"strategy": "x" * 10_000}, None),
        ({"expires_at": "tomorrow"}, None),
        ({"expires_at": "2030-01-31T12:00:00"}, None),
        ({"expires_at": "2030-01-31"}, None),
        ({"expires_at": 1_900_000_000}, None),
        ({"expires_at": True}, None),
        ({"expires_at": "9999-12-31T23:59:59-00:01"}, None),
        ({"expires_at": "0001-01-01T00:00:00+23:59"}, None),
        ({"expires_at": "2030-02-30T00:00:00Z"}, None),
        ({"expires_at": "2030-01-31T12:00:00" + "9" * 5_000}, None),
        ({"expires_at": []}, None),
        ({"expires_at": datetime(2030, 1, 1)}, None),  # noqa: DTZ001  # Naive on purpose.
        ({"prise": "1"}, "prise: is not a known field"),
        ({"amount ": "1"}, "amount : is not a known field"),
        ({"price": None}, "price: is required for a limit order"),
        ({"min_profit_bps": "1"}, "min_profit_bps: is not a known field"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_every_other_value_is_refused_with_one_short_sentence_that_names_the_field(
    change: dict[str, Any], sentence: str | None
) -> None:
    said = refusal({**ORDER, **change})
    field = next(iter(change))
    assert said.startswith(f"{field}: ")
    assert "\n" not in said
    assert len(said) < 250
    if sentence is not None:
        assert said == sentence


@pytest.mark.parametrize("field", [field for field in ORDER if field != "price"])
def test_a_field_that_is_missing_is_named(field: str) -> None:
    assert refusal({k: v for k, v in ORDER.items() if k != field}) == f"{field}: is required"


def test_a_market_order_has_neither_price_nor_time_in_force() -> None:
    assert isinstance(parse_signal(MARKET_ORDER), OrderSignal)
    assert refusal({**MARKET_ORDER, "price": "1.50"}) == "price: '1.50' is not for a market order"
    sentence = "time_in_force: 'IOC' is not for a market order"
    assert refusal({**MARKET_ORDER, "time_in_force": "IOC"}) == sentence


def test_an_arbitrage_needs_two_accounts() -> None:
    sentence = "sell_account: 'binance-main' is the buy_account too"
    assert refusal({**ARBITRAGE, "sell_account": "binance-main"}) == sentence


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ("", "body: '' is not JSON"),
        ("{", "body: '{' is not JSON"),
        ("not json", "body: 'not json' is not JSON"),
        (b"\xff\xfe", "body: b'\\xff\\xfe' is not JSON"),
        ("null", "body: None is not a JSON object"),
        ("[]", "body: [] is not a JSON object"),
        ('"order"', "body: 'order' is not a JSON object"),
        ("1", "body: 1 is not a JSON object"),
        (None, "body: None is not a JSON object"),
        (7, "body: 7 is not a JSON object"),
        ([ORDER], None),
        ("[" * 100_000, None),
        ('{"a":' * 100_000, None),
        ('{"amount": ' + "9" * 5_000 + "}", None),
    ],
    ids=lambda value: repr(value)[:20],
)
def test_a_body_that_is_no_json_object_is_refused(body: object, sentence: str | None) -> None:
    said = refusal(body)
    assert said.startswith("body: ")
    assert len(said) < 120
    if sentence is not None:
        assert said == sentence


def test_a_field_that_is_there_twice_is_refused() -> None:
    twice = json.dumps(ORDER)[:-1] + ', "amount": "9"}'
    assert refusal(twice) == "amount: is there twice"
    nested = json.dumps({**ORDER, "strategy": 0}).replace("0}", '{"a": 1, "a": 2}}')
    assert refusal(nested) == "a: is there twice"


@pytest.mark.parametrize("body", [ORDER, MARKET_ORDER, ARBITRAGE])
def test_what_travels_is_read_back_as_the_same_signal(body: dict[str, Any]) -> None:
    signal = parse_signal({**body, "expires_at": "2030-01-31T12:00:00.250Z", "strategy": "s"})
    travelled = json.dumps(signal.to_body())
    assert parse_signal(travelled) == signal
    assert "null" not in travelled


def test_signals_cannot_be_changed() -> None:
    signal = parse_signal(ORDER)
    with pytest.raises(ValueError, match="frozen"):
        signal.amount = Decimal(9)  # type: ignore[misc]


@pytest.mark.parametrize(
    ("task", "body", "kind"),
    [
        ("orders.execute", ORDER, OrderSignal),
        ("arbitrage.execute", ARBITRAGE, ArbitrageSignal),
        ("orders.cancel", {"order_id": "oo123"}, CancelRequest),
    ],
)
def test_each_task_has_its_message(task: str, body: dict[str, Any], kind: type) -> None:
    assert type(parse_message(task, json.dumps(body))) is kind


def test_a_task_that_does_not_exist_is_refused() -> None:
    with pytest.raises(
        InvalidSignal, match=r"^task: 'orders.explode' is not one of orders.execute"
    ):
        parse_message("orders.explode", "{}")


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ({}, "order_id: is required"),
        ({"order_id": ""}, "order_id: '' is not a valid order_id"),
        ({"order_id": "a b"}, "order_id: 'a b' is not a valid order_id"),
        ({"order_id": "oo1", "force": True}, "force: is not a known field"),
    ],
)
def test_a_cancel_names_one_order_and_nothing_else(body: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InvalidSignal) as refused:
        parse_as(CancelRequest, body)
    assert str(refused.value) == sentence


@pytest.mark.parametrize("expires_at", ["9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z"])
def test_the_first_and_the_last_moment_of_all_travel_as_they_are(expires_at: str) -> None:
    signal = parse_signal({**ORDER, "expires_at": expires_at})
    assert parse_signal(json.dumps(signal.to_body())) == signal


def test_an_expiry_that_utc_cannot_name_is_refused_at_python_s_door_too() -> None:
    west = datetime(9999, 12, 31, 23, tzinfo=timezone(timedelta(hours=-2)))
    with pytest.raises(ValueError, match="is in UTC before the year 1 or after the year 9999"):
        OrderSignal.model_validate({**ORDER, "expires_at": west})
    assert refusal({**ORDER, "expires_at": west}).endswith("after the year 9999")


def test_all_that_is_wrong_is_said_at_once_unknown_fields_first() -> None:
    prise = {**{k: v for k, v in ORDER.items() if k != "price"}, "prise": "100.5"}
    assert refusal(prise) == "prise: is not a known field; price: is required for a limit order"
    assert refusal(
        {**MARKET_ORDER, "price": "1", "time_in_force": "IOC", "side": "hold", "x": 1}
    ) == (
        "x: is not a known field; side: 'hold' is not one of 'buy' or 'sell'; "
        "price: '1' is not for a market order; time_in_force: 'IOC' is not for a market order"
    )
    assert refusal({**ARBITRAGE, "sell_account": "binance-main", "amount": 1}) == (
        "sell_account: 'binance-main' is the buy_account too; "
        'amount: 1 must be a decimal string such as "0.25"'
    )


def test_of_very_much_that_is_wrong_the_rest_is_counted() -> None:
    said = refusal({**ORDER, **{f"field-{number}": 1 for number in range(500)}})
    assert said.endswith("field-7: is not a known field; and 492 more")


LONG = "x" * 5_000_000


@pytest.mark.parametrize(
    "body",
    [
        LONG,
        json.dumps({**ORDER, "strategy": LONG}),
        {**ORDER, "strategy": LONG},
        {**ORDER, "amount": LONG},
        {**ORDER, "side": LONG},
        {**ORDER, "symbol": LONG},
        {**ORDER, "expires_at": LONG},
        {**ORDER, LONG: 1},
        [LONG],
    ],
    ids=lambda value: repr(value)[:20],
)
def test_a_value_at_length_is_cut_and_its_length_named(body: object) -> None:
    said = refusal(body)
    assert len(said) < 250
    if not isinstance(body, list):
        assert re.search(r"\.\.\. \(5,000,\d\d\d characters\)", said)


def nested(depth: int) -> Any:
    value: Any = 0
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    "value",
    [
        10**5_000,
        [10**5_000],
        nested(50_000),
        {"a": {"b": {"c": {"d": {}}}}},
        "\ud800",
        b"\xff",
        object(),
    ],
    ids=lambda value: type(value).__name__,
)
@pytest.mark.parametrize("field", ["amount", "strategy", "side", "expires_at", "symbol"])
def test_a_value_that_python_cannot_write_out_is_refused_all_the_same(
    field: str, value: object
) -> None:
    said = refusal({**ORDER, field: value})
    assert said.startswith(f"{field}: ")
    assert said.encode().decode() == said
    assert len(said) < 250


def test_a_field_of_which_only_half_a_character_came_is_named_so_that_it_can_be_printed() -> None:
    assert refusal('{"\\ud800\\n": 1}').startswith("'\\ud800\\n': is not a known field")


def test_very_many_fields_are_counted_in_a_moment() -> None:
    names = [f'"{number}":1' for number in range(6_000)]
    body = "{" + ",".join([*names, names[-1]]) + "}"
    assert refusal(body) == "5999: is there twice"


@pytest.mark.parametrize("expires_at", ["1900000000", "1900000000000", "-1", "1.5e9"])
def test_an_expiry_is_an_iso_time_and_not_a_number_in_a_string(expires_at: str) -> None:
    assert refusal({**ORDER, "expires_at": expires_at}).startswith("expires_at: ")
