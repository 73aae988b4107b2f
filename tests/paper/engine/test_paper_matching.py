"""The engine's matching: who trades with whom, at what price, and what becomes of the rest."""

from decimal import Decimal

import pytest

from paper_exchange.engine.errors import WouldTakeError, WouldTriggerError
from tests.support.paper.engine_kit import free, make_exchange, picture, place, set_book, traded


@pytest.fixture
def exchange():
    """Nothing is offered from outside, fees are a tenth of a percent."""
    made = make_exchange()
    set_book(made)
    return made


def test_the_highest_bid_trades_first(exchange):
    worse = place(exchange, "BUY", "1", "49800", account="bob")
    better = place(exchange, "BUY", "1", "49900", account="bob")
    taker = place(exchange, "SELL", "1.5", "49700")
    assert traded(taker) == [("49900", "1"), ("49800", "0.5")]
    assert (better.status, worse.status) == ("FILLED", "PARTIALLY_FILLED")


def test_the_lowest_ask_trades_first(exchange):
    worse = place(exchange, "SELL", "1", "50200", account="bob")
    better = place(exchange, "SELL", "1", "50100", account="bob")
    taker = place(exchange, "BUY", "1.5", "50300")
    assert traded(taker) == [("50100", "1"), ("50200", "0.5")]
    assert better.status == "FILLED"
    assert worse.status == "PARTIALLY_FILLED"


def test_at_one_price_the_older_order_trades_first(exchange):
    older = place(exchange, "BUY", "1", "49000", account="bob")
    newer = place(exchange, "BUY", "1", "49000", account="bob")
    place(exchange, "SELL", "1", "49000")
    assert older.status == "FILLED"
    assert newer.executed == 0


def test_an_order_that_was_partly_filled_keeps_its_place_in_the_queue(exchange):
    older = place(exchange, "BUY", "1", "49000", account="bob")
    newer = place(exchange, "BUY", "1", "49000", account="bob")
    place(exchange, "SELL", "0.4", "49000")
    place(exchange, "SELL", "0.6", "49000")
    assert older.status == "FILLED"
    assert newer.executed == 0


def test_a_trade_happens_at_the_price_of_the_order_that_was_there_first(exchange):
    place(exchange, "SELL", "1", "50100", account="bob")
    assert traded(place(exchange, "BUY", "1", "50900")) == [("50100", "1")]


def test_a_resting_order_stands_before_outside_liquidity_at_its_price(exchange):
    set_book(exchange, asks=[("50100", "5")])
    resting = place(exchange, "SELL", "1", "50100", account="bob")
    place(exchange, "BUY", "1", "50100")
    assert resting.status == "FILLED"


def test_outside_liquidity_at_a_better_price_trades_before_a_resting_order(exchange):
    set_book(exchange, asks=[("50000", "1")])
    resting = place(exchange, "SELL", "1", "50100", account="bob")
    taker = place(exchange, "BUY", "1", "50100")
    assert traded(taker) == [("50000", "1")]
    assert resting.executed == 0


def test_outside_liquidity_that_was_taken_is_gone(exchange):
    set_book(exchange, asks=[("50000", "1"), ("50100", "1")])
    assert traded(place(exchange, "BUY", "1.2")) == [("50000", "1"), ("50100", "0.2")]
    assert traded(place(exchange, "BUY", "0.8")) == [("50100", "0.8")]
    assert place(exchange, "BUY", "1").status == "EXPIRED"


def test_what_a_limit_order_cannot_trade_rests(exchange):
    set_book(exchange, asks=[("50000", "1")])
    order = place(exchange, "BUY", "3", "50000")
    assert order.status == "PARTIALLY_FILLED"
    assert order.executed == 1
    assert place(exchange, "SELL", "2", "50000", account="bob").status == "FILLED"
    assert order.status == "FILLED"


def test_what_an_ioc_order_cannot_trade_expires_and_keeps_its_fills(exchange):
    set_book(exchange, asks=[("50000", "1")])
    order = place(exchange, "BUY", "3", "50000", tif="IOC")
    assert (order.status, order.executed) == ("EXPIRED", Decimal(1))
    assert place(exchange, "SELL", "1", "50000", account="bob").executed == 0


def test_a_fok_order_that_cannot_trade_whole_trades_nothing(exchange):
    set_book(exchange, asks=[("50000", "1"), ("50100", "1")])
    order = place(exchange, "BUY", "2", "50000", tif="FOK")
    assert (order.status, order.executed) == ("EXPIRED", Decimal(0))
    assert place(exchange, "BUY", "2", "50100", tif="FOK").status == "FILLED"


def test_a_market_order_in_an_empty_book_expires(exchange):
    order = place(exchange, "BUY", "1")
    assert (order.status, order.fills) == ("EXPIRED", [])


def test_a_market_order_larger_than_the_book_expires_with_its_fills(exchange):
    set_book(exchange, bids=[("49900", "1")])
    order = place(exchange, "SELL", "3")
    assert (order.status, traded(order)) == ("EXPIRED", [("49900", "1")])
    assert free(exchange, "BTC") == 99


def test_a_market_buy_by_quote_spends_no_more_than_that_in_whole_lots(exchange):
    set_book(exchange, asks=[("50000", "0.001"), ("60000", "5")])
    order = place(exchange, "BUY", quote_qty="100.7")
    assert traded(order) == [("50000", "0.001"), ("60000", "0.00084")]
    assert (order.status, order.qty) == ("FILLED", Decimal("0.00184"))
    assert free(exchange, "USDT") == Decimal(1_000_000) - 50 - Decimal("50.4")


