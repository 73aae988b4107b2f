"""The outside world's prices: reproducible, near their start, renewed when eaten."""

from decimal import Decimal
from random import Random

import pytest

from paper_exchange.engine.market.liquidity import LEVELS, RandomWalk
from paper_exchange.engine.orders import Side
from paper_exchange.engine.symbols import DEFAULT_SYMBOLS
from tests.support.paper.engine_kit import make_exchange, picture, place, traded


def walked(seed, steps=20):
    exchange = make_exchange(seed=seed, walks=True)
    for _ in range(steps):
        exchange.step_walks()
    return exchange


def test_a_seed_gives_the_same_prices_again():
    assert picture(walked("a")) == picture(walked("a"))


def test_another_seed_gives_other_prices():
    assert picture(walked("a")) != picture(walked("b"))


def test_prices_do_not_depend_on_what_was_traded():
    traded_in = make_exchange(seed="a", walks=True)
    place(traded_in, "BUY", "3")
    for _ in range(20):
        traded_in.step_walks()
    ours, theirs = (
        {name: list(market.levels(side)) for name, market in e.markets.items() for side in Side}
        for e in (traded_in, walked("a"))
    )
    assert ours == theirs


@pytest.mark.parametrize("symbol", DEFAULT_SYMBOLS, ids=lambda symbol: symbol.name)
def test_a_walk_wanders_but_stays_within_two_percent_of_its_start(symbol):
    walk = RandomWalk(symbol, Random("walk"))
    seen = set()
    for _ in range(5000):
        walk.step()
        seen.add(walk.middle)
    assert len(seen) > 10
    assert max(seen) < symbol.start_price * Decimal("1.02")
    assert min(seen) > symbol.start_price * Decimal("0.98")


@pytest.mark.parametrize("symbol", DEFAULT_SYMBOLS, ids=lambda symbol: symbol.name)
def test_a_ladder_obeys_the_rules_of_its_symbol_and_is_not_crossed(symbol):
    walk = RandomWalk(symbol, Random("ladder"))
    bids, asks = walk.ladder(Side.BUY), walk.ladder(Side.SELL)
    assert len(bids) == len(asks) == LEVELS
    assert max(bids)[0] < min(asks)[0]
    for price, qty in bids + asks:
        assert price % symbol.tick == 0
        assert qty % symbol.step == 0
        assert price > 0
        assert qty > 0


def test_a_step_of_the_walk_fills_resting_orders_that_it_reaches():
    exchange = make_exchange(walks=True)
    best_ask = next(exchange.markets["BTCUSDT"].levels(Side.SELL))[0]
    order = place(exchange, "BUY", "0.01", best_ask - Decimal("0.01"))
    for _ in range(200):
        exchange.step_walks()
    assert traded(order) == [(str(best_ask - Decimal("0.01")), "0.01")]
    assert order.fills[0].is_maker


def test_a_still_book_is_renewed_when_takers_have_emptied_most_of_it():
    exchange = make_exchange(walks=False)
    for _ in range(1500):
        assert place(exchange, "SELL", "0.06").status == "FILLED"
    assert len(list(exchange.markets["BTCUSDT"].levels(Side.BUY))) > LEVELS // 2


def test_a_book_that_was_set_is_neither_moved_nor_renewed():
    exchange = make_exchange(walks=True)
    exchange.set_outside("BTCUSDT", [(Decimal(49_000), Decimal(1))], [])
    place(exchange, "SELL", "1")
    exchange.step_walks()
    assert list(exchange.markets["BTCUSDT"].levels(Side.BUY)) == []
