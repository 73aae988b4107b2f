"""What the scanner offers, by hand: which way pays, how much of it, and what does not count."""

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import pytest

from execution.market_data.scanner import ArbitrageScanner, Cap, LeftOut, ScanLimits
from execution.market_data.snapshots import BookSnapshot
from execution.model.decimals import EXACT
from tests.support.scanner_kit import NOW_MS, SYMBOL, Pairs, book, market, scan, scanner

CHEAP = book("cheap", [("98", "10")], [("99", "10")])
DEAR = book("dear", [("101", "10")], [("102", "10")])
FEES = {"cheap": market("0.001"), "dear": market("0.001")}


def fee_of(cost: str, price: str) -> str:
    """The fraction that a fee of `cost` a unit is of `price`, to sixty digits."""
    return str(EXACT.divide(Decimal(cost), Decimal(price)))


def flat(account: str, price: str) -> BookSnapshot:
    """A market that buys and sells at one price."""
    return book(account, [(price, "1")], [(price, "1")])


# Each unit costs 0.01 on either leg. In hundredths of a percent of what is bought:
#   buy 100, sell 102: 102 - 100 - 0.02 =  1.98,  1.98 / 100 = 198
#   buy 102, sell 100: 100 - 102 - 0.02 = -2.02, -2.02 / 102 = -198.04
#   buy 100, sell 101: 101 - 100 - 0.02 =  0.98,  0.98 / 100 =  98
#   buy 100, sell 125: 125 - 100 - 0.02 = 24.98, 24.98 / 100 = 2498
@pytest.mark.parametrize(
    ("ask", "bid", "profit", "bps", "pays_one_percent"),
    [
        ("100", "102", "1.98", "198", True),
        ("102", "100", "-2.02", "-198.039215686", False),
        ("100", "101", "0.98", "98", False),
        ("100", "125", "24.98", "2498", True),
    ],
)
def test_a_cost_on_each_leg_is_taken_off_the_spread(
    ask: str, bid: str, profit: str, bps: str, pays_one_percent: bool
) -> None:
    markets = {"one": market(fee_of("0.01", ask)), "two": market(fee_of("0.01", bid))}
    books = (flat("one", ask), flat("two", bid))
    found = scan(*books, markets=markets, min_profit_bps=Decimal(100))
    there = [one for one in found if one.buy_account == "one"]
    assert len(there) == pays_one_percent
    for one in there:
        assert round(one.expected_profit, 20) == Decimal(profit)
    looking = scanner(markets)
    looking.update(books)
    (row,) = [row for row in looking.spreads(NOW_MS) if row.buy_account == "one"]
    assert (row.ask, row.bid) == (Decimal(ask), Decimal(bid))
    assert round(row.profit_bps, 9) == Decimal(bps)


@pytest.mark.parametrize(("least", "offered"), [("2498", 1), ("2498.000000000001", 0)])
def test_a_spread_that_pays_just_the_minimum_is_offered_and_one_below_is_not(
    least: str, offered: int
) -> None:
    markets = {"one": market("0.0001"), "two": market("0.00008")}
    found = scan(
        flat("one", "100"), flat("two", "125"), markets=markets, min_profit_bps=Decimal(least)
    )
    assert len(found) == offered


def test_each_unit_pays_the_spread_less_both_taker_fees() -> None:
    (found,) = scan(CHEAP, DEAR, markets=FEES)
    assert found.expected_profit == 10 * Decimal("1.8")
    assert (found.symbol, found.buy_account, found.sell_account) == (SYMBOL, "cheap", "dear")
    assert (found.amount, found.buy_price, found.sell_price) == (10, 99, 101)
    assert (found.buy_fee, found.sell_fee) == (Decimal("0.001"), Decimal("0.001"))
    assert Fraction(found.profit_bps) == pytest.approx(Fraction(18, 990) * 10_000, rel=1e-16)
    assert found.limited_by == "depth"


