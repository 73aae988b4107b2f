"""What became of the signals of one run, and whether that is as it must be."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from execution.model.order import Order, OrderState
from execution.model.position import Position
from oneorder.identifiers import order_id_of
from workers.sandbox.audit import Check, Ledger, compare
from workers.sandbox.chaos.exchange_disorder import BlackHole

# The first exchange's orders are slowed down by much else; stopped, they must not be. Before this
# long in both phases, and that many orders, the two cannot be compared.
RATE_MIN = 0.25
PHASES_MIN_S = 40.0
ORDERS_MIN = 100


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was done to the system, and what became of the signals.

    `strays` are orders that no signal asked for. `beside` says how fast the first exchange took
    orders while the second one was a black hole, and otherwise.
    """

    seed: int
    signals: int
    disturbances: Mapping[str, int]
    states: Mapping[str, int]
    beside: Mapping[str, str]
    doubled: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    strays: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    differences: list[Check] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        return not (self.doubled or self.lost or self.strays or self.unknown or self.differences)


@dataclass(frozen=True, slots=True)
class Found:
    """What oneorder and the exchanges have, at one time."""

    orders: Sequence[Order]
    positions: Sequence[Position]
    ledgers: Mapping[str, Ledger]

    @property
    def progress(self) -> int:
        """How many orders have an end; it grows as long as there is something left to do."""
        return sum(_is_settled(order) for order in self.orders)

    def is_settled(self, count: int) -> bool:
        """Whether so many orders have an end, and nothing differs."""
        are_there = len(self.orders) == count and all(_is_settled(one) for one in self.orders)
        return are_there and not self.differences()

    def differences(self) -> list[Check]:
        """Where oneorder's records and an exchange's ledger do not agree."""
        checks: list[Check] = []
        for account, ledger in self.ledgers.items():
            orders = [order for order in self.orders if order.account == account]
            positions = [one for one in self.positions if one.account == account]
            checks += compare(orders, positions, ledger)
        return [check for check in checks if not check.agrees]


def judge(
    seed: int, signals: int, done: Mapping[str, int], found: Found, black_hole: BlackHole
) -> Outcome:
    """Compare what was found with the signals that were published."""
    orders = {order.order_id: order for order in found.orders}
    times = Counter(
        row["clientOrderId"] for ledger in found.ledgers.values() for row in ledger["orders"]
    )
    wanted = {f"chaos-{number}": order_id_of(f"chaos-{number}") for number in range(signals)}
    return Outcome(
        seed=seed,
        signals=signals,
        disturbances=dict(done),
        states=dict(Counter(order.state.value for order in found.orders)),
        beside=_rates(black_hole),
        doubled=[client_id for client_id, count in times.items() if count > 1],
        lost=[
            signal_id
            for signal_id, order_id in wanted.items()
            if order_id not in orders or (_must_stand(orders[order_id]) and not times[order_id])
        ],
        strays=sorted((orders.keys() | times.keys()) - set(wanted.values())),
        unknown=[order_id for order_id, order in orders.items() if not _is_settled(order)],
        differences=[*found.differences(), *standstills(black_hole)],
    )


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
