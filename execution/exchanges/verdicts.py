"""Judges failed placements: a failure, and rules that say what it proves.

The first matching rule of a table applies; so codes that prove nothing come first, whatever their
HTTP status. A failure without a rule is UNKNOWN: it is looked up, and never sent again on a guess.
So a profile has a rule only if the exchange's own code or HTTP status is proof, or if something
that reads like a refusal is not one. Each profile names the pages of its codes.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from execution.model.order import Verdict

REJECTED, UNKNOWN, NOT_SENT = Verdict.REJECTED, Verdict.UNKNOWN, Verdict.NOT_SENT
STATUS_4XX = range(400, 500)
STATUS_5XX = range(500, 600)
STATUS_401, STATUS_403, STATUS_418, STATUS_429 = (
    range(status, status + 1) for status in (401, 403, 418, 429)
)

# An order with our id exists: only a lookup can tell which one, and its state.
STANDS = "an order with this id exists"


@dataclass(frozen=True, slots=True)
class Failure:
    """A request that did not result in an order.

    `kind` is the name of the error class, `status` the HTTP status and `code` the exchange's own
    code, each None if there was none. `reached` is False only with proof that no byte was sent.
    """

    kind: str
    message: str
    status: int | None = None
    code: str | None = None
    reached: bool = True
    retry_after_s: int = 0


@dataclass(frozen=True, slots=True)
class VerdictRule:
    """One rule of an exchange's table; a field that is None matches everything. A `code` that ends
    with * matches every code with that beginning."""

    verdict: Verdict
    why: str
    status: range | None = None
    code: str | None = None
    message: str | None = None
    kind: str | None = None
    reached: bool | None = None

    def fits(self, failure: Failure) -> bool:
        return (
            (self.status is None or (failure.status or 0) in self.status)
            and (self.code is None or _is_code(self.code, failure.code))
            and (self.message is None or self.message.lower() in failure.message.lower())
            and (self.kind is None or self.kind == failure.kind)
            and (self.reached is None or self.reached == failure.reached)
        )


def _is_code(wanted: str, code: str | None) -> bool:
    if wanted.endswith("*"):
        return code is not None and code.startswith(wanted[:-1])
    return wanted == code


def match_rule(failure: Failure, rows: Iterable[VerdictRule]) -> VerdictRule | None:
    """The first rule that matches; None if none does, so that nothing is proved."""
    return next((row for row in rows if row.fits(failure)), None)


def each(
    verdict: Verdict, why: str, *codes: str, status: range | None = None
) -> tuple[VerdictRule, ...]:
    """One rule for every code, all with the same verdict and reason."""
    return tuple(VerdictRule(verdict, why, status=status, code=code) for code in codes)


def span(text: str) -> tuple[str, ...]:
    """The codes in a text that lists them one by one, or as a range like 1..9."""
    codes: list[str] = []
    for word in text.split():
        first, _, last = word.partition("..")
        numbers = range(int(first), int(last) + 1) if last else None
        codes += [word] if numbers is None else map(str, numbers)
    return tuple(codes)


def refused_by_rules(codes: str, status: range | None = None) -> tuple[VerdictRule, ...]:
    """Rules for codes that prove a rejection and share one meaning. Only documented codes that can
    answer a placement belong here; a range is written as `first..last`. A code that is added to the
    documentation later has no rule, and is looked up."""
    return each(REJECTED, "refused by a rule that the code names", *span(codes), status=status)


EVERY_EXCHANGE = (
    VerdictRule(NOT_SENT, "the connection was never made", reached=False),
    VerdictRule(UNKNOWN, "the server failed while it held the request", status=STATUS_5XX),
)
