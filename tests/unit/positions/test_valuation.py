"""What positions are worth: marks, totals, and the points of an equity curve."""

from collections.abc import Collection
from decimal import Decimal

import pytest

from execution.model.book import Book
from execution.model.order import Fill
from execution.model.position import Position, fold
from execution.positions.valuation import (
    LOOK_AGAIN_MS,
    Mark,
    MarkSource,
    RecentMarks,
    Valuer,
    totals_of,
)
from execution.store.memory.valuations import MemoryValuations
from tests.support.clock import FakeClock
from tests.support.exchange import SYMBOL, FakeExchange
from tests.support.fakes import ACCOUNT, Rig, fill

NOW = FakeClock().now()
AGE_MAX_MS = 15_000


def held(symbol: str, *fills: Fill, account: str = ACCOUNT) -> Position:
    return fold(Position(account, symbol), fills)


LONG = held(SYMBOL, fill("1", "buy", "2", "100", [("USDT", "1")]))
SHORT = held("ETH/USDT", fill("2", "sell", "10", "3", [("BNB", "0.5")]))
FLAT = held("XRP/USDT", fill("3", "buy", "1", "5"), fill("4", "sell", "1", "7"))
MARKS = {SYMBOL: Mark(Decimal(110), 5), "ETH/USDT": Mark(Decimal(2), 3)}


def test_the_positions_that_settle_in_one_asset_add_up() -> None:
    (total,) = totals_of(ACCOUNT, [LONG, SHORT, FLAT], MARKS, NOW)
    assert (total.account, total.quote, total.updated_at) == (ACCOUNT, "USDT", NOW)
    assert total.realised_pnl == Decimal(-1) + Decimal(2)
    assert total.unrealised_pnl == Decimal(20) + Decimal(10)
    assert (total.exposure, total.net_exposure) == (Decimal(240), Decimal(200))
    assert total.turnover == Decimal(200) + Decimal(30) + Decimal(12)
    assert total.fees == {"USDT": Decimal(1), "BNB": Decimal("0.5")}
    assert (total.unmarked, total.marked_at_ms) == ([], 3)


def test_positions_that_settle_in_different_assets_are_not_added_up() -> None:
    cross = held("ETH/BTC", fill("1", "buy", "10", "0.05"))
    marks = {**MARKS, "ETH/BTC": Mark(Decimal("0.06"), 9)}
    totals = totals_of(ACCOUNT, [LONG, cross], marks, NOW)
    assert [(t.quote, t.exposure) for t in totals] == [("BTC", Decimal("0.6")), ("USDT", 220)]


def test_a_position_without_a_mark_is_named_and_counts_with_nothing() -> None:
    (total,) = totals_of(ACCOUNT, [LONG, SHORT], {SYMBOL: MARKS[SYMBOL]}, NOW)
    assert (total.unmarked, total.exposure, total.unrealised_pnl) == (["ETH/USDT"], 220, 20)
    (total,) = totals_of(ACCOUNT, [LONG], {}, NOW)
    assert (total.unmarked, total.exposure, total.marked_at_ms) == ([SYMBOL], 0, None)


def test_a_flat_position_needs_no_mark_and_keeps_its_profit() -> None:
    (total,) = totals_of(ACCOUNT, [FLAT], {"XRP/USDT": Mark(Decimal(1), 1)}, NOW)
    assert (total.realised_pnl, total.exposure, total.unmarked) == (2, 0, [])
    assert total.marked_at_ms is None


def test_large_positions_add_up_to_the_last_decimal() -> None:
    large = Decimal("12345678901234567890.123456789")
    big = held("SHIB/USDT", fill("1", "buy", str(large), "1"))
    marks = {"SHIB/USDT": Mark(Decimal(1), 1)}
    small = held("X/USDT", fill("2", "buy", "0.000000000001", "1"))
    (total,) = totals_of(ACCOUNT, [big, small], {**marks, "X/USDT": Mark(Decimal(1), 1)}, NOW)
    assert str(total.exposure) == "12345678901234567890.123456789001"


def test_an_account_without_positions_has_no_totals() -> None:
    assert totals_of(ACCOUNT, [], {}, NOW) == []


class CountedMarks(MemoryValuations):
    """It says how often it was asked."""

    asked = 0

    def marks(self, account: str) -> dict[str, Mark]:
        self.asked += 1
        return super().marks(account)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def book(clock: FakeClock) -> CountedMarks:
    kept = CountedMarks()
    kept.set_marks(ACCOUNT, {SYMBOL: Decimal(110)}, clock.now_ms())
    return kept


def test_a_recent_mark_is_what_the_market_is_at(clock: FakeClock, book: CountedMarks) -> None:
    recent = RecentMarks(book, clock, AGE_MAX_MS)
    assert recent.price(ACCOUNT, SYMBOL) == 110
    assert recent.price(ACCOUNT, "ETH/USDT") is None
    assert recent.price("another", SYMBOL) is None


