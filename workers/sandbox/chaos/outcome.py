"""What became of the signals of one run, and whether that is as it must be."""

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

# The first exchange's orders are slowed down by much else; stopped, they must not be. Before this
# long in both phases, and that many orders, the two cannot be compared.
RATE_MIN = 0.25
PHASES_MIN_S = 40.0
ORDERS_MIN = 100


@dataclass(frozen=True, slots=True)
class Imbalance:
    """An arbitrage that ended with more bought than sold, or less: in base, negative for less."""

    arbitrage_id: str
    symbol: str
    imbalance: str
    reason: str | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was done to the system, and what became of the signals.

    `orders` and `arbitrages` are how many signals there were for each, `placed` how many orders
    stand at both exchanges. Of the arbitrages, `refusals` count what they were refused for,
    `traded` those that traded at all, `hedged` those that took more than two orders, and
    `net_profit`, in quote, is the sum of all records', which the differences compare with the
    ledgers. What is `imbalanced` is no fault by itself: it is what could not be hedged within the
    cap. `strays` are orders and arbitrages that no signal asked for. `beside` says how fast the
    first exchange took orders while the second one was a black hole, and otherwise.
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
    """What oneorder and the exchanges have, at one time."""

    orders: Sequence[Order]
    arbitrages: Sequence[Arbitrage]
    positions: Sequence[Position]
    ledgers: Mapping[str, Ledger]

    @property
    def progress(self) -> int:
        """How much has an end; it changes as long as there is something left to do."""
        settled = sum(_is_settled(order) for order in self.orders)
        return settled + sum(arbitrage.has_ended for arbitrage in self.arbitrages)

    def have_begun(self, plan: Plan) -> bool:
        """Whether every arbitrage has read the books."""
        waiting = (each.state is ArbitrageState.RECEIVED for each in self.arbitrages)
        return len(self.arbitrages) == plan.arbitrages and not any(waiting)

    def is_settled(self, plan: Plan) -> bool:
        """Whether everything that was asked for is there and has an end, and nothing differs."""
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
        """What may still change: the ids of orders and arbitrages."""
        orders = [order.order_id for order in self.orders if not _is_settled(order)]
        return orders + [each.arbitrage_id for each in self.arbitrages if not each.has_ended]

    def differences(self) -> list[Check]:
        """Where oneorder's records and an exchange's ledger do not agree."""
        checks: list[Check] = []
        for account, ledger in self.ledgers.items():
            orders = [order for order in self.orders if order.account == account]
            positions = [held for held in self.positions if held.account == account]
            checks += compare(orders, positions, ledger)
        ledgers = {account: _of_legs(ledger) for account, ledger in self.ledgers.items()}
        checks += compare_arbitrages(self.arbitrages, self.legs(), ledgers)
        # A leg is compared as an order, too.
        return [check for check in dict.fromkeys(checks) if not check.agrees]


def judge(
    plan: Plan, done: Mapping[str, int], snapshot: Snapshot, black_hole: BlackHole
) -> Outcome:
    """Compare what there is with the signals that were published."""
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
    """The part of a ledger that is about the symbols of arbitrages."""
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
    """That the first exchange all but stood still while the second one was a black hole."""
    seconds, orders = black_hole.seconds, black_hole.orders
    if min(seconds.values()) < PHASES_MIN_S or sum(orders.values()) < ORDERS_MIN:
        return []
    rates = {phase: orders[phase] / seconds[phase] for phase in orders}
    goes_on = rates[True] >= RATE_MIN * rates[False]
    text = f"{rates[True]:.2f} orders a second, {rates[False]:.2f} otherwise"
    what = "goes on while the second exchange is a black hole"
    return [] if goes_on else [Check(what, "the first exchange", text, "more")]


def _is_settled(order: Order) -> bool:
    waiting = (OrderState.RECEIVED, OrderState.SUBMITTING)
    return order.state not in waiting and not order.fills_missing


def _must_stand(order: Order) -> bool:
    return order.state not in (OrderState.REJECTED, OrderState.REFUSED)
