"""The outcome of the signals of one run, and whether it is correct."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from execution.arbitrage.model import Arbitrage, ArbitrageState
from execution.model.decimals import to_text, total
from execution.model.order import Order, OrderState
from execution.model.position import Position
from workers.sandbox.arbitrage_audit import compare_arbitrages
from workers.sandbox.audit import Check, Ledger, compare
from workers.sandbox.chaos.disorders.exchanges import BlackHole
from workers.sandbox.chaos.signals import Plan
from workers.sandbox.chaos.spreads import SYMBOLS

# Much else slows down the first exchange's orders, but they must not stop. Until both kinds of
# phase have this many seconds, and orders, the two rates cannot be compared.
RATE_MIN = 0.25
PHASES_MIN_S = 40.0
ORDERS_MIN = 100


@dataclass(frozen=True, slots=True)
class Imbalance:
    """An arbitrage that ended with more bought than sold (positive, in base) or less (negative)."""

    arbitrage_id: str
    symbol: str
    imbalance: str
    reason: str | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """The disturbances, and the outcome of the signals.

    `orders` and `arbitrages` are the numbers of signals of each kind, `placed` is the number of
    orders at both exchanges. Of the arbitrages, `refusals` counts the reasons for refusals,
    `traded` those that traded at all, `hedged` those with more than two orders, and `net_profit`,
    in quote, is the sum of all records, which the differences compare with the ledgers.
    `imbalanced` ones are no fault: they could not be hedged within the cap. `strays` are orders and
    arbitrages without a signal. `beside` tells the first exchange's rate of orders while the second
    one was a black hole, and otherwise.
    """

    seed: int
    orders: int
    arbitrages: int
    disturbances: Mapping[str, int]
    order_states: Mapping[str, int]
    arbitrage_states: Mapping[str, int]
    refusals: Mapping[str, int]
    traded: int
    hedged: int
    placed: int
    net_profit: str
    beside: Mapping[str, str]
    imbalanced: list[Imbalance] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    strays: list[str] = field(default_factory=list)
    unfinished: list[str] = field(default_factory=list)
    differences: list[Check] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        return not (self.doubled or self.lost or self.strays or self.unfinished or self.differences)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The records of oneorder and of the exchanges at one time."""

    orders: Sequence[Order]
    arbitrages: Sequence[Arbitrage]
    positions: Sequence[Position]
    ledgers: Mapping[str, Ledger]

    @property
    def progress(self) -> int:
        """How many orders and arbitrages have ended."""
        settled = sum(_is_settled(order) for order in self.orders)
        return settled + sum(arbitrage.has_ended for arbitrage in self.arbitrages)

    def have_begun(self, plan: Plan) -> bool:
        """Whether every arbitrage has left the state `received`."""
        waiting = (each.state is ArbitrageState.RECEIVED for each in self.arbitrages)
        return len(self.arbitrages) == plan.arbitrages and not any(waiting)

    def is_settled(self, plan: Plan) -> bool:
        """Whether every signal has an ended record, and nothing differs."""
        legs = self.legs()
        return (
            len(self.orders) - len(legs) == plan.orders
            and len(self.arbitrages) == plan.arbitrages
            and not self.unfinished()
            and not self.differences()
        )

    def legs(self) -> list[Order]:
        """The orders that belong to arbitrages, by their symbols."""
        symbols = {listed.symbol for listed in SYMBOLS}
        return [order for order in self.orders if order.symbol in symbols]

    def unfinished(self) -> list[str]:
        """The ids of orders and arbitrages that may still change."""
        orders = [order.order_id for order in self.orders if not _is_settled(order)]
        return orders + [each.arbitrage_id for each in self.arbitrages if not each.has_ended]

    def differences(self) -> list[Check]:
        """Differences between oneorder's records and an exchange's ledger."""
        checks: list[Check] = []
        for account, ledger in self.ledgers.items():
            orders = [order for order in self.orders if order.account == account]
            positions = [held for held in self.positions if held.account == account]
            checks += compare(orders, positions, ledger)
        ledgers = {account: _of_legs(ledger) for account, ledger in self.ledgers.items()}
        checks += compare_arbitrages(self.arbitrages, self.legs(), ledgers)
        # A leg is also compared as an order.
        return [check for check in dict.fromkeys(checks) if not check.agrees]


