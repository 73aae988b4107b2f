"""What is sent for an arbitrage: both legs, and whatever works off what they differ by."""

from dataclasses import replace
from decimal import ROUND_DOWN, Decimal
from typing import Any

import pytest

from execution.arbitrage.model import Arbitrage, LegRole
from execution.arbitrage.plan import LegPlan, Plan, Venue, is_dust, is_dust_at, plan_fix, plan_legs
from execution.market_data.spreads import UNLIMITED
from execution.model.book import Book
from execution.model.decimals import ZERO
from execution.model.errors import NoPlan
from execution.model.order import Side
from execution.model.trading_rules import Market, untradable
from tests.support.arbitrage_kit import BUY, SELL, Floor
from tests.support.clock import START_MS
from tests.support.exchange import MARKET, SYMBOL

Levels = list[tuple[str, str]]
FREE = replace(MARKET, taker_fee=ZERO)
UNRULY = Market(SYMBOL, None, None, None, None, taker_fee=ZERO)


def venue(account: str, bids: Levels, asks: Levels, market: Market = MARKET, **free: Any) -> Venue:
    levels = [tuple((Decimal(p), Decimal(a)) for p, a in side) for side in (bids, asks)]
    known = {name: Decimal(amount) for name, amount in free.items()}
    return Venue(account, market, Book(SYMBOL, *levels), START_MS, **known)


def cheap(asks: Levels | None = None, bids: Levels | None = None, **more: Any) -> Venue:
    return venue(BUY, bids or [("98.9", "10")], asks or [("99", "10")], **more)


def dear(bids: Levels | None = None, asks: Levels | None = None, **more: Any) -> Venue:
    return venue(SELL, bids or [("101", "10")], asks or [("101.1", "10")], **more)


def asked(**changes: Any) -> Arbitrage:
    return Floor().arbitrage(**changes)


def planned(buy: Venue, sell: Venue, notional_max: Decimal = UNLIMITED, **changes: Any) -> Plan:
    return plan_legs(asked(**changes), buy, sell, notional_max)


# Both legs.


def test_both_legs_are_limited_to_the_worst_price_that_was_counted_with() -> None:
    buy = cheap([("98", "1"), ("99", "1"), ("99.5", "9")], [("97", "1")])
    sell = dear([("102", "0.5"), ("101", "1.5"), ("100", "9")], [("103", "1")])
    plan = planned(buy, sell, amount=Decimal(2))
    two = Decimal(2)
    assert plan.buy == LegPlan(LegRole.BUY, BUY, Side.BUY, two, Decimal(99), Decimal(98))
    assert plan.sell == LegPlan(LegRole.SELL, SELL, Side.SELL, two, Decimal(101), Decimal(102))
    # 51 + 151.5 = 202.5 come in and 98 + 99 = 197 go out, and each side takes 0.1 %.
    assert plan.expected_profit == Decimal("202.5") * Decimal("0.999") - Decimal("197.197")


@pytest.mark.parametrize(
    ("asks", "bids", "amount", "profit"),
    [
        # The second unit would lose, though both together would still pay.
        ([("99", "1"), ("101.5", "9")], [("101", "9")], "1", "1.8"),
        ([("99", "9")], [("101", "1"), ("99.1", "9")], "1", "1.8"),
        # 0.4 at 101, then 0.3 at 100, for what costs 99; at 99.9 it pays no more.
        ([("99", "0.7"), ("99.9", "9")], [("101", "0.4"), ("100", "0.5")], "0.7", "0.9603"),
    ],
)
def test_the_amount_goes_as_deep_as_each_unit_pays_for_itself(
    asks: Levels, bids: Levels, amount: str, profit: str
) -> None:
    plan = planned(cheap(asks), dear(bids), amount=Decimal(5))
    assert plan.buy.amount == plan.sell.amount == Decimal(amount)
    assert plan.expected_profit == Decimal(profit)


def test_a_thin_spread_is_taken_up_to_where_the_minimum_is_met_on_average() -> None:
    buy, sell = cheap([("99", "1"), ("100", "9")]), dear([("100.3", "9")])
    # At 100 a unit pays 0.0997, by itself less than 10 bps but more than nothing.
    assert planned(buy, sell, amount=Decimal(9)).buy.amount == 9
    assert planned(buy, sell, amount=Decimal(9), min_profit_bps=Decimal(50)).buy.amount < 3


