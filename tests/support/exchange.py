"""One account at an exchange in memory: requests under way, orders, trades, and its own clock.

It keeps what its guarantees promise, to the limits: a request may be accepted until its window has
passed, and then for as long as forwarding takes, or at any time where there is no fence; a client
order id is refused only as far as ids are unique; reads lag; and an order that ended without a
trade is forgotten as soon as it may be. What it has accepted is the truth that tests compare the
project's records with.
"""

from collections import Counter, defaultdict, deque
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from decimal import Decimal
from enum import Enum, StrEnum

from execution.exchanges.guarantees import ExchangeGuarantees, Uniqueness
from execution.exchanges.port import AccountFill, ClockOffset, Outcome
from execution.exchanges.profiles import binance
from execution.model.book import Book
from execution.model.errors import ExchangeUnavailable, UnknownSymbol
from execution.model.order import (
    Attempt,
    Fee,
    Fill,
    Order,
    OrderReport,
    OrderState,
    Terms,
    TimeInForce,
    Verdict,
)
from execution.model.trading_rules import Market
from execution.positions.balance_sheet import moved_by_trade
from tests.support.clock import START_MS, FakeClock, moment

SYMBOL = "BTC/USDT"
ADDRESS = "https://exchange.test:443"
MARKET = Market(
    symbol=SYMBOL,
    price_tick=Decimal("0.01"),
    amount_step=Decimal("0.001"),
    amount_min=Decimal("0.001"),
    notional_min=Decimal(5),
    taker_fee=Decimal("0.001"),
)
BOOK = Book(SYMBOL, ((Decimal(99), Decimal(10)),), ((Decimal(101), Decimal(10)),))
# A stamp further ahead of the exchange's clock than this is refused too.
AHEAD_MAX_MS = 1_000
# What happened how often, by sort and detail.
Tally = Counter[tuple[str, str]]


class Tells(StrEnum):
    """How much the answer to an accepted placement says."""

    FILLS = "fills"
    FILLED = "filled amount"
    NOTHING = "nothing but the id"


class Stage(Enum):
    NETWORK = "network"
    QUEUE = "queue"


@dataclass(slots=True, eq=False)
class Request:
    """One signed placement on its way."""

    order: Order
    stamp_ms: int
    valid_until_ms: int
    stage: Stage = Stage.NETWORK


@dataclass(slots=True, eq=False)
class Standing:
    """An order that the exchange took. Times are on the exchange's clock, `ended` is when and how
    it ended without being filled."""

    exchange_order_id: str
    order: Order
    accepted_ms: int
    fills: list[Fill] = field(default_factory=list)
    ended: tuple[int, OrderState] | None = None

    @property
    def filled(self) -> Decimal:
        return sum((fill.amount for fill in self.fills), Decimal(0))

    @property
    def status(self) -> OrderState:
        """What it is by all that has happened."""
        if self.filled >= self.order.amount:
            return OrderState.FILLED
        return OrderState.OPEN if self.ended is None else self.ended[1]

    @property
    def is_open(self) -> bool:
        return self.status is OrderState.OPEN

    def report(self, as_of_ms: int, *, with_fills: bool = False) -> OrderReport:
        as_of = moment(as_of_ms)
        fills = tuple(fill for fill in self.fills if fill.time <= as_of)
        filled = sum((fill.amount for fill in fills), Decimal(0))
        status = OrderState.OPEN
        if filled >= self.order.amount:
            status = OrderState.FILLED
        elif self.ended is not None and self.ended[0] <= as_of_ms:
            status = self.ended[1]
        order = self.order
        return OrderReport(
            exchange_order_id=self.exchange_order_id,
            client_order_id=order.client_order_id,
            symbol=order.symbol,
            status=status,
            filled=filled,
            fills=fills if with_fills else (),
            terms=Terms(order.side, order.type, order.amount, order.price, order.time_in_force),
        )


Placing = Callable[["FakeExchange", Order, Attempt], Outcome]


