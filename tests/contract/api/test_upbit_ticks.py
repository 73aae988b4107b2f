"""Upbit's ticks depend on the price, and ccxt does not know them."""

from collections.abc import Iterator
from decimal import Decimal

import pytest

from execution.exchanges.port import Exchange
from execution.model.order import Attempt, Verdict
from execution.model.trading_rules import refusal
from tests.support.api.canned_server import CannedServer, Reply
from tests.support.api.recorded_kit import adapter
from tests.support.clock import START_MS
from tests.support.fakes import Rig

SYMBOLS = ("BTC/KRW", "USDT/KRW", "BTC/USDT", "XRP/BTC", "BTC/SGD")


@pytest.fixture(scope="module")
def server() -> Iterator[CannedServer]:
    server = CannedServer()
    yield server
    server.close()


@pytest.fixture
def upbit(server: CannedServer) -> Exchange:
    server.reset({})
    return adapter("upbit", server.url, SYMBOLS)


def said(upbit: Exchange, symbol: str, price: str, amount: str = "1000000000") -> str | None:
    order = Rig().order(symbol=symbol, price=Decimal(price), amount=Decimal(amount))
    return refusal(order, upbit.market(symbol))


@pytest.mark.parametrize(
    ("symbol", "below", "tick"),
    [
        ("BTC/KRW", "67000000", "1000"),
        ("BTC/KRW", "1000000", "1000"),
        ("BTC/KRW", "999500", "500"),
        ("BTC/KRW", "100000", "100"),
        ("BTC/KRW", "99950", "50"),
        ("BTC/KRW", "10000", "10"),
        ("BTC/KRW", "9995", "5"),
        ("BTC/KRW", "4999", "1"),
        ("BTC/KRW", "100", "1"),
        ("BTC/KRW", "99.9", "0.1"),
        ("BTC/KRW", "9.99", "0.01"),
        ("BTC/KRW", "0.999", "0.001"),
        ("BTC/KRW", "0.0999", "0.0001"),
        ("BTC/KRW", "0.00999", "0.00001"),
        ("BTC/KRW", "0.000999", "0.000001"),
        ("BTC/KRW", "0.0000999", "0.0000001"),
        ("BTC/KRW", "0.00000999", "0.00000001"),
        ("USDT/KRW", "1400.5", "0.5"),
        ("USDT/KRW", "9999.5", "0.5"),
        ("USDT/KRW", "999", "1"),
        ("USDT/KRW", "10000", "10"),
        ("BTC/USDT", "60000.01", "0.01"),
        ("BTC/USDT", "9.999", "0.001"),
        ("BTC/USDT", "0.00009999", "0.00000001"),
        ("XRP/BTC", "0.00002", "0.00000001"),
    ],
)
def test_a_price_must_be_on_the_tick_of_its_band(
    symbol: str, below: str, tick: str, upbit: Exchange
) -> None:
    on, step = Decimal(below), Decimal(tick)
    assert said(upbit, symbol, below) is None
    off = on + step / 2
    assert said(upbit, symbol, format(off, "f")) == (
        f"price: {off.normalize():f} is not a multiple of the tick {tick}"
    )


@pytest.mark.parametrize(
    ("symbol", "price", "amount", "least"),
    [
        ("BTC/KRW", "67000000", "0.00007", "5000"),
        ("BTC/USDT", "50000", "0.000009", "0.5"),
        ("XRP/BTC", "0.00002", "2", "0.00005"),
    ],
)
def test_an_order_has_a_least_value(
    symbol: str, price: str, amount: str, least: str, upbit: Exchange
) -> None:
    refused = said(upbit, symbol, price, amount)
    assert refused is not None
    assert refused.endswith(f"is below the minimum {least}")


def test_a_market_whose_ticks_are_not_known_is_not_checked(upbit: Exchange) -> None:
    assert said(upbit, "BTC/SGD", "90000.123456789", "0.00000001") is None


@pytest.mark.parametrize("name", ["invalid_price_bid", "invalid_price_ask"])
def test_upbits_own_refusal_of_a_price_is_certain(
    name: str, server: CannedServer, upbit: Exchange
) -> None:
    body = {"error": {"name": name, "message": "주문가격 단위를 잘못 입력하셨습니다."}}
    server.answers["POST /v1/orders"] = Reply(body, 400)
    order = Rig().order(symbol="BTC/SGD", price=Decimal("90000.123"))
    outcome = upbit.place(order, Attempt(1, START_MS, START_MS + 3_000, START_MS + 5_000))
    assert outcome.verdict is Verdict.REJECTED
    assert name in outcome.reason