@pytest.mark.parametrize(
    ("buy", "sell", "notional_max", "amount"),
    [
        (cheap(quote_free="49.5495"), dear(), UNLIMITED, "0.5"),
        (cheap(), dear(base_free="0.3337"), UNLIMITED, "0.333"),
        (cheap(), dear(), Decimal("19.8"), "0.2"),
        (cheap(), dear(), UNLIMITED, "1"),
    ],
    ids=["quote, fee included", "base, in whole steps", "notional", "what was asked for"],
)
def test_balances_and_caps_bound_the_amount(
    buy: Venue, sell: Venue, notional_max: Decimal, amount: str
) -> None:
    plan = planned(buy, sell, notional_max)
    assert plan.buy.amount == plan.sell.amount == Decimal(amount)


def test_a_balance_too_small_for_any_order_is_no_plan() -> None:
    with pytest.raises(NoPlan, match=r"^amount: none that pays is allowed by balances"):
        planned(cheap(quote_free="4"), dear())


def test_books_that_are_thinner_than_the_smallest_order_are_no_plan() -> None:
    with pytest.raises(NoPlan, match=r"^amount: none that pays"):
        planned(cheap([("99", "0.01")]), dear())


@pytest.mark.parametrize(
    ("buy", "sell", "account"),
    [(cheap(quote_free="0"), dear(), BUY), (cheap(), dear(base_free="0"), SELL)],
)
def test_an_empty_balance_names_its_account(buy: Venue, sell: Venue, account: str) -> None:
    with pytest.raises(NoPlan, match=f"^balance: nothing is free on {account} to trade with$"):
        planned(buy, sell)


@pytest.mark.parametrize(("bid", "pays"), [("99.298", True), ("99.297", False)])
def test_the_minimum_profit_is_of_the_buy_notional_after_both_fees(bid: str, pays: bool) -> None:
    buy, sell = cheap(), dear([(bid, "10")], market=replace(MARKET, price_tick=Decimal("0.001")))
    # At 99 a profit of 10 bps is 0.099 a unit, and 0.099 + 99.099 + its own fee must come in.
    if pays:
        assert planned(buy, sell).expected_profit >= Decimal("0.099")
    else:
        with pytest.raises(NoPlan, match=r"^min_profit_bps: the first unit pays 9\.97, not 10$"):
            planned(buy, sell)


def test_without_a_minimum_it_must_still_pay_something() -> None:
    level = dear([("99", "10")], market=FREE)
    with pytest.raises(NoPlan, match=r"^min_profit_bps: the first unit pays 0, not 0$"):
        planned(cheap(market=FREE), level, min_profit_bps=ZERO)


@pytest.mark.parametrize(
    ("bad", "defect"),
    [
        (Book(SYMBOL, (), ((Decimal(99), Decimal(1)),)), "it has no bids"),
        (Book(SYMBOL, ((Decimal(99), Decimal(1)),), ()), "it has no asks"),
        (cheap([("98", "1")]).book, "it is crossed: a bid at 98.9, an ask at 98"),
        (cheap([("99.5", "1"), ("99", "1")]).book, "its asks are out of order"),
    ],
)
def test_a_book_that_cannot_be_true_does_not_count(bad: Book, defect: str) -> None:
    sentence = f"account: the book of {BUY} does not count: {defect}"
    with pytest.raises(NoPlan, match=f"^{sentence}$"):
        planned(replace(cheap(), book=bad), dear())
    with pytest.raises(NoPlan, match=f"^{sentence.replace(BUY, SELL)}$"):
        planned(cheap(), replace(dear(), book=bad))


# What works off a rest.


def fix(imbalance: str, average: str, *venues: Venue, bps: str = "50") -> LegPlan:
    arbitrage = asked(max_loss_bps=Decimal(bps))
    return plan_fix(arbitrage, Decimal(imbalance), Decimal(average), venues)


def test_too_much_bought_is_sold_where_it_was_to_be_sold_if_that_is_better() -> None:
    plan = fix("1", "99", cheap(), dear())
    assert (plan.role, plan.account, plan.side) == (LegRole.COMPLETION, SELL, Side.SELL)
    assert (plan.amount, plan.reference_price) == (1, 101)


def test_too_much_bought_is_taken_back_if_that_is_better() -> None:
    plan = fix("1", "99", cheap(), dear([("98.8", "10")]))
    assert (plan.role, plan.account, plan.side) == (LegRole.UNWIND, BUY, Side.SELL)


def test_too_much_sold_is_bought_where_it_was_to_be_bought_or_taken_back() -> None:
    plan = fix("-1", "101", cheap(), dear())
    assert (plan.role, plan.account, plan.side) == (LegRole.COMPLETION, BUY, Side.BUY)
    plan = fix("-1", "101", cheap([("101.3", "10")]), dear())
    assert (plan.role, plan.account, plan.side) == (LegRole.UNWIND, SELL, Side.BUY)