class FakeExchange:
    """See port.Exchange for the meaning of its methods.

    What happens to each next placement is taken from `script`; after its end everything arrives at
    once. `fill_next` says in which (price, amount) parts the next accepted orders trade at once;
    `tells` how much the answer to a placement says. Its clock is `offset_ms` ahead of the true one
    and gains `drift_ppm`; a measurement of it is off by `clock_error` (-1 to 1) times
    `uncertainty_ms`.
    """

    def __init__(
        self,
        clock: FakeClock,
        *,
        offset_ms: int = 0,
        drift_ppm: int = 0,
        uncertainty_ms: int = 0,
        read_lag_ms: int = 0,
        tells: Tells = Tells.FILLS,
        fee_asset: str = "USDT",
        taker_fee: Decimal = Decimal(0),
        book: Book = BOOK,
        guarantees: ExchangeGuarantees = binance.GUARANTEES,
    ) -> None:
        self.clock = clock
        self.guarantees = guarantees
        self.offset_ms = offset_ms
        self.drift_ppm = drift_ppm
        self.uncertainty_ms = uncertainty_ms
        self.clock_error = 0
        self.read_lag_ms = read_lag_ms
        self.tells = tells
        self.has_funds = True
        # Whether it keeps what has ended for longer than it promises.
        self.keeps_all = False
        self.fee_asset = fee_asset
        self.taker_fee = taker_fee
        self.book = book
        self.markets: dict[str, Market] = {SYMBOL: MARKET}
        # Symbols that it lists no more: every request about them is refused.
        self.delisted: set[str] = set()
        self.script: deque[Placing] = deque()
        self.fill_next: deque[list[tuple[str, str]]] = deque()
        self.requests: list[tuple[Order, Attempt]] = []
        self.calls: list[str] = []
        self.standing: list[Standing] = []
        self.under_way: list[Request] = []
        self.deposits = {"USDT": Decimal(1_000_000), "BTC": Decimal(100), "ETH": Decimal(1_000)}
        # How many orders of each signal it has accepted, and how many requests it has rejected.
        self.accepted: Counter[str] = Counter()
        self.rejected: Counter[str] = Counter()
        self.tally: Tally = Counter()
        self.on_accepted: Callable[[Standing], None] = lambda _: None
        self._sent: Counter[str] = Counter()
        self._actions: dict[str, deque[Callable[[], None]]] = defaultdict(deque)
        self._trade_id = 100

    # What a test does to it.

    def on(self, method: str, action: Callable[[], None]) -> None:
        """Let `action` run when `method` is called next, before it does anything."""
        self._actions[method].append(action)

    def fail(self, method: str, *, retry_after_s: int = 0) -> None:
        """Let the next call of `method` get no usable answer."""

        def unavailable() -> None:
            raise ExchangeUnavailable(f"{method}: no answer", retry_after_s)

        self.on(method, unavailable)

    def trade(self, client_order_id: str, price: str, amount: str) -> None:
        """Let the latest order of that id trade."""
        found = (s for s in reversed(self.standing) if s.order.client_order_id == client_order_id)
        self.fill(next(found), Decimal(price), Decimal(amount))

    def fill(self, standing: Standing, price: Decimal, amount: Decimal) -> None:
        """Let the order trade, even one that has ended: a fill may be shown late."""
        self._trade_id += 1
        fee = (price * amount if self.fee_asset == "USDT" else amount) * self.taker_fee
        standing.fills.append(
            Fill(
                trade_id=str(self._trade_id),
                side=standing.order.side,
                price=price,
                amount=amount,
                fees=(Fee(self.fee_asset, fee),) if fee else (),
                time=moment(self.now_ms()),
            )
        )

    def end(self, standing: Standing, state: OrderState) -> None:
        """Let the order end now, with what it has traded."""
        standing.ended = (self.now_ms(), state)

    # Its clock.

    def now_ms(self) -> int:
        """The exchange's own time."""
        now_ms = self.clock.now_ms()
        return now_ms + self.offset_ms + (now_ms - START_MS) * self.drift_ppm // 10**6

    def measured(self, local_ms: int) -> ClockOffset:
        """An honest measurement against a clock that shows `local_ms`: off by no more than it
        says."""
        offset_ms = self.now_ms() - local_ms + self.clock_error * self.uncertainty_ms
        return ClockOffset(offset_ms, self.uncertainty_ms, local_ms)

    def measure_clock(self) -> ClockOffset:
        self._called("measure_clock")
        return self.measured(self.clock.now_ms())

    # What becomes of placements.

    def place(self, order: Order, attempt: Attempt) -> Outcome:
        self._called("place")
        self.requests.append((order, attempt))
        return (self.script.popleft() if self.script else arrives)(self, order, attempt)

    def arrive(self, order: Order, attempt: Attempt) -> Outcome:
        """What becomes of a request that is sent and gets there now."""
        return self.deliver(self.send(order, attempt))

    def send(self, order: Order, attempt: Attempt) -> Request:
        """Put a request into the network."""
        request = Request(order, attempt.stamp_ms, attempt.valid_until_ms)
        self.under_way.append(request)
        self._sent[order.signal_id] += 1
        again = "again" if self._sent[order.signal_id] > 1 else "first"
        self.tally["requests sent", again] += 1
        return request

    def let_in(self, request: Request) -> Outcome | None:
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
        if any(self._is_taken(standing, request.order) for standing in self.standing):
            self.tally["doubles attempted", "stopped by the client id"] += 1
            return Outcome(Verdict.UNKNOWN, reason="Duplicate order sent.")
        if not self.has_funds:
            self.rejected[request.order.signal_id] += 1
            return Outcome(Verdict.REJECTED, reason="insufficient balance")
        return self._accept(request.order)

    def deliver(self, request: Request) -> Outcome:
        """Let a request pass what it has not passed yet."""
        refusal = self.let_in(request) if request.stage is Stage.NETWORK else None
        return refusal or self.match(request)

    def deliver_all(self) -> None:
        """Let every request that is still under way arrive now."""
        for request in list(self.under_way):
            self.deliver(request)

    def _outside(self, request: Request) -> Outcome:
        self.under_way.remove(request)
        if self.accepted[request.order.signal_id]:
            self.tally["doubles attempted", "stopped by the fence"] += 1
        return Outcome(Verdict.NOT_SENT, reason="outside the receive window")

    def _is_taken(self, standing: Standing, order: Order) -> bool:
        """This order keeps another one from having its id."""
        is_same = standing.order.client_order_id == order.client_order_id
        is_known = self.guarantees.uniqueness is Uniqueness.ALL_ORDERS
        is_kept = is_known and not self._is_forgotten(standing)
        return is_same and (standing.is_open or is_kept)

    def _accept(self, order: Order) -> Outcome:
        standing = Standing(f"{7000 + len(self.standing)}", order, self.now_ms())
        self.standing.append(standing)
        self.accepted[order.signal_id] += 1
        self.trade_at_once(standing)
        if order.time_in_force is TimeInForce.IOC and standing.is_open:
            self.end(standing, OrderState.EXPIRED)
        self.on_accepted(standing)
        report = self.report_of(standing, with_fills=self.tells is Tells.FILLS)
        if self.tells is Tells.NOTHING:
            report = replace(report, status=OrderState.OPEN, filled=None)
        return Outcome(Verdict.ACCEPTED, report)

    def trade_at_once(self, standing: Standing) -> None:
        """What the book makes of a new order."""
        for price, amount in self.fill_next.popleft() if self.fill_next else []:
            self.fill(standing, Decimal(price), Decimal(amount))

    def cancel(self, order: Order) -> OrderReport | None:
        self._called("cancel")
        self._is_listed(order.symbol)
        for standing in self.standing:
            if standing.exchange_order_id == order.exchange_order_id and standing.is_open:
                self.end(standing, OrderState.CANCELED)
                return self.report_of(standing)
        return None

    # What reads tell, as of some time ago.

    def report_of(
        self, standing: Standing, as_of_ms: int | None = None, *, with_fills: bool = False
    ) -> OrderReport:
        """How it tells an order, as of then or as of now."""
        return standing.report(
            self.now_ms() if as_of_ms is None else as_of_ms, with_fills=with_fills
        )

    def lookup(self, order: Order) -> OrderReport | None:
        # What this request sees is settled when it arrives, not when its answer is read.
        as_of_ms = self._seen_ms()
        seen = [
            self.report_of(standing, as_of_ms)
            for standing in self.standing
            if standing.order.client_order_id == order.client_order_id
            and standing.accepted_ms <= as_of_ms
            and not self._is_forgotten(standing)
        ]
        self._called("lookup")
        self._is_listed(order.symbol)
        return seen[-1] if seen else None

    def fetch(self, symbol: str, exchange_order_id: str) -> OrderReport | None:
        self._called("fetch")
        self._is_listed(symbol)
        for standing in self._standing_of(symbol):
            if standing.exchange_order_id == exchange_order_id:
                return (
                    None
                    if self._is_forgotten(standing)
                    else self.report_of(standing, self._seen_ms())
                )
        return None

    def open_orders(self, symbol: str) -> list[OrderReport]:
        self._called("open_orders")
        self._is_listed(symbol)
        as_of_ms = self._seen_ms()
        standing = (s for s in self._standing_of(symbol) if s.accepted_ms <= as_of_ms)
        reports = [self.report_of(each, as_of_ms) for each in standing]
        return [report for report in reports if report.status is OrderState.OPEN]

    def order_fills(self, order: Order) -> list[Fill]:
        self._called("order_fills")
        self._is_listed(order.symbol)
        trades = self._trades(order.symbol)
        return [each.fill for each in trades if each.exchange_order_id == order.exchange_order_id]

    def fills_since(self, symbol: str, cursor: str | None, since_ms: int) -> list[AccountFill]:
        self._called("fills_since")
        self._is_listed(symbol)
        since, trades = moment(since_ms), self._trades(symbol)
        if cursor is None:
            return [trade for trade in trades if trade.fill.time >= since]
        return [trade for trade in trades if int(trade.fill.trade_id) > int(cursor)]

    def _standing_of(self, symbol: str) -> list[Standing]:
        return [standing for standing in self.standing if standing.order.symbol == symbol]

    def _trades(self, symbol: str) -> list[AccountFill]:
        as_of = moment(self._seen_ms())
        trades = [
            AccountFill(standing.exchange_order_id, fill)
            for standing in self._standing_of(symbol)
            for fill in standing.fills
            if fill.time <= as_of
        ]
        return sorted(trades, key=lambda trade: int(trade.fill.trade_id))

    def _seen_ms(self) -> int:
        return self.now_ms() - self.read_lag_ms

    def _is_forgotten(self, standing: Standing) -> bool:
        """It ended without a trade, and so long ago that it is not kept any more."""
        if standing.ended is None or standing.fills or self.keeps_all:
            return False
        return self.guarantees.may_have_forgotten(standing.ended[0], self.now_ms())

    # Everything else that an account can be asked for.

    @property
    def address(self) -> str:
        return ADDRESS

    def symbols(self) -> list[str]:
        self._called("symbols")
        return sorted(self.markets.keys() - self.delisted)

    def market(self, symbol: str, since_ms: int | None = None) -> Market | None:
        self._called("market" if since_ms is None else "market_since")
        return None if symbol in self.delisted else self.markets.get(symbol)

    def balances(self) -> dict[str, Decimal]:
        self._called("balances")
        return self._total()

    def free_balances(self) -> dict[str, Decimal]:
        self._called("free_balances")
        return self._total()

    def _total(self) -> dict[str, Decimal]:
        total = dict(self.deposits)
        for standing in self.standing:
            for fill in standing.fills:
                for asset, amount in moved_by_trade(standing.order.symbol, fill).items():
                    total[asset] = total.get(asset, Decimal(0)) + amount
        return total

    def prices(self, symbols: Collection[str]) -> dict[str, Decimal]:
        self._called("prices")
        self._is_listed(*symbols)
        mid = self.book.mid
        return {symbol: mid for symbol in symbols if symbol in self.markets and mid is not None}

    def order_book(self, symbol: str, depth: int) -> Book:
        self._called("order_book")
        return self.book

    def may_trade(self) -> bool | None:
        self._called("may_trade")
        return True

    def may_withdraw(self) -> bool | None:
        self._called("may_withdraw")
        return False

    def _called(self, method: str) -> None:
        self.calls.append(method)
        if self._actions[method]:
            self._actions[method].popleft()()

    def _is_listed(self, *symbols: str) -> None:
        gone = self.delisted.intersection(symbols)
        if gone:
            raise UnknownSymbol(f"BadSymbol: {', '.join(sorted(gone))} is not listed")


