"""The exchange as it really is: requests under way, orders, trades, and a clock of its own.

It keeps its contract, Binance's unless told otherwise, to the limits: a request may be accepted
until its window has passed, and then for as long as forwarding takes, or at any time where there is
no fence; a client order id is refused only as far as ids are unique; reads lag, at most as long as
the contract says; and an order that ended without a trade is forgotten as soon as it may be.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from decimal import Decimal
from enum import Enum

from execution.exchanges.guarantees import ExchangeGuarantees, Uniqueness
from execution.exchanges.port import AccountFill, ClockOffset, Outcome
from execution.model.order import (
    Attempt,
    Fee,
    Fill,
    Order,
    OrderReport,
    OrderState,
    OrderType,
    Side,
    Terms,
    TimeInForce,
    Verdict,
)

from .steps import Happening, Mood, Setting, Tells, Way
from .virtual_clock import START_MS, VirtualClock, moment

# A stamp further ahead of the exchange's clock than this is refused too.
AHEAD_MAX_MS = 1_000
PARTS = 10
FEE = Decimal("0.001")


# What happened how often, by sort and detail.
Tally = Counter[tuple[str, str]]


class Stage(Enum):
    NETWORK = "network"
    QUEUE = "queue"


@dataclass(slots=True)
class Request:
    """One signed placement on its way."""

    order: Order
    stamp_ms: int
    valid_until_ms: int
    stage: Stage = Stage.NETWORK


@dataclass(slots=True)
class Standing:
    """An order that the exchange took. Times are on the exchange's clock."""

    exchange_order_id: str
    order: Order
    accepted_ms: int
    fills: list[tuple[int, Fill]] = field(default_factory=list)
    ended: tuple[int, OrderState] | None = None

    def report(self, as_of_ms: int, *, with_fills: bool = False) -> OrderReport:
        fills = tuple(fill for at_ms, fill in self.fills if at_ms <= as_of_ms)
        filled = sum((fill.amount for fill in fills), Decimal(0))
        status = OrderState.OPEN
        if filled >= self.order.amount:
            status = OrderState.FILLED
        elif self.ended is not None and self.ended[0] <= as_of_ms:
            status = self.ended[1]
        return OrderReport(
            exchange_order_id=self.exchange_order_id,
            client_order_id=self.order.client_order_id,
            symbol=self.order.symbol,
            status=status,
            filled=filled,
            fills=fills if with_fills else (),
            terms=Terms(
                self.order.side,
                self.order.type,
                self.order.amount,
                self.order.price,
                self.order.time_in_force,
            ),
        )


