"""Balances, holds, fees, order ids and the record of the past."""

from decimal import Decimal

import pytest

from paper_exchange.engine.errors import (
    BalanceError,
    CancelRestrictedError,
    DuplicateIdError,
    FilterError,
    UnknownOrderError,
    UnknownSymbolError,
)
from paper_exchange.engine.history import History
from paper_exchange.engine.orders import Status
from paper_exchange.engine.symbols import Symbol
from tests.support.paper.engine_kit import (
    HandClock,
    free,
    locked,
    make_exchange,
    picture,
    place,
    set_book,
)


@pytest.fixture
def exchange():
    made = make_exchange()
    set_book(made, bids=[("49900", "5")], asks=[("50100", "5")])
    return made


def test_an_open_buy_holds_its_price_times_its_quantity(exchange):
    place(exchange, "BUY", "0.5", "40000.01")
    assert free(exchange, "USDT") == Decimal("979999.995")
    assert locked(exchange, "USDT") == Decimal("20000.005")


def test_an_open_sell_holds_its_quantity(exchange):
    place(exchange, "SELL", "0.5", "60000")
    assert (free(exchange, "BTC"), locked(exchange, "BTC")) == (Decimal("99.5"), Decimal("0.5"))


def test_what_a_better_price_saves_is_free_again(exchange):
    place(exchange, "BUY", "1", "55000")
    assert free(exchange, "USDT") == Decimal(1_000_000) - 50_100
    assert locked(exchange, "USDT") == 0


def test_the_rest_of_a_partly_filled_buy_holds_its_own_price_and_no_more(exchange):
    order = place(exchange, "BUY", "7", "50200")
    assert order.executed == 5
    assert locked(exchange, "USDT") == 2 * 50_200
    assert free(exchange, "USDT") == Decimal(1_000_000) - 5 * 50_100 - 2 * 50_200


def test_a_buyer_pays_the_fee_in_base_and_a_seller_in_quote(exchange):
    bought = place(exchange, "BUY", "0.12345")
    sold = place(exchange, "SELL", "0.12345")
    assert (bought.fills[0].commission, bought.fills[0].commission_asset) == (
        Decimal("0.00012345"),
        "BTC",
    )
    assert (sold.fills[0].commission, sold.fills[0].commission_asset) == (
        Decimal("6.16015500"),
        "USDT",
    )
    assert free(exchange, "BTC") == Decimal(100) - Decimal("0.00012345")


def test_a_fee_is_cut_to_eight_decimals_and_never_rounded_up():
    exchange = make_exchange(fee=Decimal("0.00075"))
    set_book(exchange, asks=[("50100", "5")])
    fill = place(exchange, "BUY", "0.00011").fills[0]
    assert fill.commission == Decimal("0.00000008")


def test_a_cancel_gives_back_what_was_held_and_leaves_the_book(exchange):
    order = place(exchange, "BUY", "1", "40000")
    exchange.cancel("ann", "BTCUSDT", order.id, None)
    assert (free(exchange, "USDT"), locked(exchange, "USDT")) == (Decimal(1_000_000), 0)
    assert exchange.markets["BTCUSDT"].resting[order.side].best() is None


def test_an_order_beyond_the_free_balance_is_refused_and_changes_nothing(exchange):
    place(exchange, "BUY", "20", "40000")
    before = picture(exchange)
    for attempt in (
        {"side": "BUY", "qty": "6", "price": "40000"},
        {"side": "BUY", "qty": "4.5"},
        {"side": "BUY", "quote_qty": "200001"},
        {"side": "SELL", "qty": "101", "price": "60000"},
    ):
        with pytest.raises(BalanceError):
            place(exchange, **attempt)
    assert picture(exchange) == before


def test_a_market_buy_needs_only_what_the_book_will_cost(exchange):
    place(exchange, "BUY", "18.5", "40000")
    assert place(exchange, "BUY", "5").status == "FILLED"


def test_a_client_id_of_an_open_order_is_refused_and_changes_nothing(exchange):
    place(exchange, "BUY", "1", "40000", client_id="one")
    before = picture(exchange)
    with pytest.raises(DuplicateIdError):
        place(exchange, "BUY", "1", "41000", client_id="one")
    assert picture(exchange) == before


def test_a_client_id_may_be_used_again_once_its_order_has_ended(exchange):
    first = place(exchange, "BUY", "1", "50100", client_id="one")
    assert first.status == "FILLED"
    second = place(exchange, "BUY", "1", "40000", client_id="one")
    exchange.cancel("ann", "BTCUSDT", None, "one")
    third = place(exchange, "BUY", "1", "40000", client_id="one")
    assert exchange.find("ann", "BTCUSDT", None, "one") is third
    assert exchange.find("ann", "BTCUSDT", second.id, None) is second


def test_two_accounts_may_use_the_same_client_id(exchange):
    ann = place(exchange, "BUY", "1", "40000", client_id="one")
    bob = place(exchange, "BUY", "1", "40000", client_id="one", account="bob")
    assert exchange.find("ann", "BTCUSDT", None, "one") is ann
    assert exchange.find("bob", "BTCUSDT", None, "one") is bob