def test_a_spread_that_pays_at_the_top_only_is_sized_down_to_where_it_pays() -> None:
    thin = book("cheap", [("90", "1")], [("99", "1"), ("100", "2"), ("103", "50")])
    deep = book("dear", [("102", "2"), ("100.05", "4"), ("99", "50")], [("110", "1")])
    (found,) = scan(thin, deep, markets=FEES)
    # 1 at 99 and 1 of those at 100 sell at 102; the next one brings 100.05 less a fee of 0.1, which
    # is below what it costs.
    assert found.amount == 2
    assert (found.buy_price, found.buy_worst_price) == (Decimal("99.5"), 100)
    assert (found.sell_price, found.sell_worst_price) == (102, 102)
    assert found.expected_profit == 204 * Decimal("0.999") - 199 * Decimal("1.001")
    assert found.limited_by == "depth"


def test_a_minimum_sizes_down_to_the_last_amount_that_keeps_it() -> None:
    books = (
        book("cheap", [("90", "1")], [("100", "1"), ("101", "100")]),
        book("dear", [("102", "100")], [("110", "1")]),
    )
    (found,) = scan(*books, min_profit_bps=Decimal(125))
    # 1 pays 2 and each further one 1: (1 + a) / (101 a - 1) is 1.25 % at a = 1.0125 / 0.2625.
    assert found.amount == Decimal("3.85714285")
    assert Decimal(125) < found.profit_bps < Decimal("125.0000001")
    (found,) = scan(*books, min_profit_bps=Decimal(0))
    assert found.amount == 100


def test_where_a_minimum_stops_the_amount_no_larger_limit_is_named() -> None:
    books = (
        book("cheap", [("90", "1")], [("100", "1"), ("101", "100")]),
        book("dear", [("102", "100")], [("110", "1")]),
    )
    (found,) = scan(*books, min_profit_bps=Decimal(125), cap=Cap(amount_max=Decimal(50)))
    assert (found.amount, found.limited_by) == (Decimal("3.85714285"), "depth")
    (found,) = scan(*books, min_profit_bps=Decimal(125), cap=Cap(amount_max=Decimal(3)))
    assert (found.amount, found.limited_by) == (3, "cap")


@pytest.mark.parametrize("bid", ["99.198", "99", "50"])
def test_a_spread_that_pays_nowhere_is_not_offered(bid: str) -> None:
    assert scan(CHEAP, book("dear", [(bid, "10")], [("102", "10")]), markets=FEES) == []


def test_a_spread_that_leaves_exactly_nothing_is_not_offered() -> None:
    assert scan(CHEAP, book("dear", [("99", "10")], [("102", "10")])) == []


def test_the_depth_of_the_thinner_book_is_the_limit() -> None:
    (found,) = scan(CHEAP, book("dear", [("101", "3")], [("102", "9")]))
    assert (found.amount, found.limited_by) == (3, "depth")


@pytest.mark.parametrize(
    ("quote", "base", "amount"),
    [
        # 99 a unit and 0.099 for the fee.
        ("495.495", "100", "5"),
        ("10000", "4", "4"),
        ("396.396", "4.5", "4"),
    ],
)
def test_balances_limit_the_amount_with_the_fee_of_the_buy_leg(
    quote: str, base: str, amount: str
) -> None:
    balances = {
        "cheap": {"USDT": Decimal(quote), "BTC": Decimal(0)},
        "dear": {"BTC": Decimal(base), "USDT": Decimal(0)},
    }
    (found,) = scan(CHEAP, DEAR, markets=FEES, balances=balances)
    assert (found.amount, found.limited_by) == (Decimal(amount), "balance")


def test_the_quote_balance_must_cover_the_worst_price_since_the_order_is_limited_to_that() -> None:
    stairs = book("cheap", [("90", "1")], [("98", "3"), ("100", "3")])
    balances = {"cheap": {"USDT": Decimal(450)}, "dear": {"BTC": Decimal(9)}}
    (found,) = scan(stairs, DEAR, balances=balances)
    assert found.amount == Decimal("4.5")
    assert found.buy_worst_price == 100
    balances["cheap"]["USDT"] = Decimal(298)
    # 2.98 at a limit of 100, or 3 at a limit of 98.
    assert scan(stairs, DEAR, balances=balances)[0].amount == 3


@pytest.mark.parametrize("balances", [{}, {"cheap": {"USDT": Decimal(9)}, "dear": {}}])
def test_what_is_not_among_the_balances_is_not_there(
    balances: dict[str, dict[str, Decimal]],
) -> None:
    assert scan(CHEAP, DEAR, balances=balances) == []


