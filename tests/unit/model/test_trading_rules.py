"""What a symbol's rules allow: nothing is rounded for the trader, it is refused instead."""

from dataclasses import replace
from decimal import Decimal

import pytest

from execution.model.order import OrderType
from execution.model.trading_rules import Market, refusal
from tests.support.exchange import MARKET
from tests.support.fakes import Rig

FREE = Market("BTC/USDT", None, None, None, None, Decimal(0))


@pytest.mark.parametrize(
    ("amount", "price"), [("0.05", "100"), ("1", "99.99"), ("0.051", "100.00"), ("9999", "0.01")]
)
def test_an_order_within_the_rules_is_not_refused(amount: str, price: str) -> None:
    order = Rig().order(amount=Decimal(amount), price=Decimal(price))
    assert refusal(order, MARKET) is None


@pytest.mark.parametrize(
    ("amount", "price", "reason"),
    [
        ("0.0501", "100", "amount: 0.0501 is not a multiple of the step 0.001"),
        ("0.0001", "100", "amount: 0.0001 is not a multiple of the step 0.001"),
        ("1", "99.995", "price: 99.995 is not a multiple of the tick 0.01"),
        ("0.049", "100", "amount: the notional 4.9 is below the minimum 5"),
    ],
)
def test_an_order_outside_them_is_refused_with_the_field_the_value_and_the_rule(
    amount: str, price: str, reason: str
) -> None:
    order = Rig().order(amount=Decimal(amount), price=Decimal(price))
    assert refusal(order, MARKET) == reason


def test_an_amount_below_the_minimum_is_refused() -> None:
    market = replace(MARKET, amount_min=Decimal(2))
    assert refusal(Rig().order(), market) == "amount: 1 is below the minimum 2"


def test_a_market_order_has_no_price_to_check() -> None:
    order = Rig().order(type=OrderType.MARKET, price=None, amount=Decimal("0.001"))
    assert refusal(order, MARKET) is None


def test_a_rule_that_the_exchange_does_not_name_refuses_nothing() -> None:
    order = Rig().order(amount=Decimal("0.000000000001"), price=Decimal("0.0000001"))
    assert refusal(order, FREE) is None


def test_a_symbol_that_is_not_traded_is_refused() -> None:
    reason = refusal(Rig().order(), None)
    assert reason == "symbol: 'BTC/USDT' is not traded on account binance-main"


def test_the_tick_is_that_of_the_prices_own_band() -> None:
    bands = ((Decimal(0), Decimal("0.01")), (Decimal(100), Decimal("0.5")))
    market = replace(MARKET, price_tick=None, price_bands=bands)
    assert refusal(Rig().order(price=Decimal("99.99")), market) is None
    reason = refusal(Rig().order(price=Decimal("100.01")), market)
    assert reason == "price: 100.01 is not a multiple of the tick 0.5"


def test_below_the_lowest_band_the_fixed_tick_holds() -> None:
    market = replace(MARKET, price_bands=((Decimal(100), Decimal("0.5")),))
    assert market.tick_at(Decimal("99.99")) == MARKET.price_tick
    assert market.tick_at(Decimal(100)) == Decimal("0.5")
