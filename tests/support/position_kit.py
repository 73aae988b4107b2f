"""A naive ledger to hold the fold against: it only adds up what moved, and knows no cost, no entry
and no profit; and random fills to feed both."""

import random
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Context, Decimal, Inexact, localcontext

from hypothesis import strategies as st

from execution.model.decimals import ZERO
from execution.model.instrument import COST_GRID
from execution.model.order import Fill, Side
from execution.model.position import Position
from tests.support.fakes import fill

SPOT = Position("binance-main", "BTC/USDT")
LINEAR = Position("binance-main", "BTC/USDT:USDT", contract_size=Decimal("0.001"))
INVERSE = Position("binance-main", "BTC/USD:BTC", contract_size=Decimal(100))
EVERY_KIND = [SPOT, LINEAR, INVERSE]

# So wide that a sum or a product of anything here is exact; where not, it says so by raising.
EXACTLY = Context(prec=200, traps=[Inexact])
CLOSELY = Context(prec=200)


def worth(flat: Position, amount: Decimal, price: Decimal) -> Decimal:
    """What `amount` is worth at `price` in the settle asset. A long inverse contract is so much
    quote that is owed, hence below zero."""
    if flat is INVERSE:
        return -amount * flat.contract_size / price
    return amount * flat.contract_size * price


@dataclass
class Ledger:
    """What fills moved, one by one: the settle asset in `cash`, fees by asset, the amount held.

    `flips` counts the fills that turned a long into a short or back.
    """

    flat: Position
    held: Decimal = ZERO
    cash: Decimal = ZERO
    fees: dict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    turnover: Decimal = ZERO
    fills: int = 0
    flips: int = 0

    def book(self, fills: Iterable[Fill]) -> "Ledger":
        with localcontext(self._context):
            for one in fills:
                self._book(one)
        return self

    def _book(self, one: Fill) -> None:
        signed = one.amount if one.side is Side.BUY else -one.amount
        paid = worth(self.flat, signed, one.price)
        self.cash -= paid
        self.turnover += abs(paid)
        before = self.held
        self.held += signed
        for fee in one.fees:
            self.fees[fee.asset] += fee.amount
            if fee.asset == self.settle:
                self.cash -= fee.amount
            elif fee.asset == "BTC" and self.flat is SPOT:
                self.held -= fee.amount
        self.fills += 1
        self.flips += before * self.held < 0

    def worth(self, mark: Decimal) -> Decimal:
        """Cash in less cash out, and what is held at the mark."""
        with localcontext(self._context):
            return self.cash + worth(self.flat, self.held, mark)

    @property
    def settle(self) -> str:
        return "BTC" if self.flat is INVERSE else "USDT"

    @property
    def tolerance(self) -> Decimal:
        """Zero, but for inverse, where each value is rounded once: by half the grid at most, and
        the mark's value by as much."""
        return (self.fills + 1) * COST_GRID / 2 if self.flat is INVERSE else ZERO

    @property
    def _context(self) -> Context:
        return CLOSELY if self.flat is INVERSE else EXACTLY


def apart(one: Decimal, other: Decimal) -> Decimal:
    """How far the two are from each other."""
    return CLOSELY.abs(CLOSELY.subtract(one, other))


def profit(position: Position, mark: Decimal) -> Decimal:
    return EXACTLY.add(position.realised_pnl, position.unrealised_pnl(mark))


def moved_cash(position: Position) -> Decimal:
    """Realised profit less what is still invested: the settle asset that has moved for good."""
    if position.symbol == INVERSE.symbol:
        return EXACTLY.add(position.realised_pnl, position.cost)
    return EXACTLY.subtract(position.realised_pnl, position.cost)


amounts = st.decimals("0.0000000001", "1000000000", places=10).map(str)
prices = st.decimals("0.0000000001", "99999999", places=10).map(str)
sides = st.sampled_from(["buy", "sell"])
# Few amounts out of a small set, so that partial closes, exact closes and flips are all common.
sizes = st.one_of(st.sampled_from(["1", "2", "3", "7", "0.3"]), amounts)
fee_assets = st.sampled_from(["BTC", "USDT", "BNB"])
fees = st.lists(st.tuples(fee_assets, st.decimals("-1", "1", places=10).map(str)), max_size=2)
some_fills = st.lists(
    st.builds(fill, st.just("1"), sides, sizes, prices, fees), min_size=1, max_size=12
)


def random_fills(count: int, seed: int) -> list[Fill]:
    """Fills at a walking price, more often against what is held than with it, so that the position
    opens, grows, shrinks, closes and flips all the time. Every third comes with a twin of the same
    side, price and time, and each pays a fee in quote, base or a third asset; so small a one that
    all base fees together do not drown the rest."""
    dice = random.Random(seed)
    template = fill("0", "buy", "1", "1")
    held, cents, fills = 0, 5_000_000, []
    while len(fills) < count:
        cents = max(100, cents + dice.randrange(-5_000, 5_001))
        against = Side.SELL if held > 0 else Side.BUY
        side = against if dice.random() < 0.7 else dice.choice(list(Side))
        for _ in range(2 if dice.random() < 0.5 else 1):
            lots = abs(held) if held and dice.random() < 0.1 else dice.randrange(1, 100_000)
            held += lots if side is Side.BUY else -lots
            fee = (dice.choice(["USDT", "BTC", "BNB"]), str(Decimal(lots).scaleb(-9)))
            amount, price = Decimal(lots).scaleb(-4), Decimal(cents).scaleb(-2)
            when = template.time + timedelta(milliseconds=cents)
            one = fill(str(len(fills)), side, str(amount), str(price), [fee])
            fills.append(replace(one, time=when))
    return fills[:count]
