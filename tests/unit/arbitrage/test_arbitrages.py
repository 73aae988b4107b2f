"""What an arbitrage's fills come to, worked out by hand."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from execution.arbitrage.model import (
    Arbitrage,
    ArbitrageState,
    Leg,
    LegRole,
    Result,
    average_price,
    result_of,
)
from execution.model.order import Fill, Order, OrderState, Side
from tests.support.arbitrage_kit import BUY, SELL, Floor
from tests.support.exchange import SYMBOL
from tests.support.fakes import Rig, fill

BUY_LEG = Leg(LegRole.BUY, BUY, "bought")
SELL_LEG = Leg(LegRole.SELL, SELL, "sold")
RIG = Rig()


def order(order_id: str, *fills: Fill, state: OrderState = OrderState.FILLED) -> Order:
    return replace(RIG.order(signal_id=order_id), order_id=order_id, state=state, fills=fills)


def result(bought: tuple[Fill, ...], sold: tuple[Fill, ...]) -> Result:
    orders = {"bought": order("bought", *bought), "sold": order("sold", *sold)}
    return result_of(SYMBOL, (BUY_LEG, SELL_LEG), orders)


def test_fees_in_quote_come_off_the_profit() -> None:
    one = result(
        (fill("1", "buy", "2", "99", [("USDT", "0.198")]),),
        (fill("2", "sell", "2", "101", [("USDT", "0.202")]),),
    )
    assert (one.bought, one.sold, one.imbalance) == (2, 2, 0)
    assert one.net_profit == Decimal("3.6")
    assert one.fees == {"USDT": Decimal("0.4")}


def test_a_fee_in_base_is_worth_its_own_fills_price() -> None:
    one = result(
        (
            fill("1", "buy", "1", "99", [("BTC", "0.001")]),
            fill("2", "buy", "1", "98", [("BTC", "0.001")]),
        ),
        (fill("3", "sell", "2", "101"),),
    )
    assert one.net_profit == Decimal("5") - Decimal("0.099") - Decimal("0.098")
    assert one.fees == {"BTC": Decimal("0.002")}


def test_a_fee_in_a_third_asset_is_listed_and_not_valued() -> None:
    one = result(
        (fill("1", "buy", "1", "99", [("BNB", "0.01")]),),
        (fill("2", "sell", "1", "101", [("USDT", "0.1")]),),
    )
    assert one.net_profit == Decimal("1.9")
    assert one.fees == {"BNB": Decimal("0.01"), "USDT": Decimal("0.1")}


def test_what_is_left_of_buying_counts_at_the_average_that_it_cost() -> None:
    one = result(
        (fill("1", "buy", "1", "98"), fill("2", "buy", "1", "100")),
        (fill("3", "sell", "0.5", "101"),),
    )
    # 50.5 came in, 198 went out, and 1.5 at 99 are left.
    assert (one.imbalance, one.net_profit) == (Decimal("1.5"), Decimal("1"))


def test_what_is_left_of_selling_counts_at_the_average_that_it_brought() -> None:
    one = result((fill("1", "buy", "0.5", "99"),), (fill("2", "sell", "2", "101"),))
    assert (one.imbalance, one.net_profit) == (Decimal("-1.5"), Decimal("1"))


def test_a_leg_alone_is_neither_profit_nor_loss_but_for_its_fee() -> None:
    one = result((fill("1", "buy", "3", "0.7", [("USDT", "0.0021")]),), ())
    assert (one.imbalance, one.net_profit) == (3, Decimal("-0.0021"))


def test_an_average_that_is_not_exact_leaves_a_negligible_rest() -> None:
    one = result((fill("1", "buy", "1", "1"), fill("2", "buy", "2", "2")), ())
    assert abs(one.net_profit) < Decimal("1e-17")


def test_nothing_traded_comes_to_nothing() -> None:
    assert result((), ()) == Result()


def test_each_fill_counts_on_its_own_side_whatever_its_order_is_for() -> None:
    orders = {
        "bought": order("bought", fill("1", "buy", "2", "99")),
        "sold": order("sold", fill("2", "sell", "1", "101")),
        "back": order("back", fill("3", "sell", "1", "98.9")),
    }
    legs = (BUY_LEG, SELL_LEG, Leg(LegRole.UNWIND, BUY, "back"))
    one = result_of(SYMBOL, legs, orders)
    assert (one.bought, one.sold, one.net_profit) == (2, 2, Decimal("1.9"))


def later(told: Fill, ms: int) -> Fill:
    return replace(told, time=told.time + timedelta(milliseconds=ms))


def test_the_skew_is_between_the_first_fills_of_the_two_legs() -> None:
    bought = (later(fill("1", "buy", "1", "99"), 40), later(fill("2", "buy", "1", "99"), 7))
    sold = (later(fill("3", "sell", "2", "101"), 2),)
    assert result(bought, sold).skew_ms == 5
    assert result(sold, bought).skew_ms == 5


def test_a_leg_that_did_not_trade_has_no_skew_to_the_other() -> None:
    assert result((fill("1", "buy", "1", "99"),), ()).skew_ms is None


def test_what_works_off_a_rest_is_no_part_of_the_skew() -> None:
    orders = {
        "bought": order("bought", fill("1", "buy", "1", "99")),
        "sold": order("sold"),
        "done": order("done", later(fill("2", "sell", "1", "101"), 900)),
    }
    legs = (BUY_LEG, SELL_LEG, Leg(LegRole.COMPLETION, SELL, "done"))
    assert result_of(SYMBOL, legs, orders).skew_ms is None


def test_an_order_in_quarantine_is_named_as_unknown() -> None:
    orders = {
        "bought": order("bought"),
        "sold": order("sold", state=OrderState.QUARANTINED),
    }
    assert result_of(SYMBOL, (BUY_LEG, SELL_LEG), orders).unknown == ("sold",)


def test_the_average_price_is_that_of_one_side() -> None:
    orders = {
        "bought": order("bought", fill("1", "buy", "1", "98"), fill("2", "buy", "3", "100")),
        "sold": order("sold", fill("3", "sell", "1", "101")),
    }
    legs = (BUY_LEG, SELL_LEG)
    assert average_price(legs, orders, Side.BUY) == Decimal("99.5")
    assert average_price(legs, orders, Side.SELL) == 101
    assert average_price((), orders, Side.SELL) == 0


def arbitrage(**changes: object) -> Arbitrage:
    return Floor().arbitrage(**changes)


@pytest.mark.parametrize(
    ("state", "has_ended"),
    [("received", False), ("open", False), ("balancing", False),
     ("closed", True), ("refused", True), ("imbalanced", True)],
)  # fmt: skip
def test_three_states_are_ends(state: str, has_ended: bool) -> None:
    assert arbitrage(state=ArbitrageState(state)).has_ended is has_ended


def test_an_arbitrage_names_its_first_legs_and_its_fixes() -> None:
    fix = Leg(LegRole.COMPLETION, SELL, "done")
    one = arbitrage(legs=(BUY_LEG, SELL_LEG, fix))
    assert one.order_id(LegRole.BUY) == "bought"
    assert one.order_id(LegRole.SELL) == "sold"
    assert one.order_id(LegRole.UNWIND) is None
    assert one.hedges == (fix,)


@pytest.mark.parametrize(
    "change",
    [{"amount": Decimal(2)}, {"symbol": "ETH/USDT"}, {"buy_account": SELL}, {"sell_account": BUY},
     {"signal_id": "signal-2"}],
)  # fmt: skip
def test_another_intent_under_the_same_id_is_distinguished(change: dict[str, object]) -> None:
    assert not arbitrage().asks_the_same_as(arbitrage(**change))


def test_how_far_it_got_is_no_part_of_the_intent() -> None:
    assert arbitrage().asks_the_same_as(arbitrage(state=ArbitrageState.CLOSED, entry_id="1-1"))
