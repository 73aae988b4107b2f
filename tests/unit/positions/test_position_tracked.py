"""What `track_position` says of a holding at a price, worked out by hand."""

from decimal import Decimal

import pytest

from execution.position_tracker import track_position


def test_track_position_values_a_holding() -> None:
    seen = track_position("BTC/USDT", "2", "100", "110")
    assert seen.value == 220
    assert seen.unrealised_pnl == 20
    assert seen.unrealised_pnl_pct == 10


def test_track_position_of_a_short_earns_when_the_price_falls() -> None:
    seen = track_position("BTC/USDT", "-2", "100", "90")
    assert (seen.unrealised_pnl, seen.unrealised_pnl_pct) == (Decimal(20), Decimal(10))


def test_track_position_of_nothing_is_worth_nothing() -> None:
    seen = track_position("BTC/USDT", "0", "100", "90")
    assert (seen.value, seen.unrealised_pnl, seen.unrealised_pnl_pct) == (
        Decimal(0),
        Decimal(0),
        Decimal(0),
    )


def test_track_position_is_exact() -> None:
    seen = track_position("BTC/USDT", "0.1", "0.1", "0.3")
    assert seen.unrealised_pnl == Decimal("0.02")


@pytest.mark.parametrize(
    ("amount", "entry", "current", "named"),
    [
        (0.5, "1", "1", "amount"),
        ("one", "1", "1", "amount"),
        ("NaN", "1", "1", "amount"),
        (True, "1", "1", "amount"),
        ("1", "0", "1", "entry_price"),
        ("1", "Infinity", "1", "entry_price"),
        ("1", "1", "-3", "current_price"),
        ("1", "1", None, "current_price"),
    ],
)
def test_track_position_refuses_with_a_sentence_that_names_the_argument(
    amount: object, entry: object, current: object, named: str
) -> None:
    with pytest.raises(ValueError, match=rf"^{named}: .+ is not "):
        track_position("BTC/USDT", amount, entry, current)  # type: ignore[arg-type]


def test_a_price_out_of_all_proportion_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match=r"^current_price: "):
        track_position("X/Y", "1", "1e-30", "1e30")
