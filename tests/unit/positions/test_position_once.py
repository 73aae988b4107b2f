"""Fills are told again and again, in part and out of step; the position moves once for each."""

from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from execution.model.events import Reported
from execution.model.order import Fill, Order, OrderReport, OrderState, Side, merge_fills
from execution.model.position import Position, fold
from tests.support.depth import examples
from tests.support.exchange import SYMBOL
from tests.support.fakes import ACCOUNT, Rig, fill
from tests.support.position_kit import fees, moved_cash, prices, sizes

QUICK = settings(max_examples=examples(25), deadline=None)
FLAT = Position(ACCOUNT, SYMBOL)
SIDES = list(Side)


def trades(side: Side) -> st.SearchStrategy[list[Fill]]:
    """Trades of one order, numbered from 1 for either side, as an account that trades with itself
    sees them."""
    parts = st.lists(st.tuples(sizes, prices, fees), max_size=6)
    return parts.map(
        lambda told: [
            fill(str(number), side, amount, price, paid)
            for number, (amount, price, paid) in enumerate(told, 1)
        ]
    )


class Account:
    """Two open orders, one to buy and one to sell, and what was told of each."""

    def __init__(self) -> None:
        self.rig = Rig()
        self.orders = {side: self._open(side) for side in SIDES}
        self.applied: list[Fill] = []

    def _open(self, side: Side) -> Order:
        order = self.rig.order(signal_id=f"signal-{side}", side=side, amount=Decimal("1e12"))
        return self.rig.manager.submit(order)

    def tell(self, side: Side, fills: list[Fill]) -> Position:
        """Report the fills of the order so far, and return what the position is then."""
        order = self.rig.stored(self.orders[side])
        exchange_id = str(order.exchange_order_id)
        report = OrderReport(exchange_id, None, SYMBOL, OrderState.OPEN, fills=tuple(fills))
        self.applied += fills[len(order.fills) :]
        self.rig.journal.record(order, Reported(report))
        return self.position

    @property
    def position(self) -> Position:
        return self.rig.store.position(ACCOUNT, SYMBOL)


@QUICK
@given(
    trades(Side.BUY),
    trades(Side.SELL),
    st.lists(st.tuples(st.sampled_from(SIDES), st.integers(0, 6)), max_size=8),
)
def test_a_prefix_that_is_reported_again_changes_nothing(
    bought: list[Fill], sold: list[Fill], tellings: list[tuple[Side, int]]
) -> None:
    account, known = Account(), {Side.BUY: bought, Side.SELL: sold}
    for side, count in [*tellings, (Side.BUY, 6), (Side.SELL, 6)]:
        once = account.tell(side, known[side][:count])
        assert account.tell(side, known[side][:count]) == once
    position, naive = account.position, fold(FLAT, [*bought, *sold])
    assert position.version == len(bought) + len(sold)
    assert position.amount == naive.amount
    assert position.turnover == naive.turnover
    assert position.fees == naive.fees
    assert moved_cash(position) == moved_cash(naive)
    in_their_order = fold(FLAT, account.applied)
    assert (position.cost, position.realised_pnl) == (
        in_their_order.cost,
        in_their_order.realised_pnl,
    )


@QUICK
@given(trades(Side.BUY), st.integers(0, 6), st.integers(0, 6))
def test_merging_a_prefix_before_or_after_the_whole_is_the_whole(
    told: list[Fill], first: int, again: int
) -> None:
    whole = merge_fills(merge_fills((), told[:first]), told)
    assert whole == tuple(told)
    assert merge_fills(whole, told[:again]) == whole
    assert fold(FLAT, merge_fills(whole, told)) == fold(FLAT, told)


def test_one_trade_id_is_one_fill_on_either_side() -> None:
    """An account that trades with itself gets the same trade twice, once for each order."""
    account = Account()
    account.tell(Side.BUY, [fill("7", "buy", "2", "100")])
    account.tell(Side.SELL, [fill("7", "sell", "2", "100")])
    assert account.position.version == 2
    assert account.position.amount == 0
    assert account.position.turnover == 400