@pytest.mark.parametrize(
    ("cap", "amount"),
    [
        (Cap(amount_max=Decimal("2.5")), "2.5"),
        (Cap(notional_max=Decimal(198)), "2"),
        (Cap(amount_max=Decimal(3), notional_max=Decimal(99)), "1"),
    ],
)
def test_caps_limit_the_amount_and_the_notional_of_the_buy_leg(cap: Cap, amount: str) -> None:
    (found,) = scan(CHEAP, DEAR, cap=cap)
    assert (found.amount, found.limited_by) == (Decimal(amount), "cap")


def test_the_amount_is_rounded_down_to_a_lot_that_both_exchanges_take() -> None:
    markets = {"cheap": market(step="0.4"), "dear": market(step="0.6")}
    cap = Cap(amount_max=Decimal("3.5"))
    (found,) = scan(CHEAP, DEAR, markets=markets, cap=cap)
    assert (found.amount, found.limited_by) == (Decimal("2.4"), "lot")


def test_rounding_to_a_fine_lot_leaves_the_limit_its_name() -> None:
    markets = {"cheap": market(step="0.001"), "dear": market()}
    cap = Cap(amount_max=Decimal("3.50049"))
    (found,) = scan(CHEAP, DEAR, markets=markets, cap=cap)
    assert (found.amount, found.limited_by) == (Decimal("3.5"), "cap")


def test_a_depth_that_pays_for_less_than_a_lot_is_not_offered() -> None:
    assert scan(CHEAP, DEAR, markets={"cheap": market(step="11"), "dear": market()}) == []


@pytest.mark.parametrize("side", ["cheap", "dear"])
@pytest.mark.parametrize(
    ("rules", "cap", "offered"),
    [
        (market(least="3"), "3", 1),
        (market(least="3"), "2.999", 0),
        (market(notional="303"), "4", 1),
        (market(notional="303"), "2.999", 0),
    ],
)
def test_what_is_below_a_minimum_of_either_exchange_is_not_offered(
    side: str, rules: object, cap: str, offered: int
) -> None:
    markets = {"cheap": market(), "dear": market(), side: rules}
    found = scan(CHEAP, DEAR, markets=markets, cap=Cap(amount_max=Decimal(cap)))
    assert len(found) == offered


def test_the_notional_of_a_leg_counts_at_its_limit_price() -> None:
    falling = book("dear", [("120", "1"), ("101", "1")], [("130", "1")])
    rules = {"cheap": market(), "dear": market(notional="210")}
    # Two bring 221, but the order says two at 101.
    assert scan(CHEAP, falling, markets=rules) == []


def test_a_depth_that_ends_below_a_minimum_is_taken_up_to_it_where_that_still_pays() -> None:
    falling = book("dear", [("110", "1"), ("98.5", "10")], [("120", "1")])
    (alone,) = scan(CHEAP, falling)
    assert (alone.amount, alone.expected_profit) == (1, 11)
    markets = {"cheap": market(), "dear": market(least="1.7", step="0.5")}
    (found,) = scan(CHEAP, falling, markets=markets)
    assert (found.amount, found.expected_profit, found.limited_by) == (2, Decimal("10.5"), "lot")
    assert scan(CHEAP, falling, markets=markets, min_profit_bps=Decimal(600)) == []


@pytest.mark.parametrize(
    ("about", "counts"),
    [
        ({"received_ms": NOW_MS - 2_000}, True),
        ({"received_ms": NOW_MS - 2_001}, False),
        ({"exchange_ms": NOW_MS - 2_000}, True),
        ({"exchange_ms": NOW_MS - 2_001}, False),
        ({"received_ms": NOW_MS + 2_001}, False),
    ],
)
@pytest.mark.parametrize("old", [CHEAP, DEAR])
def test_a_book_that_is_too_old_by_either_stamp_does_not_count(
    old: BookSnapshot, about: dict[str, int], counts: bool
) -> None:
    books = [replace(each, **about) if each is old else each for each in (CHEAP, DEAR)]
    found = scan(*books, age_ms_max=2_000)
    assert [one.age_ms for one in found] == [2_000] * counts