def judge(
    plan: Plan, done: Mapping[str, int], snapshot: Snapshot, black_hole: BlackHole
) -> Outcome:
    """Compare the records with the published signals."""
    orders = {order.order_id: order for order in snapshot.orders}
    rows = [
        row["clientOrderId"] for ledger in snapshot.ledgers.values() for row in ledger["orders"]
    ]
    times = Counter(rows)
    arbitrages = {arbitrage.arbitrage_id: arbitrage for arbitrage in snapshot.arbitrages}
    wanted, wanted_arbitrages = plan.order_ids(), plan.arbitrage_ids()
    legs = {leg.order_id for arbitrage in snapshot.arbitrages for leg in arbitrage.legs}
    strays = (orders.keys() | times.keys()) - set(wanted.values()) - legs
    lost = [
        signal_id
        for signal_id, order_id in wanted.items()
        if order_id not in orders or (_must_stand(orders[order_id]) and not times[order_id])
    ]
    lost += [each for each, its_id in wanted_arbitrages.items() if its_id not in arbitrages]
    return Outcome(
        seed=plan.seed,
        orders=plan.orders,
        arbitrages=plan.arbitrages,
        disturbances=dict(done),
        order_states=dict(Counter(order.state.value for order in snapshot.orders)),
        arbitrage_states=dict(Counter(each.state.value for each in snapshot.arbitrages)),
        refusals=_refusals(snapshot.arbitrages),
        traded=sum(bool(each.bought or each.sold) for each in snapshot.arbitrages),
        hedged=sum(bool(each.hedges) for each in snapshot.arbitrages),
        placed=len(rows),
        net_profit=to_text(round(total(each.net_profit for each in snapshot.arbitrages), 8)),
        beside=_rates(black_hole),
        imbalanced=_imbalanced(snapshot.arbitrages),
        doubled=[client_id for client_id, count in times.items() if count > 1],
        lost=lost,
        strays=sorted(strays | (arbitrages.keys() - set(wanted_arbitrages.values()))),
        unfinished=snapshot.unfinished(),
        differences=[*snapshot.differences(), *standstills(black_hole)],
    )


def _of_legs(ledger: Ledger) -> Ledger:
    """The part of a ledger with the symbols of arbitrages."""
    names = {listed.name for listed in SYMBOLS}
    return {
        part: [row for row in ledger[part] if row["symbol"] in names]
        for part in ("orders", "trades")
    }


def _refusals(arbitrages: Sequence[Arbitrage]) -> dict[str, int]:
    refused = (each for each in arbitrages if each.state is ArbitrageState.REFUSED)
    return dict(Counter(str(each.reason).partition(":")[0] for each in refused))


def _imbalanced(arbitrages: Sequence[Arbitrage]) -> list[Imbalance]:
    return [
        Imbalance(each.arbitrage_id, each.symbol, to_text(each.imbalance), each.reason)
        for each in arbitrages
        if each.state is ArbitrageState.IMBALANCED
    ]


def _rates(black_hole: BlackHole) -> dict[str, str]:
    names = {True: "while the second is a black hole", False: "otherwise"}
    return {
        name: f"{black_hole.orders[phase]} in {black_hole.seconds[phase]:.0f} s"
        for phase, name in names.items()
    }


def standstills(black_hole: BlackHole) -> list[Check]:
    """A difference if the first exchange nearly stopped while the second one was a black hole."""
    seconds, orders = black_hole.seconds, black_hole.orders
    if min(seconds.values()) < PHASES_MIN_S or sum(orders.values()) < ORDERS_MIN:
        return []
    rates = {phase: orders[phase] / seconds[phase] for phase in orders}
    goes_on = rates[True] >= RATE_MIN * rates[False]
    text = f"{rates[True]:.2f} orders a second, {rates[False]:.2f} otherwise"
    what = "continues while the second exchange is a black hole"
    return [] if goes_on else [Check(what, "the first exchange", text, "more")]


def _is_settled(order: Order) -> bool:
    waiting = (OrderState.RECEIVED, OrderState.SUBMITTING)
    return order.state not in waiting and not order.fills_missing


def _must_stand(order: Order) -> bool:
    return order.state not in (OrderState.REJECTED, OrderState.REFUSED)
