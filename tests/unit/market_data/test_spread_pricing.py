"""The scanner held against brute force: nothing better is missed, nothing offered loses."""

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from itertools import accumulate, permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from execution.market_data.scanner import Cap
from execution.market_data.snapshots import BookSnapshot
from execution.market_data.spreads import Listing, Pair, TradeLimits, affordable, common_step
from execution.model.book import Level
from execution.model.trading_rules import Market
from tests.support.depth import examples
from tests.support.scanner_kit import NOW_MS, book, levels, market, scanner

ACCOUNTS = ("one", "three", "two")


@dataclass(frozen=True)
class World:
    """Some books, what their exchanges ask for, and what there is to trade with."""

    books: tuple[BookSnapshot, ...]
    markets: dict[str, Market]
    balances: dict[str, dict[str, Decimal]]
    cap: Cap
    min_profit_bps: Decimal


def sides(prices: list[int], amounts: list[Decimal]) -> list[tuple[str, str]]:
    return [(f"{price}e-2", str(amount)) for price, amount in zip(prices, amounts, strict=False)]


@st.composite
def worlds(draw: st.DrawFn, unit: Decimal) -> World:
    """Books near one price, whose amounts are some units each; rules and means of any tightness."""
    amount = st.integers(1, 6).map(lambda number: number * unit)
    decimal = st.integers(1, 30).map(lambda number: Decimal(number) / 2)
    books, markets, balances = [], {}, {}
    for account in ACCOUNTS:
        middle = draw(st.integers(10_000, 10_300))
        steps = st.lists(st.integers(0, 60), min_size=1, max_size=5)
        asks, bids = draw(steps), draw(steps)
        amounts = st.lists(amount, min_size=5, max_size=5)
        below = [middle - down for down in accumulate(bids)]
        above = [middle + up for up in accumulate(asks)]
        books.append(book(account, sides(below, draw(amounts)), sides(above, draw(amounts))))
        markets[account] = market(
            draw(st.sampled_from(["0", "0.001", "0.00075", "-0.0001"])),
            step=str(unit),
            least=draw(st.sampled_from([None, str(unit), str(3 * unit), str(7 * unit)])),
        )
        balances[account] = {
            "USDT": draw(decimal) * 200 * unit,
            "BTC": draw(decimal) * unit,
        }
    return World(
        tuple(books),
        markets,
        balances,
        Cap(draw(decimal) * unit, draw(decimal) * 150 * unit),
        Decimal(draw(st.sampled_from([0, 1, 25, 100]))),
    )


def taken(side: tuple[Level, ...], amount: Fraction) -> tuple[Fraction, Fraction] | None:
    """The sum of what an amount takes of a side, and the worst price; None where it is too thin."""
    total = worst = Fraction(0)
    for price, offered in side:
        if amount > 0:
            part = min(amount, Fraction(offered))
            amount -= part
            total += part * Fraction(price)
            worst = Fraction(price)
    return None if amount else (total, worst)


def profit_of(
    world: World, buy: BookSnapshot, sell: BookSnapshot, amount: Fraction
) -> Fraction | None:
    """What an amount leaves, where everything allows it; None where something does not."""
    buy_rules, sell_rules = world.markets[buy.account], world.markets[sell.account]
    bought, sold = taken(buy.book.asks, amount), taken(sell.book.bids, amount)
    if bought is None or sold is None:
        return None
    held_for = amount * bought[1]
    costs = 1 + Fraction(buy_rules.taker_fee)
    profit = sold[0] * (1 - Fraction(sell_rules.taker_fee)) - bought[0] * costs
    allowed = (
        held_for * costs <= world.balances[buy.account]["USDT"]
        and held_for <= world.cap.notional_max
        and amount <= min(world.balances[sell.account]["BTC"], world.cap.amount_max)
        and amount >= max(rules.amount_min or 0 for rules in (buy_rules, sell_rules))
        and profit > 0
        and profit * 10_000 >= Fraction(world.min_profit_bps) * bought[0]
    )
    return profit if allowed else None


def ends(side: tuple[Level, ...]) -> set[Fraction]:
    """Where the levels of a side end."""
    return set(accumulate(Fraction(amount) for _, amount in side))


def offered(world: World) -> dict[tuple[str, str], tuple[Decimal, Decimal]]:
    """What the scanner offers, by accounts: amount and profit."""
    looking = scanner(world.markets, cap=world.cap, min_profit_bps=world.min_profit_bps)
    looking.update(world.books)
    found = looking.opportunities(NOW_MS, world.balances)
    return {(o.buy_account, o.sell_account): (o.amount, o.expected_profit) for o in found}


