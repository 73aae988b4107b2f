"""One market: resting orders and outside liquidity seen as one book, stops, recent trades."""

from collections import deque
from collections.abc import Iterator
from decimal import Decimal

from paper_exchange.engine.market.book import RestingSide
from paper_exchange.engine.market.liquidity import OutsideSide, PriceQty, Walk
from paper_exchange.engine.market.stops import StopBook
from paper_exchange.engine.orders import ZERO, Order, Side, Trade
from paper_exchange.engine.symbols import Symbol

PUBLIC_TRADES_KEPT = 1000


class Market:
    """All bids and asks of one symbol.

    At one price the accounts' orders have priority over the outside liquidity, which is replaced
    all the time and so has no time priority.
    """

    def __init__(
        self, symbol: Symbol, walk: Walk, first_trade_id: int = 1, trade_id_step: int = 1
    ) -> None:
        self.symbol = symbol
        self.resting = {side: RestingSide(side) for side in Side}
        self.outside = {side: OutsideSide(side) for side in Side}
        self.stops = StopBook()
        self.trades: deque[Trade] = deque(maxlen=PUBLIC_TRADES_KEPT)
        self._next_trade_id = first_trade_id
        self._trade_id_step = trade_id_step
        self.update_id = 1
        # The price of the last trade; a step of the walk counts as a trade of the outside market.
        self.last_price = symbol.start_price
        # The reference price of the trading rules; trades here do not move it.
        self.reference = symbol.start_price
        self._walk: Walk | None = walk
        self._lay_out(walk)

    def take_trade_id(self) -> int:
        """The id of the next trade; with wide steps no two symbols share an id."""
        trade_id = self._next_trade_id
        self._next_trade_id += self._trade_id_step
        return trade_id

    def step_walk(self) -> bool:
        """Move the outside prices one step and renew their quantities; returns False if they were
        set by a control call."""
        if self._walk is None:
            return False
        self._walk.step()
        self._lay_out(self._walk)
        return True

    def set_outside(self, bids: list[PriceQty], asks: list[PriceQty]) -> None:
        """Set the outside liquidity, and stop the walk permanently."""
        self._walk = None
        self.outside[Side.BUY].replace(bids)
        self.outside[Side.SELL].replace(asks)
        self.update_id += 1
        best = [level[0] for side in Side if (level := self.outside[side].best())]
        if best:
            middle = sum(best, ZERO) / len(best)
            self.reference = self.last_price = middle - middle % self.symbol.tick

    def refill_thin_sides(self) -> bool:
        """Refill each outside side that takers have mostly consumed; returns False if there is
        none."""
        if self._walk is None:
            return False
        thin = [side for side in Side if self.outside[side].is_thin]
        for side in thin:
            self.outside[side].replace(self._walk.ladder(side))
            self.update_id += 1
        return bool(thin)

    def best(self, side: Side) -> tuple[Decimal, Decimal, Order | None] | None:
        """The best price of a side, the quantity first in its queue, and the order (None:
        outside)."""
        outside = self.outside[side].best()
        resting = self.resting[side].best()
        if resting is None:
            return None if outside is None else (*outside, None)
        price, order = resting
        if outside is not None and is_better(side, outside[0], price):
            return (*outside, None)
        return price, order.remaining, order

    def levels(self, side: Side) -> Iterator[PriceQty]:
        """The whole side, best price first, with resting and outside quantities added."""
        resting, outside = self.resting[side].levels(), self.outside[side].levels()
        mine, theirs = next(resting, None), next(outside, None)
        while mine is not None or theirs is not None:
            if mine is not None and theirs is not None and mine[0] == theirs[0]:
                yield mine[0], mine[1] + theirs[1]
                mine, theirs = next(resting, None), next(outside, None)
            elif theirs is None or (mine is not None and is_better(side, mine[0], theirs[0])):
                yield mine or (ZERO, ZERO)
                mine = next(resting, None)
            else:
                yield theirs
                theirs = next(outside, None)

    def crosses(self, side: Side, price: Decimal) -> bool:
        """Whether an order of this side at this price would trade immediately."""
        best = self.best(side.other)
        return best is not None and not is_better(side.other, price, best[0])

    def _lay_out(self, walk: Walk) -> None:
        for side in Side:
            self.outside[side].replace(walk.ladder(side))
        self.reference = self.last_price = walk.middle
        self.update_id += 1


def is_better(side: Side, price: Decimal, than: Decimal) -> bool:
    """Whether a resting order of this side at `price` trades before one at `than`."""
    return price > than if side is Side.BUY else price < than