def test_the_exchanges_stamp_may_have_a_limit_of_its_own() -> None:
    quiet = replace(CHEAP, exchange_ms=NOW_MS - 9_000)
    assert len(scan(quiet, DEAR, exchange_age_ms_max=9_000)) == 1
    assert scan(quiet, DEAR, exchange_age_ms_max=8_999) == []


@pytest.mark.parametrize(
    ("bids", "asks", "reason"),
    [
        ([], [("99", "1")], "it has no bids"),
        ([("98", "1")], [], "it has no asks"),
        ([("99.1", "1")], [("99", "1")], "it is crossed: a bid at 99.1, an ask at 99"),
        ([("90", "1")], [("99", "1"), ("98", "1")], "its asks are out of order"),
        ([("90", "1"), ("91", "1")], [("99", "1")], "its bids are out of order"),
        (
            [("90", "1")],
            [("99", "1"), ("99.5", "0")],
            "it has a price or an amount that is not above zero",
        ),
        (
            [("90", "1")],
            [("-99", "1")],
            "it is crossed: a bid at 90, an ask at -99",
        ),
    ],
)
def test_a_book_that_cannot_be_true_does_not_count_and_the_reason_is_given(
    bids: Pairs, asks: Pairs, reason: str
) -> None:
    looking = scanner({"cheap": market(), "dear": market()})
    looking.update([book("cheap", bids, asks), DEAR])
    assert looking.opportunities(NOW_MS) == []
    assert looking.spreads(NOW_MS) == []
    assert looking.left_out(NOW_MS) == [LeftOut("cheap", SYMBOL, reason)]
    looking.update([CHEAP])
    assert len(looking.opportunities(NOW_MS)) == 1
    assert looking.left_out(NOW_MS) == []


def test_books_that_were_not_read_or_are_old_are_named_too() -> None:
    looking = scanner({"cheap": market(), "dear": market(), "ahead": market()})
    looking.update([CHEAP, replace(CHEAP, account="ahead", received_ms=NOW_MS + 60_000)])
    reasons = {left.account: left.reason for left in looking.left_out(NOW_MS + 3_000)}
    assert reasons == {
        "cheap": "it is 3000 ms old",
        "dear": "no book was read yet",
        "ahead": "its timestamp is in the future",
    }


def test_the_table_shows_every_pair_that_counts_the_nearest_to_paying_first() -> None:
    third = book("third", [("99.5", "1")], [("100", "1")])
    looking = scanner({"cheap": market(), "dear": market(), "third": market()})
    looking.update([CHEAP, DEAR, third])
    rows = looking.spreads(NOW_MS)
    ways = [(row.buy_account, row.sell_account) for row in rows]
    assert ways[:3] == [("cheap", "dear"), ("third", "dear"), ("cheap", "third")]
    assert len(set(ways)) == 6
    assert [row.profit_bps for row in rows] == sorted(
        (row.profit_bps for row in rows), reverse=True
    )
    assert rows[1].profit_bps == 100
    assert looking.spreads(NOW_MS, rows_max=2) == rows[:2]


def test_opportunities_come_most_profitable_first_over_symbols_and_accounts() -> None:
    symbols = {"A/USDT": "101", "B/USDT": "105", "C/USDT": "98.5", "D/USDT": "103"}
    accounts = ("cheap", "dear")
    rules = {(account, symbol): market() for symbol in symbols for account in accounts}
    looking = ArbitrageScanner(rules, ScanLimits(Decimal(0)))
    for symbol, bid in symbols.items():
        looking.update([book("cheap", [("98", "1")], [("99", "1")], symbol)])
        looking.update([book("dear", [(bid, "1")], [("110", "1")], symbol)])
    found = looking.opportunities(NOW_MS)
    assert [(one.symbol, one.expected_profit) for one in found] == [
        ("B/USDT", 6),
        ("D/USDT", 4),
        ("A/USDT", 2),
    ]


def test_only_the_candidates_with_the_widest_margins_are_sized() -> None:
    third = book("third", [("103", "10")], [("104", "10")])
    (found,) = scan(CHEAP, DEAR, third, candidates_max=1)
    assert found.sell_account == "third"
    assert len(scan(CHEAP, DEAR, third)) == 3


