"""What holds of every position, whatever was traded: nothing is created and nothing is lost."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from execution.model.decimals import ZERO
from execution.model.instrument import COST_GRID
from execution.model.order import Fill
from execution.model.position import Position, fold
from execution.positions.cash_flows import cash_flows
from tests.support.depth import examples
from tests.support.fakes import fill
from tests.support.position_kit import (
    EVERY_KIND,
    SPOT,
    Ledger,
    apart,
    moved_cash,
    prices,
    profit,
    sides,
    sizes,
    some_fills,
)

QUICK = settings(max_examples=examples(40), deadline=None)
every_kind = pytest.mark.parametrize("flat", EVERY_KIND, ids=lambda flat: flat.instrument.kind)


@every_kind
@QUICK
@given(fills=some_fills, mark=prices)
def test_cash_and_what_is_held_are_worth_exactly_what_was_realised_and_not(
    flat: Position, fills: list[Fill], mark: str
) -> None:
    ledger = Ledger(flat).book(fills)
    made = profit(fold(flat, fills), Decimal(mark))
    assert apart(made, ledger.worth(Decimal(mark))) <= ledger.tolerance


@every_kind
@QUICK
@given(fills=some_fills)
def test_the_amount_the_turnover_and_the_fees_are_what_the_fills_add_up_to(
    flat: Position, fills: list[Fill]
) -> None:
    position, ledger = fold(flat, fills), Ledger(flat).book(fills)
    assert position.amount == ledger.held
    assert apart(position.turnover, ledger.turnover) <= ledger.tolerance
    assert position.fees == ledger.fees
    assert position.version == len(fills)


@every_kind
@QUICK
@given(fills=some_fills)
def test_what_is_held_has_a_cost_of_its_own_sign_and_nothing_held_has_none(
    flat: Position, fills: list[Fill]
) -> None:
    position = fold(flat, fills)
    assert position.cost * position.amount >= 0
    assert bool(position.opened_at) == bool(position.amount)
    if not position.amount:
        assert position.cost == 0
        assert position.entry_price is None


@every_kind
@QUICK
@given(fills=some_fills, cut=st.integers(0, 12))
def test_folding_at_once_is_folding_in_two_steps(
    flat: Position, fills: list[Fill], cut: int
) -> None:
    assert fold(fold(flat, fills[:cut]), fills[cut:]) == fold(flat, fills)


def with_fees(
    trade_id: str, side: str, amount: str, price: str, rates: list[tuple[str, str]]
) -> Fill:
    """A fill whose fees are rates of its amount, so that no fee is more than what was traded."""
    paid = [(asset, str(Decimal(amount) * Decimal(rate))) for asset, rate in rates]
    return fill(trade_id, side, amount, price, paid)


rates = st.lists(
    st.tuples(st.sampled_from(["BTC", "USDT", "BNB"]), st.sampled_from(["0.001", "-0.0002"])),
    max_size=2,
)


@every_kind
@QUICK
@given(some_fills, sides, prices, sizes, rates, sizes, rates)
def test_two_fills_in_a_row_on_one_side_at_one_price_may_come_in_either_order(
    flat: Position,
    before: list[Fill],
    side: str,
    price: str,
    first: str,
    first_rates: list[tuple[str, str]],
    second: str,
    second_rates: list[tuple[str, str]],
) -> None:
    a = with_fees("a", side, first, price, first_rates)
    b = with_fees("b", side, second, price, second_rates)
    one, other = fold(flat, [*before, a, b]), fold(flat, [*before, b, a])
    assert one.amount == other.amount
    assert one.turnover == other.turnover
    assert one.fees == other.fees
    assert one.opened_at == other.opened_at
    assert moved_cash(one) == moved_cash(other)
    # A share that does not divide is rounded to the grid, at most once for each of the two.
    assert apart(one.cost, other.cost) <= 2 * COST_GRID


@QUICK
@given(some_fills)
def test_the_flows_of_spot_are_what_a_naive_ledger_of_the_fills_says(fills: list[Fill]) -> None:
    ledger = Ledger(SPOT).book(fills)
    third = {asset: -fee for asset, fee in ledger.fees.items() if asset == "BNB"}
    assert cash_flows(fold(SPOT, fills)) == {"BTC": ledger.held, "USDT": ledger.cash, **third}


@pytest.mark.parametrize("flat", EVERY_KIND[1:], ids=lambda flat: flat.instrument.kind)
@QUICK
@given(fills=some_fills)
def test_the_flows_of_a_closed_contract_are_its_profit_and_its_other_fees(
    flat: Position, fills: list[Fill]
) -> None:
    held = fold(flat, fills).amount
    if held:
        fills = [*fills, fill("last", "sell" if held > 0 else "buy", str(abs(held)), "70000")]
    ledger = Ledger(flat).book(fills)
    flows = cash_flows(fold(flat, fills))
    assert apart(flows.pop(ledger.settle), ledger.cash) <= ledger.tolerance
    paid = {asset: -fee for asset, fee in ledger.fees.items() if asset != ledger.settle}
    assert flows == paid


def test_nothing_traded_has_moved_nothing() -> None:
    assert cash_flows(SPOT) == {"BTC": ZERO, "USDT": ZERO}
