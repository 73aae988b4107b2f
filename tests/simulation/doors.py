"""The doors of one simulated process: every call through one may be its last for a long time.

A door asks its gate first. The gate may stop the process there; then it says what becomes of the
call, and the door makes it so.
"""

from collections.abc import Callable, Collection, Iterable
from datetime import datetime
from decimal import Decimal
from typing import ParamSpec, Protocol, TypeVar

from execution.exchanges.guarantees import ExchangeGuarantees
from execution.exchanges.port import AccountFill, ClockOffset, Outcome
from execution.model.book import Book
from execution.model.errors import ExchangeUnavailable, StoreUnavailable
from execution.model.order import (
    Attempt,
    Fill,
    Order,
    OrderReport,
    OrderState,
    Verdict,
)
from execution.model.position import Position
from execution.model.trading_rules import Market
from execution.orders.store import Change, Committed, Epoch, Halt, Intent, RefusedIntent
from tests.support.clock import FakeClock, moment
from tests.support.exchange import BOOK, MARKET, Request
from tests.support.whole_stores import MemoryStore

from .exchange import SteppedExchange
from .steps import CANCEL, CLOCK, COMMIT, LOOKUP, PLACE, Fate

P = ParamSpec("P")
T = TypeVar("T")
RETRY_AFTER_S = 2
AFTERWARDS = frozenset({Fate.UNHEARD, Fate.CRASH_AFTER})


class Crash(BaseException):
    """The process is gone, with all that it knew. No handler of its own may catch this."""


class Gate(Protocol):
    def __call__(self, kind: str) -> Fate:
        """Stop here if it is time to; say what becomes of the call. Raises Crash in a dead
        process, whose `finally` clauses never ran."""

    def crash(self) -> Crash:
        """The process is dead from now on."""


class ClockDoor:
    """The clock of the process's host, which may be ahead of the true time."""

    def __init__(self, gate: Gate, clock: FakeClock, ahead_ms: int) -> None:
        self._gate = gate
        self._clock = clock
        self.ahead_ms = ahead_ms

    def shown_ms(self) -> int:
        return self._clock.ms + self.ahead_ms

    def now_ms(self) -> int:
        if self._gate(CLOCK) is not Fate.FINE:
            raise self._gate.crash()
        return self.shown_ms()

    def now(self) -> datetime:
        return moment(self.now_ms())