@settings(max_examples=examples(80), deadline=None)
@given(worlds(unit=Decimal("0.001")))
def test_no_number_of_lots_pays_more_than_what_is_offered(world: World) -> None:
    found = offered(world)
    for buy, sell in permutations(world.books, 2):
        lots = (Fraction(number, 1_000) for number in range(1, 31))
        profits = [profit_of(world, buy, sell, amount) for amount in lots]
        best = max((profit for profit in profits if profit is not None), default=None)
        way = found.get((buy.account, sell.account))
        assert (None if way is None else Fraction(way[1])) == best


@settings(max_examples=examples(80), deadline=None)
@given(worlds(unit=Decimal("0.37")), st.sampled_from(["0.25", "0.1", "0.003", "0.000001"]))
def test_what_is_offered_pays_exactly_whatever_the_lot(world: World, step: str) -> None:
    rough = {
        account: market(str(rules.taker_fee), step=step) for account, rules in world.markets.items()
    }
    world = World(world.books, rough, world.balances, world.cap, world.min_profit_bps)
    found = offered(world)
    for buy, sell in permutations(world.books, 2):
        way = found.get((buy.account, sell.account))
        if way is not None:
            assert not way[0] % Decimal(step)
            assert profit_of(world, buy, sell, Fraction(way[0])) == Fraction(way[1])
        # Whatever level's end one might stop at, one lot at the best price is all that is lost.
        first = Fraction(sell.book.bids[0][0] - buy.book.asks[0][0]) + 1
        for end in ends(buy.book.asks) | ends(sell.book.bids):
            profit = profit_of(world, buy, sell, end)
            if profit is not None:
                assert profit - (Fraction(way[1]) if way else 0) <= Fraction(step) * first


@pytest.mark.parametrize("most", ["3.86", "50", "101", "5000"])
def test_an_amount_that_was_ranked_too_high_comes_down_to_the_last_lot_that_pays(most: str) -> None:
    cheap = book("cheap", [("90", "1")], [("100", "1"), ("101", "100")])
    dear = book("dear", [("102", "100")], [("110", "1")])
    pair = Pair(Listing(cheap, market(step="0.01")), Listing(dear, market()))
    sized = pair.size(Decimal(most), TradeLimits(), Decimal(125))
    assert sized is not None
    # The minimum is kept up to 3.857 and a bit.
    assert sized.priced.bought.amount == Decimal("3.85")
    assert pair.size(Decimal(most), TradeLimits(), Decimal(201)) is None


@pytest.mark.parametrize(("used", "depth"), [(None, "5"), (3, "5"), (2, "3"), (1, "2")])
def test_the_depth_that_pays_ends_where_a_unit_costs_more_than_it_brings(
    used: int | None, depth: str
) -> None:
    cheap = book("cheap", [("90", "1")], [("100", "3"), ("101", "1"), ("102", "1"), ("104", "9")])
    dear = book("dear", [("104", "2"), ("103.2", "1"), ("103", "7")], [("110", "1")])
    pair = Pair(Listing(cheap, market("0.001")), Listing(dear, market("0.001")))
    # At 102 a unit costs 102.102 and at 103 it brings 102.897; at 104 it costs too much.
    assert pair.paying_depth(used) == Decimal(depth)


@pytest.mark.parametrize(
    ("one", "other", "both"),
    [
        ("0.002", "0.003", "0.006"),
        ("0.001", "0.1", "0.1"),
        ("0.1", None, "0.1"),
        (None, "5", "5"),
        ("1E+1", "4", "20"),
        (None, None, "0.00000001"),
    ],
)
def test_a_lot_is_a_multiple_of_both_steps(one: str | None, other: str | None, both: str) -> None:
    steps = [None if step is None else Decimal(step) for step in (one, other)]
    assert common_step(*steps) == Decimal(both)


@pytest.mark.parametrize(
    ("money", "amount"),
    [("50", "0.5"), ("100", "1"), ("110", "1"), ("240", "2"), ("1000", "3"), ("Infinity", "3")],
)
def test_what_a_sum_affords_is_counted_at_the_worst_price(money: str, amount: str) -> None:
    asks = levels([("100", "1"), ("120", "2")])
    assert affordable(asks, Decimal(money)) == Decimal(amount)