def test_a_mark_that_is_too_old_says_nothing(clock: FakeClock, book: CountedMarks) -> None:
    recent = RecentMarks(book, clock, AGE_MAX_MS)
    clock.advance(AGE_MAX_MS)
    assert recent.price(ACCOUNT, SYMBOL) == 110
    clock.advance(1)
    assert recent.price(ACCOUNT, SYMBOL) is None


def test_marks_are_looked_up_once_a_second_for_each_account(
    clock: FakeClock, book: CountedMarks
) -> None:
    recent = RecentMarks(book, clock, AGE_MAX_MS)
    for _ in range(5):
        recent.price(ACCOUNT, SYMBOL)
    assert book.asked == 1
    book.set_marks(ACCOUNT, {SYMBOL: Decimal(120)}, clock.now_ms())
    clock.advance(LOOK_AGAIN_MS - 1)
    assert (recent.price(ACCOUNT, SYMBOL), book.asked) == (110, 1)
    clock.advance(1)
    assert (recent.price(ACCOUNT, SYMBOL), book.asked) == (120, 2)


class Prices(FakeExchange):
    """It remembers what it was asked the price of."""

    def __init__(self, clock: FakeClock) -> None:
        one = Decimal(1)
        super().__init__(clock, book=Book(SYMBOL, ((Decimal(109), one),), ((Decimal(111), one),)))
        self.asked: list[list[str]] = []

    def prices(self, symbols: Collection[str]) -> dict[str, Decimal]:
        self.asked.append(sorted(symbols))
        return super().prices(symbols)


def rig_of(*positions: Position) -> tuple[Rig, Valuer]:
    rig = Rig()
    for position in positions:
        rig.store.tables.positions[position.account, position.symbol] = position
    return rig, Valuer(rig.store, rig.valuations, rig.clock)


def mark_source(account: str, market: str, exchange: FakeExchange) -> MarkSource:
    return MarkSource(account, market, lambda: exchange)


def test_one_request_prices_all_accounts_of_a_market() -> None:
    other = held(SYMBOL, fill("9", "buy", "1", "90"), account="another")
    rig, valuer = rig_of(LONG, SHORT, FLAT, other)
    exchange = Prices(rig.clock)
    failures = valuer.mark(
        [mark_source(ACCOUNT, "m", exchange), mark_source("another", "m", exchange)]
    )
    assert (failures, exchange.asked) == ([], [[SYMBOL, "ETH/USDT"]])
    mark = Mark(Decimal(110), rig.clock.now_ms())
    assert rig.valuations.marks(ACCOUNT) == rig.valuations.marks("another") == {SYMBOL: mark}


def test_accounts_get_marks_only_of_what_they_hold() -> None:
    other = held("ETH/USDT", fill("9", "buy", "1", "90"), account="another")
    rig, valuer = rig_of(LONG, other)
    exchange = Prices(rig.clock)
    valuer.mark([mark_source(ACCOUNT, "m", exchange), mark_source("another", "m", exchange)])
    assert set(rig.valuations.marks(ACCOUNT)) == {SYMBOL}
    assert rig.valuations.marks("another") == {}


def test_where_nothing_is_held_nothing_is_asked() -> None:
    rig, valuer = rig_of(FLAT)
    exchange = Prices(rig.clock)
    assert valuer.mark([mark_source(ACCOUNT, "m", exchange)]) == []
    assert exchange.asked == []


def test_a_market_that_does_not_answer_does_not_keep_the_others_from_being_marked() -> None:
    other = held(SYMBOL, fill("9", "buy", "1", "90"), account="another")
    rig, valuer = rig_of(LONG, other)
    dead, alive = Prices(rig.clock), Prices(rig.clock)
    dead.fail("prices")
    failures = valuer.mark(
        [mark_source(ACCOUNT, "dead", dead), mark_source("another", "alive", alive)]
    )
    assert failures == ["dead: prices: no answer"]
    assert rig.valuations.marks(ACCOUNT) == {}
    assert set(rig.valuations.marks("another")) == {SYMBOL}


def test_totals_are_kept_and_points_of_the_series_are_made_of_them() -> None:
    rig, valuer = rig_of(LONG, SHORT)
    rig.valuations.set_marks(ACCOUNT, {SYMBOL: Decimal(110), "ETH/USDT": Decimal(2)}, 5)
    totals = valuer.value([ACCOUNT, "empty"])
    assert rig.valuations.totals() == totals
    valuer.take_snapshots(totals)
    ((_, point),) = rig.valuations.unarchived_snapshots(10)
    (total,) = totals
    assert (point.account, point.quote, point.time) == (ACCOUNT, "USDT", rig.clock.now())
    assert (point.realised_pnl, point.unrealised_pnl, point.exposure) == (
        total.realised_pnl,
        total.unrealised_pnl,
        total.exposure,
    )
    assert point.equity == Decimal(29)