class Truth:
    """One account at the exchange."""

    def __init__(
        self,
        clock: VirtualClock,
        setting: Setting,
        accepted: Callable[[Standing], None],
        tally: Tally,
        guarantees: ExchangeGuarantees,
    ) -> None:
        self.clock = clock
        self._setting = setting
        self._asked = {f"signal-{n}": asked for n, asked in enumerate(setting.signals)}
        self._on_accepted = accepted
        self._trade_id = 100
        self.uncertainty_ms = setting.uncertainty_ms
        self.skew_max_ms = abs(setting.skew_ms) * (setting.workers - 1)
        self.mood = Mood()
        self.standing: list[Standing] = []
        self.under_way: list[Request] = []
        self.accepted: Counter[str] = Counter()
        self.rejected: Counter[str] = Counter()
        self._requested: Counter[str] = Counter()
        self._tally = tally
        self.guarantees = guarantees

    def now_ms(self) -> int:
        age_ms = self.clock.ms - START_MS
        return self.clock.ms + self._setting.offset_ms + age_ms * self._setting.drift_ppm // 10**6

    def measured(self, local_ms: int) -> ClockOffset:
        """An honest measurement against a clock that shows `local_ms`: off by no more than it
        says."""
        offset_ms = self.now_ms() - local_ms + self.mood.error * self.uncertainty_ms
        return ClockOffset(offset_ms, self.uncertainty_ms, local_ms)

    # What becomes of placements.

    def send(self, order: Order, attempt: Attempt) -> Request:
        """Put a request into the network."""
        request = Request(order, attempt.stamp_ms, attempt.valid_until_ms)
        self.under_way.append(request)
        self._requested[order.signal_id] += 1
        again = "again" if self._requested[order.signal_id] > 1 else "first"
        self._tally["requests sent", again] += 1
        return request

    def arrive(self, request: Request) -> Outcome | None:
        """The first check; None for a request that passed it and waits for the engine now."""
        now_ms = self.now_ms()
        is_inside = request.stamp_ms - AHEAD_MAX_MS <= now_ms <= request.valid_until_ms
        if is_inside or not self.guarantees.is_fenced:
            request.stage = Stage.QUEUE
            return None
        return self._outside(request)

    def match(self, request: Request) -> Outcome:
        """The second check, and the engine. Between the two lies the time that forwarding takes."""
        last_ms = request.valid_until_ms + self.guarantees.engine_bound_ms
        if self.guarantees.is_fenced and self.now_ms() > last_ms:
            return self._outside(request)
        self.under_way.remove(request)
        signal_id = request.order.signal_id
        if any(self._is_taken(standing, request.order) for standing in self.standing):
            self._tally["doubles attempted", "stopped by the client id"] += 1
            return Outcome(Verdict.UNKNOWN, reason="duplicate order")
        if not self.mood.funds:
            self.rejected[signal_id] += 1
            return Outcome(Verdict.REJECTED, reason="insufficient balance")
        return self._accept(request.order)

    def deliver(self, request: Request) -> Outcome:
        """Both at once."""
        return self.arrive(request) or self.match(request)

    def move(self, request: Request, way: Way) -> None:
        """Let a request that nobody waits for any more go on."""
        if way is Way.DROPPED and request.stage is Stage.NETWORK:
            self.under_way.remove(request)
        elif way is Way.ARRIVES and request.stage is Stage.NETWORK:
            self.arrive(request)
        elif way is Way.MATCHED and request.stage is Stage.QUEUE:
            self.match(request)
        elif way is Way.MATCHED:
            self.deliver(request)

    def _outside(self, request: Request) -> Outcome:
        self.under_way.remove(request)
        if self.accepted[request.order.signal_id]:
            self._tally["doubles attempted", "stopped by the fence"] += 1
        return Outcome(Verdict.NOT_SENT, reason="outside the receive window")

    def _is_taken(self, standing: Standing, order: Order) -> bool:
        """This order keeps another one from having its id."""
        is_same = standing.order.client_order_id == order.client_order_id
        is_open = standing.report(self.now_ms()).status is OrderState.OPEN
        is_known = self.guarantees.uniqueness is Uniqueness.ALL_ORDERS
        return is_same and (is_open or (is_known and not self._is_forgotten(standing)))

    def _accept(self, order: Order) -> Outcome:
        standing = Standing(f"{7000 + len(self.standing)}", order, self.now_ms())
        self.standing.append(standing)
        self.accepted[order.signal_id] += 1
        parts = PARTS if order.type is OrderType.MARKET else self._asked[order.signal_id].at_once
        for part in (parts // 2, parts - parts // 2):
            self.trade(standing, part)
        if order.time_in_force is TimeInForce.IOC:
            standing.ended = (self.now_ms(), OrderState.EXPIRED)
        self._on_accepted(standing)
        tells = self._setting.tells
        report = standing.report(self.now_ms(), with_fills=tells is Tells.FILLS)
        if tells is Tells.NOTHING:
            report = replace(report, status=OrderState.OPEN, filled=None)
        return Outcome(Verdict.ACCEPTED, report)

    # What happens at the exchange by itself.

    def happen(self, standing: Standing, what: Happening) -> None:
        if standing.report(self.now_ms()).status is not OrderState.OPEN:
            return
        if what is Happening.EXPIRES:
            standing.ended = (self.now_ms(), OrderState.EXPIRED)
            return
        filled = standing.report(self.now_ms()).filled or Decimal(0)
        left = int((standing.order.amount - filled) * PARTS / standing.order.amount)
        self.trade(standing, min(left, 3) if what is Happening.TRADES else left)

    def trade(self, standing: Standing, parts: int) -> None:
        """Let so many tenths of the order trade, each trade at a price of its own."""
        if not parts:
            return
        self._trade_id += 1
        order = standing.order
        amount = order.amount * parts / PARTS
        price = Decimal(100) + Decimal(self._trade_id % 7)
        fill = Fill(
            trade_id=str(self._trade_id),
            side=order.side,
            price=price,
            amount=amount,
            fees=(Fee("USDT", price * amount * FEE),),
            time=moment(self.now_ms()),
        )
        standing.fills.append((self.now_ms(), fill))

    # What reads tell, as of some time ago.

    def _seen_ms(self) -> int:
        return self.now_ms() - self.mood.lag_ms

    def lookup(self, order: Order) -> OrderReport | None:
        as_of_ms = self._seen_ms()
        for standing in reversed(self.standing):
            if (
                standing.order.client_order_id == order.client_order_id
                and standing.accepted_ms <= as_of_ms
                and not self._is_forgotten(standing)
            ):
                return standing.report(as_of_ms)
        return None

    def fetch(self, exchange_order_id: str) -> OrderReport | None:
        for standing in self.standing:
            if standing.exchange_order_id == exchange_order_id:
                return None if self._is_forgotten(standing) else standing.report(self._seen_ms())
        return None

    def _is_forgotten(self, standing: Standing) -> bool:
        """It ended without a trade, and so long ago that it is not kept any more."""
        if standing.ended is None or standing.fills:
            return False
        return self.guarantees.may_have_forgotten(standing.ended[0], self.now_ms())

    def cancel(self, order: Order) -> OrderReport | None:
        for standing in self.standing:
            if standing.exchange_order_id == order.exchange_order_id:
                if standing.report(self.now_ms()).status is not OrderState.OPEN:
                    return None
                standing.ended = (self.now_ms(), OrderState.CANCELED)
                return standing.report(self.now_ms())
        return None

    def open_orders(self, symbol: str) -> list[OrderReport]:
        as_of_ms = self._seen_ms()
        seen = [s.report(as_of_ms) for s in self.standing if s.accepted_ms <= as_of_ms]
        return [report for report in seen if report.status is OrderState.OPEN]

    def order_fills(self, order: Order) -> list[Fill]:
        return [
            told.fill
            for told in self._trades()
            if told.exchange_order_id == order.exchange_order_id
        ]

    def fills_since(self, symbol: str, cursor: str | None, since_ms: int) -> list[AccountFill]:
        since = moment(since_ms)
        return [
            told
            for told in self._trades()
            if (
                told.fill.time >= since if cursor is None else int(told.fill.trade_id) > int(cursor)
            )
        ]

    def _trades(self) -> list[AccountFill]:
        as_of_ms = self._seen_ms()
        trades = [
            AccountFill(standing.exchange_order_id, fill)
            for standing in self.standing
            for at_ms, fill in standing.fills
            if at_ms <= as_of_ms
        ]
        return sorted(trades, key=lambda told: int(told.fill.trade_id))


def signed(fill: Fill) -> Decimal:
    return fill.amount if fill.side is Side.BUY else -fill.amount
