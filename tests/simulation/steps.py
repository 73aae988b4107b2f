"""What can happen in the world. A history is a setting and a list of these, and nothing else, so
that it can be played again, cut down and printed."""

from dataclasses import dataclass, field
from enum import StrEnum

from tests.support.exchange import Tells


class Fate(StrEnum):
    """What becomes of the one call at which a worker was stopped."""

    FINE = "goes well"
    LOST = "never arrives"
    UNHEARD = "is carried out, its answer is lost"
    CRASH_BEFORE = "is never made: the process dies"
    CRASH_AFTER = "is carried out: the process dies before it hears of it"
    THROTTLED = "is told to come later"
    GARBAGE = "gets a page of garbage from somewhere on the way"
    # The rest is for placements alone.
    REFUSED = "finds no connection"
    DELAYED = "is given up while it is in the network"
    QUEUED = "is given up while it waits for the matching engine"
    CRASH_DELAYED = "is in the network when the process dies"
    CRASH_QUEUED = "waits for the matching engine when the process dies"


_STORE = (Fate.FINE, Fate.LOST, Fate.UNHEARD, Fate.CRASH_BEFORE, Fate.CRASH_AFTER)
_ASKED = (*_STORE, Fate.THROTTLED, Fate.GARBAGE)
PLACE, LOOKUP, CANCEL, COMMIT = "place", "lookup", "cancel", "commit"
CLOCK, POSITION = "clock", "position"
QUESTIONS = frozenset(
    {LOOKUP, CANCEL, "market", "fetch", "open_orders", "order_fills", "fills_since", "order_book",
     "measure_clock"}
)  # fmt: skip


def fates_of(kind: str) -> tuple[Fate, ...]:
    """What may become of a call of this kind, the harmless first."""
    if kind == PLACE:
        return tuple(Fate)
    if kind in QUESTIONS:
        return _ASKED
    return (Fate.FINE, Fate.CRASH_BEFORE) if kind == CLOCK else _STORE


ANY = "any call"


@dataclass(frozen=True, slots=True)
class Halt:
    """Where a worker is stopped next: before the first call of that kind after `skip` others, or
    nowhere, for None."""

    at: str | None = None
    skip: int = 0

    def __str__(self) -> str:
        if self.at is None:
            return "goes on to the end"
        past = f" (past {self.skip})" if self.skip else ""
        return f"stops before {self.at}{past}"


class Job(StrEnum):
    EXECUTE = "executes the message of"
    ADVANCE = "advances"
    CANCEL = "cancels"
    DRAIN = "drains the intents"
    SWEEP = "sweeps"
    RECONCILE = "reconciles"
    MEASURE = "measures the exchange's clock"


SIGNAL_JOBS = frozenset({Job.EXECUTE, Job.ADVANCE, Job.CANCEL})


@dataclass(frozen=True, slots=True)
class Start:
    """A worker that has nothing to do begins a job. `signal` matters to jobs on one signal, and
    `copy` says which of its messages is delivered."""

    worker: int
    job: Job
    signal: int = 0
    copy: int = 0
    halt: Halt = Halt()

    def __str__(self) -> str:
        about = f" signal {self.signal}" if self.job in SIGNAL_JOBS else ""
        copy = f", message {self.copy}," if self.copy else ""
        return f"worker {self.worker} {self.job}{about}{copy} and {self.halt}"


@dataclass(frozen=True, slots=True)
class Go:
    """A stopped worker goes on: its call meets that fate."""

    worker: int
    fate: Fate = Fate.FINE
    halt: Halt = Halt()

    def __str__(self) -> str:
        return f"worker {self.worker} goes on: its call {self.fate}; it {self.halt}"


class Publishing(StrEnum):
    HEARD = "publishes"
    UNHEARD = "publishes, and does not hear that it worked,"
    FAILED = "fails to publish"


@dataclass(frozen=True, slots=True)
class Publish:
    """The producer publishes a signal, perhaps once more, or the wish to cancel its order."""

    signal: int
    how: Publishing = Publishing.HEARD
    cancel: bool = False

    def __str__(self) -> str:
        what = "the cancel of signal" if self.cancel else "signal"
        return f"the producer {self.how} {what} {self.signal}"


@dataclass(frozen=True, slots=True)
class Tick:
    ms: int

    def __str__(self) -> str:
        return f"{self.ms} ms pass"


class Way(StrEnum):
    ARRIVES = "arrives and waits for the matching engine"
    MATCHED = "reaches the matching engine"
    DROPPED = "is lost on its way"


@dataclass(frozen=True, slots=True)
class Move:
    """A request that its worker gave up moves on, the nth of those that are under way."""

    request: int
    way: Way

    def __str__(self) -> str:
        return f"request {self.request} of those under way {self.way}"


class Happening(StrEnum):
    TRADES = "trades in part"
    FILLS = "trades to its end"
    EXPIRES = "is ended by the exchange"


@dataclass(frozen=True, slots=True)
class Happen:
    """Something happens to the nth order that stands at the exchange."""

    order: int
    what: Happening

    def __str__(self) -> str:
        return f"standing order {self.order} {self.what}"


@dataclass(frozen=True, slots=True)
class Mood:
    """How the exchange is from now on: how far its reads lag, whether the account has funds, and
    by which part of the stated uncertainty (-1 to 1) a measurement of its clock is off."""

    lag_ms: int = 0
    funds: bool = True
    error: int = 0

    def __str__(self) -> str:
        funds = "funds" if self.funds else "no funds"
        off = {-1: "slow", 0: "right", 1: "fast"}[self.error]
        return f"reads lag {self.lag_ms} ms, {funds}, clock measured {off}"


@dataclass(frozen=True, slots=True)
class Save:
    """What the store holds now is on its disk."""

    def __str__(self) -> str:
        return "the store's disk catches up"


@dataclass(frozen=True, slots=True)
class Restart:
    """The store restarts with what was on its disk; intents may be safer than the rest."""

    keeps_intents: bool = True

    def __str__(self) -> str:
        but = "all intents" if self.keeps_intents else "not even the newer intents"
        return f"the store restarts from its disk, with {but}"


Step = Start | Go | Publish | Tick | Move | Happen | Mood | Save | Restart


@dataclass(frozen=True, slots=True)
class Asked:
    """What one signal asks for, and what the book makes of it: `at_once` of its ten parts trade
    when it is accepted (a market order trades whole)."""

    side: str = "buy"
    market: bool = False
    ioc: bool = False
    at_once: int = 0
    expires_after_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Setting:
    """What stays the same through one history."""

    signals: tuple[Asked, ...] = field(default=(Asked(),))
    workers: int = 2
    offset_ms: int = 0
    drift_ppm: int = 0
    uncertainty_ms: int = 0
    skew_ms: int = 0  # How far each worker's host is ahead of the one before it.
    tells: Tells = Tells.FILLS
    attempts_max: int = 20
