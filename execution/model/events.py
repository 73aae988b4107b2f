"""The events of an order."""

from dataclasses import dataclass

from execution.model.order import Attempt, OrderReport


@dataclass(frozen=True, slots=True)
class AttemptBegan:
    """The next attempt is about to be journaled; only then may its request leave, to `address`."""

    attempt: Attempt
    address: str = ""


@dataclass(frozen=True, slots=True)
class AttemptUnknown:
    """It is not known yet whether the attempt arrived. `reason` says what is known of the attempt,
    `waits` what the order waits for meanwhile."""

    number: int
    reason: str
    stamp_ms: int | None = None
    waits: str | None = None


@dataclass(frozen=True, slots=True)
class AttemptDied:
    """The attempt is proven dead: it did not arrive and cannot arrive any more.

    With `may_arrive` it still can, but the next one may be made, because only one of both can
    become an order.
    """

    number: int
    reason: str
    stamp_ms: int | None = None
    may_arrive: bool = False


@dataclass(frozen=True, slots=True)
class Rejected:
    """The exchange definitely rejected this attempt."""

    number: int
    reason: str
    stamp_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Reported:
    """The exchange reported the order's state. With `by_hand` an operator has confirmed that this
    is the order, whatever its differences."""

    report: OrderReport
    by_hand: bool = False


@dataclass(frozen=True, slots=True)
class Refused:
    """oneorder will not send this order."""

    reason: str


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """The order was canceled while it could not be at the exchange."""

    reason: str


@dataclass(frozen=True, slots=True)
class Delayed:
    """The order has to wait, for this reason."""

    reason: str


@dataclass(frozen=True, slots=True)
class CancelRequested:
    """The cancellation of the order was requested."""


@dataclass(frozen=True, slots=True)
class SettledByHand:
    """An operator has found that the order is not at the exchange, which cannot be queried any
    more."""

    reason: str


@dataclass(frozen=True, slots=True)
class Quarantined:
    """The exchange cannot tell the outcome."""

    reason: str


Event = (
    AttemptBegan
    | AttemptUnknown
    | AttemptDied
    | Rejected
    | Reported
    | Refused
    | Withdrawn
    | CancelRequested
    | Delayed
    | SettledByHand
    | Quarantined
)
