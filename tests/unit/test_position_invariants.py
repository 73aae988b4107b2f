"""What holds of every position, whatever was traded: nothing is created and nothing is lost."""

from decimal import Decimal, localcontext

from fakes import fill
from hypothesis import given, settings
from hypothesis import strategies as st

from execution.decimals import EXACT
from execution.orders import Fill, Side
from execution.position_tracker import COST_GRID, Position, fold

FLAT = Position("binance-main", "BTC/USDT")
QUICK = settings(max_examples=70, deadline=None)

amounts = st.decimals("0.0000000001", "1000000000", places=10).map(str)
prices = st.decimals("0.0000000001", "99999999", places=10).map(str)
sides = st.sampled_from(["buy", "sell"])
fees = st.lists(
    st.tuples(st.sampled_from(["BTC", "USDT", "BNB"]), st.decimals("-1", "1", places=10).map(str)),
    max_size=2,
)
# Few amounts out of a small set, so that partial closes, exact closes and flips are all common.
small = st.sampled_from(["1", "2", "3", "7", "0.3"])
fills = st.lists(
    st.builds(fill, st.just("1"), sides, st.one_of(small, amounts), prices, fees),
    min_size=1,
    max_size=12,
)


def base_amount(fills: list[Fill]) -> Decimal:
    """What the account holds more than before, counted one by one."""
    held = Decimal(0)
    for one in fills:
        held += one.amount if one.side is Side.BUY else -one.amount
        held -= sum((fee.amount for fee in one.fees if fee.asset == "BTC"), Decimal(0))
    return held


def cash(fills: list[Fill]) -> Decimal:
    """What quote came in, less what went out."""
    got = Decimal(0)
    for one in fills:
        value = one.amount * one.price
        got += value if one.side is Side.SELL else -value
        got -= sum((fee.amount for fee in one.fees if fee.asset == "USDT"), Decimal(0))
    return got


@QUICK
@given(fills, prices)
def test_cash_and_what_is_held_are_worth_exactly_what_was_realised_and_not(
    fills: list[Fill], mark: str
) -> None:
    position = fold(FLAT, fills)
    with localcontext(EXACT):
        worth = cash(fills) + base_amount(fills) * Decimal(mark)
        assert position.realised_pnl + position.unrealised_pnl(Decimal(mark)) == worth


@QUICK
@given(fills)
def test_the_amount_is_what_was_bought_less_what_was_sold_less_base_fees(
    fills: list[Fill],
) -> None:
    assert fold(FLAT, fills).amount == base_amount(fills)


@QUICK
@given(fills)
def test_what_is_held_has_a_cost_of_its_own_sign_and_nothing_held_has_none(
    fills: list[Fill],
) -> None:
    position = fold(FLAT, fills)
    assert position.cost * position.amount >= 0
    assert bool(position.opened_at) == bool(position.amount)
    if not position.amount:
        assert position.cost == 0


@QUICK
@given(fills, st.integers(0, 12))
def test_folding_at_once_is_folding_in_two_steps(fills: list[Fill], cut: int) -> None:
    at_once = fold(FLAT, fills)
    in_two = fold(fold(FLAT, fills[:cut]), fills[cut:])
    assert {**_fields(in_two), "version": 0} == {**_fields(at_once), "version": 0}


@QUICK
@given(fills, st.one_of(small, amounts), st.one_of(small, amounts), prices, sides)
def test_two_fills_in_a_row_at_one_price_may_come_in_either_order(
    before: list[Fill], first: str, second: str, price: str, side: str
) -> None:
    a, b = fill("a", side, first, price), fill("b", side, second, price)
    one, other = fold(FLAT, [*before, a, b]), fold(FLAT, [*before, b, a])
    assert one.amount == other.amount
    assert one.turnover == other.turnover
    # A share that does not divide is rounded to the grid, at most once for each of the two.
    with localcontext(EXACT):
        moved = one.cost - other.cost
        assert abs(moved) <= 2 * COST_GRID
        assert one.realised_pnl - other.realised_pnl == moved


def _fields(position: Position) -> dict[str, object]:
    return {name: getattr(position, name) for name in Position.__slots__}
