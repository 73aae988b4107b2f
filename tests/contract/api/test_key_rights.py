"""Whether a key may withdraw, as each exchange says it, or does not."""

from collections.abc import Iterator
from typing import Any

import pytest

from execution.model.errors import ExchangeUnavailable
from tests.support.api.canned_server import Reply
from tests.support.api.exchange_kits import Bench

ROUTES = {
    "binance": "GET /sapi/v1/account/apiRestrictions",
    "bybit": "GET /v5/user/query-api",
    "okx": "GET /api/v5/account/config",
    "coinbase": "GET /api/v3/brokerage/key_permissions",
}
BYBIT: dict[str, Any] = {"retCode": 0, "retMsg": ""}
CASES = [
    ("binance", {"enableReading": True, "enableWithdrawals": True}, True),
    ("binance", {"enableReading": True, "enableWithdrawals": False}, False),
    ("bybit", {**BYBIT, "result": {"permissions": {"Wallet": ["Withdraw"]}}}, True),
    ("bybit", {**BYBIT, "result": {"permissions": {"Wallet": ["AccountTransfer"]}}}, False),
    ("bybit", {**BYBIT, "result": {"permissions": {"Spot": ["SpotTrade"]}}}, False),
    ("okx", {"code": "0", "data": [{"perm": "read_only,withdraw,trade"}], "msg": ""}, True),
    ("okx", {"code": "0", "data": [{"perm": "read_only,trade"}], "msg": ""}, False),
    ("coinbase", {"can_view": True, "can_trade": True, "can_transfer": True}, True),
    ("coinbase", {"can_view": True, "can_trade": True, "can_transfer": False}, False),
]


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    bench = Bench()
    yield bench
    bench.server.close()


@pytest.mark.parametrize(("name", "answer", "may_withdraw"), CASES)
def test_what_an_exchange_says_of_a_key_is_read(
    name: str, answer: dict[str, Any], may_withdraw: bool, bench: Bench
) -> None:
    exchange = bench.exchange(name, {ROUTES[name]: answer})
    assert exchange.may_withdraw() is may_withdraw
    assert len(bench.server.requests) == 1


@pytest.mark.parametrize("name", ["kraken", "upbit"])
def test_where_an_exchange_does_not_say_it_nothing_is_asked(name: str, bench: Bench) -> None:
    assert bench.exchange(name).may_withdraw() is None
    assert bench.server.requests == []


@pytest.mark.parametrize("name", ROUTES)
@pytest.mark.parametrize("answer", [Reply("<html>", 404), {}, [], Reply("", 200)])
def test_an_answer_that_says_nothing_is_no_answer(name: str, answer: Any, bench: Bench) -> None:
    exchange = bench.exchange(name, {ROUTES[name]: answer})
    with pytest.raises(ExchangeUnavailable):
        exchange.may_withdraw()
