"""The doors of the order manager, as it sees them: exchange, store, clock and observer."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import Enum
from typing import Protocol

from execution.exchanges.guarantees import Contract
from execution.model.book import Book
from execution.model.errors import StoreUnavailable
from execution.model.events import Event
from execution.model.order import Attempt, Fill, Order, OrderReport, OrderState, Verdict
from execution.model.position import Position
from execution.model.trading_rules import Market
from execution.text.cutting import cut
from execution.text.redaction import redact


class UnreadableRecord(StoreUnavailable):
    """A record in the store is not what oneorder writes; the sentence names it and its fault."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one attempt came to. `report` is there exactly when the verdict is ACCEPTED."""

    verdict: Verdict
    report: OrderReport | None = None
    reason: str = ""
    retry_after_s: int = 0

    def __post_init__(self) -> None:
        # It becomes part of the record, the ledger and the log.
        object.__setattr__(self, "reason", redact(self.reason))


@dataclass(frozen=True, slots=True)
class AccountFill:
    """A fill as the account's trade list tells it, with the exchange's id of its order."""

    exchange_order_id: str
    fill: Fill


@dataclass(frozen=True, slots=True)
class ClockOffset:
    """Exchange time minus our time, in ms, true to within `uncertainty_ms` when it was measured.

    `measured_at_ms` is that moment on our wall clock, and `steady_ms` on the host's steady clock,
    which no correction of the wall clock moves.
    """

    offset_ms: int
    uncertainty_ms: int
    measured_at_ms: int
    steady_ms: int | None = field(default=None, compare=False)


class Exchange(Protocol):
    """One account at one exchange. Not to be shared between threads.

    `place` never raises for what an exchange answers or fails to answer: its result says what is
    known. `cancel`, which may be repeated, and every reading method raise ExchangeUnavailable
    unless the answer is a well-formed one, so an empty result really means "nothing there".
    """

    @property
    def contract(self) -> Contract: ...
    @property
    def address(self) -> str:
        """Scheme, host and port that placements go to, as `address_of` writes them."""

    def market(self, symbol: str, since_ms: int | None = None) -> Market | None:
        """The symbol's trading rules, None for a symbol that is not traded there.

        With `since_ms` as they were read then, on our clock, or later; raises ExchangeUnavailable
        while they cannot be read again.
        """

    def symbols(self) -> list[str]:
        """Every spot symbol that is traded there."""

    def place(self, order: Order, attempt: Attempt) -> Outcome:
        """Send one placement, signed with the attempt's stamp."""

    def cancel(self, order: Order) -> OrderReport | None:
        """Ask for the order's end; None where the exchange says that there is nothing to cancel."""

    def lookup(self, order: Order) -> OrderReport | None:
        """Find the order by its client order id; None only when the exchange says it has none."""

    def fetch(self, symbol: str, exchange_order_id: str) -> OrderReport | None:
        """Find an order by the exchange's own id, whoever placed it; None if it has none such."""

    def open_orders(self, symbol: str) -> list[OrderReport]: ...
    def order_fills(self, order: Order) -> list[Fill]: ...
    def fills_since(self, symbol: str, cursor: str | None, since_ms: int) -> list[AccountFill]:
        """Trades after trade id `cursor`, oldest first; without a cursor, from `since_ms` on."""

    def balances(self) -> dict[str, Decimal]:
        """Total balance (free and held) by asset."""

    def prices(self, symbols: Collection[str]) -> dict[str, Decimal]:
        """Current prices of the symbols, in one call where the exchange has one. A symbol without a
        market price is left out."""

    def free_balances(self) -> dict[str, Decimal]:
        """What can be traded with, by asset."""

    def may_trade(self) -> bool | None:
        """Whether the key is allowed to place orders; None where the exchange does not say."""

    def may_withdraw(self) -> bool | None:
        """Whether the key is allowed to withdraw, which oneorder never needs; None where the
        exchange does not say."""

    def order_book(self, symbol: str, depth: int) -> Book: ...
    def measure_clock(self) -> ClockOffset: ...


class Clock(Protocol):
    def now_ms(self) -> int:
        """Our own wall clock, in ms since 1970, UTC."""

    def now(self) -> datetime: ...


class Observer(Protocol):
    """Learns of every change of an order, after it is safely stored."""

    def __call__(self, order: Order, event: Event, before: OrderState | None) -> None: ...


class Committed(Enum):
    """How a commit ended; anything but DONE changed nothing."""

    DONE = "done"
    CONFLICT = "conflict"  # Somebody else changed the order or the position first.
    HELD = "held"  # The account is on hold: nothing may be sent now.
    HALTED = "halted"  # A person, or drift, has stopped the account: nothing new may be sent.
    RESTARTED = "restarted"  # The store has a new epoch, which the decision did not reckon with.


@dataclass(frozen=True, slots=True)
class Epoch:
    """One run of the store's server, or the part of one since something was found to be lost.

    `since_ms` is when, on our clock, it was first seen after an earlier one: what was written
    shortly before may be lost. 0 means that there was none before. It is not `is_whole` until
    somebody has looked the store over since then.
    """

    run_id: str
    since_ms: int = field(compare=False)
    is_whole: bool = field(default=True, compare=False)


