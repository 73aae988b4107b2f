"""The faults in force: which of them affect a request, and how often each has fired."""

from collections import Counter
from dataclasses import dataclass
from decimal import Decimal
from random import Random

from paper_exchange.clock import ExchangeClock
from paper_exchange.faults.rules import FaultKind, FaultRule


@dataclass(slots=True)
class Fault:
    """A rule in force, with its state."""

    id: int
    rule: FaultRule
    fired: int = 0
    # A rate_limit fault answers 418 instead of 429 up to this time.
    banned_until_ms: int = 0

    @property
    def is_spent(self) -> bool:
        """Whether it has fired as often as its count allows."""
        return self.rule.count is not None and self.fired >= self.rule.count

    def describe(self) -> dict[str, object]:
        """The fault as JSON."""
        return {"id": self.id, **self.rule.describe(), "fired": self.fired}


@dataclass(slots=True)
class Plan:
    """The effect of faults on one request. Delays add up; only the first spoiler counts.

    `status` is the HTTP status of a rate limit.
    """

    delay_before_ms: int = 0
    delay_after_ms: int = 0
    lag_ms: int = 0
    spoiler: FaultRule | None = None
    status: int = 0


class FaultBook:
    """All faults in force. The same seed and the same requests give the same faults."""

    def __init__(self, rng: Random, clock: ExchangeClock) -> None:
        self._rng = rng
        self._clock = clock
        self._faults: list[Fault] = []
        self._last_id = 0
        # How often each kind has fired since the start, cleared faults included.
        self.injected: Counter[FaultKind] = Counter()

    def add(self, rule: FaultRule) -> Fault:
        """Add a fault."""
        self._last_id += 1
        fault = Fault(self._last_id, rule)
        self._faults.append(fault)
        self._set_clock()
        return fault

    def clear(self) -> None:
        """Remove all faults."""
        self._faults.clear()
        self._set_clock()

    def describe(self) -> list[dict[str, object]]:
        """All faults as JSON, the spent ones included."""
        return [fault.describe() for fault in self._faults]

    @property
    def lag_ms_max(self) -> int:
        """The longest lag of reads."""
        lags = (f.rule.ms for f in self._faults if f.rule.kind is FaultKind.READ_LAG)
        return max(lags, default=0)

    def draw(self, method: str, path: str) -> Plan | None:
        """The effect of the faults on a request; None if there is none."""
        if not self._faults:
            return None
        plan: Plan | None = None
        for fault in self._faults:
            if fault.is_spent or not fault.rule.matches(method, path):
                continue
            # A second spoiler has no effect, so its count is kept for later.
            if plan is not None and plan.spoiler and fault.rule.kind in _SPOILERS:
                continue
            if not self._fires(fault):
                continue
            plan = plan or Plan()
            self._apply(fault, plan)
        return plan

    def _fires(self, fault: Fault) -> bool:
        if fault.banned_until_ms > self._clock.now_ms():
            return True
        probability = fault.rule.probability
        return probability == 1 or Decimal(self._rng.random()) < probability

    def _apply(self, fault: Fault, plan: Plan) -> None:
        rule = fault.rule
        fault.fired += 1
        self.injected[rule.kind] += 1
        if rule.kind is FaultKind.DELAY_BEFORE:
            plan.delay_before_ms += rule.ms
        elif rule.kind is FaultKind.DELAY_AFTER:
            plan.delay_after_ms += rule.ms
        elif rule.kind is FaultKind.READ_LAG:
            plan.lag_ms = max(plan.lag_ms, rule.ms)
        elif rule.kind is FaultKind.CLOCK_SKEW:
            self._set_clock()
        else:
            plan.spoiler = rule
            if rule.kind is FaultKind.RATE_LIMIT:
                plan.status = self._limit(fault)

    def _limit(self, fault: Fault) -> int:
        """429 for the first request, 418 for those that ignore its Retry-After."""
        now_ms = self._clock.now_ms()
        if now_ms < fault.banned_until_ms:
            return 418
        fault.banned_until_ms = now_ms + fault.rule.retry_after_s * 1000
        return 429

    def _set_clock(self) -> None:
        self._clock.skew_ms = sum(
            fault.rule.ms
            for fault in self._faults
            if fault.rule.kind is FaultKind.CLOCK_SKEW and not fault.is_spent
        )


# All kinds but those that add up.
_SPOILERS = frozenset(FaultKind) - {
    FaultKind.DELAY_BEFORE,
    FaultKind.DELAY_AFTER,
    FaultKind.READ_LAG,
    FaultKind.CLOCK_SKEW,
}
