"""An opportunity is offered once, by whoever sees it, and its way through two accounts rests."""

from dataclasses import replace

import pytest

from execution.market_data.opportunities import Cooldown, Opportunity, signal_id_of
from oneorder.signals import ArbitrageSignal
from tests.support.scanner_kit import NOW_MS, book, scan

CHEAP = book("cheap", [("98", "10")], [("99", "10")], sequence=7, exchange_ms=NOW_MS - 5)
DEAR = book("dear", [("101", "10")], [("102", "10")], sequence=9)
REST_MS = 10_000


def found(sequence: int = 7, sell_account: str = "dear") -> Opportunity:
    """The same way again, as another state of its book shows it."""
    books = replace(CHEAP, sequence=sequence), replace(DEAR, account=sell_account)
    (opportunity,) = scan(*books)
    return opportunity


def test_the_same_books_give_the_same_id_at_any_time() -> None:
    later = replace(CHEAP, received_ms=NOW_MS + 30), replace(DEAR, received_ms=NOW_MS + 40)
    assert signal_id_of(*later) == signal_id_of(CHEAP, DEAR)


def test_an_id_stays_what_it_is_from_one_release_to_the_next() -> None:
    assert found().signal_id == "scan-yoxqsfhds3eom6opbhmluzrs"


@pytest.mark.parametrize("told", [{"sequence": 8}, {"symbol": "ETH/USDT"}, {"account": "other"}])
def test_other_books_give_another_id(told: dict[str, int | str]) -> None:
    ids = {
        signal_id_of(CHEAP, DEAR),
        signal_id_of(replace(CHEAP, **told), DEAR),
        signal_id_of(DEAR, CHEAP),
    }
    assert len(ids) == 3


def test_a_book_without_a_sequence_is_known_by_the_exchanges_stamp_else_by_ours() -> None:
    stamped = replace(CHEAP, sequence=None)
    bare = replace(stamped, exchange_ms=None)
    again = {"received_ms": NOW_MS + 1}
    assert signal_id_of(replace(stamped, **again), DEAR) == signal_id_of(stamped, DEAR)
    assert signal_id_of(replace(bare, **again), DEAR) != signal_id_of(bare, DEAR)
    assert signal_id_of(replace(stamped, exchange_ms=1), DEAR) != signal_id_of(stamped, DEAR)


def test_a_signal_takes_the_id_and_the_amount_as_they_are() -> None:
    one = found()
    signal = ArbitrageSignal(
        signal_id=one.signal_id,
        buy_account=one.buy_account,
        sell_account=one.sell_account,
        symbol=one.symbol,
        amount=one.amount,
    )
    assert (signal.signal_id, signal.amount) == (one.signal_id, one.amount)


def test_a_way_is_offered_again_only_after_its_rest() -> None:
    cooldown = Cooldown(REST_MS)
    assert cooldown.fresh([found(1)], NOW_MS) == [found(1)]
    assert cooldown.fresh([found(2)], NOW_MS + REST_MS - 1) == []
    assert cooldown.fresh([found(3)], NOW_MS + REST_MS) == [found(3)]
    assert cooldown.fresh([found(4)], NOW_MS + REST_MS + 1) == []


def test_the_same_opportunity_is_not_offered_twice_however_long_it_stands() -> None:
    cooldown = Cooldown(REST_MS)
    cooldown.fresh([found()], NOW_MS)
    assert cooldown.fresh([found()], NOW_MS + 10 * REST_MS) == []


def test_one_way_does_not_make_another_one_rest() -> None:
    cooldown = Cooldown(REST_MS)
    ways = [found(), found(sell_account="other")]
    assert cooldown.fresh(ways, NOW_MS) == ways
    assert cooldown.fresh([ways[1], found(8)], NOW_MS) == []


def test_no_rest_offers_each_opportunity_once() -> None:
    cooldown = Cooldown(0)
    assert [len(cooldown.fresh([found(n)], NOW_MS)) for n in (1, 1, 2)] == [1, 0, 1]


def test_a_clock_that_was_put_back_does_not_silence_a_way() -> None:
    cooldown = Cooldown(REST_MS)
    cooldown.fresh([found(1)], NOW_MS)
    assert len(cooldown.fresh([found(2)], NOW_MS - 3_600_000)) == 1


def test_a_rest_below_zero_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^cooldown_ms: -1 is below zero$"):
        Cooldown(-1)
