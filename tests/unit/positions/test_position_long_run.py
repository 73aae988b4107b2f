"""A hundred thousand random fills, the same ones each time, as every kind of instrument."""

from collections.abc import Sequence
from decimal import Decimal

import pytest

from execution.model.instrument import COST_GRID
from execution.model.order import Fill, merge_fills
from execution.model.position import Position, fold
from tests.support.position_kit import EVERY_KIND, Ledger, apart, moved_cash, profit, random_fills

COUNT = 100_000
STEP = 1_000
every_kind = pytest.mark.parametrize("flat", EVERY_KIND, ids=lambda flat: flat.instrument.kind)


@pytest.fixture(scope="module")
def fills() -> list[Fill]:
    return random_fills(COUNT, seed=20_260_101)


@every_kind
def test_cash_and_profit_agree_all_along_a_long_run(flat: Position, fills: list[Fill]) -> None:
    ledger, position = Ledger(flat), flat
    for start in range(0, COUNT, STEP):
        part = fills[start : start + STEP]
        position = fold(position, part)
        ledger.book(part)
        mark = part[-1].price + 1
        assert apart(profit(position, mark), ledger.worth(mark)) <= ledger.tolerance
        assert position.amount == ledger.held
    assert position == fold(flat, fills)
    assert position.version == COUNT
    assert position.fees == ledger.fees
    assert set(ledger.fees) == {"BTC", "USDT", "BNB"}
    assert ledger.flips > COUNT / 10, "the run should flip often"


@every_kind
def test_twins_of_one_side_and_price_may_come_in_either_order_all_along_a_long_run(
    flat: Position, fills: list[Fill]
) -> None:
    swapped, swaps = _twins_swapped(fills)
    assert swaps > COUNT / 10
    one, other = fold(flat, fills), fold(flat, swapped)
    assert one.amount == other.amount
    assert one.turnover == other.turnover
    assert one.fees == other.fees
    assert (one.opened_at, one.updated_at) == (other.opened_at, other.updated_at)
    assert moved_cash(one) == moved_cash(other)
    # Every share is rounded once in each order; a flip or a close forgets what came before it.
    assert apart(one.cost, other.cost) <= 2 * COUNT * COST_GRID


def _twins_swapped(fills: Sequence[Fill]) -> tuple[list[Fill], int]:
    swapped, swaps, i = list(fills), 0, 0
    while i + 1 < len(swapped):
        a, b = swapped[i], swapped[i + 1]
        if (a.side, a.price, a.time) == (b.side, b.price, b.time):
            swapped[i], swapped[i + 1] = b, a
            swaps, i = swaps + 1, i + 1
        i += 1
    return swapped, swaps


@pytest.mark.parametrize("told", [0, 1, COUNT // 3, COUNT])
def test_a_long_history_reported_twice_is_the_history_once(fills: list[Fill], told: int) -> None:
    once = tuple(fills)
    assert merge_fills(once[:told], once) == once
    assert merge_fills(merge_fills((), once), once[:told]) == once


def test_the_same_seed_makes_the_same_fills() -> None:
    assert random_fills(50, seed=1) == random_fills(50, seed=1)
    assert random_fills(50, seed=1) != random_fills(50, seed=2)
    assert all(one.amount > 0 < one.price == round(one.price, 2) for one in random_fills(50, 3))
    assert isinstance(random_fills(1, 4)[0].price, Decimal)
