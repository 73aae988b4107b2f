"""The fields of a fault, and its parsing from JSON."""

from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, StrictBool, StrictInt, ValidationError
from pydantic.dataclasses import dataclass

MS_MAX = 600_000
SKEW_MS_MAX = 10 * 365 * 24 * 3_600_000
COUNT_MAX = 1_000_000_000
RETRY_AFTER_S_MAX = 3_600
METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "*"})
# The method and path of a route that stands for WebSocket messages.
STREAM = "WS"
DEPTH = "depth"


class FaultError(Exception):
    """An invalid fault; the message is one sentence for the client."""


class FaultKind(StrEnum):
    """The kind of a fault."""

    DROP_BEFORE = "drop_before"
    DROP_AFTER = "drop_after"
    DELAY_BEFORE = "delay_before"
    DELAY_AFTER = "delay_after"
    STATUS = "status"
    GARBAGE = "garbage"
    READ_LAG = "read_lag"
    RATE_LIMIT = "rate_limit"
    CLOCK_SKEW = "clock_skew"
    STREAM_GAP = "stream_gap"
    LATE_ENGINE = "late_engine"


class LateAnswer(StrEnum):
    """What the client receives before the engine has carried out its request."""

    TIMEOUT = "timeout"
    CUT = "cut"


class GarbageForm(StrEnum):
    """The body of a garbage response with status 200; `cut` is the first half of the real one."""

    HTML = "html"
    EMPTY = "empty"
    OBJECT = "object"
    CUT = "cut"


@dataclass(frozen=True, slots=True)
class FaultRule:
    """One fault as requested. `kind` determines which of the later fields are used.

    `method` and `path` may be `*`. `count` is how often it fires at most, None for always.
    `processed` says whether the exchange carries out the request before the wrong response.
    """

    kind: FaultKind
    method: str = "*"
    path: str = "*"
    probability: Annotated[Decimal, BeforeValidator(str), Field(ge=0, le=1)] = Decimal(1)
    count: Annotated[StrictInt, Field(ge=1, le=COUNT_MAX)] | None = None
    ms: Annotated[StrictInt, Field(ge=-SKEW_MS_MAX, le=SKEW_MS_MAX)] = 0
    code: Annotated[StrictInt, Field(ge=200, le=599)] = 500
    body: Any = None
    form: GarbageForm = GarbageForm.HTML
    processed: StrictBool = False
    retry_after_s: Annotated[StrictInt, Field(ge=1, le=RETRY_AFTER_S_MAX)] = 1
    answer: LateAnswer = LateAnswer.TIMEOUT

    def matches(self, method: str, path: str) -> bool:
        """Whether a request matches this fault's route. `*` does not include streams."""
        if STREAM in (method, self.method) and method != self.method:
            return False
        return self.method in ("*", method) and self.path in ("*", path)

    def describe(self) -> dict[str, object]:
        """The rule as JSON, with the fields of its kind."""
        own = {name: getattr(self, name) for name in sorted(_OWN[self.kind])}
        return {
            "kind": self.kind.value,
            "route": "*" if self.method == self.path == "*" else f"{self.method} {self.path}",
            "probability": f"{self.probability:f}",
            "count": self.count,
            **own,
        }


_COMMON = frozenset({"kind", "route", "probability", "count"})
_OWN: dict[FaultKind, frozenset[str]] = {
    FaultKind.DROP_BEFORE: frozenset(),
    FaultKind.DROP_AFTER: frozenset(),
    FaultKind.DELAY_BEFORE: frozenset({"ms"}),
    FaultKind.DELAY_AFTER: frozenset({"ms"}),
    FaultKind.STATUS: frozenset({"code", "body", "processed"}),
    FaultKind.GARBAGE: frozenset({"form", "processed"}),
    FaultKind.READ_LAG: frozenset({"ms"}),
    FaultKind.RATE_LIMIT: frozenset({"retry_after_s"}),
    FaultKind.CLOCK_SKEW: frozenset({"ms"}),
    FaultKind.STREAM_GAP: frozenset(),
    FaultKind.LATE_ENGINE: frozenset({"ms", "answer"}),
}
_ON_STREAMS = (FaultKind.DROP_BEFORE, FaultKind.STREAM_GAP)
_MUST = ("ms", "code")


def read_fault(sent: object) -> FaultRule:
    """Make a rule from decoded JSON (numbers with a point as Decimal). Raises FaultError."""
    if not isinstance(sent, dict):
        raise FaultError(f"a fault must be a JSON object, not {sent!r}")
    if sent.get("kind") not in list(FaultKind):
        raise FaultError(f"kind must be one of {', '.join(FaultKind)}, not {sent.get('kind')!s}")
    kind = FaultKind(sent["kind"])
    _check_fields(kind, sent)
    method, path = _read_route(sent.get("route", "*"))
    _check_place(kind, method)
    fields = {"processed": kind is FaultKind.GARBAGE, **sent, "method": method, "path": path}
    fields.pop("route", None)
    try:
        rule = FaultRule(**fields)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        reason = f"{first['loc'][0]}: {first['msg']}, not {first['input']!s}"
        raise FaultError(reason) from None
    if kind is not FaultKind.CLOCK_SKEW and not 0 <= rule.ms <= MS_MAX:
        raise FaultError(f"ms must be from 0 to {MS_MAX}, not {rule.ms}")
    if kind is FaultKind.CLOCK_SKEW and rule.probability != 1:
        raise FaultError(f"probability of a clock_skew fault must be 1, not {rule.probability}")
    return rule


def _check_fields(kind: FaultKind, sent: Mapping[str, object]) -> None:
    own = _OWN[kind]
    for name in sent:
        if name not in own and name not in _COMMON:
            raise FaultError(f"{name} is not a field of a {kind} fault")
    for name in _MUST:
        if name in own and name not in sent:
            raise FaultError(f"a {kind} fault needs the field {name}")


def _read_route(value: object) -> tuple[str, str]:
    if value == "*":
        return "*", "*"
    method, _, path = value.partition(" ") if isinstance(value, str) else ("", "", "")
    if method == STREAM and path in (DEPTH, "*"):
        return method, path
    if method not in METHODS or not (path == "*" or path.startswith("/")):
        raise FaultError(f"route must be like 'POST /api/v3/order' or '*', not {value!r}")
    return method, path


def _check_place(kind: FaultKind, method: str) -> None:
    if method == STREAM and kind not in _ON_STREAMS:
        known = ", ".join(_ON_STREAMS)
        raise FaultError(f"kind must be one of {known} where the route is a stream's, not {kind}")
    if method != STREAM and kind is FaultKind.STREAM_GAP:
        raise FaultError(f"route of a stream_gap fault must be '{STREAM} {DEPTH}' or '{STREAM} *'")
