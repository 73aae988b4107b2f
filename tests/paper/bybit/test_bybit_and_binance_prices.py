"""One outside price for two exchanges that never talk, and their own distances from it."""

import itertools
from dataclasses import replace
from decimal import Decimal
from random import Random

import pytest

from paper_exchange.app import build_exchange
from paper_exchange.clock import ExchangeClock
from paper_exchange.engine.market.shared_price import SharedPrice
from paper_exchange.engine.orders import Side
from paper_exchange.engine.symbols import DEFAULT_SYMBOLS
from paper_exchange.options import parse_options
from tests.support.paper.bybit_client import BybitPaper
from tests.support.paper.engine_kit import HandClock, make_exchange
from tests.support.paper.paper_client import Paper

BTC = DEFAULT_SYMBOLS[0]
START = 7_182_000_000
HOUR = 14_400


class Steps:
    """Counts steps as a test says."""

    def __init__(self, number=START):
        self.number = number

    def __call__(self):
        return self.number


def follower(own_seed, *, seed="1", spread="0", symbol=BTC, steps=None):
    price = SharedPrice(seed, own_seed, Decimal(spread), steps or Steps())
    return price.walk(symbol, Random(own_seed))


def middles(own_seed, count, stride=1, **options):
    steps = Steps()
    walk = follower(own_seed, steps=steps, **options)
    found = []
    for _ in range(count):
        walk.step()
        found.append(walk.middle)
        steps.number += stride
    return found


def bps(price, than):
    return (price - than) / than * 10_000


def test_two_exchanges_that_share_a_seed_have_the_same_price_at_every_step():
    assert middles("binance", 200) == middles("bybit", 200)


def test_one_that_was_started_later_or_looks_less_often_has_the_same_price():
    all_of_them = middles("binance", 100)
    assert middles("bybit", 25, stride=4) == all_of_them[::4]


def test_another_seed_is_another_price():
    assert middles("binance", 50) != middles("binance", 50, seed="2")


@pytest.mark.parametrize("symbol", DEFAULT_SYMBOLS, ids=lambda symbol: symbol.name)
def test_the_price_moves_within_63_bps_of_its_start_and_in_small_steps(symbol):
    found = middles("a", HOUR // 4, symbol=symbol)
    assert len(set(found)) > 20
    # The middle is cut to a whole tick.
    slack = symbol.tick / symbol.start_price * 10_000
    assert max(abs(bps(price, symbol.start_price)) for price in found) <= 63 + slack
    jumps = [abs(bps(b, a)) for a, b in itertools.pairwise(found)]
    assert max(jumps) < Decimal("4.1") + 2 * slack


def test_the_price_goes_somewhere_within_an_hour():
    found = middles("a", HOUR // 40, stride=40)
    assert bps(max(found), min(found)) > 20


def test_a_spread_is_never_more_than_was_asked_for_and_returns_to_the_price():
    common, own = middles("a", HOUR), middles("a", HOUR, spread="20")
    distances = [bps(mine, price) for mine, price in zip(own, common, strict=True)]
    assert max(map(abs, distances)) <= Decimal("20.2")
    assert max(distances) > 10
    assert min(distances) < -10
    assert abs(sum(distances) / len(distances)) < 2
    signs = [distance > 0 for distance in distances]
    turns = sum(a != b for a, b in itertools.pairwise(signs))
    # Whoever is away comes back within seconds: some hundred times an hour.
    assert turns > 200


def test_two_exchanges_with_a_spread_cross_now_and_then_and_come_apart_again():
    """Crossed: what one bids is more than what the other asks."""
    steps = Steps()
    one = follower("one", spread="10", steps=steps)
    other = follower("other", spread="10", steps=steps)
    crossed = []
    for _ in range(HOUR // 8):
        one.step()
        other.step()
        bids = [max(walk.ladder(Side.BUY))[0] for walk in (one, other)]
        asks = [min(walk.ladder(Side.SELL))[0] for walk in (one, other)]
        crossed.append(bids[0] > asks[1] or bids[1] > asks[0])
        steps.number += 1
    assert 0.3 < crossed.count(True) / len(crossed) < 0.99
    appeared = sum(b and not a for a, b in itertools.pairwise(crossed))
    assert appeared > 20


def test_without_a_spread_two_exchanges_never_cross():
    steps = Steps()
    one, other = follower("one", steps=steps), follower("other", steps=steps)
    for _ in range(500):
        one.step()
        other.step()
        assert max(one.ladder(Side.BUY))[0] < min(other.ladder(Side.SELL))[0]
        assert max(other.ladder(Side.BUY))[0] < min(one.ladder(Side.SELL))[0]
        steps.number += 1


def options(*more):
    return parse_options(["--dialect", "binance", "--port", "1", *more])


def reference(chosen, symbol="BTCUSDT"):
    return build_exchange(chosen, ExchangeClock(HandClock())).markets[symbol].reference


def test_without_a_price_seed_an_exchange_starts_where_it_always_did():
    assert reference(options()) == make_exchange().markets["BTCUSDT"].reference == 50_000


def test_prices_that_stand_still_stand_at_the_same_place_everywhere():
    still = options("--price-seed", "3", "--walk-interval-ms", "0")
    assert reference(still) == follower("whoever", seed="3", steps=Steps(0)).middle
    assert reference(still) == reference(replace(still, dialect="bybit"))
    assert reference(still) == reference(replace(still, seed=9))
    assert reference(still) != reference(replace(still, price_seed=4))


def test_two_exchanges_of_one_dialect_are_apart_by_their_own_seeds():
    still = options("--price-seed", "3", "--walk-interval-ms", "0", "--spread-bps", "50")
    assert reference(still) == reference(still)
    assert reference(still) != reference(replace(still, seed=9))
    assert reference(still) != reference(replace(still, dialect="bybit"))


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (["--spread-bps", "5"], "requires --price-seed"),
        (["--price-seed", "1", "--spread-bps", "-5"], "a spread is a number of bps from 0 to 1000"),
        (["--price-seed", "1", "--spread-bps", "much"], "not 'much'"),
        (["--price-seed", "one"], "invalid int value: 'one'"),
    ],
)
def test_options_that_make_no_sense_are_refused_in_one_sentence(capsys, given, sentence):
    with pytest.raises(SystemExit) as stopped:
        options(*given)
    assert stopped.value.code == 2
    assert sentence in capsys.readouterr().err


def test_two_processes_agree_without_talking():
    terms = ("--price-seed", "11", "--walk-interval-ms", "50")
    binance, bybit = Paper(*terms), BybitPaper(*terms)
    try:
        seen = []
        for _ in range(20):
            one = binance.call("GET", "/api/v3/avgPrice", symbol="BTCUSDT").json()["price"]
            told = bybit.call("GET", "/v5/market/tickers", category="spot", symbol="BTCUSDT")
            other = told.json()["result"]["list"][0]["lastPrice"]
            again = binance.call("GET", "/api/v3/avgPrice", symbol="BTCUSDT").json()["price"]
            # Between two equal answers of the one, the other cannot have been a step away; but
            # its turn may come some ms after the other's.
            if one == again:
                seen.append(Decimal(one) == Decimal(other))
        assert seen.count(True) >= len(seen) * 0.8
        assert len(seen) > 10
    finally:
        errors = binance.stop() + bybit.stop()
    assert "Traceback" not in errors, errors