def test_where_more_can_be_worked_off_goes_before_the_better_price() -> None:
    plan = fix("1", "99", cheap(), dear([("101", "0.4"), ("90", "9")]))
    assert (plan.account, plan.amount) == (BUY, 1)


@pytest.mark.parametrize(
    ("tick", "fee", "price"),
    [("0.01", "0", "98.51"), ("0.01", "0.001", "98.61"), ("0.5", "0", "99"), (None, "0", "98.505")],
)
def test_selling_costs_at_most_the_cap_rounded_up_to_the_tick(
    tick: str | None, fee: str, price: str
) -> None:
    # 99 less 0.5 % is 98.505, which the fee must leave: 98.505 / 0.999 = 98.6036...
    market = replace(MARKET, price_tick=tick and Decimal(tick), taker_fee=Decimal(fee))
    plan = fix("1", "99", dear(market=market))
    assert plan.price == Decimal(price)
    assert plan.price * (1 - Decimal(fee)) >= Decimal("98.505")


@pytest.mark.parametrize(
    ("tick", "fee", "price"),
    [("0.01", "0", "101.5"), ("0.01", "0.001", "101.4"), ("0.5", "0.001", "101")],
)
def test_buying_costs_at_most_the_cap_rounded_down_to_the_tick(
    tick: str, fee: str, price: str
) -> None:
    # 101 and 0.5 % are 101.505, fee included: 101.505 / 1.001 = 101.4035...
    market = replace(MARKET, price_tick=Decimal(tick), taker_fee=Decimal(fee))
    plan = fix("-1", "101", cheap(market=market))
    assert plan.price == Decimal(price)
    assert plan.price * (1 + Decimal(fee)) <= Decimal("101.505")


def test_the_price_of_a_fix_is_on_the_tick_of_its_own_band() -> None:
    bands = ((Decimal(0), Decimal("0.01")), (Decimal("98.5"), Decimal("0.5")))
    market = replace(MARKET, price_tick=Decimal("0.01"), price_bands=bands)
    assert fix("1", "99", dear(market=market)).price == Decimal(99)
    assert fix("-1", "101", cheap(market=market)).price == Decimal(101)


def test_only_what_is_within_the_cap_is_taken_from_a_deep_book() -> None:
    bids = [("98.9", "0.3"), ("98.62", "0.2005"), ("98.6", "5")]
    plan = fix("1", "99", dear(bids))
    assert (plan.amount, plan.price) == (Decimal("0.500"), Decimal("98.61"))


def test_beyond_the_cap_there_is_no_plan_and_the_sentence_says_why() -> None:
    with pytest.raises(NoPlan, match=r"^max_loss_bps: 1 cannot be sold within 50 of 99$"):
        fix("1", "99", cheap(bids=[("98.6", "9")]), dear([("98.6", "9")]))
    with pytest.raises(NoPlan, match=r"^max_loss_bps: 1\.5 cannot be bought within 5 of 101$"):
        fix("-1.5", "101", dear(), bps="5")


def test_with_no_venue_that_can_be_read_there_is_no_plan() -> None:
    with pytest.raises(NoPlan, match=r"^max_loss_bps: "):
        fix("1", "99")


def test_an_empty_side_of_a_book_is_passed_over() -> None:
    empty = replace(dear(), book=Book(SYMBOL, (), ((Decimal(102), Decimal(1)),)))
    assert fix("1", "99", cheap(), empty).account == BUY


def test_what_is_free_bounds_what_is_worked_off() -> None:
    assert fix("1", "99", dear(base_free="0.2504")).amount == Decimal("0.250")
    # At most 101.4 a unit and 0.1 % of that: 50.7507 pays for half a unit.
    assert fix("-1", "101", cheap([("101", "9")], quote_free="50.7507")).amount == Decimal("0.500")
    assert fix("-1", "101", cheap([("101", "9")], quote_free="50.75")).amount == Decimal("0.499")


def test_where_too_little_is_free_the_other_place_is_chosen() -> None:
    assert fix("1", "99", cheap(), dear(base_free="0.001")).account == BUY


