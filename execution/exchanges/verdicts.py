"""How a failed placement is judged: what is known of it, and rows that say what that proves.

A table is read from the top, and the first row that fits decides; so codes that prove nothing come
first, whatever the HTTP status they arrive with. Whatever has no row is UNKNOWN: it is looked up,
and never sent again on a guess. So a row stands in a profile only where the exchange's own code or
HTTP status is proof, or where something that sounds like a refusal is none. Each profile names the
pages that its codes are from.
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

# An order with our id is there: which one, and how it stands, only a lookup can tell.
STANDS = "an order with this id stands"


@dataclass(frozen=True, slots=True)
class Failure:
    """What is known of a request that did not come back as an order.

    `kind` is the name of the error class, `status` the HTTP status and `code` the exchange's own
    code, each None where there was none. `reached` is False only with proof that no byte left.
    """

    kind: str
    message: str
    status: int | None = None
    code: str | None = None
    reached: bool = True
    retry_after_s: int = 0


@dataclass(frozen=True, slots=True)
class VerdictRule:
    """One rule of an exchange's table; a field that is None fits everything. A `code` that ends
    with * fits every code that begins so."""

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
    """The first row that fits; None where none does, and so nothing is proved."""
    return next((row for row in rows if row.fits(failure)), None)


def each(
    verdict: Verdict, why: str, *codes: str, status: range | None = None
) -> tuple[VerdictRule, ...]:
    """One row for every code, all with the same verdict for the same reason."""
    return tuple(VerdictRule(verdict, why, status=status, code=code) for code in codes)


def span(text: str) -> tuple[str, ...]:
    """Codes out of a text that names them one by one, or from the first to the last as 1..9."""
    found: list[str] = []
    for word in text.split():
        first, _, last = word.partition("..")
        codes = range(int(first), int(last) + 1) if last else None
        found += [word] if codes is None else map(str, codes)
    return tuple(found)


def refused_by_rules(codes: str, status: range | None = None) -> tuple[VerdictRule, ...]:
    """Rows for codes that prove a no and share one meaning. Only codes that the exchange's document
    lists, and that can answer a placement, belong here; a range is written as `first..last`. A code
    that a later document adds has no row, and is looked up."""
    return each(REJECTED, "refused by a rule that the code names", *span(codes), status=status)


EVERY_EXCHANGE = (
    VerdictRule(NOT_SENT, "the connection was never made", reached=False),
    VerdictRule(UNKNOWN, "the server broke while it held the request", status=STATUS_5XX),
)