class Crash(Exception):
    """The process that ran this is gone; the test that catches it plays the next process."""


def arrives(exchange: FakeExchange, order: Order, attempt: Attempt) -> Outcome:
    """The request arrives at once and its answer comes back."""
    return exchange.arrive(order, attempt)


def is_lost(_: FakeExchange, __: Order, ___: Attempt) -> Outcome:
    """The request never arrives, which its sender cannot know."""
    return Outcome(Verdict.UNKNOWN, reason="RequestTimeout: no answer")


def loses_its_answer(exchange: FakeExchange, order: Order, attempt: Attempt) -> Outcome:
    """The request arrives at once; the answer never comes back."""
    exchange.arrive(order, attempt)
    return Outcome(Verdict.UNKNOWN, reason="RequestTimeout: no answer")


def is_under_way(exchange: FakeExchange, order: Order, attempt: Attempt) -> Outcome:
    """The answer is given up on while the request waits for the engine; see `deliver_all`."""
    exchange.let_in(exchange.send(order, attempt))
    return Outcome(Verdict.UNKNOWN, reason="RequestTimeout: no answer")


def dies_before_it_leaves(_: FakeExchange, __: Order, ___: Attempt) -> Outcome:
    raise Crash


def dies_after_it_arrived(exchange: FakeExchange, order: Order, attempt: Attempt) -> Outcome:
    exchange.arrive(order, attempt)
    raise Crash


def answers(verdict: Verdict, reason: str = "because", retry_after_s: int = 0) -> Placing:
    """The exchange says this, and no order comes of it."""
    return lambda _, __, ___: Outcome(verdict, reason=reason, retry_after_s=retry_after_s)


def pauses(meanwhile: Callable[[], object], then: Placing = arrives) -> Placing:
    """The worker stands still between write-ahead and send while `meanwhile` happens."""

    def placing(exchange: FakeExchange, order: Order, attempt: Attempt) -> Outcome:
        meanwhile()
        return then(exchange, order, attempt)

    return placing