@dataclass(frozen=True, slots=True)
class Change:
    """One atomic step of one order, with the position that its new fills move.

    `before` is what the store must still hold, by version and revision (version 0: nothing);
    `after` takes its place, as `position` does with `position_before`. A version alone would not
    do: a store that came back from an earlier time gives it again, to other contents. `due_ms` is
    when the sweep shall look at the order, None for never. The first write of an order also settles
    the intent that it came from. Where `epoch` is given, the change is made only in that one; where
    an attempt begins, only while the account is neither held nor halted and `address`, where the
    attempt goes, is not held. Where the order is made of a signal (`is_from_signal`), only if there
    never was one of its id.
    """

    before: Order
    after: Order
    due_ms: int | None
    position: Position | None = None
    position_before: Position | None = None
    epoch: Epoch | None = None
    begins_attempt: bool = False
    is_from_signal: bool = False
    address: str = ""


@dataclass(frozen=True, slots=True)
class Halt:
    """Nothing new is sent on the account, or on any where it is None, until somebody resumes."""

    account: str | None
    reason: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Intent:
    """An entry of the signal stream: what a producer wants done. `version` is that of the signal's
    schema, as it was written."""

    entry_id: str
    task: str
    body: str
    version: str = "1"


# No secret is longer than this.
SECRET_LENGTH_MAX = 4_096
REFUSED_MAX = {"task": 100, "body": 2_000, "reason": 1_000}


@dataclass(frozen=True, slots=True)
class RefusedIntent:
    """An intent that could not become an order, and why; kept so that nothing is lost.

    What looks like a key, a token or a password is removed. What is longer than REFUSED_MAX says,
    in bytes of UTF-8, is cut, so that a list of them takes a bounded amount of memory. JSON's
    escapes can make halves of characters, which no store takes; they are shown as escapes.
    """

    task: str
    body: str
    reason: str
    time: datetime

    def __post_init__(self) -> None:
        for name, bytes_max in REFUSED_MAX.items():
            text = getattr(self, name)
            # Before the cut, which could leave half of a secret. What is cut off is not kept.
            looked_at = bytes_max + SECRET_LENGTH_MAX
            redacted = redact(text[:looked_at]) + text[looked_at:]
            object.__setattr__(self, name, cut(redacted, bytes_max))


class Store(Protocol):
    """Where orders, positions and intents live. Every method raises StoreUnavailable when the
    server does not answer."""

    def commit(self, change: Change) -> Committed: ...
    def epoch(self, *, fresh: bool = False) -> Epoch:
        """The epoch as this store knows it; a change refused as RESTARTED makes it look anew, as
        `fresh` does."""

    def begin_epoch(self) -> Epoch:
        """Let everybody reckon from now on with what this store may have lost."""

    def order(self, order_id: str) -> Order | None: ...
    def orders(self, state: OrderState | None = None, account: str | None = None) -> list[Order]:
        """Oldest first."""

    def live_orders(self, account: str) -> list[Order]: ...
    def accounts(self) -> list[str]:
        """Every account that ever had a live order, sorted."""

    def order_ids_by_exchange_id(
        self, account: str, symbol: str, exchange_order_ids: Iterable[str]
    ) -> dict[str, str]: ...
    def due(self, now_ms: int, limit: int, lease_ms: int) -> list[str]:
        """Take order ids that are due, and make them due again after the lease."""

    def postpone(self, order_id: str, due_ms: int) -> None:
        """Let the sweep look at the order then, if it still is to look at it at all."""

    def make_due(self, account: str, now_ms: int, later_than_ms: int, apart_ms: int) -> int:
        """Bring forward the account's live orders that are due after `later_than_ms`: to now, and
        each `apart_ms` after the one before. Says how many those were."""

    def position(self, account: str, symbol: str) -> Position:
        """An empty position of version 0 where there is none."""

    def positions(self, account: str | None = None) -> list[Position]: ...
    def take_intents(self, count: int, older_than_ms: int) -> list[Intent]:
        """Intents that no record stands for yet, oldest first; those that are younger are left out,
        those whose id is ahead of now are not. They stay until they are settled."""

    def settle_intent(self, entry_id: str) -> None:
        """Let the intent be done with, also one that waits; see waiting_intents."""

    def refuse_intent(self, refused: RefusedIntent, entry_id: str | None) -> None: ...
    def refused_intents(self, count: int) -> list[RefusedIntent]: ...
    def hold(self, account: str, seconds: int) -> None:
        """Let nothing be sent on the account for so long."""

    def end_hold(self, account: str) -> bool:
        """Let things be sent on the account again; False where nothing kept them back."""

    def clock_offset(self, account: str, host: str) -> ClockOffset | None: ...
    def set_clock_offset(self, account: str, host: str, offset: ClockOffset) -> None: ...
    def halt(self, halt: Halt) -> None: ...
    def resume(self, account: str | None) -> bool:
        """End the halt of the account, or the one of all accounts; False if there was none."""

    def halts(self) -> list[Halt]: ...
    def lease(self, name: str, owner: str, ttl_ms: int) -> bool:
        """Take the lease, or hold on to it for so long from now; False if it is somebody else's."""

    def release(self, name: str, owner: str) -> None: ...
    def ping(self) -> None: ...