def test_a_pair_without_balances_takes_no_candidates_place() -> None:
    third = book("third", [("103", "10")], [("104", "10")])
    balances = {"cheap": {"USDT": Decimal(990)}, "dear": {"BTC": Decimal(10)}}
    (found,) = scan(CHEAP, DEAR, third, candidates_max=1, balances=balances)
    assert (found.buy_account, found.sell_account) == ("cheap", "dear")


def test_an_account_that_pays_a_rebate_is_not_paired_with_itself() -> None:
    markets = {"one": market("-0.001"), "two": market("1")}
    assert scan(flat("one", "100"), flat("two", "100"), markets=markets) == []


def test_levels_beyond_those_that_are_looked_at_are_not_traded() -> None:
    stairs = book("cheap", [("90", "1")], [("98", "1"), ("99", "1"), ("100", "1")])
    assert scan(stairs, DEAR, levels=2)[0].amount == 2
    assert scan(stairs, DEAR, levels=3)[0].amount == 3


def test_only_books_that_are_other_than_before_are_taken_over_but_every_stamp_is() -> None:
    looking = scanner({"cheap": market(), "dear": market()})
    assert looking.update([CHEAP, DEAR]) == 2
    later = replace(CHEAP, received_ms=NOW_MS + 5_000)
    assert looking.update([later, replace(DEAR, received_ms=NOW_MS + 5_000)]) == 0
    assert len(looking.opportunities(NOW_MS + 5_000)) == 1
    dearer = book("cheap", [("98", "10")], [("100", "10")], received_ms=NOW_MS + 5_000)
    assert looking.update([dearer]) == 1
    assert looking.opportunities(NOW_MS + 5_000)[0].expected_profit == 10


def test_a_book_that_becomes_shorter_keeps_nothing_of_the_longer_one() -> None:
    looking = scanner({"cheap": market(), "dear": market()})
    looking.update([book("cheap", [("90", "1")], [("98", "1"), ("99", "5")]), DEAR])
    assert looking.opportunities(NOW_MS)[0].amount == 6
    looking.update([book("cheap", [("90", "1")], [("98", "1")])])
    assert looking.opportunities(NOW_MS)[0].amount == 1


def test_a_symbol_that_one_account_does_not_trade_is_not_looked_for_there() -> None:
    other = "ETH/USDT"
    rules = {("cheap", SYMBOL): market(), ("dear", SYMBOL): market(), ("dear", other): market()}
    looking = ArbitrageScanner(rules, ScanLimits(Decimal(0)))
    looking.update([CHEAP, DEAR, book("dear", [("98", "1")], [("99", "1")], other)])
    assert {row.symbol for row in looking.spreads(NOW_MS)} == {SYMBOL}
    with pytest.raises(ValueError, match=r"^symbol: 'ETH/USDT' is not scanned on account cheap$"):
        looking.update([book("cheap", [("98", "1")], [("99", "1")], other)])


def test_only_spot_is_scanned() -> None:
    swap = market(symbol="BTC/USDT:USDT")
    with pytest.raises(ValueError, match=r"^symbol: 'BTC/USDT:USDT' is not spot"):
        scanner({"one": swap, "two": swap})


def test_there_must_be_something_to_scan() -> None:
    with pytest.raises(ValueError, match=r"^markets: "):
        scanner({})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("min_profit_bps", Decimal(-1)),
        ("age_ms_max", 0),
        ("levels", 0),
        ("candidates_max", -1),
        ("exchange_age_ms_max", 0),
    ],
)
def test_a_limit_that_makes_no_sense_is_refused_by_name_and_value(
    name: str, value: Decimal | int
) -> None:
    with pytest.raises(ValueError, match=f"^{name}: {value} is below"):
        ScanLimits(**{name: value})


@pytest.mark.parametrize("name", ["amount_max", "notional_max"])
def test_a_cap_below_zero_is_refused_by_name_and_value(name: str) -> None:
    with pytest.raises(ValueError, match=f"^{name}: -1 is below zero$"):
        Cap(**{name: Decimal(-1)})