def test_a_market_sell_by_quote_receives_no_more_than_that(exchange):
    set_book(exchange, bids=[("50000", "5")])
    order = place(exchange, "SELL", quote_qty="100.7")
    assert traded(order) == [("50000", "0.00201")]
    assert order.status == "FILLED"


def test_a_market_order_by_quote_that_empties_the_book_expires(exchange):
    set_book(exchange, asks=[("50000", "0.001")])
    assert place(exchange, "BUY", quote_qty="100").status == "EXPIRED"


def test_a_market_order_by_quote_that_is_spent_exactly_is_filled(exchange):
    set_book(exchange, asks=[("50000", "0.002")])
    assert place(exchange, "BUY", quote_qty="100").status == "FILLED"


def test_a_maker_only_order_that_would_trade_is_refused_and_changes_nothing(exchange):
    set_book(exchange, asks=[("50000", "1")])
    before = picture(exchange)
    with pytest.raises(WouldTakeError):
        place(exchange, "BUY", "1", "50000", order_type="LIMIT_MAKER")
    assert picture(exchange) == before
    assert place(exchange, "BUY", "1", "49999.99", order_type="LIMIT_MAKER").status == "NEW"


def test_orders_of_one_account_trade_with_each_other(exchange):
    resting = place(exchange, "SELL", "1", "50000")
    taker = place(exchange, "BUY", "1", "50000")
    assert (resting.status, taker.status) == ("FILLED", "FILLED")
    assert resting.fills[0].trade_id == taker.fills[0].trade_id
    assert (resting.fills[0].is_maker, taker.fills[0].is_maker) == (True, False)


def test_outside_liquidity_that_reaches_a_resting_order_fills_it_at_its_own_price(exchange):
    order = place(exchange, "BUY", "2", "50000")
    set_book(exchange, asks=[("49000", "1.5"), ("50100", "9")])
    assert traded(order) == [("50000", "1.5")]
    assert order.fills[0].is_maker
    assert order.status == "PARTIALLY_FILLED"
    assert exchange.markets["BTCUSDT"].outside[order.side.other].best() == (
        Decimal(50100),
        Decimal(9),
    )


@pytest.mark.parametrize(
    ("side", "maker", "price"), [("SELL", "BUY", 49900), ("BUY", "SELL", 50100)]
)
def test_a_trade_at_exactly_its_price_triggers_a_stop(exchange, side, maker, price):
    stop = place(exchange, side, "1", order_type="STOP_LOSS", stop_price=price)
    place(exchange, maker, "2", price, account="bob")
    assert stop.status == "NEW"
    place(exchange, side, "1", price)
    assert traded(stop) == [(str(price), "1")]


@pytest.mark.parametrize(
    ("order_type", "side", "stop_price", "calm", "moved"),
    [
        ("STOP_LOSS", "SELL", "48000", "48500", "47900"),
        ("STOP_LOSS", "BUY", "52000", "51500", "52100"),
        ("TAKE_PROFIT", "SELL", "52000", "51500", "52100"),
        ("TAKE_PROFIT", "BUY", "48000", "48500", "47900"),
    ],
)
def test_a_stop_waits_for_its_price_and_then_trades_at_market(
    exchange, order_type, side, stop_price, calm, moved
):
    order = place(exchange, side, "1", order_type=order_type, stop_price=stop_price)
    set_book(exchange, bids=[(calm, "5")], asks=[(calm + ".01", "5")])
    assert (order.status, order.working_ms) == ("NEW", None)
    set_book(exchange, bids=[(moved, "5")], asks=[(moved + ".01", "5")])
    assert order.status == "FILLED"


def test_a_stop_limit_rests_at_its_limit_once_triggered(exchange):
    set_book(exchange, bids=[("49900", "5")], asks=[("50100", "5")])
    order = place(exchange, "SELL", "1", "48500", order_type="STOP_LOSS_LIMIT", stop_price="49000")
    set_book(exchange, bids=[("48000", "5")], asks=[("48100", "5")])
    assert order.status == "NEW"
    assert order.working_ms is not None
    set_book(exchange, bids=[("48600", "5")], asks=[("48700", "5")])
    assert traded(order) == [("48500", "1")]


def test_a_trade_can_trigger_a_stop_that_triggers_another(exchange):
    set_book(exchange, bids=[("49900", "1"), ("48900", "1"), ("47900", "1")], asks=[("50100", "9")])
    first = place(exchange, "SELL", "1", order_type="STOP_LOSS", stop_price="49950")
    second = place(exchange, "SELL", "1", order_type="STOP_LOSS", stop_price="48950")
    place(exchange, "SELL", "1")
    assert traded(first) == [("48900", "1")]
    assert traded(second) == [("47900", "1")]


def test_a_stop_whose_price_is_reached_already_is_refused(exchange):
    set_book(exchange, bids=[("49900", "5")], asks=[("50100", "5")])
    before = picture(exchange)
    with pytest.raises(WouldTriggerError):
        place(exchange, "SELL", "1", order_type="STOP_LOSS", stop_price="50500")
    assert picture(exchange) == before


def test_a_triggered_stop_that_cannot_pay_expires(exchange):
    order = place(exchange, "BUY", "50", order_type="STOP_LOSS", stop_price="52000")
    set_book(exchange, bids=[("52100", "5")], asks=[("52200", "500")])
    assert (order.status, order.fills) == ("EXPIRED", [])


def test_a_waiting_stop_can_be_cancelled(exchange):
    order = place(exchange, "SELL", "1", order_type="STOP_LOSS", stop_price="48000")
    exchange.cancel("ann", "BTCUSDT", order.id, None)
    set_book(exchange, bids=[("47000", "5")], asks=[("47100", "5")])
    assert (order.status, order.fills) == ("CANCELED", [])
    assert free(exchange, "BTC") == 100
