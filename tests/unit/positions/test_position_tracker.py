"""Known answers of the fold for spot, worked out by hand."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction

import pytest

from execution.model.instrument import assets_of
from execution.model.order import Fill
from execution.model.position import Position, fold
from tests.support.fakes import fill

FLAT = Position("binance-main", "BTC/USDT")
LONG = (fill("1", "buy", "10", "100"), fill("2", "buy", "10", "110"))


def after(*fills: Fill) -> Position:
    return fold(FLAT, fills)


def test_two_buys_are_held_at_their_average() -> None:
    position = after(*LONG)
    assert position.amount == 20
    assert position.entry_price == 105
    assert position.cost == 2100
    assert position.realised_pnl == 0
    assert position.unrealised_pnl(Decimal(107)) == 40


def test_selling_a_part_realises_its_share_and_leaves_the_entry_price() -> None:
    position = after(*LONG, fill("3", "sell", "15", "120"))
    assert position.amount == 5
    assert position.entry_price == 105
    assert position.realised_pnl == 225
    assert position.unrealised_pnl(Decimal(100)) == -25


def test_closing_everything_leaves_nothing_held() -> None:
    position = after(*LONG, fill("3", "sell", "20", "100"))
    assert position.amount == 0
    assert position.cost == 0
    assert position.entry_price is None
    assert position.realised_pnl == -100
    assert position.unrealised_pnl(Decimal(5)) == 0
    assert position.opened_at is None


def test_a_short_earns_when_the_price_falls() -> None:
    position = after(fill("1", "sell", "4", "100"))
    assert position.amount == -4
    assert position.entry_price == 100
    assert position.unrealised_pnl(Decimal(90)) == 40
    position = fold(position, [fill("2", "buy", "1", "90")])
    assert (position.amount, position.realised_pnl) == (Decimal(-3), Decimal(10))
    assert position.entry_price == 100


def test_adding_to_a_short_averages_its_entry() -> None:
    position = after(fill("1", "sell", "1", "100"), fill("2", "sell", "3", "104"))
    assert (position.amount, position.entry_price) == (Decimal(-4), Decimal(103))


@pytest.mark.parametrize(
    ("first", "second", "amount", "entry", "realised"),
    [
        (("buy", "2", "100"), ("sell", "5", "110"), "-3", "110", "20"),
        (("sell", "2", "100"), ("buy", "5", "110"), "3", "110", "-20"),
    ],
)
def test_a_flip_closes_all_that_was_held_and_opens_the_rest_at_the_new_price(
    first: tuple[str, str, str],
    second: tuple[str, str, str],
    amount: str,
    entry: str,
    realised: str,
) -> None:
    position = after(fill("1", *first), fill("2", *second))
    assert position.amount == Decimal(amount)
    assert position.entry_price == Decimal(entry)
    assert position.realised_pnl == Decimal(realised)


def test_a_quote_fee_reduces_the_profit_and_not_the_amount() -> None:
    position = after(fill("1", "buy", "1", "100", [("USDT", "0.1")]))
    assert (position.amount, position.entry_price) == (Decimal(1), Decimal(100))
    assert position.realised_pnl == Decimal("-0.1")
    assert position.fees == {"USDT": Decimal("0.1")}


def test_a_base_fee_reduces_the_amount_and_costs_what_it_was_worth() -> None:
    position = after(fill("1", "buy", "1", "100", [("BTC", "0.001")]))
    assert position.amount == Decimal("0.999")
    assert position.entry_price == 100
    assert position.realised_pnl == Decimal("-0.1")
    assert position.fees == {"BTC": Decimal("0.001")}


def test_a_fee_in_a_third_asset_is_only_tallied() -> None:
    position = after(
        fill("1", "buy", "1", "100", [("BNB", "0.002")]),
        fill("2", "sell", "1", "101", [("BNB", "0.003"), ("USDT", "0.5")]),
    )
    assert position.realised_pnl == Decimal("0.5")
    assert position.fees == {"BNB": Decimal("0.005"), "USDT": Decimal("0.5")}


def test_a_base_fee_on_a_sale_of_everything_leaves_a_short_of_the_fee() -> None:
    position = after(fill("1", "buy", "1", "100"), fill("2", "sell", "1", "110", [("BTC", "0.01")]))
    assert position.amount == Decimal("-0.01")
    assert position.realised_pnl == Decimal("8.9")


def test_dust_of_a_base_fee_keeps_the_entry_of_what_it_is_left_of() -> None:
    """Buys 1 at 100, of which 0.001 goes as fee, sells 0.99 of the 0.999 at 110."""
    position = after(
        fill("1", "buy", "1", "100", [("BTC", "0.001")]), fill("2", "sell", "0.99", "110")
    )
    assert position.amount == Decimal("0.009")
    assert position.entry_price == 100
    assert position.realised_pnl == Decimal("-0.1") + Decimal("9.9")
    assert position.unrealised_pnl(Decimal(200)) == Decimal("0.9")


def test_a_base_fee_on_a_purchase_is_lost_at_its_price_and_leaves_the_average_alone() -> None:
    """Adds 0.99 that cost 120 each to 1 that cost 100; the fee of 0.01 was worth 1.2."""
    position = after(fill("1", "buy", "1", "100"), fill("2", "buy", "1", "120", [("BTC", "0.01")]))
    assert position.amount == Decimal("1.99")
    assert position.cost == 100 + Decimal("0.99") * 120
    assert position.realised_pnl == Decimal("-1.2")


def test_a_base_fee_when_a_short_is_bought_back_leaves_a_short_of_the_fee() -> None:
    short = fill("1", "sell", "1", "100")
    cover = replace(
        fill("2", "buy", "1", "90", [("BTC", "0.001")]), time=short.time + timedelta(seconds=1)
    )
    position = after(short, cover)
    assert position.amount == Decimal("-0.001")
    assert position.entry_price == 100
    # 0.999 bought back at 90 earn 9.99; the fee was worth 0.09.
    assert position.realised_pnl == Decimal("9.9")
    assert position.opened_at == short.time


def test_two_fees_in_two_assets_on_one_trade_are_each_taken_in_their_own_way() -> None:
    position = after(
        fill("1", "buy", "2", "100", [("BTC", "0.01"), ("USDT", "0.3"), ("BNB", "0.004")])
    )
    assert position.amount == Decimal("1.99")
    assert position.cost == 199
    assert position.realised_pnl == Decimal("-1.3")
    assert position.fees == {
        "BTC": Decimal("0.01"),
        "USDT": Decimal("0.3"),
        "BNB": Decimal("0.004"),
    }


def test_partial_closes_one_after_another_each_realise_their_own_share() -> None:
    """4 at 50 and 4 at 70, held at 60; sold 2 at 65, 1 at 55, 5 at 61."""
    steps = [("2", "65", "10"), ("1", "55", "5"), ("5", "61", "10")]
    position = after(fill("1", "buy", "4", "50"), fill("2", "buy", "4", "70"))
    for amount, price, realised in steps:
        assert position.entry_price == 60
        position = fold(position, [fill("3", "sell", amount, price)])
        assert position.realised_pnl == Decimal(realised)
    assert (position.amount, position.cost) == (0, 0)


def test_a_flip_there_and_back_realises_each_way() -> None:
    """Long 2 at 100, short 1 at 110, long 2 at 105: 20 made, then 5, then nothing is open yet."""
    position = after(
        fill("1", "buy", "2", "100"), fill("2", "sell", "3", "110"), fill("3", "buy", "3", "105")
    )
    assert (position.amount, position.entry_price) == (Decimal(2), Decimal(105))
    assert position.realised_pnl == 25
    assert position.unrealised_pnl(Decimal(104)) == -2


def test_a_rebate_is_a_fee_below_zero() -> None:
    position = after(fill("1", "buy", "1", "100", [("USDT", "-0.02")]))
    assert position.realised_pnl == Decimal("0.02")


def test_turnover_counts_both_sides() -> None:
    assert after(*LONG, fill("3", "sell", "15", "120")).turnover == 1000 + 1100 + 1800


def test_a_position_is_as_old_as_its_opening_and_as_fresh_as_its_last_fill() -> None:
    first = fill("1", "buy", "1", "100")
    later = replace(fill("2", "buy", "1", "100"), time=first.time + timedelta(seconds=1))
    flip = replace(fill("3", "sell", "5", "100"), time=first.time + timedelta(seconds=2))
    assert after(first, later).opened_at == first.time
    assert after(first, later).updated_at == later.time
    assert after(first, later, flip).opened_at == flip.time


def test_a_third_of_a_cost_that_does_not_divide_is_not_lost() -> None:
    position = after(fill("1", "buy", "3", "33.34"), fill("2", "buy", "4", "33.33"))
    thirds = [fill(str(n), "sell", "1", "30") for n in range(3, 10)]
    position = fold(position, thirds)
    assert position.amount == 0
    assert position.cost == 0
    assert position.realised_pnl == 7 * 30 - 3 * Decimal("33.34") - 4 * Decimal("33.33")


def test_a_share_that_does_not_divide_leaves_the_entry_price_to_the_fifteenth_digit() -> None:
    before = after(fill("1", "buy", "1", "33.34"), fill("2", "buy", "2", "33.33"))
    entry = before.entry_price
    left = fold(before, [fill("3", "sell", "1", "30")]).entry_price
    assert entry is not None
    assert left is not None
    assert abs(left - entry) < Decimal("1e-15")


def test_a_share_is_never_rounded_to_more_than_there_is() -> None:
    """Nine tenths of 6e-19 would round to the whole grid of 1e-18."""
    position = after(fill("1", "buy", "10", "6e-20"), fill("2", "sell", "9", "6e-20"))
    assert position.amount == 1
    assert position.cost >= 0


def test_large_amounts_at_fine_prices_are_exact() -> None:
    amount, price = "123456789012.123456789", "98765432.1234567891"
    position = after(fill("1", "buy", amount, price), fill("2", "sell", "0.000000001", price))
    spent = Fraction(amount) * Fraction(price)
    assert Fraction(position.turnover) == spent + Fraction("0.000000001") * Fraction(price)
    assert Fraction(position.cost) - Fraction(position.realised_pnl) == spent - Fraction(
        "0.000000001"
    ) * Fraction(price)


def test_each_fill_has_its_number_on_the_position() -> None:
    assert after(*LONG).version == 2
    assert fold(after(*LONG), [fill("3", "sell", "1", "1")]).version == 3


def test_a_position_that_is_folded_further_stays_as_it_was() -> None:
    before = after(fill("1", "buy", "1", "100", [("BNB", "0.1")]))
    fold(before, [fill("2", "sell", "3", "90", [("BNB", "0.2")])])
    assert before == after(fill("1", "buy", "1", "100", [("BNB", "0.1")]))
    assert before.fees == {"BNB": Decimal("0.1")}


def test_no_fills_at_all_are_an_empty_position() -> None:
    assert FLAT.entry_price is None
    assert FLAT.unrealised_pnl(Decimal(100)) == 0


def test_no_fills_are_no_change() -> None:
    assert after() is FLAT


@pytest.mark.parametrize(
    ("symbol", "assets"),
    [("BTC/USDT", ("BTC", "USDT")), ("BTC/USDT:USDT", ("BTC", "USDT"))],
)
def test_a_symbol_names_its_base_and_its_quote(symbol: str, assets: tuple[str, str]) -> None:
    assert assets_of(symbol) == assets