class StoreDoor:
    """A process's connection to the store. It knows the epoch as the connection to Redis does: in
    its own host's time, and until a change is refused because the epoch is over."""

    def __init__(self, gate: Gate, store: MemoryStore, clock: ClockDoor) -> None:
        self._gate = gate
        self._store = store
        self._clock = clock
        self._epoch: Epoch | None = None

    def _call(self, kind: str, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        fate = self._gate(kind)
        if fate is Fate.FINE:
            return function(*args, **kwargs)
        if fate in AFTERWARDS:
            function(*args, **kwargs)
        if fate in (Fate.LOST, Fate.UNHEARD):
            raise StoreUnavailable(f"the {kind} {fate}")
        raise self._gate.crash()

    def commit(self, change: Change) -> Committed:
        committed = self._call(COMMIT, self._store.commit, change)
        if committed is Committed.RESTARTED:
            self._epoch = None
        return committed

    def epoch(self, *, fresh: bool = False) -> Epoch:
        if fresh or self._epoch is None:
            epoch = self._call("epoch", self._store.epoch)
            since_ms = epoch.since_ms + self._clock.ahead_ms if epoch.since_ms else 0
            self._epoch = Epoch(epoch.run_id, since_ms)
        return self._epoch

    def begin_epoch(self) -> Epoch:
        self._epoch = self._call("begin_epoch", self._store.begin_epoch)
        return self._epoch

    def order(self, order_id: str) -> Order | None:
        return self._call("order", self._store.order, order_id)

    def orders(self, state: OrderState | None = None, account: str | None = None) -> list[Order]:
        return self._call("orders", self._store.orders, state, account)

    def live_orders(self, account: str) -> list[Order]:
        return self._call("live_orders", self._store.live_orders, account)

    def order_ids_by_exchange_id(
        self, account: str, symbol: str, exchange_order_ids: Iterable[str]
    ) -> dict[str, str]:
        wanted = list(exchange_order_ids)
        asked = self._store.order_ids_by_exchange_id
        return self._call("order_ids_by_exchange_id", asked, account, symbol, wanted)

    def due(self, now_ms: int, limit: int, lease_ms: int) -> list[str]:
        return self._call("due", self._store.due, now_ms, limit, lease_ms)

    def postpone(self, order_id: str, due_ms: int) -> None:
        self._call("postpone", self._store.postpone, order_id, due_ms)

    def make_due(self, account: str, now_ms: int, later_than_ms: int, apart_ms: int) -> int:
        asked = (account, now_ms, later_than_ms, apart_ms)
        return self._call("make_due", self._store.make_due, *asked)

    def position(self, account: str, symbol: str) -> Position:
        return self._call("position", self._store.position, account, symbol)

    def positions(self, account: str | None = None) -> list[Position]:
        return self._call("positions", self._store.positions, account)

    def take_intents(self, count: int, older_than_ms: int) -> list[Intent]:
        return self._call("take_intents", self._store.take_intents, count, older_than_ms)

    def settle_intent(self, entry_id: str) -> None:
        self._call("settle_intent", self._store.settle_intent, entry_id)

    def refuse_intent(self, refused: RefusedIntent, entry_id: str | None) -> None:
        self._call("refuse_intent", self._store.refuse_intent, refused, entry_id)

    def hold(self, account: str, seconds: int) -> None:
        self._call("hold", self._store.hold, account, seconds)

    def end_hold(self, account: str) -> bool:
        return self._call("end_hold", self._store.end_hold, account)

    def clock_offset(self, account: str, host: str) -> ClockOffset | None:
        return self._call("clock_offset", self._store.clock_offset, account, host)

    def set_clock_offset(self, account: str, host: str, offset: ClockOffset) -> None:
        self._call("set_clock_offset", self._store.set_clock_offset, account, host, offset)

    def halt(self, halt: Halt) -> None:
        self._call("halt", self._store.halt, halt)

    def resume(self, account: str | None) -> bool:
        return self._call("resume", self._store.resume, account)

    def halts(self) -> list[Halt]:
        return self._call("halts", self._store.halts)

    def lease(self, name: str, owner: str, ttl_ms: int) -> bool:
        return self._call("lease", self._store.lease, name, owner, ttl_ms)

    def release(self, name: str, owner: str) -> None:
        self._call("release", self._store.release, name, owner)


class ExchangeDoor:
    """A process's connection to its account at the exchange, with the real one's strictness:
    what is not the expected answer is no answer."""

    def __init__(
        self,
        gate: Gate,
        exchange: SteppedExchange,
        clock: ClockDoor,
        guarantees: ExchangeGuarantees,
    ) -> None:
        self._gate = gate
        self._exchange = exchange
        self._clock = clock
        self._guarantees = guarantees

    @property
    def guarantees(self) -> ExchangeGuarantees:
        return self._guarantees

    @property
    def address(self) -> str:
        return "https://exchange.test:443"

    def _ask(self, kind: str, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        fate = self._gate(kind)
        if fate is Fate.FINE:
            return function(*args, **kwargs)
        if fate in AFTERWARDS:
            function(*args, **kwargs)
        if fate in (Fate.CRASH_BEFORE, Fate.CRASH_AFTER):
            raise self._gate.crash()
        if fate is Fate.THROTTLED:
            raise ExchangeUnavailable(f"the {kind} {fate}", RETRY_AFTER_S)
        raise ExchangeUnavailable(f"the {kind} {fate}")

    def market(self, symbol: str, since_ms: int | None = None) -> Market | None:
        del since_ms
        return self._ask("market", {MARKET.symbol: MARKET}.get, symbol)

    def place(self, order: Order, attempt: Attempt) -> Outcome:
        fate = self._gate(PLACE)
        match fate:
            case Fate.FINE:
                return self._deliver(order, attempt)
            case Fate.CRASH_BEFORE:
                raise self._gate.crash()
            case Fate.REFUSED:
                return Outcome(Verdict.NOT_SENT, reason="connection refused")
            case Fate.THROTTLED:
                too_many = "too many requests"
                return Outcome(Verdict.NOT_SENT, reason=too_many, retry_after_s=RETRY_AFTER_S)
            case Fate.UNHEARD | Fate.CRASH_AFTER:
                self._deliver(order, attempt)
            case Fate.DELAYED | Fate.CRASH_DELAYED:
                self._send(order, attempt)
            case Fate.QUEUED | Fate.CRASH_QUEUED:
                self._exchange.let_in(self._send(order, attempt))
        if fate in (Fate.CRASH_AFTER, Fate.CRASH_DELAYED, Fate.CRASH_QUEUED):
            raise self._gate.crash()
        return self._judged(fate, order)

    def _deliver(self, order: Order, attempt: Attempt) -> Outcome:
        return self._exchange.deliver(self._send(order, attempt))

    def _send(self, order: Order, attempt: Attempt) -> Request:
        """Let the request leave, signed with the attempt's stamp."""
        return self._exchange.send(order, attempt)

    def _judged(self, fate: Fate, order: Order) -> Outcome:
        """What a strict client makes of no answer, or of garbage."""
        return Outcome(Verdict.UNKNOWN, reason=f"the request {fate}")

    def cancel(self, order: Order) -> OrderReport | None:
        return self._ask(CANCEL, self._exchange.cancel, order)

    def lookup(self, order: Order) -> OrderReport | None:
        return self._ask(LOOKUP, self._exchange.lookup, order)

    def fetch(self, symbol: str, exchange_order_id: str) -> OrderReport | None:
        return self._ask("fetch", self._exchange.fetch, symbol, exchange_order_id)

    def open_orders(self, symbol: str) -> list[OrderReport]:
        return self._ask("open_orders", self._exchange.open_orders, symbol)

    def order_fills(self, order: Order) -> list[Fill]:
        return self._ask("order_fills", self._exchange.order_fills, order)

    def fills_since(self, symbol: str, cursor: str | None, since_ms: int) -> list[AccountFill]:
        return self._ask("fills_since", self._exchange.fills_since, symbol, cursor, since_ms)

    def balances(self) -> dict[str, Decimal]:
        return {}

    def prices(self, symbols: Collection[str]) -> dict[str, Decimal]:
        return self._ask("prices", lambda: dict.fromkeys(symbols, BOOK.mid or Decimal(0)))

    def symbols(self) -> list[str]:
        return [MARKET.symbol]

    def may_trade(self) -> bool | None:
        return True

    def may_withdraw(self) -> bool | None:
        return False

    def free_balances(self) -> dict[str, Decimal]:
        return {}

    def order_book(self, symbol: str, depth: int) -> Book:
        return self._ask("order_book", lambda: BOOK)

    def measure_clock(self) -> ClockOffset:
        return self._ask("measure_clock", lambda: self._exchange.measured(self._clock.shown_ms()))