@pytest.mark.parametrize(
    ("amount", "market", "dust"),
    [
        ("0.0009", UNRULY, False),
        ("0.0009", replace(UNRULY, amount_step=Decimal("0.001")), True),
        ("0.001", replace(UNRULY, amount_step=Decimal("0.001")), False),
        ("0.002", replace(UNRULY, amount_min=Decimal("0.003")), True),
        ("0.003", replace(UNRULY, amount_min=Decimal("0.003")), False),
        ("0.05", replace(UNRULY, notional_min=Decimal("5.01")), True),
        ("0.05", replace(UNRULY, notional_min=Decimal(5)), False),
        # What is cut to whole steps is worth 5 no more.
        ("0.0505", replace(MARKET, amount_step=Decimal("0.02")), True),
    ],
)
def test_dust_is_what_no_exchange_would_take(amount: str, market: Market, dust: bool) -> None:
    assert is_dust(Decimal(amount), Decimal(100), market) is dust


def test_dust_cannot_be_worked_off() -> None:
    with pytest.raises(NoPlan):
        fix("0.04", "99", cheap(), dear())


def test_a_rest_is_sold_at_a_price_at_which_it_is_worth_the_minimum() -> None:
    """0.0501 is worth too little at the cap's price, and enough at what is bid."""
    plan = fix("0.0501", "100", cheap(), dear([("102", "10")], market=FREE))
    # Whole steps are 0.050, which is worth 5 at 100 and above.
    assert (plan.account, plan.amount, plan.price) == (SELL, Decimal("0.050"), Decimal(100))


def test_a_rest_is_sold_no_lower_than_the_bids_that_take_all_of_it() -> None:
    bids = [("102", "0.03"), ("100.5", "0.03"), ("99.9", "5")]
    plan = fix("0.05", "100", dear(bids, market=FREE))
    assert (plan.amount, plan.price) == (Decimal("0.05"), Decimal(100))
    with pytest.raises(NoPlan):
        fix("0.05", "100", dear([("102", "0.03"), ("99.9", "5")], market=FREE))


def test_a_rest_is_bought_at_a_price_that_what_is_free_pays_for() -> None:
    """At the cap's price too little could be paid for; at what is asked it is just enough."""
    seller = dear(asks=[("100", "10")], market=FREE, quote_free="5.01")
    plan = fix("-0.0501", "100", seller, bps="1000")
    assert (plan.amount, plan.price) == (Decimal("0.050"), Decimal(100))


@pytest.mark.parametrize(
    ("imbalance", "average", "venue_", "dust"),
    [
        # At 99 it came for less than 5; at 102 it is worth more.
        ("0.0501", "99", dear([("102", "1")], market=FREE), False),
        ("0.0481", "99", dear([("102", "1")], market=FREE), True),
        # A purchase may be limited as high as the cap, 0.5 % above what was sold at.
        ("-0.0501", "99.8", cheap([("98", "1")], market=FREE), False),
        ("-0.0501", "99", cheap([("98", "1")], market=FREE), True),
        # With nobody bidding, what it came at decides.
        ("0.0501", "100", replace(dear(market=FREE), book=Book(SYMBOL, (), ())), False),
        ("0.0501", "99", replace(dear(market=FREE), book=Book(SYMBOL, (), ())), True),
    ],
)
def test_dust_is_judged_at_the_best_price_that_can_be_had(
    imbalance: str, average: str, venue_: Venue, dust: bool
) -> None:
    rest = Decimal(imbalance)
    assert is_dust_at(asked(max_loss_bps=Decimal(50)), rest, Decimal(average), venue_) is dust


@pytest.mark.parametrize("side", list(Side))
@pytest.mark.parametrize("cents", range(9_700, 10_400, 50))
@pytest.mark.parametrize("rest", ["0.0481", "0.0492", "0.05", "0.0501", "0.0519", "0.06"])
def test_what_is_no_dust_can_be_traded_and_every_plan_is_an_order_that_is_allowed(
    side: Side, cents: int, rest: str
) -> None:
    """One rule decides for both, so that nothing is called tradable for ever and never traded."""
    price = str(Decimal(cents) / 100)
    sign = 1 if side is Side.SELL else -1
    other = dear([(price, "1")], [(price, "1")], market=FREE)
    arbitrage = asked(max_loss_bps=Decimal(100))
    limit = Decimal(99) if side is Side.SELL else Decimal(101)
    within = Decimal(price) >= limit if side is Side.SELL else Decimal(price) <= limit
    try:
        plan = plan_fix(arbitrage, sign * Decimal(rest), Decimal(100), [other])
    except NoPlan:
        best = max(Decimal(100), Decimal(price)) if side is Side.SELL else limit
        worth = Decimal(rest).quantize(Decimal("0.001"), ROUND_DOWN) * best
        too_small_here = side is Side.SELL and Decimal(price) < 100
        assert not within or worth < 5 or too_small_here
        return
    assert within
    assert untradable(plan.amount, plan.price, FREE) is None
    assert not is_dust_at(arbitrage, sign * Decimal(rest), Decimal(100), other)
