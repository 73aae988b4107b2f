"""Two legs at once: only if the books pay after both fees, and what came of it in exact numbers."""

from dataclasses import replace
from decimal import Decimal

import pytest
from fakes import MARKET, SYMBOL, FakeExchange, RealTime, answers

from execution.arbitrage_executor import (
    ArbitrageState,
    execute_arbitrage,
    expected_profit,
)
from execution.books import Book, Take
from execution.orders import OrderState, OrderType, Side, TimeInForce, Verdict
from execution.ports import ExchangeUnavailable

FEE = Decimal("0.001")


def exchange(bid: str, ask: str, depth: str = "10") -> FakeExchange:
    """An exchange that quotes these prices with that much behind each."""
    book = Book(SYMBOL, ((Decimal(bid), Decimal(depth)),), ((Decimal(ask), Decimal(depth)),))
    return FakeExchange(RealTime(), book=book, taker_fee=FEE)


def pays(price: str, *, amount: str = "1") -> Take:
    return Take(Decimal(amount), Decimal(price) * Decimal(amount), Decimal(price))


def test_buying_at_the_ask_and_selling_at_the_bid_pays_the_spread_less_both_fees() -> None:
    assert expected_profit(pays("99"), pays("101"), FEE, FEE) == Decimal("1.8")


def test_a_spread_that_the_fees_eat_up_is_a_loss() -> None:
    assert expected_profit(pays("100"), pays("100.1"), FEE, FEE) == Decimal("-0.1001")


def test_the_profit_grows_with_the_amount() -> None:
    profit = expected_profit(pays("99", amount="3"), pays("101", amount="3"), FEE, FEE)
    assert profit == Decimal("5.4")


def test_both_legs_are_taken_as_limit_orders_that_do_not_rest() -> None:
    buy, sell = exchange("98", "99"), exchange("101", "102")
    buy.fill_next.append([("99", "2")])
    sell.fill_next.append([("101", "2")])
    done = execute_arbitrage(buy, sell, SYMBOL, "2")
    assert done.state is ArbitrageState.CLOSED
    assert (done.bought, done.sold, done.imbalance) == (Decimal(2), Decimal(2), Decimal(0))
    assert done.expected_profit == Decimal("3.6")
    assert done.net_profit == Decimal("3.6")
    for leg, side, price in ((buy, Side.BUY, Decimal(99)), (sell, Side.SELL, Decimal(101))):
        sent, _ = leg.requests[0]
        assert len(leg.requests) == 1
        assert (sent.side, sent.price, sent.amount) == (side, price, Decimal(2))
        assert (sent.type, sent.time_in_force) == (OrderType.LIMIT, TimeInForce.IOC)


def test_each_leg_is_limited_to_the_worst_price_that_was_counted_with() -> None:
    buy, sell = exchange("98", "99"), exchange("101", "102")
    buy.book = Book(SYMBOL, (), ((Decimal(98), Decimal(1)), (Decimal(99), Decimal(1))))
    execute_arbitrage(buy, sell, SYMBOL, "2")
    assert buy.requests[0][0].price == 99


@pytest.mark.parametrize(
    ("bid", "reason"),
    [
        ("99.1", "the spread does not pay for the fees and the depth"),
        ("90", "the spread does not pay for the fees and the depth"),
    ],
)
def test_a_spread_that_does_not_pay_sends_nothing(bid: str, reason: str) -> None:
    buy, sell = exchange("98", "99"), exchange(bid, "102")
    refused = execute_arbitrage(buy, sell, SYMBOL, "1")
    assert (refused.state, refused.reason) == (ArbitrageState.REFUSED, reason)
    assert refused.expected_profit < 0
    assert buy.requests + sell.requests == []


def test_books_that_are_too_thin_send_nothing() -> None:
    buy, sell = exchange("98", "99", depth="1"), exchange("101", "102")
    refused = execute_arbitrage(buy, sell, SYMBOL, "1.5")
    assert refused.reason == "amount: the books are too thin for it"
    assert buy.requests + sell.requests == []


def test_a_symbol_that_one_side_does_not_trade_sends_nothing() -> None:
    buy, sell = exchange("98", "99"), exchange("101", "102")
    sell.markets.clear()
    refused = execute_arbitrage(buy, sell, SYMBOL, "1")
    assert refused.reason == f"symbol: '{SYMBOL}' is not traded on both exchanges"
    assert buy.requests + sell.requests == []


def test_the_fees_of_the_two_exchanges_are_their_own() -> None:
    buy, sell = exchange("98", "99"), exchange("101", "102")
    buy.markets[SYMBOL] = MARKET
    free = exchange("101", "102")
    assert execute_arbitrage(buy, sell, SYMBOL, "1").expected_profit == Decimal("1.8")
    dear = MARKET.__class__(SYMBOL, None, None, None, None, taker_fee=Decimal("0.02"))
    free.markets[SYMBOL] = dear
    assert execute_arbitrage(buy, free, SYMBOL, "1").state is ArbitrageState.REFUSED


@pytest.mark.parametrize("amount", ["0", "-1", "NaN", "one", 0.5])
def test_an_amount_that_is_not_usable_is_refused_by_name(amount: str) -> None:
    with pytest.raises(ValueError, match=r"^amount: "):
        execute_arbitrage(exchange("98", "99"), exchange("101", "102"), SYMBOL, amount)


def test_a_book_that_cannot_be_read_sends_nothing() -> None:
    buy, sell = exchange("98", "99"), exchange("101", "102")
    sell.fail("order_book")
    with pytest.raises(ExchangeUnavailable):
        execute_arbitrage(buy, sell, SYMBOL, "1")
    assert buy.requests + sell.requests == []


def test_a_leg_that_did_less_than_the_other_is_an_imbalance_and_says_so() -> None:
    buy, sell = exchange("98", "99"), exchange("101", "102")
    buy.fill_next.append([("99", "2")])
    sell.fill_next.append([("101", "0.5")])
    done = execute_arbitrage(buy, sell, SYMBOL, "2")
    assert done.state is ArbitrageState.IMBALANCED
    assert done.reason == "bought 2 and sold 0.5"
    assert done.imbalance == Decimal("1.5")
    assert done.net_profit == Decimal("50.5") * (1 - FEE) - Decimal(198) * (1 + FEE)


def test_a_leg_that_was_rejected_is_an_imbalance_too() -> None:
    buy, sell = exchange("98", "99"), exchange("101", "102")
    buy.fill_next.append([("99", "1")])
    sell.script.append(answers(Verdict.REJECTED, "no money"))
    done = execute_arbitrage(buy, sell, SYMBOL, "1")
    assert done.state is ArbitrageState.IMBALANCED
    assert done.sell_order is not None
    assert done.sell_order.state is OrderState.REJECTED


def test_a_fee_in_the_base_asset_is_valued_at_its_fills_price() -> None:
    buy, sell = exchange("98", "99"), exchange("101", "102")
    buy.fee_asset = "BTC"
    buy.fill_next.append([("99", "1")])
    sell.fill_next.append([("101", "1")])
    assert execute_arbitrage(buy, sell, SYMBOL, "1").net_profit == Decimal("1.8")


def test_an_amount_that_one_side_cannot_trade_sends_neither_leg() -> None:
    buy, sell = exchange("98", "99"), exchange("101", "102")
    sell.markets[SYMBOL] = replace(MARKET, amount_step=Decimal("0.1"))
    done = execute_arbitrage(buy, sell, SYMBOL, "0.25")
    assert buy.requests + sell.requests == []
    assert done.state is ArbitrageState.REFUSED
