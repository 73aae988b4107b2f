"""What is reported of an error never carries a secret, at whatever depth."""

from typing import Any

import pytest

from execution.text.redaction import scrub
from workers.observers.sentry import scrub_breadcrumb, scrub_event

SECRETS: list[Any] = [
    {"api_key": "hunter2"},
    {"apiKey": "hunter2"},
    {"X-MBX-APIKEY": "hunter2"},
    {"Authorization": "hunter2"},
    {"secret": "hunter2"},
    {"api_secret": ["hunter2"]},
    {"password": {"inner": "hunter2"}},
    {"passphrase": "hunter2"},
    {"signature": "hunter2"},
    {"access_token": "hunter2"},
    {"request": {"headers": {"X-MBX-APIKEY": "hunter2"}}},
    [{"frames": [{"vars": {"self": {"secret": "hunter2"}}}]}],
    ({"deep": ({"api_key": "hunter2"},)},),
    "GET /api/v3/order?symbol=BTCUSDT&signature=hunter2",
    "GET /api/v3/order?signature=hunter2&symbol=BTCUSDT",
    "{'apiKey': 'hunter2', 'timeout': 10}",
    '{"secret": "hunter2"}',
    "secret=hunter2",
    "X-MBX-APIKEY: hunter2",
    "PASSWORD = hunter2",
    {"message": "failed: https://x/?a=1&signature=hunter2"},
    {"exception": {"values": [{"value": "url: /order?signature=hunter2 (Caused by ...)"}]}},
]


@pytest.mark.parametrize("value", SECRETS, ids=str)
def test_a_secret_is_removed_wherever_it_is(value: Any) -> None:
    assert "hunter2" not in str(scrub(value))
    assert "hunter2" not in str(scrub_event({"extra": {"value": value}}, {}))
    assert "hunter2" not in str(scrub_breadcrumb({"data": value}, {}))


@pytest.mark.parametrize(
    "value",
    [
        {"order_id": "oo1", "symbol": "BTC/USDT", "amount": "0.1"},
        "order oo1 is submitting",
        ["a", 1, None, True],
        {"status": 400, "body": {"code": -2010}},
        1.5,
    ],
)
def test_what_is_no_secret_stays(value: Any) -> None:
    assert scrub(value) == value


def test_what_surrounds_a_secret_stays() -> None:
    scrubbed = scrub("GET /order?symbol=BTCUSDT&signature=hunter2&x=1")
    assert scrubbed == "GET /order?symbol=BTCUSDT&signature=[removed]&x=1"


def test_what_is_scrubbed_is_a_copy() -> None:
    event = {"extra": {"api_key": "hunter2"}}
    scrub(event)
    assert event == {"extra": {"api_key": "hunter2"}}


@pytest.mark.parametrize(
    "value",
    [
        "Authorization: Bearer hunter2",
        "secret: 'hunter1 hunter2'",
        "connecting to redis://user:hunter2@redis.internal:6379/0",
        "amqp://guest:hunter2@rabbit//",
        {"headers": [["X-MBX-APIKEY", "hunter2"]]},
        b"signature=hunter2",
    ],
    ids=str,
)
def test_a_secret_in_any_of_these_shapes_is_removed_too(value: object) -> None:
    assert "hunter2" not in str(scrub(value))
