"""What can happen to an order, in the past tense."""

from dataclasses import dataclass

from execution.model.order import Attempt, OrderReport


@dataclass(frozen=True, slots=True)
class AttemptBegan:
    """The next attempt is about to be journaled; only then may its request leave, to `address`."""

    attempt: Attempt
    address: str = ""


@dataclass(frozen=True, slots=True)
class AttemptUnknown:
    """It cannot be said yet whether the attempt arrived. `reason` is what is known of the attempt,
    `waits` what the order waits for meanwhile."""

    number: int
    reason: str
    stamp_ms: int | None = None
    waits: str | None = None


@dataclass(frozen=True, slots=True)
class AttemptDied:
    """The attempt is proven dead: it did not arrive and cannot arrive any more.

    With `may_arrive` it can, but the next one may be made all the same, because of both only one
    can become an order.
    """

    number: int
    reason: str
    stamp_ms: int | None = None
    may_arrive: bool = False


@dataclass(frozen=True, slots=True)
class Rejected:
    """The exchange answered this attempt with a definite no."""

    number: int
    reason: str
    stamp_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Reported:
    """The exchange said where the order stands. With `by_hand` a person has said that this is the
    order, whatever it differs in."""

    report: OrderReport
    by_hand: bool = False


@dataclass(frozen=True, slots=True)
class Refused:
    """We will not send this order."""

    reason: str


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """The order was canceled while nothing of it could be at the exchange."""

    reason: str


@dataclass(frozen=True, slots=True)
class Delayed:
    """The order cannot be moved on now, for this reason."""

    reason: str


@dataclass(frozen=True, slots=True)
class CancelRequested:
    """Somebody wants the order gone."""


@dataclass(frozen=True, slots=True)
class SettledByHand:
    """A person has found that the order is not at the exchange, which cannot be asked any more."""

    reason: str


@dataclass(frozen=True, slots=True)
class Quarantined:
    """The outcome cannot be found out by asking the exchange."""

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