def test_an_account_cannot_see_or_cancel_an_order_of_another(exchange):
    order = place(exchange, "BUY", "1", "40000")
    assert exchange.find("bob", "BTCUSDT", order.id, None) is None
    with pytest.raises(UnknownOrderError):
        exchange.cancel("bob", "BTCUSDT", order.id, None)


def test_an_order_that_has_ended_cannot_be_cancelled(exchange):
    order = place(exchange, "BUY", "1", "50100")
    with pytest.raises(UnknownOrderError):
        exchange.cancel("ann", "BTCUSDT", order.id, None)


def test_a_restricted_cancel_leaves_an_order_in_another_state_alone(exchange):
    order = place(exchange, "BUY", "9", "50100")
    with pytest.raises(CancelRestrictedError):
        exchange.cancel("ann", "BTCUSDT", order.id, None, only=Status.NEW)
    assert order.is_open


def test_a_symbol_that_is_not_listed_is_refused(exchange):
    with pytest.raises(UnknownSymbolError):
        place(exchange, "BUY", "1", "1", symbol="DOGEUSDT")


@pytest.mark.parametrize(
    ("rule", "order"),
    [
        ("PRICE_FILTER", {"qty": "1", "price": "40000.001"}),
        ("PRICE_FILTER", {"qty": "1", "price": "0"}),
        ("PRICE_FILTER", {"qty": "1", "price": "1000000.01"}),
        ("PERCENT_PRICE_BY_SIDE", {"qty": "1", "price": "9999.99"}),
        ("PERCENT_PRICE_BY_SIDE", {"qty": "1", "price": "250000.01"}),
        ("LOT_SIZE", {"qty": "0.000001", "price": "40000"}),
        ("LOT_SIZE", {"qty": "0", "price": "40000"}),
        ("LOT_SIZE", {"qty": "9000.00001", "price": "40000"}),
        ("MARKET_LOT_SIZE", {"qty": "900.00001"}),
        ("NOTIONAL", {"qty": "0.0001", "price": "40000"}),
        ("NOTIONAL", {"qty": "226", "price": "40000"}),
        ("NOTIONAL", {"qty": "0.00009"}),
        ("NOTIONAL", {"quote_qty": "4.99"}),
    ],
)
def test_an_order_that_breaks_a_rule_is_refused_by_its_name_and_changes_nothing(
    exchange, rule, order
):
    before = picture(exchange)
    with pytest.raises(FilterError) as refusal:
        place(exchange, "BUY", **order)
    assert refusal.value.rule == rule
    assert picture(exchange) == before


def test_an_order_at_the_edge_of_every_rule_is_accepted(exchange):
    assert place(exchange, "BUY", "0.0005", "10000").status == "NEW"


def test_a_symbol_whose_amounts_would_not_be_exact_cannot_be_made():
    with pytest.raises(ValueError, match="9 decimals"):
        Symbol(
            base="A",
            quote="B",
            tick=Decimal("0.00001"),
            step=Decimal("0.0001"),
            start_price=Decimal(1),
            price_max=Decimal(9),
            qty_max=Decimal(9),
            market_qty_max=Decimal(9),
            notional_min=Decimal(1),
            notional_max=Decimal(9),
        )


def test_balances_of_a_moment_leave_out_what_came_later():
    clock = HandClock()
    exchange = make_exchange(clock=clock)
    exchange.keep_balance_changes(10_000)
    place(exchange, "BUY", "1", "40000")
    clock.ms += 500
    place(exchange, "BUY", "2", "40000")
    past = exchange.accounts["ann"].balances_before(clock.ms - 1)
    assert (past["USDT"].free, past["USDT"].locked) == (Decimal(960_000), Decimal(40_000))
    assert locked(exchange, "USDT") == 120_000


def history(*times):
    made = History()
    for number, time_ms in enumerate(times, start=1):
        made.append(number, number, time_ms)
    return made


@pytest.mark.parametrize(
    ("bounds", "found"),
    [
        ({}, [3, 4, 5]),
        ({"end_ms": 30}, [1, 2, 3]),
        ({"from_id": 2}, [2, 3, 4]),
        ({"start_ms": 20}, [2, 3, 4]),
        ({"start_ms": 20, "end_ms": 30}, [2, 3]),
        ({"from_id": 3, "end_ms": 40}, [3, 4]),
        ({"start_ms": 99}, []),
        ({"from_id": 99}, []),
    ],
)
def test_a_history_gives_the_first_items_after_a_beginning_or_else_the_newest(bounds, found):
    assert history(10, 20, 30, 40, 50).select(3, **bounds) == found


def test_a_history_finds_everything_although_the_clock_was_set_back():
    made = history(10, 100, 20, 30, 110)
    assert made.select(9, start_ms=20) == [2, 3, 4, 5]
    assert made.select(9, start_ms=20, end_ms=30) == [3, 4]
    assert made.select(9, start_ms=105) == [5]
    # Here a search that took the times for sorted would begin behind the second item.
    assert history(10, 90, 20, 25, 30, 35, 40).select(9, start_ms=50) == [2]
