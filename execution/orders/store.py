"""The stores that orders are carried out with, and what is written to them."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Protocol

from execution.model.order import Order
from execution.model.position import Position
from execution.text.cutting import cut
from execution.text.redaction import redact


class Committed(Enum):
    """The result of a commit; every one but DONE changed nothing."""

    DONE = "done"
    CONFLICT = "conflict"  # The order or the position was changed meanwhile.
    HELD = "held"  # The account is on hold: nothing may be sent now.
    HALTED = "halted"  # An operator, or drift, has stopped the account: nothing new may be sent.
    RESTARTED = "restarted"  # The store has a new epoch, which the decision did not consider.


@dataclass(frozen=True, slots=True)
class Epoch:
    """One run of the store's server, or the part of one since something was found to be lost.

    `since_ms` is when, on our clock, it was first seen after an earlier one: what was written
    shortly before may be lost. 0 means that there was none before. It is not `is_whole` until a
    repair has verified the store since then.
    """

    run_id: str
    since_ms: int = field(compare=False)
    is_whole: bool = field(default=True, compare=False)


@dataclass(frozen=True, slots=True)
class Change:
    """One atomic step of one order, with the position that its new fills move.

    `before` is what the store must still hold, by version and revision (version 0: nothing);
    `after` replaces it, as `position` replaces `position_before`. A version alone is not enough: a
    store restored to an earlier state issues it again, for other contents. `due_ms` is when the
    sweep processes the order, None for never. The first write of an order also settles its intent.
    With an `epoch`, the change is made only in that one; if an attempt begins, only while the
    account is neither held nor halted and `address`, the attempt's target, is not held. If the
    order comes from a signal (`is_from_signal`), only if there never was one with its id.
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
    """Nothing new is sent on the account, or on any if it is None, until it is resumed."""

    account: str | None
    reason: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Intent:
    """An entry of the signal stream: a producer's request. `version` is that of the signal's
    schema, as written."""

    entry_id: str
    task: str
    body: str
    version: str = "1"


# No secret is longer than this.
SECRET_LENGTH_MAX = 4_096
REFUSED_MAX = {"task": 100, "body": 2_000, "reason": 1_000}


@dataclass(frozen=True, slots=True)
class RefusedIntent:
    """An intent that could not become an order, with the reason; kept so that nothing is lost.

    Keys, tokens and passwords are removed. Texts longer than REFUSED_MAX, in bytes of UTF-8, are
    cut, so that a list of them takes a bounded amount of memory. JSON's escapes can make surrogate
    halves, which no store accepts; they are kept as escapes.
    """

    task: str
    body: str
    reason: str
    time: datetime

    def __post_init__(self) -> None:
        for name, bytes_max in REFUSED_MAX.items():
            text = getattr(self, name)
            # Before the cut, which could leave half of a secret. The rest is discarded.
            looked_at = bytes_max + SECRET_LENGTH_MAX
            redacted = redact(text[:looked_at]) + text[looked_at:]
            object.__setattr__(self, name, cut(redacted, bytes_max))


class OrderStore(Protocol):
    """The records of orders, as used by the code that advances orders.

    Every method of every store raises StoreUnavailable when the server does not answer.
    """

    def commit(self, change: Change) -> Committed: ...
    def order(self, order_id: str) -> Order | None: ...
    def postpone(self, order_id: str, due_ms: int) -> None:
        """Change the due time of the order, if it is due at all."""


class DueOrders(Protocol):
    """Orders that wait until they are due. Raises StoreUnavailable when the server does not
    answer."""

    def make_due(self, account: str, now_ms: int, later_than_ms: int, apart_ms: int) -> int:
        """Bring forward the account's live orders that are due after `later_than_ms`: to now, and
        each `apart_ms` after the one before. Says how many those were."""


class PositionStore(Protocol):
    """The positions that the commits of orders changed."""

    def position(self, account: str, symbol: str) -> Position:
        """An empty position of version 0 if there is none."""

    def positions(self, account: str | None = None) -> list[Position]: ...


class EpochStore(Protocol):
    """The epoch of the store."""

    def epoch(self, *, fresh: bool = False) -> Epoch:
        """The epoch as this process knows it; a change refused as RESTARTED makes it read the
        server's, as `fresh` does."""

    def begin_epoch(self) -> Epoch:
        """Begin a new epoch, so that every process considers that this store may have lost data."""


class AccountHoldStore(Protocol):
    """Accounts on which nothing may be sent for a while."""

    def hold(self, account: str, seconds: int) -> None:
        """Hold the account for this time; never shortens a longer hold."""

    def end_hold(self, account: str) -> bool:
        """End the hold of the account; returns False if there was none."""


class HaltStore(Protocol):
    """Accounts on which nothing new is sent until they are resumed."""

    def halt(self, halt: Halt) -> None: ...
    def resume(self, account: str | None) -> bool:
        """End the halt of the account, or the one of all accounts; returns False if there was
        none."""

    def halts(self) -> list[Halt]: ...


class LeaseStore(Protocol):
    """Work that one process at a time does."""

    def lease(self, name: str, owner: str, ttl_ms: int) -> bool:
        """Take the lease, or extend it; returns False if another owner has it."""

    def release(self, name: str, owner: str) -> None: ...


class IntentStore(Protocol):
    """The stream of intents."""

    def take_intents(self, count: int, older_than_ms: int) -> list[Intent]:
        """Intents without a record, oldest first; younger ones are left out, except those whose id
        is in the future. They stay until they are settled."""

    def settle_intent(self, entry_id: str) -> None:
        """Settle the intent, also a waiting one; see waiting_intents."""

    def refuse_intent(self, refused: RefusedIntent, entry_id: str | None) -> None: ...


@dataclass(frozen=True, slots=True)
class OrderStores:
    """The stores that orders are carried out with."""

    orders: OrderStore
    positions: PositionStore
    epochs: EpochStore
    holds: AccountHoldStore
    halts: HaltStore
    intents: IntentStore
